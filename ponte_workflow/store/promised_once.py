"""Where work was done twice, in halves, out of order or not at all, read from the database alone."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from sqlalchemy import and_, exists, func, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import WEBHOOK
from ponte_workflow.store.schema.casework import cases, clock, history
from ponte_workflow.store.schema.desk import held_action
from ponte_workflow.store.schema.messages import evidence, outbox
from ponte_workflow.store.schema.nights import certificate, night

RUNG = history.c.kind == "clock"


def twice(tx: Transaction) -> Iterator[str]:
    """Deadlines that rang twice on one day; messages that left twice under one name."""
    again = (
        select(history.c.case_id, history.c.on)
        .where(RUNG)
        .group_by(history.c.case_id, history.c.on, history.c.data)
        .having(func.count() > 1)
    )
    for case_id, on in tx.connection.execute(again):
        yield f"case {case_id}: the same deadline rang twice on {on}"
    # Two programs may be told of one event, under its name; a message to people has a name of its own.
    names = (
        select(evidence.c.message_id)
        .join(outbox, outbox.c.id == evidence.c.outbox_id)
        .where(outbox.c.delivery != WEBHOOK)
        .group_by(evidence.c.message_id)
        .having(func.count() > 1)
    )
    for name in tx.connection.execute(names).scalars():
        yield f"evidence: {name} left twice"


def halves(tx: Transaction) -> Iterator[str]:
    """Reminders in a history that nobody was told of, messages of entries that do not exist, clocks that stand elsewhere."""
    told = exists().where(outbox.c.case_id == history.c.case_id, outbox.c.history_seq == history.c.seq)
    silent = select(history.c.case_id, history.c.seq, history.c.data).where(RUNG, ~told)
    for case_id, seq, text in tx.connection.execute(silent):
        data = json.loads(text)
        if "rule" not in data:
            continue  # it fired a trigger, or looked and left it alone
        same = (outbox.c.case_id == case_id, outbox.c.rule == data["rule"])
        due = outbox.c.due_on == date.fromisoformat(data["due"])
        if tx.connection.execute(select(outbox.c.id).where(*same, due).limit(1)).first() is None:
            yield f"case {case_id}, entry {seq}: a reminder of which there is no message"
    beyond = (
        select(outbox.c.id)
        .join(cases, cases.c.id == outbox.c.case_id)
        .where(outbox.c.history_seq > cases.c.history_length)
    )
    for number in tx.connection.execute(beyond).scalars():
        yield f"message {number}: queued by an entry that its case does not have"
    yield from _clocks_elsewhere(tx)


def _clocks_elsewhere(tx: Transaction) -> Iterator[str]:
    """Where a deadline was the last thing that happened to a case, its clock stands as the history says."""
    last = and_(history.c.case_id == cases.c.id, history.c.seq == cases.c.history_length)
    rows = tx.connection.execute(select(cases.c.id, cases.c.code, history.c.data).join(history, last).where(RUNG)).all()
    standing = {
        (row.case_id, row.person_id, row.name): (row.position, row.due_on and row.due_on.isoformat())
        for row in tx.connection.execute(
            select(clock.c.case_id, clock.c.person_id, clock.c.name, clock.c.position, clock.c.due_on)
        )
    }
    for case_id, code, text in rows:
        data = json.loads(text)
        if "next" not in data:
            continue  # its trigger stopped the clock
        found = standing.get((case_id, data["person"], data["clock"]))
        if found != (data["position"], data["next"]):
            yield f"{code}: its deadline does not stand where its history says"


def out_of_order(tx: Transaction) -> Iterator[str]:
    """Nights certified after later ones; missed nights that sent a mail of their own."""
    rows = tx.connection.execute(
        select(night.c.business_on, certificate.c.history_to)
        .join(certificate, certificate.c.night_id == night.c.id)
        .order_by(certificate.c.history_to, certificate.c.night_id)
    ).all()
    for before, after in pairwise(rows):
        if after.business_on <= before.business_on:
            yield f"night of {after.business_on}: certified after the one of {before.business_on}"
    mailed = select(night.c.business_on).where(
        night.c.replayed, exists().where(outbox.c.rule == "digest", outbox.c.due_on == night.c.business_on)
    )
    for on in tx.connection.execute(mailed).scalars():
        yield f"night of {on}: a missed night, and it sent a morning mail"


def not_rung(tx: Transaction) -> Iterator[str]:
    """Deadlines that were due in the last completed night and neither rang nor were held back nor set aside.

    Whatever a person did since that night began may have put a deadline before it: the next night does it.
    """
    last = tx.connection.execute(
        select(night.c.business_on, night.c.completed_at)
        .where(night.c.status == "completed")
        .order_by(night.c.business_on.desc())
        .limit(1)
    ).first()
    if last is None:
        return
    subjects = select(held_action.c.subject).where(held_action.c.business_on == last.business_on)
    held = set(tx.connection.execute(subjects).scalars())
    entry = and_(history.c.case_id == cases.c.id, history.c.seq == cases.c.history_length)
    rows = tx.connection.execute(
        select(cases.c.code, clock.c.case_id, clock.c.person_id, clock.c.name, clock.c.due_on)
        .join(cases, cases.c.id == clock.c.case_id)
        .join(history, entry)
        .where(
            clock.c.due_on <= last.business_on,
            cases.c.closed_on.is_(None),
            cases.c.set_aside_on.is_(None),
            history.c.at <= last.completed_at,
        )
    )
    for code, case_id, person_id, name, due_on in rows:
        if f"clock:{case_id}:{person_id}:{name}" not in held:
            yield f"{code}: a deadline of {due_on} was left out by the night of {last.business_on}"


def broken(tx: Transaction) -> Iterator[str]:
    """Everything above."""
    yield from twice(tx)
    yield from halves(tx)
    yield from out_of_order(tx)
    yield from not_rung(tx)
