"""Partners, quarters and staff, and the directory that says who holds a role for a case on a given day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update

from ponte_workflow.errors import BadInput, not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.agenda import team, team_member
from ponte_workflow.store.schema.network import partner, partner_quarter, quarter, staff, staff_role

ROLES = ("supervisor", "case_worker", "job_agency", "volunteers", "landlord", "lead", "admin")


class Quarter(NamedTuple):
    """A quarter and the pathway of its cases."""

    id: int
    code: str
    name: str
    pathway: str


@dataclass(frozen=True, slots=True)
class Member:
    """One of the staff, as rights and the directory see them. `quarters`: where their partner works."""

    id: int
    username: str
    name: str
    language: str
    active: bool
    partner_id: int
    partner_code: str
    absent_from: date | None
    absent_until: date | None
    deputy_id: int | None
    roles: frozenset[str] = frozenset()
    quarters: frozenset[int] = frozenset()

    def absent(self, on: date) -> bool:
        """Whether they are away that day (both ends included)."""
        return (
            self.absent_from is not None
            and self.absent_from <= on
            and (self.absent_until is None or on <= self.absent_until)
        )


def add_partner(tx: Transaction, code: str, name: str, kind: str, quarters: Iterable[str] = ()) -> int:
    """A partner and the quarters (by code) in which it works; repeating it changes nothing."""
    row = tx.connection.execute(select(partner.c.id).where(partner.c.code == code)).first()
    partner_id = int(row.id) if row else _new_id(tx, insert(partner).values(code=code, name=name, kind=kind))
    for quarter_code in quarters:
        quarter_id = quarter_by_code(tx, quarter_code).id
        there = select(partner_quarter.c.id).where(
            partner_quarter.c.partner_id == partner_id, partner_quarter.c.quarter_id == quarter_id
        )
        if tx.connection.execute(there).first() is None:
            tx.connection.execute(insert(partner_quarter).values(partner_id=partner_id, quarter_id=quarter_id))
    return partner_id


def quarters(tx: Transaction) -> tuple[Quarter, ...]:
    """All quarters."""
    rows = tx.connection.execute(
        select(quarter.c.id, quarter.c.code, quarter.c.name, quarter.c.pathway).order_by(quarter.c.id)
    )
    return tuple(Quarter(*row) for row in rows)


def quarter_by_code(tx: Transaction, code: str) -> Quarter:
    """One quarter; `NotFound` names the ones there are."""
    found = {one.code: one for one in quarters(tx)}
    if code not in found:
        raise not_found(_("Quarter"), f"{code} ({', '.join(found) or '-'})")
    return found[code]


def partner_codes(tx: Transaction) -> dict[str, int]:
    """Partner code -> id."""
    return {row.code: row.id for row in tx.connection.execute(select(partner.c.code, partner.c.id))}


def add_staff(
    tx: Transaction,
    *,
    username: str,
    name: str,
    partner_code: str,
    roles: Iterable[str],
    email: str | None,
    language: str,
    at: datetime,
) -> int:
    """A member of staff with roles; a taken username or an unknown role is refused."""
    wanted = frozenset(roles)
    if not wanted or wanted - set(ROLES):
        raise BadInput(_("Roles must be among: {roles}").format(roles=", ".join(ROLES)))
    codes = partner_codes(tx)
    if partner_code not in codes:
        raise not_found(_("Partner"), f"{partner_code} ({', '.join(codes) or '-'})")
    if tx.connection.execute(select(staff.c.id).where(staff.c.username == username)).first():
        raise BadInput(_("The username {name} is taken").format(name=username))
    staff_id = _new_id(
        tx,
        insert(staff).values(
            username=username,
            name=name,
            partner_id=codes[partner_code],
            language=language,
            active=True,
            email=tx.cipher.encrypt(email) if email else None,
            created_at=at,
        ),
    )
    tx.connection.execute(insert(staff_role), [{"staff_id": staff_id, "role": role} for role in sorted(wanted)])
    return staff_id


def set_absence(tx: Transaction, staff_id: int, first: date | None, last: date | None, deputy_id: int | None) -> None:
    """Away from `first` to `last`, with a deputy; None, None ends it."""
    tx.connection.execute(
        update(staff).where(staff.c.id == staff_id).values(absent_from=first, absent_until=last, deputy_id=deputy_id)
    )


def staff_email(tx: Transaction, staff_id: int) -> str | None:
    """The address of a member of staff, decrypted."""
    token = tx.connection.execute(select(staff.c.email).where(staff.c.id == staff_id)).scalar()
    return tx.cipher.decrypt(token) if token else None


def members(tx: Transaction) -> dict[int, Member]:
    """Every member of staff, by id."""
    roles: dict[int, set[str]] = {}
    for row in tx.connection.execute(select(staff_role.c.staff_id, staff_role.c.role)):
        roles.setdefault(row.staff_id, set()).add(row.role)
    places: dict[int, set[int]] = {}
    for row in tx.connection.execute(select(partner_quarter.c.partner_id, partner_quarter.c.quarter_id)):
        places.setdefault(row.partner_id, set()).add(row.quarter_id)
    columns = (
        staff.c.id,
        staff.c.username,
        staff.c.name,
        staff.c.language,
        staff.c.active,
        staff.c.partner_id,
        partner.c.code,
        staff.c.absent_from,
        staff.c.absent_until,
        staff.c.deputy_id,
    )
    found = {}
    for row in tx.connection.execute(select(*columns).join(partner).order_by(staff.c.id)):
        (who, username, name, language, active, partner_id, code, absent_from, absent_until, deputy_id) = row
        found[who] = Member(
            who,
            username,
            name,
            language,
            active,
            partner_id,
            code,
            absent_from,
            absent_until,
            deputy_id,
            frozenset(roles.get(who, ())),
            frozenset(places.get(partner_id, ())),
        )
    return found


def member_by_username(tx: Transaction, username: str) -> Member:
    """One member of staff; `NotFound` when there is none."""
    for member in members(tx).values():
        if member.username == username:
            return member
    raise not_found(_("User"), username)


@dataclass
class Directory:
    """Who holds a role for a case on a day: the assigned worker, the coordinator of their team, a partner's supervisor,
    the lead, or their deputy."""

    staff: dict[int, Member]
    on: date
    coordinators: dict[int, int] = field(default_factory=dict)  # staff id: who coordinates their team
    _memo: dict[tuple[str, int | None, int | None, int], int | None] = field(default_factory=dict)

    def holder(self, role: str, *, assigned_to: int | None, partner_id: int | None, quarter_id: int) -> int | None:
        """The staff id who is told; falls back to the supervisor, then to the lead; None when nobody is left."""
        key = (role, assigned_to, partner_id, quarter_id)
        if key not in self._memo:
            self._memo[key] = self._find(role, assigned_to, partner_id, quarter_id)
        return self._memo[key]

    def present(self, staff_id: int | None) -> int | None:
        """The person, or their deputy while they are away; None when neither can be told."""
        seen: set[int] = set()
        while staff_id is not None and staff_id not in seen:
            seen.add(staff_id)
            member = self.staff.get(staff_id)
            if member is None or not member.active:
                return None
            if not member.absent(self.on):
                return staff_id
            staff_id = member.deputy_id
        return None

    def _find(self, role: str, assigned_to: int | None, partner_id: int | None, quarter_id: int) -> int | None:
        if role == "case_worker" and assigned_to is not None:
            return self.present(assigned_to) or self._find("supervisor", assigned_to, partner_id, quarter_id)
        if role == "supervisor" and assigned_to is not None:
            coordinator = self.staff.get(self.coordinators.get(assigned_to, 0))
            if coordinator is not None and "supervisor" in coordinator.roles:
                present = self.present(coordinator.id)
                if present is not None:
                    return present
        candidates = [m for m in self.staff.values() if role in m.roles and m.active]
        near = [m for m in candidates if m.partner_id == partner_id] or [
            m for m in candidates if quarter_id in m.quarters
        ]
        # The lead has one programme, not one quarter; an absent holder is better covered by a present colleague.
        order = near or (candidates if role == "lead" else [])
        for member in sorted(order, key=lambda m: (m.absent(self.on), m.id)):
            if (present := self.present(member.id)) is not None:
                return present
        following = {"lead": None, "supervisor": "lead"}.get(role, "supervisor")
        return None if following is None else self._find(following, None, partner_id, quarter_id)


def coordinators(tx: Transaction) -> dict[int, int]:
    """Staff id -> the coordinator of their team, where it has one."""
    rows = tx.connection.execute(
        select(team_member.c.staff_id, team.c.coordinator_id).join(team).where(team.c.coordinator_id.is_not(None))
    )
    return {row.staff_id: row.coordinator_id for row in rows}


def directory(tx: Transaction, on: date) -> Directory:
    """The directory of that day."""
    return Directory(members(tx), on, coordinators(tx))


def _new_id(tx: Transaction, statement: object) -> int:
    result = tx.connection.execute(statement)  # type: ignore[call-overload]
    return int(result.inserted_primary_key[0])
