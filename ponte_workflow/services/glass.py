"""Break glass: whoever works with households may open any case for a while, with a reason that a supervisor is told."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ponte_workflow.errors import BadInput, NotAllowed, NotFound
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.permissions import require
from ponte_workflow.services.rights import Actor, leave_trace, may_see, sight
from ponte_workflow.store import access, cases, glass, network, outbox
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.glass import Opening

SHORTEST, LONGEST = 10, 500  # characters of a reason
LONGEST_MINUTES = 240
SHOWN = 200


class OpenAnyway(BadInput):
    """The actor may see the case without a reason."""

    status = 409


@dataclass(frozen=True, slots=True)
class Shown:
    """An opening on the supervisors' list."""

    opening: Opening
    who: str
    organisation: str
    seen_by: str | None
    mine: bool  # opened by the reader


def open_with_reason(tx: Transaction, who: Occasion, code: str, reason: str, minutes: int = 60) -> CaseRow:
    """Open a case that the actor may not see, for so many minutes; the reason is kept and the supervisor told.

    Refused with `BadInput` without a reason of ten characters, with `OpenAnyway` when the actor may see the case, with
    `NoSuchCase` when there is none.
    """
    require(who.actor, "casework")
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in reason).split())
    if not SHORTEST <= len(plain) <= LONGEST:
        raise BadInput(_("Say why, in {low} to {high} characters").format(low=SHORTEST, high=LONGEST))
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise BadInput(_("A case is opened for at most {n} minutes").format(n=LONGEST_MINUTES))
    row = cases.by_code(tx, code)
    if who.actor.staff_id is None or may_see(who.actor, row):
        raise OpenAnyway(_("You may see {code} without giving a reason").format(code=code))
    opening_id = glass.add(
        tx,
        staff_id=who.actor.staff_id,
        case_id=row.id,
        reason=plain,
        at=who.at,
        until_at=who.at + timedelta(minutes=minutes),
    )
    leave_trace(tx, who.actor, "glass.open", row, who.at)
    _tell(tx, who, row, opening_id)
    return row


def openings(tx: Transaction, who: Occasion) -> tuple[Shown, ...]:
    """Openings of the cases that the actor supervises, the unseen first; every reason read leaves a trace."""
    require(who.actor, "supervision")
    found = glass.listed(tx, sight(_by_own_right(who.actor)), limit=SHOWN)
    staff = network.members(tx)
    partners = {partner_id: code for code, partner_id in network.partner_codes(tx).items()}
    for opening in found:
        access.record(
            tx,
            staff_id=who.actor.staff_id,
            at=who.at,
            what="glass.read",
            household_id=opening.household_id,
            detail=opening.code,
        )
    return tuple(
        Shown(
            opening,
            staff[opening.staff_id].name,
            partners[staff[opening.staff_id].partner_id],
            staff[opening.seen_by].name if opening.seen_by else None,
            opening.staff_id == who.actor.staff_id,
        )
        for opening in found
    )


def mark_seen(tx: Transaction, who: Occasion, opening_id: int) -> None:
    """A supervisor has looked at an opening of a case of theirs; one's own is for somebody else to look at."""
    require(who.actor, "supervision")
    opening = glass.by_id(tx, opening_id)
    if opening is None or not may_see(_by_own_right(who.actor), cases.by_id(tx, opening.case_id)):
        raise NotFound(_("There is no such opening among your cases"))
    if who.actor.staff_id is None or opening.staff_id == who.actor.staff_id:
        raise NotAllowed(_("You opened this case yourself: somebody else looks at it"))
    glass.mark_seen(tx, opening_id, who.actor.staff_id)


def still_open(opening: Opening, at: datetime) -> bool:
    """Whether the case is open to whoever opened it."""
    return opening.until_at > at


def _by_own_right(actor: Actor) -> Actor:
    # A case that the supervisor has opened with a reason is not theirs to supervise.
    return replace(actor, opened=frozenset())


def _tell(tx: Transaction, who: Occasion, row: CaseRow, opening_id: int) -> None:
    book = network.directory(tx, who.on)

    def holder(role: str) -> int | None:
        return book.holder(role, assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id)

    told = holder("supervisor")
    if told == who.actor.staff_id:  # nobody looks over their own shoulder
        told = holder("lead")
    nobody = told is None or told == who.actor.staff_id
    outbox.queue(
        tx,
        outbox.OutboxRow(
            rule=f"glass/{opening_id}",
            due_on=who.on,
            recipient=outbox.NOBODY if nobody else f"staff:{told}",
            message="glass_opened",
            kind="inform",
            delivery="direct",
            # Not a row of the case: closing it would withdraw the news.
            data={"glass_id": opening_id},
        ),
    )
