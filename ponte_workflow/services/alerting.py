"""Staff alerts: a night that failed, a channel that is down, notices that do not wait. Counts and dates, nobody's data."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from notifications.channels.alerts import Alerts
from notifications.errors import NotificationError
from ponte_workflow.clock import ROME
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import ngettext
from ponte_workflow.log import log
from ponte_workflow.services import watching
from ponte_workflow.services.contacts import kind_name
from ponte_workflow.store import alerts as kept
from ponte_workflow.store import restored
from ponte_workflow.store.engine import ALERT_LOCK, Busy, Store, Transaction

STILL_NEWS = timedelta(days=1)
AT_ONCE = 50


def tell(
    store: Store,
    alerts: Alerts | None,
    down: Iterable[str],
    *,
    at: datetime,
    lock_file: Path,
    public_url: str | None = None,
) -> int:
    """Tell what there is to tell, each thing once; what could not be told is tried again for a day. How many were told.

    down: the channels that were just found not to work. No transaction is open while an alert leaves. lock_file: several
    processes tell (deliveries, web applications, `ponte watch`), one at a time; who comes second leaves it to the first.
    """
    if alerts is None:
        return 0
    with store.transaction() as tx:
        look(tx, down, at)  # written down before it is known who tells it
    try:
        with store.alone(lock_file, wait_seconds=0, key=ALERT_LOCK):
            return _tell(store, alerts, at, public_url)
    except Busy:
        return 0


def _tell(store: Store, alerts: Alerts, at: datetime, public_url: str | None) -> int:
    with store.transaction() as tx:
        waiting = kept.waiting(tx, at - STILL_NEWS, AT_ONCE)
        sentences = {alert_id: words(tx, subject, at) for alert_id, subject in waiting}
    count = 0
    for alert_id, sentence in sentences.items():
        more = f" {public_url.rstrip('/')}/inbox" if public_url else ""
        try:
            told = alerts.tell("Ponte", sentence + more)
        except NotificationError as error:
            log.error("alerts cannot leave: mend PONTE_ALERT_URLS", why=str(error))
            break
        if not told:
            log.warning("an alert did not leave: tried again with the next delivery", alert=alert_id)
            break
        with store.transaction() as tx:
            kept.told(tx, alert_id, at)
        count += 1
    return count


def look(tx: Transaction, down: Iterable[str], at: datetime) -> None:
    """Write down what is to be told."""
    local = at.astimezone(ROME)
    today = local.date()
    for channel in down:
        kept.add(tx, f"channel/{channel}/{today}", at)
    if (missed := watching.missing(tx, at, from_the_first_day=False)) is not None:
        kept.add(tx, watching.subject(missed), at)
    morning = datetime.combine(today, time(0), tzinfo=ROME)
    if kept.escalated(tx, morning):
        kept.add(tx, f"escalations/{today}", at)
    for outbox_id in kept.direct_notices(tx, at - timedelta(hours=1), AT_ONCE):
        kept.add(tx, f"notice/{outbox_id}", at)


def words(tx: Transaction, subject: str, at: datetime) -> str:
    """A subject as a sentence."""
    kind, _slash, rest = subject.partition("/")
    if kind == "night":
        return _("The night of {day} was not completed: look at its page.").format(day=_day(rest))
    if kind == "channel":
        name, _slash, day = rest.partition("/")
        return _("This channel does not work ({name}, {day}): what waits for it stays in the outbox.").format(
            name=kind_name(name) if name != "bounces" else _("returned mails"), day=_day(day)
        )
    if kind == restored.KIND:
        backup, _slash, day = rest.partition("/")
        return _(
            "The database was brought back on {day} from a backup of {backup}: decide under Supervision on what is held."
        ).format(day=_day(day), backup=_day(backup))
    if kind == "escalations":
        morning = datetime.combine(date.fromisoformat(rest), time(0), tzinfo=ROME)
        n = kept.escalated(tx, morning)
        return ngettext("{n} escalation this morning.", "{n} escalations this morning.", n).format(n=n)
    return _("A notice that does not wait for the morning is in the inbox of whom it is for.")


def _day(text: str) -> str:
    return date.fromisoformat(text).strftime("%d/%m/%Y")
