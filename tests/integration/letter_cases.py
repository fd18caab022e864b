"""Letters of real cases: written by the channel, through deliver(), ready to be printed."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from notifications.registry import MESSAGES
from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.delivery import Courtesy, Postponed, Resolution, Resolved, deliver
from ponte_workflow.store import cases, outbox
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import ClaimedRow, OutboxRow
from ponte_workflow.store.schema.casework import cases as cases_table
from ponte_workflow.store.schema.neighbourhood import dwelling, tenancy
from tests.builders import Team
from tests.site import Site

TODAY = clock.today()
WHEN = datetime(2026, 11, 23, 9, tzinfo=UTC)  # a Monday morning: no quiet hours
ANY_TIME = Courtesy(is_holiday=lambda day: False, cap=1000)


def by_letter(tx: Transaction, row: ClaimedRow, at: datetime) -> Resolution:
    """Every message as a letter to where the person lives; there was a contact attempt."""
    if row.rule != "test" or row.case_id is None:
        return Postponed(at + timedelta(days=1), "not what is tested")
    home = select(dwelling.c.address).where(
        dwelling.c.id == tenancy.c.dwelling_id,
        tenancy.c.id == cases_table.c.tenancy_id,
        cases_table.c.id == row.case_id,
    )
    address = f"Persona1 Prova\n{tx.connection.execute(home).scalar_one()}, A/1"
    return Resolved(MESSAGES[row.message].sample(), "it", address, had_contact_attempt=True, channel="letter")


def write_letters(ponte: Ponte, codes: list[str], message: str = "pip_ready_to_sign") -> list[int]:
    """One letter to the first adult of each case; their numbers."""
    with ponte.store.transaction() as tx:
        numbers = []
        for code in codes:
            row = cases.by_code(tx, code)
            person = min(cases.persons(tx, row.household_id))
            number = outbox.queue(
                tx,
                OutboxRow(rule="test", due_on=WHEN.date(), recipient=f"person:{person}", message=message, kind="inform",
                          delivery="direct", case_id=row.id),
            )  # fmt: skip
            assert number is not None
            numbers.append(number)
    report = deliver(
        ponte.store, {"letter": ponte.letter_channel()}, by_letter, sender="ponte@example.org", courtesy=ANY_TIME, at=WHEN,
        limit=1000,
    )  # fmt: skip
    assert report.sent >= len(numbers), report
    return numbers


def some_cases(site: Site, n: int, *, quarter: str = "sanpolino", worker: str = "wanda") -> list[str]:
    """Cases of a worker's."""
    supervisor = "rita" if quarter == "san_polo" else "sara"
    with site.ponte.store.transaction() as tx:
        codes = [site.team.open_case(tx, TODAY - timedelta(days=30), quarter_code=quarter).code for _n in range(n)]
        for code in codes:
            site.team.do(tx, supervisor, code, "assign", TODAY - timedelta(days=20), case_worker=worker)
    return codes


def occasion(team: Team, tx: Transaction, username: str) -> Occasion:
    """Somebody at work now."""
    made = team.occasion(tx, username, TODAY)
    return Occasion(made.actor, made.on, clock.now(), made.pathways)
