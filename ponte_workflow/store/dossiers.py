"""All that one case's page shows of its household: people, home, money, messages, notes. A fixed number of questions."""

import json
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import and_, select

from ponte_workflow.store.cases import CaseRow, value_from
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import (
    cases,
    contact_attempt,
    fact,
    history,
    history_detail,
    pause,
    special_note,
)
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.money import account, creditor, instalment, movement, payment_plan
from ponte_workflow.store.schema.neighbourhood import building, consent, contact, dwelling, person, tenancy
from ponte_workflow.store.schema.network import quarter
from states.snapshot import Value


class Member(NamedTuple):
    """A person of the household; contacts decrypted, by channel."""

    id: int
    surname: str
    given_name: str
    sex: str
    birth_date: date
    relation: str
    language: str
    deceased_on: date | None
    left_on: date | None
    contacts: dict[str, str]


class Home(NamedTuple):
    """Dwelling and tenancy; monthly amounts in cents."""

    code: str
    address: str
    building: str
    stair: str
    unit: str
    quarter: str
    tenancy: str
    starts_on: date
    ends_on: date | None
    rent_cents: int
    service_cents: int


class LedgerLine(NamedTuple):
    """A movement of one account: cents > 0 is owed, < 0 came in."""

    item: str
    creditor: str
    effective_on: date
    cents: int
    is_payment: bool
    cause: str


class Sent(NamedTuple):
    """A message of the case and what became of it. `subject` None: nothing has left."""

    id: int
    message: str
    recipient: str
    kind: str
    delivery: str
    due_on: date
    status: str
    why: str | None
    sent_at: datetime | None
    channel: str | None
    address: str | None
    subject: str | None
    body: str | None
    reply: str | None
    way: str | None  # email, sms, pec, letter, inbox


class Instalment(NamedTuple):
    """An instalment with what came in for it."""

    number: int
    due_on: date
    cents: int
    paid_cents: int
    status: str
    paid_on: date | None


class Recorded(NamedTuple):
    """A fact that a history entry recorded."""

    history_id: int
    name: str
    value: Value
    person_id: int


class Pause(NamedTuple):
    """The pause that holds a case now."""

    reason: str
    owner_id: int
    from_on: date
    review_on: date


def members(tx: Transaction, household_id: int) -> tuple[Member, ...]:
    """The people of a household in the landlord's order."""
    contacts: dict[int, dict[str, str]] = {}
    rows = tx.connection.execute(
        select(contact.c.person_id, contact.c.channel, contact.c.value)
        .join(person, person.c.id == contact.c.person_id)
        .where(person.c.household_id == household_id)
    )
    for row in rows:
        if value := tx.cipher.decrypt(row.value):  # empty: no longer known, or of letters, which have no address here
            contacts.setdefault(row.person_id, {})[row.channel] = value
    columns = [person.c[name] for name in Member._fields[:-1]]
    people = tx.connection.execute(
        select(*columns).where(person.c.household_id == household_id).order_by(person.c.ordinal)
    )
    return tuple(Member(**row._asdict(), contacts=contacts.get(row.id, {})) for row in people)


def home(tx: Transaction, tenancy_id: int) -> Home:
    """Where the household lives, and by which contract."""
    row = tx.connection.execute(
        select(
            dwelling.c.code,
            dwelling.c.address,
            building.c.name,
            dwelling.c.stair,
            dwelling.c.unit,
            quarter.c.name,
            tenancy.c.code,
            tenancy.c.starts_on,
            tenancy.c.ends_on,
            tenancy.c.rent_cents,
            tenancy.c.service_cents,
        )
        .join(dwelling, dwelling.c.id == tenancy.c.dwelling_id)
        .join(building, building.c.id == dwelling.c.building_id)
        .join(quarter, quarter.c.id == tenancy.c.quarter_id)
        .where(tenancy.c.id == tenancy_id)
    ).one()
    return Home(*row)


def ledger_lines(tx: Transaction, tenancy_id: int, on: date) -> list[LedgerLine]:
    """Every movement of a tenancy effective by that day, the oldest first: a few hundred at most."""
    rows = tx.connection.execute(
        select(
            account.c.item,
            creditor.c.name,
            movement.c.effective_on,
            movement.c.cents,
            movement.c.is_payment,
            movement.c.cause,
        )
        .join(account, account.c.id == movement.c.account_id)
        .join(creditor, creditor.c.id == account.c.creditor_id)
        .where(account.c.tenancy_id == tenancy_id, movement.c.effective_on <= on)
        .order_by(movement.c.effective_on, movement.c.id)
    )
    return [LedgerLine(*row) for row in rows]


def messages(tx: Transaction, case_id: int, limit: int) -> list[Sent]:
    """The messages of a case with their evidence, the newest first."""
    columns = [outbox.c[name] for name in Sent._fields[:9]]
    proofs = [evidence.c[name] for name in Sent._fields[9:]]
    rows = tx.connection.execute(
        select(*columns, *proofs)
        .outerjoin(evidence, evidence.c.outbox_id == outbox.c.id)
        .where(outbox.c.case_id == case_id, outbox.c.recipient.not_like("webhook:%"))
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    found = []
    for row in rows:
        plain = row._asdict()
        for name in ("address", "subject", "body"):
            plain[name] = tx.cipher.decrypt(plain[name]) if plain[name] else None
        found.append(Sent(**plain))
    return found


def instalments(tx: Transaction, case_id: int) -> tuple[date, int, list[Instalment]] | None:
    """(signed on, version, instalments) of the newest plan."""
    plan = tx.connection.execute(
        select(payment_plan.c.id, payment_plan.c.signed_on, payment_plan.c.version)
        .where(payment_plan.c.case_id == case_id, payment_plan.c.status != "withdrawn")
        .order_by(payment_plan.c.version.desc())
        .limit(1)
    ).first()
    if plan is None:
        return None
    columns = [instalment.c[name] for name in Instalment._fields]
    rows = tx.connection.execute(select(*columns).where(instalment.c.plan_id == plan.id).order_by(instalment.c.number))
    return plan.signed_on, plan.version, [Instalment(*row) for row in rows]


def personal_parts(tx: Transaction, case_id: int) -> dict[int, dict[str, str]]:
    """History id -> its personal part, of the entries that have one."""
    rows = tx.connection.execute(
        select(history_detail.c.history_id, history_detail.c.text)
        .join(history, history.c.id == history_detail.c.history_id)
        .where(history.c.case_id == case_id)
    )
    return {row.history_id: json.loads(tx.cipher.decrypt(row.text)) for row in rows}


def special_notes(tx: Transaction, case_id: int) -> list[tuple[date, str, int | None]]:
    """(day, text, person id) of the notes on health, minors, violence and the like, the newest first."""
    rows = tx.connection.execute(
        select(history.c.on, special_note.c.text, special_note.c.person_id)
        .join(history, history.c.id == special_note.c.history_id)
        .where(special_note.c.case_id == case_id)
        .order_by(special_note.c.id.desc())
    )
    return [(row.on, tx.cipher.decrypt(row.text), row.person_id) for row in rows]


def recorded(tx: Transaction, case_id: int) -> list[Recorded]:
    """Everything that the case's entries recorded, what was retracted left out."""
    rows = tx.connection.execute(
        select(fact.c.history_id, fact.c.name, fact.c.value, fact.c.person_id)
        .where(fact.c.case_id == case_id, fact.c.retracted.is_(False))
        .order_by(fact.c.id)
    )
    return [Recorded(row.history_id, row.name, value_from(row.value), row.person_id or 0) for row in rows]


def attempts(tx: Transaction, case_id: int) -> dict[int, tuple[date, str, str]]:
    """History id -> (day, channel, outcome) of a contact attempt."""
    rows = tx.connection.execute(
        select(
            contact_attempt.c.history_id, contact_attempt.c.on, contact_attempt.c.channel, contact_attempt.c.outcome
        ).where(contact_attempt.c.case_id == case_id, contact_attempt.c.retracted.is_(False))
    )
    return {row.history_id: (row.on, row.channel, row.outcome) for row in rows}


def consents(tx: Transaction, household_id: int) -> list[tuple[str, date, date | None]]:
    """(kind, given on, withdrawn on) of a household's consents."""
    rows = tx.connection.execute(
        select(consent.c.kind, consent.c.given_on, consent.c.withdrawn_on)
        .where(consent.c.household_id == household_id)
        .order_by(consent.c.id)
    )
    return [(row.kind, row.given_on, row.withdrawn_on) for row in rows]


def running_pause(tx: Transaction, row: CaseRow) -> Pause | None:
    """The pause that holds the case now."""
    if not row.paused:
        return None
    found = tx.connection.execute(
        select(pause.c.reason, pause.c.owner_id, pause.c.from_on, pause.c.review_on).where(
            and_(pause.c.case_id == row.id, pause.c.resumed_on.is_(None))
        )
    ).first()
    return None if found is None else Pause(*found)


def other_cases(tx: Transaction, row: CaseRow) -> list[tuple[str, date, date | None]]:
    """(code, opened on, closed on) of the household's other cases."""
    rows = tx.connection.execute(
        select(cases.c.code, cases.c.opened_on, cases.c.closed_on)
        .where(cases.c.household_id == row.household_id, cases.c.id != row.id)
        .order_by(cases.c.id)
    )
    return [(one[0], one[1], one[2]) for one in rows]
