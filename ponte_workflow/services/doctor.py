"""What is wrong with this installation and what to do about it: every check is a sentence with its remedy."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ponte_workflow.clock import ROME
from ponte_workflow.config import Settings
from ponte_workflow.errors import PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.services import servers, watching
from ponte_workflow.services.finding import Finding, State
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import condition, keycheck, ledger, migrate, network
from ponte_workflow.store.condition import Condition
from ponte_workflow.store.crypto import FieldCipher, load_keys
from ponte_workflow.store.engine import Store, Transaction, open_engine, reachable

LEAST_DISK, LITTLE_DISK = 200, 2_000  # megabytes free
LATE_MAIL = 2  # days
CLOCKS_MAY_DIFFER = timedelta(minutes=2)


def examine(settings: Settings, at: datetime) -> list[Finding]:
    """Everything, in the order in which it is best mended: without a database nothing further can be asked."""
    found = [*_machine(settings, at)]
    if any(one.name == "key" and one.state == "bad" for one in found):
        return [*found, *servers.findings(settings)]
    try:
        store = _store(settings)
    except PonteError as refusal:
        return [
            *found,
            Finding("database", "bad", refusal.sentence, _("set PONTE_DATABASE_URL")),
            *servers.findings(settings),
        ]
    try:
        found += _database(settings, store, at)
    finally:
        store.engine.dispose()
    return [*found, *servers.findings(settings)]


def _store(settings: Settings) -> Store:
    keys = load_keys(settings.key.get_secret_value() if settings.key else None, settings.key_path)
    return Store(open_engine(settings.url), FieldCipher(keys))


def _machine(settings: Settings, at: datetime) -> Iterator[Finding]:
    try:
        offset = at.astimezone(ZoneInfo("Europe/Rome")).strftime("%H:%M")
        yield Finding("time zone", "good", _("it is {time} in Rome").format(time=offset))
    except ZoneInfoNotFoundError:
        yield Finding("time zone", "bad", _("Europe/Rome is not known here"), _("install the package tzdata"))
    folder = settings.folder
    there = folder if folder.exists() else folder.parent
    if not there.exists():
        yield Finding("disk", "bad", _("{path} does not exist").format(path=folder), _("make it, or set PONTE_HOME"))
    else:
        free = shutil.disk_usage(there).free // 1_000_000
        state: State = "bad" if free < LEAST_DISK else "look" if free < LITTLE_DISK else "good"
        mend = "" if state == "good" else _("make room, or move PONTE_HOME")
        yield Finding("disk", state, _("{n} MB free in {path}").format(n=free, path=there), mend)
        if folder.exists() and folder.stat().st_mode & 0o007:
            yield Finding("folder", "look", _("others may look into {path}").format(path=folder), f"chmod 700 {folder}")
    try:
        keys = load_keys(settings.key.get_secret_value() if settings.key else None, settings.key_path)
        FieldCipher(keys)
        yield Finding("key", "good", ngettext("{n} field key", "{n} field keys", len(keys)).format(n=len(keys)))
    except PonteError as refusal:
        yield Finding("key", "bad", refusal.sentence, _("ponte db key, or bring the key file back from its safe place"))


def _database(settings: Settings, store: Store, at: datetime) -> Iterator[Finding]:
    try:
        reachable(store.engine)
        migrate.check(store.engine)
    except PonteError as refusal:
        yield Finding("database", "bad", refusal.sentence, _("start the database, then: ponte db upgrade"))
        return
    yield Finding("database", "good", _("schema {version}").format(version=migrate.HEAD))
    try:
        keycheck.check(store)
    except PonteError as refusal:
        yield Finding("key", "bad", refusal.sentence, _("bring back the key with which the database was made"))
        return
    with store.reading() as tx:
        if (damage := condition.damage(tx)) is not None:
            yield Finding("database file", "bad", damage, _("stop Ponte and restore the last backup"))
        theirs = condition.moment_of_database(tx)
        if theirs is not None and abs(theirs - at) > CLOCKS_MAY_DIFFER:
            yield Finding(
                "clock",
                "bad",
                _("this machine and the database differ by {n} seconds").format(
                    n=round(abs((theirs - at).total_seconds()))
                ),
                _("let both follow a time server (systemctl enable --now systemd-timesyncd)"),
            )
        else:
            yield Finding("clock", "good", _("agrees with the database's"))
        now = condition.condition(tx, at.astimezone(ROME).date(), at)
        yield from _night(tx, now, at)
        yield from _outbox(now, at)
        yield from _ledgers(settings, tx, at)
        yield from _people(tx)
    try:
        pathways = Pathways(settings.pathways)
        for name in pathways.names():
            pathways.current(name)
        yield Finding("pathways", "good", _("all can be read"))
    except PonteError as refusal:
        yield Finding("pathways", "bad", refusal.sentence, _("ponte pathway validate FILE"))


def _night(tx: Transaction, now: Condition, at: datetime) -> Iterator[Finding]:
    last, mend = now.night, _("look at the log of the worker, then: ponte nightly")
    missed = watching.missing(tx, at)
    if last is None:
        if missed is None:
            yield Finding("night", "look", _("no night has run yet"), "ponte nightly")
        else:
            yield Finding("night", "bad", _("no night has ever run"), _("start ponte up or ponte worker"))
        return
    day = last.on.strftime("%d/%m/%Y")
    if missed is None:
        yield Finding("night", "good", _("the night of {day}").format(day=day))
    elif last.completed_at is None:
        yield Finding("night", "bad", _("the night of {day} began and did not end").format(day=day), mend)
    else:
        yield Finding("night", "bad", _("the last night is that of {day}").format(day=day), mend)
    if now.cases_set_aside:
        what = ngettext("{n} case is set aside", "{n} cases are set aside", now.cases_set_aside)
        yield Finding(
            "set aside",
            "look",
            what.format(n=now.cases_set_aside),
            _("read why on the page of the night; tell the developer"),
        )


def _outbox(now: Condition, at: datetime) -> Iterator[Finding]:
    oldest, today = now.oldest_waiting_on, at.astimezone(ROME).date()
    if oldest is not None and (today - oldest).days > LATE_MAIL:
        what = _("messages wait since {day}").format(day=oldest.strftime("%d/%m/%Y"))
        yield Finding("outbox", "bad", what, _("is ponte up or ponte worker running? then: ponte deliver"))
    else:
        yield Finding("outbox", "good", _("nothing waits for long"))
    if stuck := now.outbox.get("held", 0) + now.outbox.get("failed", 0):
        what = ngettext("{n} message waits for a person", "{n} messages wait for a person", stuck).format(n=stuck)
        yield Finding("decisions", "look", what, _("Supervision, To decide"))


def _ledgers(settings: Settings, tx: Transaction, at: datetime) -> Iterator[Finding]:
    today, stale = at.astimezone(ROME).date(), []
    for creditor, newest in ledger.ledger_dates(tx).items():
        if newest is None or (today - newest).days > settings.ledger_max_age_days:
            stale.append(creditor)
    if stale:
        what = _("stale ledgers: {names}").format(names=", ".join(stale))
        yield Finding(
            "ledgers", "look", what, _("import the landlord's new files: detection stands still without them")
        )
    else:
        yield Finding("ledgers", "good", _("all are fresh"))


def _people(tx: Transaction) -> Iterator[Finding]:
    active = [m for m in network.members(tx).values() if m.active]
    for role in ("lead", "supervisor", "admin"):
        if not any(role in m.roles for m in active):
            what = _("nobody active has the role {role}").format(role=role)
            yield Finding("people", "look", what, f"ponte user add ... --role {role}")
