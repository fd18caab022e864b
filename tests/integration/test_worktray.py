"""My work: what is on the list and why, narrowed, counted, put off, given away; found by name, code or phone."""

from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert, text

from ponte_workflow import clock
from ponte_workflow.services import worktray
from ponte_workflow.services.worktray import Filters
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import OutboxRow, queue
from ponte_workflow.store.schema.neighbourhood import contact
from tests.builders import create_person
from tests.site import Site

TODAY = clock.today()


def engaged(site: Site, tx: Transaction, worker: str = "wanda", on: date = TODAY, **person: object) -> CaseRow:
    """A case in `engagement.to_contact` of that worker."""
    team = site.team
    row = team.open_case(tx, on, **person)  # type: ignore[arg-type]
    team.do(tx, "sara", row.code, "assign", on, case_worker=worker)
    return team.do(tx, worker, row.code, "confirm", on, cause="dismissal", objective=True, transitory=True)


def test_a_case_worker_sees_their_own_cases_with_why_and_the_likely_step(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        mine, others = engaged(site, tx), engaged(site, tx, "walter")
    page = site.signed_in("wanda").get("/")
    assert page.status_code == 200
    assert mine.code in page.text and others.code not in page.text
    assert f"/cases/{mine.code}/do/record_attempt" in page.text
    assert "Try to reach the household" in page.text


def test_what_was_asked_and_not_done_is_overdue_until_somebody_does_something(site: Site) -> None:
    before = TODAY - timedelta(days=20)
    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx, on=before)
        queue(
            tx,
            OutboxRow("engagement.to_contact/contact/first", TODAY - timedelta(days=5), "staff:3", "digest", "remind",
                      "digest", case_id=row.id),
        )  # fmt: skip
    with site.ponte.store.reading() as tx:
        who = site.team.occasion(tx, "wanda", TODAY)
        found = worktray.tray(tx, who)
    assert found.counts["overdue"] == 1 and found.rows[0].asked_on == TODAY - timedelta(days=5)
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "wanda", row.code, "record_attempt", TODAY, channel="phone", outcome="no_answer")
        assert worktray.tray(tx, site.team.occasion(tx, "wanda", TODAY)).rows[0].asked_on is None


def test_counts_are_the_same_on_every_screen(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for _n in range(3):
            engaged(site, tx)
        site.team.open_case(tx, TODAY)
    with site.ponte.store.reading() as tx:
        for username in ("wanda", "walter", "sara", "lidia", "gino", "vera", "rita"):
            who = site.team.occasion(tx, username, TODAY)
            tray, whole = worktray.tray(tx, who), worktray.worktray(tx, who)
            assert sum(tray.counts.values()) == len(whole) == len(tray.rows)
            assert worktray.case_page(tx, who, Filters()).total == len(worktray.case_list(tx, who))
            by_section = [row.urgency for row in whole]
            assert {name: by_section.count(name) for name in tray.counts} == tray.counts


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        pytest.param(Filters(quarter="sanpolino"), 2, id="quarter"),
        pytest.param(Filters(quarter="san_polo"), 0, id="the other quarter"),
        pytest.param(Filters(state="engagement"), 1, id="state with what is below it"),
        pytest.param(Filters(state="detected"), 1, id="leaf state"),
        pytest.param(Filters(waits_on="supervisor"), 1, id="waiting on"),
        pytest.param(Filters(flag="unassigned"), 1, id="unassigned"),
        pytest.param(Filters(flag="paused"), 0, id="paused"),
        pytest.param(Filters(age="0-3"), 2, id="young arrears"),
        pytest.param(Filters(age="12-"), 0, id="old arrears"),
        pytest.param(Filters(worker="wanda"), 1, id="worker"),
    ],
)
def test_filters_narrow_the_list(site: Site, wanted: Filters, found: int) -> None:
    with site.ponte.store.transaction() as tx:
        engaged(site, tx)
        site.team.open_case(tx, TODAY)
    with site.ponte.store.reading() as tx:
        assert worktray.case_page(tx, site.team.occasion(tx, "sara", TODAY), wanted).total == found


def test_a_building_is_a_filter_too(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx)
        engaged(site, tx)
    browser = site.signed_in("wanda")
    page = browser.get("/?building=1")
    assert row.code in page.text and page.text.count("data-row") == 1
    assert browser.get("/?building=x").status_code == 422


def test_a_case_put_off_leaves_ones_own_list_only_and_comes_back(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx)
    browser, until = site.signed_in("wanda"), TODAY + timedelta(days=3)
    assert browser.post("/work/snooze", data={"code": row.code, "until": until.isoformat()}).status_code == 303
    with site.ponte.store.reading() as tx:
        assert worktray.tray(tx, site.team.occasion(tx, "wanda", TODAY)).counts["snoozed"] == 1
        assert worktray.tray(tx, site.team.occasion(tx, "wanda", until)).counts["snoozed"] == 0, (
            "it came back by itself"
        )
        assert worktray.case_page(tx, site.team.occasion(tx, "sara", TODAY), Filters()).rows[0].snoozed_until is None
    browser.post("/work/snooze", data={"code": row.code, "back": "true"})
    with site.ponte.store.reading() as tx:
        assert worktray.tray(tx, site.team.occasion(tx, "wanda", TODAY)).counts["snoozed"] == 0
    late = browser.post("/work/snooze", data={"code": row.code, "until": (TODAY + timedelta(days=31)).isoformat()})
    assert late.status_code == 303 and "within the next 30 days" in browser.get("/").text


def test_several_cases_are_given_to_a_worker_each_for_itself(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        codes = [site.team.open_case(tx, TODAY).code for _n in range(2)]
        elsewhere = site.team.open_case(tx, TODAY, quarter_code="san_polo").code
    browser = site.signed_in("sara")
    browser.post("/work/assign", data={"code": [*codes, elsewhere], "worker": "walter"})
    said = browser.get("/").text
    assert "2 cases given to walter" in said and elsewhere in said
    with site.ponte.store.reading() as tx:
        rows = worktray.case_page(tx, site.team.occasion(tx, "walter", TODAY), Filters()).rows
    assert {row.code for row in rows} == set(codes)
    assert site.signed_in("wanda").post("/work/assign", data={"code": codes, "worker": "wanda"}).status_code == 403


@pytest.mark.parametrize(
    "text",
    ["prova", "PRÓVA pers", "persona1 prova", "{code}", "{number}", "{tenancy}", "+39 333 1234567", "3331234567"],
)
def test_a_household_is_found_by_what_people_know_of_it(site: Site, text: str) -> None:
    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx)
        person = create_person(tx, row.household_id, ordinal=9)
        tx.connection.execute(
            insert(contact).values(
                person_id=person,
                channel="phone",
                value=tx.cipher.encrypt("333 1234567"),
                value_index=tx.cipher.blind_index("333 1234567"),
            )
        )
        tenancy = worktray.look(tx, site.team.occasion(tx, "wanda", TODAY), row.code).row.tenancy_id
    asked = text.format(code=row.code.lower(), number=row.id, tenancy=_tenancy_code(site, tenancy))
    answer = site.signed_in("wanda").post("/search", data={"text": asked})
    assert answer.headers.get("location") == f"/cases/{row.code}", answer.text
    assert row.code not in site.signed_in("rita").post("/search", data={"text": asked}).text


def test_a_search_for_one_letter_says_what_is_needed(site: Site) -> None:
    answer = site.signed_in("wanda").post("/search", data={"text": "x"})
    assert answer.status_code == 422 and "at least two letters" in answer.text


def test_the_spreadsheet_has_codes_and_no_names(site: Site, tmp_path: object) -> None:
    from io import BytesIO

    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx)
    answer = site.signed_in("sara").get("/cases.xlsx")
    sheet = load_workbook(BytesIO(answer.content)).active
    cells = [cell.value for line in sheet.iter_rows() for cell in line]
    assert row.code in cells and not any("Prova" in str(cell) for cell in cells)
    assert site.signed_in("wanda").get("/cases.xlsx").status_code == 403


def test_pages_of_a_long_list(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        codes = {site.team.open_case(tx, TODAY).code for _n in range(worktray.PAGE + 3)}
    with site.ponte.store.reading() as tx:
        who = site.team.occasion(tx, "sara", TODAY)
        first, second = worktray.tray(tx, who, page=1), worktray.tray(tx, who, page=2)
    assert (first.pages, len(first.rows), len(second.rows)) == (2, worktray.PAGE, 3)
    assert {row.code for row in (*first.rows, *second.rows)} == codes
    page = site.signed_in("sara").get("/?page=2")
    assert "page 2 of 2" in page.text


def _tenancy_code(site: Site, tenancy_id: int) -> str:
    from sqlalchemy import select

    from ponte_workflow.store.schema.neighbourhood import tenancy

    with site.ponte.store.reading() as tx:
        return str(tx.connection.execute(select(tenancy.c.code).where(tenancy.c.id == tenancy_id)).scalar_one())


@pytest.mark.parametrize(
    "broken", ["UPDATE cases SET configuration = 'nowhere.at_all'", "UPDATE clock SET name = 'no_such_clock'"]
)
def test_a_broken_case_stays_on_the_list_and_takes_no_other_with_it(site: Site, broken: str) -> None:
    with site.ponte.store.transaction() as tx:
        one, other = engaged(site, tx), engaged(site, tx)
        where = "id" if "cases" in broken else "case_id"
        tx.connection.execute(text(f"{broken} WHERE {where} = :case"), {"case": one.id})
    lists = {("wanda", "/"), ("wanda", "/cases"), ("sara", "/cases")}  # nothing waits for sara, who counts in the last
    for username, address in (*sorted(lists), ("sara", "/"), ("sara", "/supervision")):
        page = site.signed_in(username).get(address)
        assert page.status_code == 200, address
        assert other.code in page.text or (username, address) not in lists, f"{address} of {username}"
    with site.ponte.store.reading() as tx:
        rows = worktray.tray(tx, site.team.occasion(tx, "wanda", TODAY)).rows
    assert {one.code, other.code} == {row.code for row in rows}
