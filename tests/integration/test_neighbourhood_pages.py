"""Pages and console of the neighbourhood's life and of the network, as volunteers and case workers use them."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ponte_workflow import clock
from ponte_workflow.clock import ROME
from ponte_workflow.services.delivery import Courtesy, deliver
from ponte_workflow.store import cases
from ponte_workflow.store import emporio as books
from ponte_workflow.store.schema.messages import outbox
from tests.integration.standing_cases import walk
from tests.site import Site

TODAY = clock.today()
DINNER = {
    "kind": "repair_day",
    "title": "Repairs in the yard",
    "quarter": "sanpolino",
    "organiser": "amici_elefanti",
    "place": "Yard",
    "starts": f"{TODAY.isoformat()}T09:30",
    "ends": f"{TODAY.isoformat()}T11:30",
    "seats": "2",
}


def planned(site: Site, **changes: str) -> Any:
    return site.signed_in("vera").post("/events", data=DINNER | changes, follow_redirects=False)


def test_an_event_is_planned_a_household_invited_and_its_hours_earn_points(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda", on=TODAY - timedelta(days=20))
    answer = planned(site)
    assert answer.status_code == 303
    where = answer.headers["location"]
    vera = site.signed_in("vera")
    assert "Repairs in the yard" in vera.get("/events").text
    vera.post(f"{where}/invite", data={"code": row.code})
    assert row.code in vera.get(where).text
    said = vera.post(
        f"{where}/attend", data={"code": f"{row.code}, P-999999", "hours": "2"}, follow_redirects=True
    ).text
    assert "P-999999" in said, "what is refused is said, the rest is kept"
    page = site.signed_in("wanda").get(f"/cases/{row.code}").text
    assert "Repairs in the yard" in page and "2 hours given" in page and "20 points" in page
    with site.ponte.store.transaction() as tx:
        assert "active.community.rooted" in cases.by_id(tx, row.id).configuration
        assert books.balance(tx, row.household_id) == 20
    emporio = site.signed_in("wanda").get(f"/cases/{row.code}/emporio").text
    assert "earned by hours given" in emporio
    refused = vera.post(f"{where}/cancel")
    assert refused.status_code == 422 and "was held" in refused.text


@pytest.mark.parametrize("days_later", [pytest.param(0, id="in time"), pytest.param(30, id="when it is over")])
def test_an_invitation_leaves_with_the_words_of_its_event_as_long_as_there_is_one(site: Site, days_later: int) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda", on=TODAY - timedelta(days=20))
        tx.connection.execute(update(outbox).values(status="withdrawn"))  # only the invitation is looked at
    day = TODAY + timedelta(days=9)
    where = planned(site, starts=f"{day}T18:30", ends=f"{day}T20:30").headers["location"]
    site.signed_in("vera").post(f"{where}/invite", data={"code": row.code})
    morning = datetime.combine(TODAY + timedelta(days=2 + days_later), time(10), tzinfo=ROME)
    courtesy = Courtesy(is_holiday=lambda day: False, cap=1000)
    ponte = site.ponte
    deliver(ponte.store, ponte.channels, ponte.writer(), sender="p@example.org", courtesy=courtesy, at=morning, limit=9)
    mails = [one.read_text() for one in site.ponte.mails.glob("*.eml")]
    if days_later:
        assert mails == [], "nobody is invited to what is over"
        return
    (mail,) = mails
    assert "Repairs in the yard" in mail and "18:30" in mail and "Yard" in mail


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"starts": "tomorrow"}, "starts: a day and an hour", id="no day"),
        pytest.param({"ends": f"{TODAY.isoformat()}T09:00"}, "ends after it starts", id="ends before"),
        pytest.param({"kind": "party"}, "is none of", id="kind"),
        pytest.param({"seats": "few"}, "seats: a whole number", id="seats"),
        pytest.param({"organiser": "aler"}, "is no association", id="organiser"),
        pytest.param({"quarter": "nowhere"}, "nowhere", id="quarter"),
    ],
)
def test_an_event_that_cannot_be_comes_back_as_it_was_typed(site: Site, changes: dict[str, str], says: str) -> None:
    answer = planned(site, **changes)
    assert answer.status_code == 422 and says in answer.text and "Repairs in the yard" in answer.text


def test_guests_of_colleagues_are_a_number_and_no_code(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda", on=TODAY - timedelta(days=20))
    where = planned(site).headers["location"]
    site.signed_in("vera").post(f"{where}/attend", data={"code": row.code, "hours": "0"})
    page = site.signed_in("rita").get(where).text
    assert row.code not in page and "1 household more" in page


def test_the_directory_is_kept_by_case_workers_and_read_by_all(site: Site) -> None:
    wanda, vera = site.signed_in("wanda"), site.signed_in("vera")
    entry = {"name": "Evening school", "kind": "training", "opening_hours": "18-20", "quarter": "sanpolino"}
    wanda.post("/services/new", data=entry)
    assert "Evening school" in vera.get("/services?kind=training&quarter=sanpolino&q=school").text
    assert "Evening school" not in vera.get("/services?kind=legal").text
    assert vera.post("/services/new", data=entry).status_code == 403
    twice = wanda.post("/services/new", data=entry)
    assert twice.status_code == 422 and "in the directory already" in twice.text
    wanda.post("/services/1", data=entry | {"active": "no"})
    assert "Evening school" not in vera.get("/services").text
    assert "no longer active" in vera.get("/services?closed=true").text
    assert wanda.post("/services/999", data=entry | {"name": "Other"}).status_code == 404


def test_referrals_are_listed_with_what_became_of_them(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda", on=TODAY - timedelta(days=20))
        agreed = {"receiving_service": "CSM", "reason": "needs more", "household_agrees": True}
        site.team.do(tx, "wanda", row.code, "refer", TODAY, **agreed)
    wanda = site.signed_in("wanda")
    assert "CSM" in wanda.get("/referrals").text and "CSM" in wanda.get(f"/cases/{row.code}").text
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "sara", row.code, "refuse_referral", TODAY, reason="no place")
    assert "no place" in wanda.get("/referrals?answered=true").text and row.code not in wanda.get("/referrals").text


def test_a_buildings_year_shows_no_small_count(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda", on=TODAY - timedelta(days=20))
    where = planned(site).headers["location"]
    site.signed_in("vera").post(f"{where}/attend", data={"code": row.code, "hours": "3"})
    page = site.signed_in("wanda").get("/buildings/1/year").text
    assert "few" in page and row.code not in page
    assert site.signed_in("wanda").get("/buildings/99999/year").status_code == 404


def test_an_attendance_that_was_written_down_wrongly_is_corrected_on_the_page_of_the_case(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda")
        site.team.do(tx, "vera", row.code, "participate", TODAY, participated_in="emporio", hours_given=2)
    wanda = site.signed_in("wanda")
    where = f"/cases/{row.code}/participations/1/correct"
    assert where in wanda.get(f"/cases/{row.code}").text
    said = wanda.post(where, data={"reason": "another household"}, follow_redirects=True).text
    assert "Corrected" in said and "0 points" in said and where not in said
    assert wanda.post(where, data={"reason": "again"}).status_code == 404


def test_the_shelves_are_filled_and_emptied_on_their_page(site: Site) -> None:
    vera = site.signed_in("vera")
    good = {"quarter": "sanpolino", "name": "Rice", "points": "5"}
    assert "Rice" in vera.post("/emporio", data=good, follow_redirects=True).text
    wrong = vera.post("/emporio", data=good | {"points": "0"})
    assert wrong.status_code == 422 and "points: from 1" in wrong.text and 'value="Rice"' in wrong.text
    assert "not on the shelves now" in vera.post("/emporio", data=good | {"gone": "true"}, follow_redirects=True).text
    assert site.signed_in("gino").post("/emporio", data=good).status_code == 403
    assert "Put something" not in site.signed_in("gino").get("/emporio").text
