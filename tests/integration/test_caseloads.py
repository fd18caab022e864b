"""Teams and their coordinators; whole caseloads handed over and taken back; who is offered a new case."""

from datetime import date

import pytest
from sqlalchemy import insert, select, update

from ponte_workflow import clock
from ponte_workflow.errors import BadInput, NeedsMissing, NotAllowed, PonteError
from ponte_workflow.services import auditing, caseloads, casework, tasks, teaming
from ponte_workflow.services.casework import Occasion
from ponte_workflow.store import appointments, casefile, cases, network, todos
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.casework import fact
from ponte_workflow.store.schema.network import staff
from tests.builders import MONDAY
from tests.integration.desk import APPOINTMENT, DAY, TODAY, night, staff_id, told
from tests.integration.standing_cases import walk
from tests.site import Site

BROKEN = "{"


def test_the_coordinator_of_a_team_is_told_first_of_its_peoples_cases(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        second = network.add_staff(
            tx,
            username="sofia",
            name="Sofia",
            partner_code="elefanti_volanti",
            roles=("supervisor",),
            email="sofia@example.org",
            language="it",
            at=clock.now(),
        )
        row = walk(site.team, tx, "met", "wanda")
        place = {"partner_id": row.partner_id, "quarter_id": row.quarter_id}

        def holder() -> int | None:
            book = network.directory(tx, TODAY)
            return book.holder("supervisor", assigned_to=staff_id(tx, "wanda"), **place)

        assert holder() == staff_id(tx, "sara"), "without teams the first supervisor"
        sara = site.team.occasion(tx, "sara", TODAY)
        team_id = teaming.add(tx, sara, "elefanti_volanti", "North")
        teaming.put(tx, sara, team_id, "North", "sofia", ("wanda",))
        assert holder() == staff_id(tx, "sofia")
        assert network.directory(tx, TODAY).holder(
            "supervisor", assigned_to=staff_id(tx, "walter"), **place
        ) == staff_id(tx, "sara")
        tx.connection.execute(update(staff).where(staff.c.username == "sofia").values(active=False))
        assert holder() == staff_id(tx, "sara"), "a coordinator who left is not waited for"
    assert second


def test_teams_are_looked_after_by_their_own_supervisor(site: Site) -> None:
    sara, rita = site.signed_in("sara"), site.signed_in("rita")
    page = sara.post(
        "/administration/teams", data={"partner": "elefanti_volanti", "name": "North"}, follow_redirects=True
    ).text
    assert "choose its people" in page
    kept = sara.post(
        "/administration/teams/1",
        data={"name": "North", "coordinator": "sara", "member": ["wanda"]},
        follow_redirects=True,
    )
    assert "Kept" in kept.text and "Wanda" in kept.text
    wrong = sara.post("/administration/teams/1", data={"name": "North", "coordinator": "wanda"}, follow_redirects=True)
    assert wrong.status_code == 422 and "coordinated by a supervisor" in wrong.text
    stranger = sara.post("/administration/teams/1", data={"name": "North", "member": ["rita"]}, follow_redirects=True)
    assert stranger.status_code == 422 and "rita" in stranger.text
    twice = sara.post(
        "/administration/teams", data={"partner": "elefanti_volanti", "name": "North"}, follow_redirects=True
    )
    assert twice.status_code == 422 and "already" in twice.text
    assert rita.post("/administration/teams/1", data={"name": "Mine"}, follow_redirects=True).status_code == 403
    assert "no more" in sara.post("/administration/teams/1/remove", follow_redirects=True).text


# Handing over a caseload


def test_a_caseload_is_looked_at_handed_over_with_its_desk_and_taken_back(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        rows = [walk(site.team, tx, stage, "wanda") for stage in ("screening", "met", "active")]
        site.team.do(tx, "wanda", rows[1].code, "make_appointment", TODAY, day=TODAY + 5 * DAY, **APPOINTMENT)
        tasks.add(tx, site.team.occasion(tx, "wanda", TODAY), "Bring forms", TODAY + DAY, code=rows[1].code)
    sara = site.signed_in("sara")
    page = sara.get("/supervision/caseload?giver=wanda&taker=walter").text
    assert all(row.code in page for row in rows) and "Hand over 3 cases" in page
    assert "Hand over" not in sara.get("/supervision/caseload?giver=wanda&taker=rita").text.split("preview-title")[1]
    stale = sara.post(
        "/supervision/caseload", data={"giver": "wanda", "taker": "walter", "expected": "2"}, follow_redirects=True
    )
    assert stale.status_code == 409
    said = sara.post(
        "/supervision/caseload", data={"giver": "wanda", "taker": "walter", "expected": "3"}, follow_redirects=True
    ).text
    assert "3 cases were given over" in said
    with site.ponte.store.transaction() as tx:
        wanda, walter = staff_id(tx, "wanda"), staff_id(tx, "walter")
        now = [cases.by_id(tx, row.id) for row in rows]
        assert {row.assigned_to for row in now} == {walter}
        assert [row.configuration for row in now] == [row.configuration for row in rows], "nothing else moved"
        assert appointments.of_case(tx, rows[1].id)[0].staff_id == walter
        assert [one.text for one in todos.own(tx, [walter])] == ["Bring forms"]
        assert {to for to, _kind in told(tx, "handover/")} == {f"staff:{walter}"}
        casework.assign(tx, site.team.occasion(tx, "sara", TODAY), rows[2].code, "wanda")
    said = sara.post("/supervision/caseload/1/undo", follow_redirects=True).text
    assert "2 cases were given over" in said and rows[2].code in said
    with site.ponte.store.transaction() as tx:
        assert {cases.by_id(tx, row.id).assigned_to for row in rows} == {wanda}
        assert [one.text for one in todos.own(tx, [wanda])] == ["Bring forms"]
        assert auditing.verify(tx, site.ponte.pathways).sound
    assert sara.post("/supervision/caseload/1/undo", follow_redirects=True).status_code == 422


def test_a_handover_until_a_day_comes_back_by_itself_when_its_worker_is_there(site: Site) -> None:
    back = MONDAY + 4 * DAY
    with site.ponte.store.transaction() as tx:
        row = walk(site.team, tx, "met", "wanda", on=MONDAY)
        wanda, walter = staff_id(tx, "wanda"), staff_id(tx, "walter")
        caseloads.hand_over(tx, site.team.occasion(tx, "sara", MONDAY), "wanda", "walter", until=back)
        network.set_absence(tx, wanda, MONDAY, back, walter)
    for n, holder in ((3, walter), (4, walter), (5, wanda)):  # away on the day itself: the night after
        night(site, MONDAY + n * DAY)
        with site.ponte.store.transaction() as tx:
            assert cases.by_id(tx, row.id).assigned_to == holder, n


def breaks(tx: Transaction, case_id: int) -> None:
    """A fact that nobody can read: the case cannot be looked at any more."""
    history_id = tx.connection.execute(select(fact.c.history_id).where(fact.c.case_id == case_id).limit(1)).scalar_one()
    broken = {"name": "objective", "value": BROKEN, "on": MONDAY, "history_id": history_id, "retracted": False}
    tx.connection.execute(insert(fact).values(case_id=case_id, **broken))


def test_a_broken_case_of_a_handover_keeps_neither_the_night_nor_the_others(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        rows = [walk(site.team, tx, "met", "wanda", on=MONDAY) for _n in range(3)]
        wanda, walter = staff_id(tx, "wanda"), staff_id(tx, "walter")
        sara = site.team.occasion(tx, "sara", MONDAY)
        breaks(tx, rows[2].id)
        given = caseloads.hand_over(tx, sara, "wanda", "walter", until=MONDAY + DAY)
        assert (given.went, list(given.stayed)) == (2, [rows[2].code])
        breaks(tx, rows[0].id)
    night(site, MONDAY + DAY)
    with site.ponte.store.transaction() as tx:
        assert [cases.by_id(tx, row.id).assigned_to for row in rows] == [walter, wanda, wanda]
        assert rows[0].code in [case.code for case in casefile.now_set_aside(tx)]
        tx.connection.execute(update(fact).where(fact.c.value == BROKEN).values(retracted=True))
    night(site, MONDAY + 2 * DAY)
    with site.ponte.store.transaction() as tx:
        assert {cases.by_id(tx, row.id).assigned_to for row in rows} == {wanda}
        assert caseloads.due_back(tx, MONDAY + 2 * DAY) == []


def test_a_handover_that_cannot_be_says_why(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        walk(site.team, tx, "met", "wanda")
        sara = site.team.occasion(tx, "sara", TODAY)
        wrong: list[tuple[Occasion, str, str, date | None, type[PonteError]]] = [
            (sara, "wanda", "wanda", None, BadInput),
            (sara, "wanda", "vera", None, NeedsMissing),
            (sara, "wanda", "walter", TODAY, BadInput),
            (sara, "walter", "wanda", None, NeedsMissing),  # has no case
            (sara, "rita", "wanda", None, NotAllowed),
            (site.team.occasion(tx, "wanda", TODAY), "wanda", "walter", None, NotAllowed),
        ]
        for who, giver, taker, until, error in wrong:
            with pytest.raises(error):
                caseloads.hand_over(tx, who, giver, taker, until=until)


def test_a_new_case_is_offered_to_who_knew_the_household(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        old = walk(site.team, tx, "met", "walter", on=TODAY - 30 * DAY)
        site.team.do(tx, "walter", old.code, "drop_out", TODAY - 20 * DAY, reason="r")
        new = casework.open_case(
            tx,
            site.team.occasion(tx, None, TODAY),
            tenancy_id=old.tenancy_id,
            household_id=old.household_id,
            quarter_id=old.quarter_id,
            pathway="sanpolino",
            why={},
        )
    sara = site.signed_in("sara")
    assert f"Walter knows this household: had {old.code}" in sara.get(f"/cases/{new.code}").text
    form = sara.get(f"/cases/{new.code}/do/assign").text
    assert '<option value="walter" selected>' in form


# Four eyes
