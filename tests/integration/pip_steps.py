"""What the tests of PIPs and placements have in common: a signature, a night, a task, a place."""

from datetime import UTC, date, datetime, time

from sqlalchemy import text

from ponte_workflow.services import night as nights
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from tests.builders import Team
from tests.integration.standing_cases import TODAY
from tests.site import Site

PLACE = {"employer": "Una ditta", "placement_kind": "fixed_term", "placed_on": TODAY}


def signed(team: Team, tx: Transaction, case: tuple[CaseRow, int], on: date = TODAY) -> None:
    team.sign_pip(tx, "gino", case[0].code, case[1], on)


def night(site: Site, on: date) -> None:
    at = datetime.combine(on, time(3), tzinfo=UTC)
    nights.run_nights(site.ponte.night_plan("plain"), on, at=lambda: at)


def the_task(tx: Transaction, kind: str) -> tuple[str | None, bool] | None:
    """(due day, done) of a task."""
    found = tx.connection.execute(text("SELECT due_on, closed_on FROM task WHERE kind = :kind"), {"kind": kind}).first()
    return None if found is None else (None if found[0] is None else str(found[0]), found[1] is not None)
