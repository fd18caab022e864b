"""A row beside the cases that cannot be read: a task's words, the terms of a plan. The night is done, for all others too."""

from datetime import timedelta

from sqlalchemy import text

from ponte_workflow.store import todos
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from tests.builders import create_ledger
from tests.integration.desk import DAY, TODAY, night, staff_id
from tests.integration.standing_cases import walk
from tests.site import Site


def with_plan(site: Site, tx: Transaction) -> CaseRow:
    """A case that pays by instalments, of which one is due today."""
    row = walk(site.team, tx, "active", "wanda", on=TODAY - 60 * DAY)
    create_ledger(tx, row.tenancy_id, on=TODAY, due_on=TODAY - 200 * DAY, cents=40_000)
    terms = {"total": 40_000, "instalments": 8, "first_due_on": TODAY - 20 * DAY}
    signed = {"signed_by_household": True, "signed_by_landlord": True}
    return site.team.do(tx, "wanda", row.code, "agree_plan", TODAY - 50 * DAY, **terms, **signed)


def certificate_of(site: Site) -> str:
    with site.ponte.store.reading() as tx:
        return (
            tx.connection.execute(text("SELECT content FROM certificate ORDER BY night_id DESC")).scalars().first()
            or ""
        )


def test_an_own_task_whose_words_cannot_be_read_is_reminded_of_all_the_same(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for what in ("Call the school", "Call the doctor"):
            todos.add(
                tx, staff_id=staff_id(tx, "wanda"), case_id=None, text=what, due_on=TODAY, opened_on=TODAY - DAY, by=1
            )
        tx.connection.execute(text("UPDATE todo SET text = 'nonsense' WHERE id = 1"))
    night(site, TODAY)
    assert '"set_aside":[]' in certificate_of(site)
    with site.ponte.store.transaction() as tx:
        told = tx.connection.execute(text("SELECT count(*) FROM todo WHERE told_on IS NOT NULL")).scalar()
        queued = tx.connection.execute(text("SELECT count(*) FROM outbox WHERE rule LIKE 'todo/%'")).scalar()
    assert (told, queued) == (2, 2)


def test_a_plan_that_cannot_be_settled_sets_its_own_case_aside_and_no_other(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        broken, sound = with_plan(site, tx), with_plan(site, tx)
        tx.connection.execute(
            text("UPDATE payment_plan SET tolerance_days = 999999999 WHERE case_id = :id"), {"id": broken.id}
        )
    for on in (TODAY, TODAY + timedelta(days=1)):
        night(site, on)
        told = certificate_of(site)
        assert f'"set_aside":["{broken.code}"]' in told and '"batches_redone":1' in told
    with site.ponte.store.transaction() as tx:
        missed = "SELECT count(*) FROM instalment JOIN payment_plan p ON p.id = plan_id WHERE p.case_id = :id AND {}"
        assert tx.connection.execute(text(missed.format("instalment.status <> 'due'")), {"id": sound.id}).scalar()
