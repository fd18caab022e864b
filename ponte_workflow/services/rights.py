"""Who may see and do what: by role, partner and assignment, in one place for console, web and API."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import access, cases
from ponte_workflow.store.accounts import opened_cases
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Member, members

SYSTEM_ROLES = frozenset({"system"})
# Roles that see every case of their partner, and the unassigned ones of the quarters where it works.
WIDE = frozenset({"supervisor"})
# Roles that work across partners: they see the cases of their quarters that have come to where they are needed.
BY_STAGE = {
    "job_agency": ("planning", "active", "follow_up"),
    "volunteers": ("engagement.neighbours", "engagement.met", "active"),
    "landlord": ("active", "follow_up"),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member of staff, or the system (`staff_id` None)."""

    staff_id: int | None
    roles: frozenset[str]
    partner_id: int = 0
    quarters: frozenset[int] = frozenset()
    covers: frozenset[int] = frozenset()  # staff ids whose work is theirs today: their own and absent colleagues'
    opened: frozenset[int] = frozenset()  # cases opened with a reason for a while (break glass)

    @property
    def is_system(self) -> bool:
        """Whether nobody but Ponte itself acts."""
        return self.staff_id is None


SYSTEM = Actor(None, SYSTEM_ROLES)


class OutOfSight(NotAllowed):
    """The case exists, but the actor may not see it; it can be opened with a reason (services/glass.py)."""


def actor_of(tx: Transaction, username: str, on: date, at: datetime | None = None) -> Actor:
    """The actor of a username; refuses unknown and inactive ones.

    at: the moment, for the cases opened with a reason that are still open then; None: without them.
    """
    everybody = members(tx)
    member = next((m for m in everybody.values() if m.username == username), None)
    if member is None or not member.active:
        raise NotAllowed(_("Nobody active has the username {name}: see ponte user list").format(name=username))
    opened = frozenset[int]() if at is None else opened_cases(tx, member.id, at)
    return actor_for(member, everybody, on, opened)


def actor_for(member: Member, everybody: dict[int, Member], on: date, opened: frozenset[int] = frozenset()) -> Actor:
    """The actor that a member of staff is on a day."""
    covers = {member.id} | {m.id for m in everybody.values() if m.deputy_id == member.id and m.absent(on)}
    return Actor(member.id, member.roles, member.partner_id, member.quarters, frozenset(covers), opened)


def may_see(actor: Actor, row: CaseRow) -> bool:
    """Whether the actor may see this case."""
    if actor.is_system or "lead" in actor.roles:
        return True
    if row.assigned_to in actor.covers or row.id in actor.opened:
        return True
    if actor.roles & WIDE:
        theirs = row.partner_id == actor.partner_id
        if theirs or (row.partner_id is None and row.quarter_id in actor.quarters):
            return True
    return row.quarter_id in actor.quarters and any(
        leaf == stage or leaf.startswith(stage + ".")
        for role, stages in BY_STAGE.items()
        if role in actor.roles
        for stage in stages
        for leaf in row.configuration
    )


def sight(actor: Actor) -> Any:
    """The same rule as a condition for the store: what a list may hold."""
    return cases.visible(
        everything=actor.is_system or "lead" in actor.roles,
        staff_ids=actor.covers,
        opened=actor.opened,
        partner_id=actor.partner_id,
        quarter_ids=actor.quarters,
        wide=bool(actor.roles & WIDE),
        stages=sorted({stage for role, stages in BY_STAGE.items() if role in actor.roles for stage in stages}),
    )


def require_sight(actor: Actor, row: CaseRow) -> None:
    """Refuse a case that the actor may not see."""
    if not may_see(actor, row):
        raise OutOfSight(_("Case {code} is with another organisation or worker").format(code=row.code))


def require_role(actor: Actor, *roles: str) -> None:
    """Refuse an actor without any of the roles."""
    if not actor.roles & set(roles):
        raise NotAllowed(_("This is for: {roles}").format(roles=", ".join(roles)))


def leave_trace(tx: Transaction, actor: Actor, what: str, row: CaseRow, at: datetime) -> None:
    """Every view of personal data leaves a trace."""
    access.record(tx, staff_id=actor.staff_id, at=at, what=what, household_id=row.household_id, detail=row.code)


def describe(member: Member) -> str:
    """A member of staff in a sentence."""
    return f"{member.name} ({member.username}, {', '.join(sorted(member.roles))})"
