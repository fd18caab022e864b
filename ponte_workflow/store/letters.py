"""What a message says about people, read just before it leaves: names, addresses, places, who signs."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from ponte_workflow.store import history as chain
from ponte_workflow.store.cases import value_from
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import contact_attempt, fact, history
from ponte_workflow.store.schema.money import instalment, payment_plan
from ponte_workflow.store.schema.neighbourhood import person
from ponte_workflow.store.schema.network import partner
from states.snapshot import Value


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person of a household as a message sees them."""

    name: str
    language: str
    deceased: bool
    left: bool


def addressee(tx: Transaction, person_id: int) -> Addressee | None:
    """The person, or None when there is none by that id (erased)."""
    row = tx.connection.execute(
        select(person.c.given_name, person.c.surname, person.c.language, person.c.deceased_on, person.c.left_on).where(
            person.c.id == person_id
        )
    ).first()
    if row is None:
        return None
    return Addressee(
        f"{row.given_name} {row.surname}",
        row.language,
        row.deceased_on is not None,
        row.left_on is not None,
    )


def anybody_deceased(tx: Transaction, household_id: int) -> bool:
    """Whether somebody of the household has died."""
    return (
        tx.connection.execute(
            select(person.c.id).where(person.c.household_id == household_id, person.c.deceased_on.is_not(None)).limit(1)
        ).first()
        is not None
    )


def partner_name(tx: Transaction, partner_id: int | None) -> str | None:
    """The partner's name."""
    return tx.connection.execute(select(partner.c.name).where(partner.c.id == partner_id)).scalar()


def plan_of(tx: Transaction, case_id: int) -> tuple[date, list[tuple[date, int, str]]] | None:
    """(signed on, [(due date, cents, status)]) of the newest plan of a case."""
    plan = tx.connection.execute(
        select(payment_plan.c.id, payment_plan.c.signed_on)
        .where(payment_plan.c.case_id == case_id, payment_plan.c.status != "withdrawn")
        .order_by(payment_plan.c.version.desc())
        .limit(1)
    ).first()
    if plan is None:
        return None
    rows = tx.connection.execute(
        select(instalment.c.due_on, instalment.c.cents, instalment.c.status)
        .where(instalment.c.plan_id == plan.id)
        .order_by(instalment.c.number)
    )
    return plan.signed_on, [(r.due_on, r.cents, r.status) for r in rows]


def had_attempt(tx: Transaction, case_id: int) -> bool:
    """Whether a human contact attempt is on record."""
    return (
        tx.connection.execute(
            select(contact_attempt.c.id)
            .where(contact_attempt.c.case_id == case_id, contact_attempt.c.retracted.is_(False))
            .limit(1)
        ).first()
        is not None
    )


def facts_of_entry(tx: Transaction, case_id: int, seq: int | None) -> dict[str, Value]:
    """What an entry of a case's history recorded, by name."""
    rows = tx.connection.execute(
        select(fact.c.name, fact.c.value)
        .join(history, history.c.id == fact.c.history_id)
        .where(history.c.case_id == case_id, history.c.seq == seq)
    )
    return {row.name: value_from(row.value) for row in rows}


def personal_of_entry(tx: Transaction, case_id: int, seq: int | None) -> dict[str, str]:
    """The personal fields that were given with the step that queued a message."""
    entry = tx.connection.execute(
        select(history.c.id).where(history.c.case_id == case_id, history.c.seq == seq)
    ).scalar()
    return {} if entry is None else chain.personal(tx, entry)
