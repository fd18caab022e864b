"""Events of the neighbourhood: held by associations, households invited, attendance recorded and corrected."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ponte_workflow.clock import ROME
from ponte_workflow.errors import BadInput, NotFound, PonteError
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import casework, neighbourly
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import require_role
from ponte_workflow.store import community, network
from ponte_workflow.store.community import EventRow
from ponte_workflow.store.engine import Transaction
from states.snapshot import Triggered, Value

KINDS = ("assembly", "dinner", "course", "repair_day", "emporio", "swap")
EARLIEST, LATEST = 8, 21  # hours of the day at which something may begin: the invitation says them
MOST_SEATS = 10_000
HOLDERS = ("volunteers", "case_worker", "supervisor")
# What taking part in an event counts as.
_COUNTS_AS = {"emporio": "emporio", "course": "training"}


@dataclass(frozen=True, slots=True)
class Planned:
    """An event as somebody plans it; `starts` and `ends` with a time zone, `seats` households or None."""

    kind: str
    title: str
    quarter: str
    organiser: str  # code of an association
    place: str
    starts: datetime
    ends: datetime
    seats: int | None = None


def plan_event(tx: Transaction, who: Occasion, planned: Planned) -> int:
    """A new event; returns its number. Refused with the field and what would do."""
    require_role(who.actor, *HOLDERS)
    if planned.kind not in KINDS:
        raise BadInput(_("kind: “{kind}” is none of {kinds}").format(kind=planned.kind, kinds=", ".join(KINDS)))
    title, place = _line("title", planned.title, 120), _line("place", planned.place, 200)
    starts, ends = planned.starts.astimezone(ROME), planned.ends.astimezone(ROME)
    if ends <= starts:
        raise BadInput(_("ends: an event ends after it starts"))
    if not EARLIEST <= starts.hour <= LATEST:
        raise BadInput(_("starts: choose an hour from {first} to {last}").format(first=EARLIEST, last=LATEST))
    if planned.seats is not None and not 1 <= planned.seats <= MOST_SEATS:
        raise BadInput(_("seats: from 1 to {most} households, or none for as many as come").format(most=MOST_SEATS))
    organiser = network.partner_codes(tx).get(planned.organiser)
    if organiser is None or organiser not in dict(community.organisers(tx)):
        raise BadInput(_("organiser: {name} is no association").format(name=planned.organiser))
    return community.add_event(
        tx,
        kind=planned.kind,
        title=title,
        place=place,
        quarter_id=network.quarter_by_code(tx, planned.quarter).id,
        partner_id=organiser,
        on=starts.date(),
        starts_at=starts,
        ends_at=ends,
        seats=planned.seats,
        created_by=who.actor.staff_id,
        created_at=who.at,
    )


def cancel(tx: Transaction, who: Occasion, event_id: int) -> None:
    """It does not take place: invitations that wait do not leave, nobody's attendance is recorded."""
    require_role(who.actor, *HOLDERS)
    event = community.event_row(tx, event_id, lock=True)
    if event.came:
        raise BadInput(_("{title} was held: {n} households came").format(title=event.title, n=event.came))
    community.change_event(tx, event_id, cancelled_on=who.on)


def invite(tx: Transaction, who: Occasion, event_id: int, code: str) -> None:
    """Invite a household: the message leaves by the rules of delivery, the weekly cap among them."""
    event = community.event_row(tx, event_id, lock=True)
    starts = event.starts_at.astimezone(ROME)
    fields: dict[str, Value] = {
        "what": event.title,
        "where": event.place,
        "day": event.on,
        "hour": starts.hour,
        "invited_event": event_id,
    }
    casework.advance(tx, who, code, "invite_to_event", fields)


def attend(tx: Transaction, who: Occasion, event_id: int, hours: Mapping[str, int]) -> dict[str, str]:
    """Record who came, case code -> hours given; returns the refusals, code -> sentence. The others are kept."""
    event = community.event_row(tx, event_id)
    refused: dict[str, str] = {}
    for code, given in hours.items():
        try:
            with tx.savepoint():
                _attended(tx, who, event, code, given)
        except PonteError as refusal:
            refused[code] = refusal.sentence
    return refused


def correct(tx: Transaction, who: Occasion, code: str, participation_id: int, reason: str) -> None:
    """It was recorded wrongly: it counts no longer, its points go back, and what is left decides where the track stands."""
    require_role(who.actor, *HOLDERS)
    row = casework.look(tx, who, code, lock=True).row
    part = community.part(tx, participation_id)
    if part is None or part.case_id != row.id or part.withdrawn_on is not None:
        raise NotFound(_("{code} has no participation number {n}").format(code=code, n=participation_id))
    neighbourly.withdraw(tx, row, part, by=who.actor.staff_id, on=who.on, at=who.at)
    standing = casework.stand(tx, who, row)
    # The pathway lets the system alone fire it: nobody may say "corrected" without anything having been withdrawn.
    event = Triggered("correct_participation", who.actor.roles | {"system"}, {"reason": reason})
    casework.fire(tx, who, standing, event)
    entry = casework.look(tx, who, code).row
    community.withdrawn_by(tx, part.id, community.entry_id(tx, entry.id, entry.history_length))


def _attended(tx: Transaction, who: Occasion, event: EventRow, code: str, hours: int) -> None:
    what = _COUNTS_AS.get(event.kind, "event")
    fields: dict[str, Value] = {"participated_in": what, "hours_given": hours, "attended_event": event.id}
    casework.advance(tx, who, code, "participate", fields)


def _line(field: str, text: str, longest: int) -> str:
    plain = " ".join(text.split())
    if not plain or len(plain) > longest or not plain.isprintable():
        raise BadInput(_("{field}: 1 to {n} characters, without control characters").format(field=field, n=longest))
    return plain
