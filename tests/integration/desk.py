"""What the tests of the desk have in common: nights, what the outbox says, a case that was referred."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from ponte_workflow import clock
from ponte_workflow.services import night as nights
from ponte_workflow.store import network
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.messages import outbox
from tests.integration.standing_cases import walk
from tests.site import Site

TODAY = clock.today()
DAY = timedelta(days=1)
APPOINTMENT: dict[str, Any] = {"what": "colloquio", "where": "sportello", "hour": 10, "minute": 30}


def night(site: Site, on: date) -> None:
    nights.run_nights(site.ponte.night_plan("plain"), on, at=lambda: datetime.combine(on, clock.now().timetz()))


def told(tx: Transaction, rule: str) -> list[tuple[str, str]]:
    """(recipient, kind) of the notices of that rule."""
    rows = tx.connection.execute(select(outbox.c.recipient, outbox.c.kind).where(outbox.c.rule.startswith(rule)))
    return [(row.recipient, row.kind) for row in rows.all()]


def staff_id(tx: Transaction, username: str) -> int:
    return network.member_by_username(tx, username).id


def referred(site: Site, tx: Transaction, on: date = TODAY) -> CaseRow:
    """A case with an open task for its worker: ask whether the service accepts."""
    row = walk(site.team, tx, "met", "wanda", on=on)
    return site.team.do(tx, "wanda", row.code, "refer", on, receiving_service="SerT", reason="r", household_agrees=True)


# Tasks
