"""Forms begun and not yet sent: encrypted, for nobody but whoever typed them."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.desk import draft


def find(tx: Transaction, staff_id: int, case_id: int, trigger: str, person_id: int) -> tuple[str, int] | None:
    """(what was typed, the case's version then)."""
    row = tx.connection.execute(
        select(draft.c.fields, draft.c.case_version).where(
            draft.c.staff_id == staff_id,
            draft.c.case_id == case_id,
            draft.c.trigger == trigger,
            draft.c.person_id == person_id,
        )
    ).first()
    return None if row is None else (tx.cipher.decrypt(row.fields), row.case_version)


def of_case(tx: Transaction, staff_id: int, case_id: int) -> frozenset[tuple[str, int]]:
    """(trigger, person id) of somebody's drafts on a case."""
    rows = tx.connection.execute(
        select(draft.c.trigger, draft.c.person_id).where(draft.c.staff_id == staff_id, draft.c.case_id == case_id)
    )
    return frozenset((row.trigger, row.person_id) for row in rows)


def put(
    tx: Transaction,
    staff_id: int,
    case_id: int,
    trigger: str,
    person_id: int,
    version: int,
    text: str | None,
    at: datetime,
) -> None:
    """Keep a draft in place of the one before; None: it is done with."""
    tx.connection.execute(
        delete(draft).where(
            draft.c.staff_id == staff_id,
            draft.c.case_id == case_id,
            draft.c.trigger == trigger,
            draft.c.person_id == person_id,
        )
    )
    if text is not None:
        values = {"trigger": trigger, "person_id": person_id, "case_version": version, "saved_at": at}
        tx.connection.execute(
            insert(draft).values(staff_id=staff_id, case_id=case_id, fields=tx.cipher.encrypt(text), **values)
        )
