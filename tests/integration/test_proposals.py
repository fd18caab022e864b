"""Working out a payment plan with a household: the page, the form that it fills in, and who may."""

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ponte_workflow.store.cases import CaseRow
from tests.builders import create_ledger
from tests.integration.standing_cases import TODAY, walk
from tests.site import Site


@pytest.fixture
def case(site: Site) -> CaseRow:
    """An active case that owes 600 euros of rent."""
    with site.team.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda")
        create_ledger(tx, row.tenancy_id, cents=60_000, on=TODAY - timedelta(days=60))
        return row


def test_three_plans_with_what_is_left_and_why(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    assert "600.00" in browser.get(f"/cases/{case.code}/plan").text
    page = browser.post(f"/cases/{case.code}/plan", data={"income": "1.000,00", "first_due_on": ""}).text
    assert "The lightest" in page and "The quickest" in page and "Take this one" in page
    assert "150,00 EUR a month are left for an instalment" in page, "40% of 1,000 less 250 of rent and charges"
    with site.ponte.store.reading() as tx:
        kept = tx.connection.execute(text("SELECT count(*) FROM draft")).scalar_one()
    assert kept == 0, "what a household lives on is not kept"


def test_the_one_that_is_taken_fills_in_the_form_and_agrees_nothing(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    given = {"total": "600,00", "instalments": "4", "first_due_on": (TODAY + timedelta(days=20)).isoformat()}
    answer = browser.post(f"/cases/{case.code}/plan/take", data=given)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case.code}/do/agree_plan")
    form = browser.get(f"/cases/{case.code}/do/agree_plan").text
    assert 'value="600,00"' in form and 'value="4"' in form and given["first_due_on"] in form
    with site.ponte.store.reading() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM payment_plan")).scalar_one() == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"income": "a lot"}, "Net income a month: an amount is needed"),
        ({"income": ""}, "Net income a month"),
        ({"income": "-1"}, "at least 0"),
        ({"income": "900000000"}, "between 0 and 100000 euros"),
        ({"income": "1000", "first_due_on": "2020-01-01"}, "from today on"),
        ({"income": "1000", "first_due_on": "31/02/2027"}, "First instalment: a date"),
    ],
)
def test_what_cannot_be_is_said_and_stays_in_the_form(
    site: Site, case: CaseRow, given: dict[str, str], sentence: str
) -> None:
    answer = site.signed_in("wanda").post(f"/cases/{case.code}/plan", data=given)
    assert answer.status_code == 422 and sentence in answer.text
    assert not given["income"] or f'value="{given["income"]}"' in answer.text


def test_a_household_that_can_bear_nothing_is_told_so_and_gets_no_plan(site: Site, case: CaseRow) -> None:
    page = site.signed_in("wanda").post(f"/cases/{case.code}/plan", data={"income": "700"}).text
    assert "work or support come first" in page and "Take this one" not in page


def test_a_plan_is_taken_only_where_the_pathway_takes_one(site: Site) -> None:
    with site.team.store.transaction() as tx:
        row = walk(site.team, tx, "planning", "wanda")
    given = {"total": "600", "instalments": "4", "first_due_on": date(2027, 1, 10).isoformat()}
    answer = site.signed_in("wanda").post(f"/cases/{row.code}/plan/take", data=given)
    assert answer.status_code == 409


def test_volunteers_do_not_ask_what_a_household_lives_on(site: Site, case: CaseRow) -> None:
    assert site.signed_in("vera").get(f"/cases/{case.code}/plan").status_code == 403
    assert f"/cases/{case.code}/plan" not in site.signed_in("vera").get(f"/cases/{case.code}").text
