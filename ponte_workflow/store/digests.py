"""Gathering a worker's notices into one mail, and reading them back when it is rendered."""

import json
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import distinct, exists, func, select, update

from ponte_workflow.store import inbox
from ponte_workflow.store import outbox as box
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.messages import outbox


class Notice(NamedTuple):
    """One gathered notice."""

    case_id: int | None
    rule: str
    kind: str
    due_on: date
    data: dict[str, Any]


def waiting_recipients(tx: Transaction) -> list[str]:
    """Staff recipients with notices that wait for a digest."""
    query = select(distinct(outbox.c.recipient)).where(
        box.WAITING, outbox.c.delivery == "digest", outbox.c.status == "queued", outbox.c.recipient.startswith("staff:")
    )
    return sorted(tx.connection.execute(query).scalars())


def gather(tx: Transaction, recipient: str, on: date, at: datetime) -> int:
    """Put everything that waits for this recipient into one mail of that date; how many notices (0: nothing to say).

    The same notices lie in the recipient's inbox from `at` on.

    A notice about a case that was closed or paused meanwhile has lost its point and is withdrawn.
    """
    mine = (box.WAITING, outbox.c.delivery == "digest", outbox.c.status == "queued", outbox.c.recipient == recipient)
    # By the case of each notice: a list of all that are closed or paused would be made anew for every recipient.
    over = (cases.c.closed_on.is_not(None) & (cases.c.closed_on < on)) | cases.c.paused
    gone = exists().where(cases.c.id == outbox.c.case_id, over)
    tx.connection.execute(
        update(outbox)
        .where(*mine, gone, ~outbox.c.rule.startswith("pause/"), ~outbox.c.rule.startswith("closed"))
        .values(status="withdrawn", why="the case was closed or paused before the digest")
    )
    waiting = tx.connection.execute(select(func.count()).select_from(outbox).where(*mine)).scalar_one()
    if waiting == 0:
        return 0
    digest_id = box.queue(
        tx,
        box.OutboxRow(
            rule="digest",
            due_on=on,
            recipient=recipient,
            message="digest",
            kind="inform",
            delivery="direct",
            data={"on": on},
        ),
    )
    if digest_id is None:  # this morning's mail was gathered already; what came since waits for tomorrow's
        return 0
    tx.connection.execute(update(outbox).where(*mine).values(status="gathered", gathered_into=digest_id))
    inbox.put_gathered(tx, digest_id, int(recipient.partition(":")[2]), at)
    return int(waiting)


def nobody_to_tell(tx: Transaction) -> int:
    """Notices for a role that nobody holds."""
    query = (
        select(func.count())
        .select_from(outbox)
        .where(box.WAITING, outbox.c.status == "queued", outbox.c.recipient == "role:lead")
    )
    return tx.connection.execute(query).scalar_one()


def readdress(tx: Transaction, recipient: str) -> int:
    """Give the notices for nobody to somebody, now that there is one; how many."""
    done = tx.connection.execute(
        update(outbox)
        .where(box.WAITING, outbox.c.status == "queued", outbox.c.recipient == "role:lead")
        .values(recipient=recipient)
    )
    return done.rowcount


def notices_of(tx: Transaction, digest_id: int) -> list[Notice]:
    """What a digest gathered, the oldest first."""
    rows = tx.connection.execute(
        select(outbox.c.case_id, outbox.c.rule, outbox.c.kind, outbox.c.due_on, outbox.c.data)
        .where(outbox.c.gathered_into == digest_id)
        .order_by(outbox.c.due_on, outbox.c.id)
    )
    return [Notice(r.case_id, r.rule, r.kind, r.due_on, json.loads(r.data)) for r in rows]
