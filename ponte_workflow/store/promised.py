"""Where the promises about messages, nights and money were broken, read from the database alone. Nothing found: they hold."""

import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sqlalchemy import and_, cast, exists, func, or_, select

from ponte_workflow.clock import ROME
from ponte_workflow.store import promised_once
from ponte_workflow.store.cases import years_before
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.base import Id
from ponte_workflow.store.schema.casework import cases, contact_attempt, pause
from ponte_workflow.store.schema.community import emporio_entry
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.money import instalment
from ponte_workflow.store.schema.neighbourhood import person
from ponte_workflow.store.schema.nights import certificate, night, night_step
from states.messages import DEMANDS

ADULT = 18  # years
SUNDAY = 6
PERSON = "person:"
WEEK = timedelta(days=7)


def nights(tx: Transaction) -> Iterator[str]:
    """Nights between the first and the last completed one that are missing, open or without their certificate."""
    rows = tx.connection.execute(
        select(night.c.id, night.c.business_on, night.c.status, certificate.c.hash)
        .outerjoin(certificate, certificate.c.night_id == night.c.id)
        .order_by(night.c.business_on)
    ).all()
    last: date | None = None
    newest = rows[-1].business_on if rows else None
    for row in rows:
        if last is not None and row.business_on != last + timedelta(days=1):
            yield f"night: none between {last} and {row.business_on}"
        last = row.business_on
        if row.status != "completed" and row.business_on != newest:
            yield f"night of {row.business_on}: never completed, and later ones were"
        if row.status == "completed" and row.hash is None:
            yield f"night of {row.business_on}: completed without a certificate"
    open_steps = (
        select(night.c.business_on, night_step.c.step)
        .join(night, night.c.id == night_step.c.night_id)
        .where(night.c.status == "completed", night_step.c.status.in_(("waiting", "running")))
    )
    for on, step in tx.connection.execute(open_steps):
        yield f"night of {on}: its step {step} is not ended"


def set_aside_unnamed(tx: Transaction) -> Iterator[str]:
    """Cases that a night set aside without naming them in its certificate."""
    rows = tx.connection.execute(
        select(cases.c.code, cases.c.set_aside_on, certificate.c.content)
        .join(night, night.c.business_on == cases.c.set_aside_on)
        .join(certificate, certificate.c.night_id == night.c.id)
        .where(cases.c.set_aside_on.is_not(None))
    )
    for code, on, content in rows:
        if code not in json.dumps(json.loads(content).get("set_aside", [])):
            yield f"{code}: set aside by the night of {on}, whose certificate does not say so"


def paused_without_review(tx: Transaction) -> Iterator[str]:
    """Paused cases that nobody will look at again."""
    running = exists().where(pause.c.case_id == cases.c.id, pause.c.resumed_on.is_(None))
    query = select(cases.c.code).where(cases.c.closed_on.is_(None), cases.c.paused, ~running)
    for code in tx.connection.execute(query).scalars():
        yield f"{code}: paused without a review"


def sent_without_proof(tx: Transaction) -> Iterator[str]:
    """Messages to households that are called sent and of which there is no evidence."""
    proof = exists().where(evidence.c.outbox_id == outbox.c.id)
    query = select(outbox.c.id).where(outbox.c.status == "sent", outbox.c.recipient.startswith("person:"), ~proof)
    for outbox_id in tx.connection.execute(query).scalars():
        yield f"message {outbox_id}: called sent without evidence"


def unasked_demands(tx: Transaction) -> Iterator[str]:
    """Demands for money that left before any human contact attempt."""
    tried = exists().where(
        contact_attempt.c.case_id == outbox.c.case_id,
        contact_attempt.c.retracted.is_(False),
        contact_attempt.c.on <= outbox.c.due_on,
    )
    query = select(outbox.c.id).where(outbox.c.message.in_(DEMANDS), outbox.c.status == "sent", ~tried)
    for outbox_id in tx.connection.execute(query).scalars():
        yield f"message {outbox_id}: a demand before any human contact attempt"


def to_those_who_are_never_written_to(tx: Transaction) -> Iterator[str]:
    """Messages that left to minors and to the dead."""
    numbers = cast(func.substr(outbox.c.recipient, len(PERSON) + 1), Id)
    rows = tx.connection.execute(
        select(outbox.c.id, outbox.c.sent_at, person.c.birth_date, person.c.deceased_on)
        .join(person, person.c.id == numbers)
        .where(outbox.c.status == "sent", outbox.c.recipient.startswith(PERSON))
    )
    for outbox_id, sent_at, born, died in rows:
        on = sent_at.astimezone(ROME).date()
        if died is not None and on > died:
            yield f"message {outbox_id}: left to somebody who had died"
        if years_before(on, ADULT) < born:
            yield f"message {outbox_id}: left to a minor"


def too_many_or_at_a_wrong_hour(tx: Transaction, cap: int, begin: int, end: int) -> Iterator[str]:
    """Households that got more than `cap` messages in seven days (legal ones aside), and what left between `begin` and
    `end` o'clock or on a Sunday by mail or SMS."""
    rows = tx.connection.execute(
        select(outbox.c.id, cases.c.household_id, outbox.c.sent_at, outbox.c.legal, evidence.c.way)
        .join(cases, cases.c.id == outbox.c.case_id)
        .join(evidence, evidence.c.outbox_id == outbox.c.id)
        .where(outbox.c.status == "sent", outbox.c.recipient.startswith(PERSON))
        .order_by(cases.c.household_id, outbox.c.sent_at)
    )
    lately: dict[int, list[date]] = {}
    for outbox_id, household_id, sent_at, legal, way in rows:
        local = sent_at.astimezone(ROME)
        if way in ("email", "sms") and (not end <= local.hour < begin or local.weekday() == SUNDAY):
            yield f"message {outbox_id}: left at {local:%Y-%m-%d %H:%M}, in the quiet hours"
        if legal:
            continue
        days = [day for day in lately.get(household_id, []) if local.date() - WEEK < day]
        lately[household_id] = [*days, local.date()]
        if len(days) >= cap:
            yield f"message {outbox_id}: more than {cap} to one household in seven days"


def wrong_books(tx: Transaction) -> Iterator[str]:
    """Books of the emporio below zero; instalments that hold more than they asked for, or are called paid and are not."""
    below = select(emporio_entry.c.household_id).where(emporio_entry.c.balance < 0).distinct()
    for household_id in tx.connection.execute(below).scalars():
        yield f"household {household_id}: its emporio book is below zero"
    paid = instalment.c.status.in_(("paid", "paid_late"))
    wrong = select(instalment.c.id).where(
        or_(instalment.c.paid_cents > instalment.c.cents, and_(paid, instalment.c.paid_cents < instalment.c.cents))
    )
    for instalment_id in tx.connection.execute(wrong).scalars():
        yield f"instalment {instalment_id}: what was paid and what it is called differ"


def broken(tx: Transaction, *, cap: int = 2, begin: int = 20, end: int = 8) -> Iterable[str]:
    """Everything above, and what promised_once looks for. cap, begin, end: the courtesy that deliveries keep here."""
    yield from nights(tx)
    yield from set_aside_unnamed(tx)
    yield from paused_without_review(tx)
    yield from sent_without_proof(tx)
    yield from unasked_demands(tx)
    yield from to_those_who_are_never_written_to(tx)
    yield from too_many_or_at_a_wrong_hour(tx, cap, begin, end)
    yield from wrong_books(tx)
    yield from promised_once.broken(tx)
