"""The directory of services around us, and the referrals to them."""

import json
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update

from ponte_workflow.errors import not_found
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases, history, history_detail
from ponte_workflow.store.schema.network import quarter
from ponte_workflow.store.schema.services_around import local_service, local_service_quarter, referral


class ServiceRow(NamedTuple):
    """An entry of the directory; `quarters`: ids and names."""

    id: int
    name: str
    kind: str
    contact: str
    address: str
    opening_hours: str
    languages: str
    active: bool
    quarters: tuple[tuple[int, str], ...] = ()


class ReferralRow(NamedTuple):
    """A referral. `receiving`, `reason`: from the history entry that proposed it."""

    id: int
    case_id: int
    code: str
    service_id: int | None
    kind: str
    status: str
    consent_on: date | None
    proposed_on: date
    due_on: date
    answered_on: date | None
    ended_on: date | None
    receiving: str
    reason: str
    answer: str = ""


def put_service(tx: Transaction, service_id: int | None, quarter_ids: Collection[int], **values: Any) -> int:
    """A new entry (None), or another form of one; returns its number."""
    if service_id is None:
        key = tx.connection.execute(insert(local_service).values(**values)).inserted_primary_key
        assert key is not None
        service_id = int(key[0])
    else:
        tx.connection.execute(update(local_service).where(local_service.c.id == service_id).values(**values))
        tx.connection.execute(delete(local_service_quarter).where(local_service_quarter.c.service_id == service_id))
    for quarter_id in sorted(set(quarter_ids)):
        tx.connection.execute(insert(local_service_quarter).values(service_id=service_id, quarter_id=quarter_id))
    return service_id


def service(tx: Transaction, service_id: int) -> ServiceRow:
    """One entry."""
    found = _with_quarters(tx, select(*_SERVICE).where(local_service.c.id == service_id))
    if not found:
        raise not_found(_("Service"), str(service_id))
    return found[0]


def service_named(tx: Transaction, name: str) -> int | None:
    """The number of the entry with that name."""
    return tx.connection.execute(select(local_service.c.id).where(local_service.c.name == name)).scalar()


def services(
    tx: Transaction,
    *,
    kind: str | None = None,
    quarter_id: int | None = None,
    text: str = "",
    active: bool = True,
    after: int = 0,
    limit: int = 500,
) -> list[ServiceRow]:
    """The directory by name; `text`: part of a name, an address or the notes on languages, without regard to case."""
    conditions: list[ColumnElement[bool]] = [local_service.c.id > after]
    if active:
        conditions.append(local_service.c.active.is_(True))
    if kind:
        conditions.append(local_service.c.kind == kind)
    if quarter_id is not None:
        conditions.append(
            local_service.c.id.in_(
                select(local_service_quarter.c.service_id).where(local_service_quarter.c.quarter_id == quarter_id)
            )
        )
    if text:
        sought = text.lower()
        columns = (local_service.c.name, local_service.c.address, local_service.c.languages)
        conditions.append(or_(*(func.lower(column).contains(sought, autoescape=True) for column in columns)))
    order = local_service.c.id if after else local_service.c.name
    return _with_quarters(tx, select(*_SERVICE).where(*conditions).order_by(order).limit(limit))


def propose(
    tx: Transaction,
    *,
    case_id: int,
    service_id: int | None,
    kind: str,
    on: date,
    by: int | None,
    due_on: date,
    history_id: int,
) -> int:
    """A referral that waits for an answer."""
    key = tx.connection.execute(
        insert(referral).values(
            case_id=case_id,
            service_id=service_id,
            kind=kind,
            status="proposed",
            consent_on=on,
            proposed_on=on,
            proposed_by=by,
            due_on=due_on,
            history_id=history_id,
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def answer(tx: Transaction, referral_id: int, status: str, on: date, history_id: int) -> None:
    """Accepted or refused."""
    tx.connection.execute(
        update(referral)
        .where(referral.c.id == referral_id)
        .values(status=status, answered_on=on, answered_history_id=history_id)
    )


def end(tx: Transaction, referral_id: int, status: str, on: date, history_id: int) -> None:
    """Done or revoked."""
    tx.connection.execute(
        update(referral)
        .where(referral.c.id == referral_id)
        .values(
            status=status,
            ended_on=on,
            ended_history_id=history_id,
            answered_on=func.coalesce(referral.c.answered_on, on),
        )
    )


def take_back(tx: Transaction, history_id: int) -> None:
    """What a history entry did to referrals is undone."""
    connection = tx.connection
    connection.execute(delete(referral).where(referral.c.history_id == history_id))
    connection.execute(
        update(referral)
        .where(referral.c.answered_history_id == history_id)
        .values(status="proposed", answered_on=None, answered_history_id=None)
    )
    never_answered = referral.c.answered_history_id.is_(None)
    ended = referral.c.ended_history_id == history_id
    again = {"ended_on": None, "ended_history_id": None}
    connection.execute(
        update(referral).where(ended, never_answered).values(status="proposed", answered_on=None, **again)
    )
    connection.execute(update(referral).where(ended).values(status="accepted", **again))


def waiting_of(tx: Transaction, case_id: int, kind: str) -> int | None:
    """The referral of that kind that waits for an answer."""
    return tx.connection.execute(
        select(referral.c.id)
        .where(referral.c.case_id == case_id, referral.c.kind == kind, referral.c.status == "proposed")
        .order_by(referral.c.id.desc())
        .limit(1)
    ).scalar()


def status_of(tx: Transaction, case_id: int, referral_id: int) -> tuple[str, str] | None:
    """(kind, status) of a case's referral."""
    row = tx.connection.execute(
        select(referral.c.kind, referral.c.status).where(referral.c.id == referral_id, referral.c.case_id == case_id)
    ).first()
    return None if row is None else (row.kind, row.status)


def referrals_of(tx: Transaction, case_id: int) -> list[ReferralRow]:
    """A case's referrals, the newest first."""
    return _read(tx, _referrals().where(referral.c.case_id == case_id).order_by(referral.c.id.desc()))


def referrals(
    tx: Transaction, sight: ColumnElement[bool], *, waiting: bool, limit: int, offset: int = 0
) -> list[ReferralRow]:
    """Those under the condition that wait for an answer (the longest first), or the others (the newest first)."""
    query = _referrals().where(sight)
    if waiting:
        query = query.where(referral.c.answered_on.is_(None)).order_by(referral.c.due_on, referral.c.id)
    else:
        query = query.where(referral.c.answered_on.is_not(None)).order_by(
            referral.c.answered_on.desc(), referral.c.id.desc()
        )
    return _read(tx, query.limit(limit).offset(offset))


def refused_in(tx: Transaction, case_id: int, seq: int | None) -> str | None:
    """Which service the refusal of that history entry came from."""
    found = _read(
        tx,
        _referrals()
        .join(history, history.c.id == referral.c.answered_history_id)
        .where(history.c.case_id == case_id, history.c.seq == seq),
    )
    return found[0].receiving or None if found else None


def silent(tx: Transaction, on: date) -> list[tuple[int, int, date]]:
    """(referral, case, proposed on) of those whose answer is late by that day and of whom nobody was told yet."""
    rows = tx.connection.execute(
        select(referral.c.id, referral.c.case_id, referral.c.proposed_on)
        .join(cases, cases.c.id == referral.c.case_id)
        .where(
            referral.c.answered_on.is_(None),
            referral.c.due_on < on,
            referral.c.told_on.is_(None),
            cases.c.closed_on.is_(None),
            cases.c.paused.is_(False),
        )
        .order_by(referral.c.id)
    )
    return [(row.id, row.case_id, row.proposed_on) for row in rows]


def told(tx: Transaction, referral_id: int, on: date) -> None:
    """Its silence has been told."""
    tx.connection.execute(update(referral).where(referral.c.id == referral_id).values(told_on=on))


def _referrals() -> Select[Any]:
    answered = history_detail.alias("answered")
    ended = history_detail.alias("ended")
    return select(
        referral.c.id,
        referral.c.case_id,
        cases.c.code,
        referral.c.service_id,
        referral.c.kind,
        referral.c.status,
        referral.c.consent_on,
        referral.c.proposed_on,
        referral.c.due_on,
        referral.c.answered_on,
        referral.c.ended_on,
        history_detail.c.text,
        func.coalesce(ended.c.text, answered.c.text).label("answer"),
    ).select_from(
        referral.join(cases, cases.c.id == referral.c.case_id)
        .outerjoin(history_detail, history_detail.c.history_id == referral.c.history_id)
        .outerjoin(answered, answered.c.history_id == referral.c.answered_history_id)
        .outerjoin(ended, ended.c.history_id == referral.c.ended_history_id)
    )


def _read(tx: Transaction, query: Select[Any]) -> list[ReferralRow]:
    found = []
    rows: Sequence[Any] = tx.connection.execute(query).all()
    for row in rows:
        proposed, answered = row[11:]
        said, told_ = ({} if one is None else json.loads(tx.cipher.decrypt(one)) for one in (proposed, answered))
        found.append(
            ReferralRow._make(
                (*row[:11], said.get("receiving_service", ""), said.get("reason", ""), told_.get("reason", ""))
            )
        )
    return found


def _with_quarters(tx: Transaction, query: Select[Any]) -> list[ServiceRow]:
    rows: Sequence[Any] = tx.connection.execute(query).all()
    places: dict[int, list[tuple[int, str]]] = {}
    links = (
        select(local_service_quarter.c.service_id, quarter.c.id, quarter.c.name)
        .join(quarter, quarter.c.id == local_service_quarter.c.quarter_id)
        .where(local_service_quarter.c.service_id.in_([row[0] for row in rows]))
        .order_by(quarter.c.name)
    )
    for service_id, quarter_id, name in tx.connection.execute(links):
        places.setdefault(service_id, []).append((quarter_id, name))
    return [ServiceRow._make((*row[:8], tuple(places.get(row[0], ())))) for row in rows]


_SERVICE = (
    local_service.c.id,
    local_service.c.name,
    local_service.c.kind,
    local_service.c.contact,
    local_service.c.address,
    local_service.c.opening_hours,
    local_service.c.languages,
    local_service.c.active,
)
