"""Appointments: made and ended by steps of the pathway."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, NeedsMissing
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.deeds import Deed
from ponte_workflow.store import appointments, outbox
from ponte_workflow.store.engine import Transaction
from states.document import Text

USUAL_MINUTES = 60
STATUSES: Mapping[str, Text] = {
    "planned": Text(it="in programma", en="planned"),
    "held": Text(it="tenuto", en="held"),
    "missed": Text(it="non si è presentato nessuno", en="nobody came"),
    "cancelled": Text(it="annullato", en="cancelled"),
}


def midnight(day: date) -> datetime:
    """The moment at which a day begins in Rome, in UTC."""
    return datetime.combine(day, time(0), tzinfo=ROME).astimezone(UTC)


def perform(tx: Transaction, what: str, deed: Deed) -> None:
    """Do what the pathway declares (`then: perform:`)."""
    if what == "keep_appointment":
        _make(tx, deed)
    else:
        _end(tx, deed)


PERFORMS = frozenset({"keep_appointment", "end_appointment"})


def take_back(tx: Transaction, history_id: int) -> None:
    """The entry is undone: what it made or ended is as before."""
    appointments.take_back(tx, history_id)


def _make(tx: Transaction, deed: Deed) -> None:
    day, hour = deed.facts["day"], deed.number("hour")
    assert isinstance(day, date) and hour is not None
    if day < deed.on:
        raise BadInput(_("day: {day} has passed").format(day=day.strftime("%d/%m/%Y")))
    if deed.by is None:
        raise NeedsMissing(_("An appointment needs somebody who keeps it"))
    appointments.make(
        tx,
        case_id=deed.row.id,
        staff_id=deed.by,
        starts_at=datetime.combine(day, time(hour, deed.number("minute") or 0), tzinfo=ROME),
        minutes=deed.number("lasts") or USUAL_MINUTES,
        what=str(deed.facts["what"]),
        where=str(deed.facts["where"]),
        history_id=deed.history_id,
    )


def _end(tx: Transaction, deed: Deed) -> None:
    number, came = deed.number("appointment"), str(deed.facts["came_of_it"])
    assert number is not None
    found = appointments.one_of_case(tx, deed.row.id, number)
    if found is None:
        raise BadInput(_("appointment: {code} has no appointment number {n}").format(code=deed.row.code, n=number))
    if found.status != "planned":
        raise BadInput(_("appointment: what came of appointment {n} is written down already").format(n=number))
    if came in ("held", "missed") and found.starts_at > deed.at:
        raise BadInput(_("appointment: appointment {n} is still to come; it can be cancelled").format(n=number))
    appointments.end(tx, number, came, deed.history_id)
    if came == "cancelled":
        outbox.withdraw(tx, deed.row.id, f"step {deed.row.history_length}", only_seq=found.seq)
