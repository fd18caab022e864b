"""The staff and their organisations as an administrator sees and changes them; rights and absences are in network."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import credential, web_session
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.network import partner, partner_quarter, staff, staff_role


class AccountLine(NamedTuple):
    """How somebody comes in, without any secret."""

    has_password: bool = False
    must_change: bool = False
    second_factor: bool = False
    single_sign_on: bool = False
    locked_until: datetime | None = None
    last_seen_at: datetime | None = None


class PartnerLine(NamedTuple):
    """An organisation: where it works (quarter ids), and how many active people it has here."""

    id: int
    code: str
    name: str
    kind: str
    quarters: frozenset[int]
    people: int


def accounts(tx: Transaction) -> dict[int, AccountLine]:
    """Staff id -> account, of those who have one or have ever come in."""
    seen: dict[int, datetime] = {
        row.staff_id: row.last
        for row in tx.connection.execute(
            select(web_session.c.staff_id, func.max(web_session.c.last_seen_at).label("last")).group_by(
                web_session.c.staff_id
            )
        )
    }
    columns = (
        credential.c.staff_id,
        credential.c.password_hash.is_not(None).label("has_password"),
        credential.c.must_change,
        credential.c.totp_confirmed,
        credential.c.oidc_subject.is_not(None).label("single_sign_on"),
        credential.c.locked_until,
    )
    found = {who: AccountLine(last_seen_at=last) for who, last in seen.items()}
    for row in tx.connection.execute(select(*columns)):
        found[row.staff_id] = AccountLine(
            bool(row.has_password),
            row.must_change,
            row.totp_confirmed,
            bool(row.single_sign_on),
            row.locked_until,
            seen.get(row.staff_id),
        )
    return found


def open_cases(tx: Transaction) -> dict[int, int]:
    """Staff id -> how many open cases are assigned to them."""
    rows = tx.connection.execute(
        select(cases.c.assigned_to, func.count().label("n"))
        .where(cases.c.closed_on.is_(None), cases.c.assigned_to.is_not(None))
        .group_by(cases.c.assigned_to)
    )
    return {row.assigned_to: row.n for row in rows}


def update_staff(tx: Transaction, staff_id: int, **values: Any) -> None:
    """Change columns of a member of staff; `email` is encrypted here."""
    if values.get("email"):
        values["email"] = tx.cipher.encrypt(values["email"])
    tx.connection.execute(update(staff).where(staff.c.id == staff_id).values(**values))


def set_roles(tx: Transaction, staff_id: int, roles: Iterable[str]) -> None:
    """These roles and no others."""
    tx.connection.execute(delete(staff_role).where(staff_role.c.staff_id == staff_id))
    tx.connection.execute(insert(staff_role), [{"staff_id": staff_id, "role": role} for role in sorted(set(roles))])


def leave_colleagues(tx: Transaction, staff_id: int) -> None:
    """Nobody's deputy any more, and covered by nobody: what an organisation's own people may be for each other."""
    tx.connection.execute(update(staff).where(staff.c.deputy_id == staff_id).values(deputy_id=None))
    tx.connection.execute(update(staff).where(staff.c.id == staff_id).values(deputy_id=None))


def lock_staff(tx: Transaction) -> None:
    """Keep others from changing the staff until this transaction ends; SQLite has one writer anyway."""
    tx.connection.execute(select(staff.c.id).order_by(staff.c.id).with_for_update()).all()


def partners(tx: Transaction) -> tuple[PartnerLine, ...]:
    """Every organisation, by name."""
    places: dict[int, set[int]] = {}
    for row in tx.connection.execute(select(partner_quarter.c.partner_id, partner_quarter.c.quarter_id)):
        places.setdefault(row.partner_id, set()).add(row.quarter_id)
    people = {
        row.partner_id: row.n
        for row in tx.connection.execute(
            select(staff.c.partner_id, func.count().label("n")).where(staff.c.active).group_by(staff.c.partner_id)
        )
    }
    rows = tx.connection.execute(
        select(partner.c.id, partner.c.code, partner.c.name, partner.c.kind).order_by(partner.c.name, partner.c.id)
    )
    return tuple(
        PartnerLine(r.id, r.code, r.name, r.kind, frozenset(places.get(r.id, ())), people.get(r.id, 0)) for r in rows
    )


def update_partner(tx: Transaction, partner_id: int, *, name: str, kind: str) -> None:
    """Another name or kind; the code stays, because pathways name it."""
    tx.connection.execute(update(partner).where(partner.c.id == partner_id).values(name=name, kind=kind))


def set_quarters(tx: Transaction, partner_id: int, quarter_ids: Iterable[int]) -> None:
    """The organisation works in these quarters and no others."""
    tx.connection.execute(delete(partner_quarter).where(partner_quarter.c.partner_id == partner_id))
    rows = [{"partner_id": partner_id, "quarter_id": quarter_id} for quarter_id in sorted(set(quarter_ids))]
    if rows:
        tx.connection.execute(insert(partner_quarter), rows)
