"""Supervision: counts that agree with their lists, for whose eyes, at a fixed number of questions; decisions."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from ponte_workflow import clock
from ponte_workflow.services import approving, supervising, views
from ponte_workflow.store import network
from ponte_workflow.store import outbox as box
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.casework import clock as clocks
from ponte_workflow.store.schema.desk import state_figures
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.neighbourhood import person
from ponte_workflow.store.schema.network import quarter
from states.calendars import WorkingCalendar
from tests.builders import MONDAY, create_quarter
from tests.site import Site

SUITABLE: dict[str, Any] = {"cause": "dismissal", "objective": True, "transitory": True}
SERVICE: dict[str, Any] = {"receiving_service": "x", "reason": "y", "household_agrees": True}
TODAY = clock.today()


def open_one(site: Site, *, quarter_code: str = "sanpolino", on: date = TODAY, worker: str | None = None) -> str:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, on, quarter_code=quarter_code)
        if worker:
            site.team.do(
                tx, "rita" if quarter_code == "san_polo" else "sara", row.code, "assign", on, case_worker=worker
            )
        return row.code


def stall(site: Site, code: str, told: str = "sara", on: date = TODAY) -> None:
    with site.ponte.store.transaction() as tx:
        member = network.member_by_username(tx, told)
        tx.connection.execute(update(cases).where(cases.c.code == code).values(stalled_on=on, stall_told_to=member.id))


def escalate(site: Site, code: str, rule: str = "detected/assignment/escalate", on: date = TODAY) -> None:
    with site.ponte.store.transaction() as tx:
        case_id = tx.connection.execute(select(cases.c.id).where(cases.c.code == code)).scalar_one()
        to = network.member_by_username(tx, "lidia").id
        box.queue(tx, box.OutboxRow(rule, on, f"staff:{to}", "digest", "escalate", "digest", case_id))


def held_message(site: Site, code: str | None, recipient: str | None = None, message: str = "meeting_reminder") -> int:
    """A message that waits for a human, to the household of a case or to a colleague."""
    with site.ponte.store.transaction() as tx:
        case_id = tx.connection.execute(select(cases.c.id).where(cases.c.code == code)).scalar()
        if recipient is None:
            household = select(cases.c.household_id).where(cases.c.id == case_id).scalar_subquery()
            person_id = tx.connection.execute(
                select(person.c.id).where(person.c.household_id == household)
            ).scalar_one()
            recipient = f"person:{person_id}"
        else:
            recipient = f"staff:{network.member_by_username(tx, recipient).id}"
        number = box.queue(tx, box.OutboxRow("test", TODAY, recipient, message, "inform", "direct", case_id))
        assert number is not None
        tx.connection.execute(
            update(outbox).where(outbox.c.id == number).values(status="held", why="the case is paused")
        )
        return number


def status_of(site: Site, number: int) -> tuple[str, str | None]:
    with site.ponte.store.transaction() as tx:
        row = tx.connection.execute(select(outbox.c.status, outbox.c.why).where(outbox.c.id == number)).one()
        return row.status, row.why


def codes(text: str) -> set[str]:
    return set(re.findall(r'name="code" value="(P-\d+)"', text))


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """The statements that run inside."""
    found: list[str] = []

    def note(*given: Any) -> None:
        found.append(given[2])

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)


def as_sara(site: Site, tx: Transaction, username: str = "sara") -> Any:
    return site.team.occasion(tx, username, TODAY)


def test_counts_agree_with_their_lists_and_with_the_other_screens(site: Site) -> None:
    unassigned = {open_one(site) for _ in range(3)}
    assigned = {open_one(site, worker="wanda") for _ in range(2)}
    long_ago = TODAY - timedelta(days=40)
    late = open_one(site, on=long_ago, worker="walter")
    stall(site, late)
    up = open_one(site, on=long_ago)
    escalate(site, up, on=TODAY - timedelta(days=3))
    answered = open_one(site, on=long_ago)
    escalate(site, answered, on=TODAY - timedelta(days=3))
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "sara", answered, "assign", TODAY, case_worker="wanda")
    stalled_only = open_one(site, on=long_ago)
    escalate(site, stalled_only, "stall")  # the notice of a stall is no escalation of its own
    with site.ponte.store.transaction() as tx:
        who = as_sara(site, tx)
        tiles = supervising.tiles(tx, who)
        lists = {which: supervising.case_list(tx, who, which) for which in supervising.LISTS}
        everything = {row.code for row in views.case_list(tx, who)}
        flagged = {row.code for row in views.stalled(tx, who)}
    assert everything == unassigned | assigned | {late, up, answered, stalled_only}
    assert tiles.open == len(everything)
    assert {row.code for row in lists["stalled"].rows} == flagged == {late} and tiles.stalled == 1
    assert {row.code for row in lists["escalated"].rows} == {up} and tiles.escalated == 1
    assert {row.code for row in lists["unassigned"].rows} == unassigned | {up, stalled_only}
    assert tiles.unassigned == lists["unassigned"].total == 5
    browser = site.signed_in("sara")
    assert codes(browser.get("/supervision?section=unassigned").text) == unassigned | {up, stalled_only}
    assert codes(browser.get("/supervision").text) == {late}
    assert f"{tiles.unassigned} cases" in browser.get("/cases?flag=unassigned").text


def test_a_stalled_case_says_on_whom_it_waits_how_long_and_how_long_is_usual(site: Site) -> None:
    code = open_one(site, on=MONDAY)
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(clocks).values(started_on=date(2026, 11, 2)))
        quarter_id = create_quarter(tx)
        tx.connection.execute(
            insert(state_figures).values(state="detected", quarter_id=quarter_id, stays=30, median_days=9, p90_days=20)
        )
        who = site.team.occasion(tx, "sara", date(2026, 12, 4))
        tx.connection.execute(update(cases).values(stalled_on=date(2026, 12, 3), stall_told_to=who.actor.staff_id))
        (row,) = supervising.case_list(tx, who, "stalled").rows
    (wait,) = row.waits
    # 2 November to 4 December 2026: 24 working days. Nine calendar days from a Monday: the Wednesday of the week after.
    assert (row.code, wait.role, wait.days, wait.usual) == (code, "supervisor", 24, 7)
    assert wait.days == WorkingCalendar().working_days_between(date(2026, 11, 2), date(2026, 12, 4))
    assert row.told == ("Sara", date(2026, 12, 3))


def test_the_sentence_stands_on_the_page(site: Site) -> None:
    code = open_one(site, on=TODAY - timedelta(days=60), worker="wanda")
    stall(site, code)
    text = " ".join(site.signed_in("sara").get("/supervision").text.split())
    assert re.search(r"waits \d+ working days on: case worker; <span class=\"quiet\">no usual figure yet", text)
    assert "Sara" in text and f"/cases/{code}" in text


def test_a_supervisor_of_another_partner_sees_nothing_of_these(site: Site) -> None:
    code = open_one(site, on=TODAY - timedelta(days=40))
    stall(site, code)
    escalate(site, code)
    number = held_message(site, code)
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "sara", code, "refer", TODAY, **SERVICE)
        tiles = supervising.tiles(tx, as_sara(site, tx, "rita"))
    assert (tiles.open, tiles.stalled, tiles.unassigned, tiles.escalated, tiles.to_decide) == (0, 0, 0, 0, 0)
    browser = site.signed_in("rita")
    for section in ("stalled", "escalated", "unassigned", "workload", "absences"):
        assert code not in browser.get(f"/supervision?section={section}").text
    for kind in ("messages", "proposals"):
        assert code not in browser.get(f"/supervision/decisions?kind={kind}").text
    assert "With other organisations: 1" in browser.get("/supervision/decisions").text
    assert browser.get(f"/supervision/decisions/{number}").status_code == 404
    decided = browser.post(f"/supervision/decisions/{number}", data={"what": "send", "reason": "because"})
    assert decided.status_code == 404 and status_of(site, number)[0] == "held"
    given = browser.post("/supervision/assign", data={"code": code, "worker": "rita"}, follow_redirects=True)
    assert "with another organisation" in given.text


@pytest.mark.parametrize("username", ["wanda", "gino", "vera", "ada"])
@pytest.mark.parametrize(
    "path", ["/supervision", "/supervision/pathway", "/supervision/flow", "/supervision/decisions"]
)
def test_supervision_is_for_those_who_coordinate(site: Site, username: str, path: str) -> None:
    assert site.signed_in(username).get(path).status_code == 403


def test_the_number_of_questions_does_not_grow_with_the_rows(site: Site) -> None:
    def everything(tx: Transaction) -> None:
        who = as_sara(site, tx)
        supervising.tiles(tx, who)
        for which in supervising.LISTS:
            supervising.case_list(tx, who, which)
        supervising.workload(tx, who)
        supervising.absences(tx, who)
        approving.messages(tx, who)
        approving.proposals(tx, who)

    def measured() -> int:
        with site.ponte.store.transaction() as tx:
            everything(tx)  # pathways are read once in a process
        with counted(site.ponte.store) as found, site.ponte.store.transaction() as tx:
            everything(tx)
        return len(found)

    def add(n: int) -> None:
        for number in range(n):
            code = open_one(site, on=TODAY - timedelta(days=40), worker="wanda" if number % 2 else None)
            stall(site, code)
            escalate(site, code)
            held_message(site, code)
            with site.ponte.store.transaction() as tx:
                site.team.do(tx, "sara", code, "refer", TODAY - timedelta(days=9), **SERVICE)

    add(5)
    few = measured()
    add(55)
    assert measured() == few


def test_lists_have_pages_of_fifty(site: Site) -> None:
    every = {open_one(site) for _ in range(53)}
    browser = site.signed_in("sara")
    first = codes(browser.get("/supervision?section=unassigned").text)
    second = codes(browser.get("/supervision?section=unassigned&page=2").text)
    assert (len(first), len(second)) == (50, 3) and first | second == every


def test_several_cases_are_given_at_once_and_each_outcome_is_told(site: Site) -> None:
    ours, other = open_one(site), open_one(site, worker="wanda")
    foreign = open_one(site, quarter_code="san_polo")
    answer = site.signed_in("sara").post(
        "/supervision/assign",
        data={"code": [ours, other, foreign], "worker": "walter", "section": "unassigned"},
        follow_redirects=True,
    )
    assert "2 cases given to walter." in answer.text and foreign in answer.text
    with site.ponte.store.transaction() as tx:
        walter = network.member_by_username(tx, "walter").id
        rows = dict(tx.connection.execute(select(cases.c.code, cases.c.assigned_to)).tuples().all())
    assert rows == {ours: walter, other: walter, foreign: None}


def test_the_workload_counts_what_each_carries(site: Site) -> None:
    for days, worker in ((40, "wanda"), (20, "wanda"), (10, "wanda"), (3, "walter"), (0, None)):
        code = open_one(site, on=TODAY - timedelta(days=days), worker=worker)
        if days == 40:
            stall(site, code)
    with site.ponte.store.transaction() as tx:
        workers, partners = supervising.workload(tx, as_sara(site, tx))
    found = {one.username: one.load for one in workers}
    assert [(found[u].open, found[u].stalled, found[u].median_days) for u in ("wanda", "walter", None)] == [
        (3, 1, 20),
        (1, 0, 3),
        (1, 0, 0),
    ]
    assert found["wanda"].overdue >= 1  # screening has not moved for forty days
    assert {one.name: one.load.open for one in partners} == {"Elefanti Volanti": 4, "nobody yet": 1}
    assert sum(one.load.open for one in workers) == sum(one.load.open for one in partners) == 5


def test_who_is_away_is_covered_by_name(site: Site) -> None:
    open_one(site, worker="wanda")
    with site.ponte.store.transaction() as tx:
        ids = {m.username: m.id for m in network.members(tx).values()}
        network.set_absence(tx, ids["wanda"], TODAY, TODAY + timedelta(days=5), ids["walter"])
        network.set_absence(tx, ids["walter"], TODAY, TODAY, ids["sara"])
        network.set_absence(tx, ids["gino"], TODAY, None, None)  # of another partner
        who = as_sara(site, tx)
        away = supervising.absences(tx, who)
        assert supervising.tiles(tx, who).absent == len(away) == 2
    assert [(one.username, one.deputy, one.by, one.covered) for one in away] == [
        ("wanda", "Walter", "Sara", 1),
        ("walter", "Sara", "Sara", 0),
    ]
    assert "Walter is away too" in site.signed_in("sara").get("/supervision?section=absences").text


def test_a_held_message_is_read_decided_with_a_reason_and_never_shown_in_the_list(site: Site) -> None:
    code = open_one(site, worker="wanda")
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "wanda", code, "confirm", TODAY, **SUITABLE)
    number = held_message(site, code)
    browser = site.signed_in("sara")
    assert "Prova" not in browser.get("/supervision/decisions").text
    path = f"/supervision/decisions/{number}"
    assert "<pre" in browser.get(path).text, "without a mail address it would go as a letter: these are its words"
    short = browser.post(path, data={"what": "send", "reason": " x "})
    assert short.status_code == 422 and "Give a reason" in short.text
    assert status_of(site, number) == ("held", "the case is paused")
    assert browser.post(path, data={"what": "never", "reason": "told on the phone"}).status_code == 303
    assert status_of(site, number) == ("withdrawn", "sara: told on the phone")
    assert browser.post(path, data={"what": "send", "reason": "changed my mind"}).status_code == 404


def test_a_message_shows_its_words_to_those_who_may_see_its_case(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY, email="casa@example.org")
        site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
    number = held_message(site, row.code)
    text = site.signed_in("sara").get(f"/supervision/decisions/{number}").text
    assert "Prova" in text and "<pre" in text
    sent = site.signed_in("sara").post(f"/supervision/decisions/{number}", data={"what": "send", "reason": "she asked"})
    assert sent.status_code == 303 and status_of(site, number) == ("queued", "sara: she asked")


def test_mails_about_no_case_are_decided_by_the_partner_and_the_lead(site: Site) -> None:
    number = held_message(site, None, "wanda", "digest")
    path = f"/supervision/decisions/{number}"
    assert [site.signed_in(u).get(path).status_code for u in ("rita", "sara")] == [404, 200]
    # It waits because it cannot be made: that is said where the words would stand.
    assert "the message cannot be made (KeyError)" in site.signed_in("lidia").get(path).text


def test_the_heat_map_leads_to_the_cases_it_counts(site: Site) -> None:
    for _number in range(3):
        open_one(site)
    open_one(site, worker="wanda")
    browser = site.signed_in("lidia")
    page = browser.get("/supervision/pathway").text
    assert 'href="/cases?state=detected"' in page and "4 open cases" in page
    cell = re.search(r'href="/cases\?state=detected".*?</a>', page, re.DOTALL)
    assert cell and re.search(r'heat-count">3<', cell[0])
    assert "3 cases" in browser.get("/cases?state=detected").text
    narrowed = browser.get("/supervision/pathway?quarter=san_polo").text
    assert "0 open cases" in narrowed and 'href="/cases?state=detected&amp;quarter=san_polo"' in narrowed
    both = browser.get("/supervision/pathway?quarter=san_polo&beside=sanpolino").text
    assert "4 open cases" in both and both.index('colspan="4" class="num">San Polo') < both.index(
        'colspan="4" class="num">Sanpolino'
    )
    assert browser.get("/supervision/pathway?quarter=nowhere").status_code == 404
    assert site.signed_in("sara").get("/supervision/pathway?quarter=san_polo").status_code == 403
    for track in ("active.work.waiting", "active.payment.negotiating", "active.community.inviting"):
        assert track.rpartition(".")[0] in page


def test_many_quarters_are_shown_together_until_two_are_chosen(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for number in range(3):
            tx.connection.execute(insert(quarter).values(code=f"q{number}", name=f"Q{number}", pathway="sanpolino"))
    open_one(site)
    open_one(site, quarter_code="san_polo")
    browser = site.signed_in("lidia")
    for where in ("/supervision/pathway", "/supervision/flow"):
        page = browser.get(where).text
        assert "All quarters" in page
        page = browser.get(f"{where}?quarter=sanpolino&beside=san_polo").text
        assert "All quarters" not in page and "Sanpolino" in page and "San Polo" in page
    assert "2 open cases" in browser.get("/supervision/pathway").text


def test_funnel_and_flow_come_with_their_tables(site: Site) -> None:
    open_one(site)
    page = site.signed_in("sara").get("/supervision/flow").text
    assert page.count("<svg") > 5 and "How far cases get" in page and page.count("<table") == 2
    assert " style=" not in page and "<script>" not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/supervision?section=nonsense", 404),
        ("/supervision?page=0", 422),
        ("/supervision/decisions?kind=nonsense", 404),
        ("/supervision/decisions/99999", 404),
        ("/supervision/decisions/x", 422),
    ],
)
def test_addresses_that_lead_nowhere_say_so(site: Site, path: str, status: int) -> None:
    assert site.signed_in("sara").get(path).status_code == status
