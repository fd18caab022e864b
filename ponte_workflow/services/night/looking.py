"""Looking back: the last nights, and one night with its steps and its certificate in words. Counts and codes only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import permissions
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.night.steps import STEPS
from ponte_workflow.services.night.words import day, incident_words, note_words, status_name, step_name
from ponte_workflow.services.rights import may_see
from ponte_workflow.store import nights, worklists
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.nights import Certificate, NightRow

PERMISSION = "night.read"
LAST = 60
_ORDER = {spec.name: number for number, spec in enumerate(STEPS)}


@dataclass(frozen=True, slots=True)
class StepTold:
    """A step in words, its shards together."""

    step: str
    name: str
    status: str
    looked_at: int
    acted_on: int
    set_aside: int
    note: str


@dataclass(frozen=True, slots=True)
class NightTold:
    """One night: its steps, and its certificate once it is completed.

    set_aside, forgotten: (case code, whether the reader may open the case).
    """

    row: NightRow
    steps: tuple[StepTold, ...]
    certificate: Certificate | None
    set_aside: tuple[tuple[str, bool], ...]
    forgotten: tuple[tuple[str, bool], ...]


def last_nights(tx: Transaction, who: Occasion, limit: int = LAST, before: date | None = None) -> list[NightRow]:
    """The last nights, or those before a date, the newest first."""
    permissions.require(who.actor, PERMISSION)
    return nights.nights_seen(tx, limit, before=before)


def tell_night(tx: Transaction, who: Occasion, on: date) -> NightTold:
    """The night of that date; `NotFound` when there was none."""
    permissions.require(who.actor, PERMISSION)
    rows = nights.nights_seen(tx, 1, on)
    if not rows:
        raise not_found(_("Night"), day(on))
    certificate = nights.certificate_in_chain(tx, on)
    if certificate is None:
        return NightTold(rows[0], _running(tx, rows[0].id), None, (), ())
    content = certificate.content
    codes = [*content["set_aside"], *content["forgotten"]]
    known = worklists.rows_of(tx, codes[:5000]) if codes else {}
    seen = {code for code, row in known.items() if may_see(who.actor, row)}
    return NightTold(
        rows[0],
        steps_told(content["steps"]),
        certificate,
        tuple((code, code in seen) for code in content["set_aside"]),
        tuple((code, code in seen) for code in content["forgotten"]),
    )


def steps_told(steps: Mapping[str, Mapping[str, Any]]) -> tuple[StepTold, ...]:
    """The steps of a certificate in words, in the order of the night."""
    return tuple(
        StepTold(
            name,
            step_name(name),
            status_name(step["status"]),
            step["looked_at"],
            step["acted_on"],
            step["set_aside"],
            note_words(step.get("note") or ""),
        )
        for name, step in sorted(steps.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER)))
    )


def ledgers_told(ledgers: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """How old each ledger was, a sentence each."""
    return tuple(
        _("{name}: never imported").format(name=name)
        if ledger["age_days"] is None
        else _("{name}: {n} days old").format(name=name, n=ledger["age_days"])
        for name, ledger in ledgers.items()
    )


def incidents_told(content: Mapping[str, Any]) -> tuple[str, ...]:
    """What went wrong and was mended, a sentence each; empty where nothing did, or the certificate is an old one."""
    happened = dict(content.get("incidents", {}))
    if ahead := content.get("ahead_days"):
        happened["ahead_days"] = ahead
    return tuple(incident_words(name, n) for name, n in happened.items())


def _running(tx: Transaction, night_id: int) -> tuple[StepTold, ...]:
    steps: dict[str, dict[str, Any]] = {}
    for row in nights.steps(tx, night_id):
        known = steps.setdefault(row.step, {"status": row.status, "looked_at": 0, "acted_on": 0, "set_aside": 0})
        _add(known, row.counts._asdict().items())
        if row.status in ("waiting", "running") and known["status"] != row.status:
            known["status"] = "running"  # some of its shards are ended, or begun
        if row.note:
            known["note"] = row.note
    return steps_told(steps)


def _add(known: dict[str, Any], counts: Iterable[tuple[str, int]]) -> None:
    for name, count in counts:
        known[name] += count
