"""PIPs in versions, their actions and signatures: through the services and the pages, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from ponte_workflow.errors import InvalidField, NeedsMissing, NotAllowed, NotFound, TriggerNotAllowedHere
from ponte_workflow.services import auditing, pips, undoing
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Transaction
from states.pip import PipDocument
from tests.builders import BOTH_SIGN, Team
from tests.integration.pip_steps import night, signed, the_task
from tests.integration.standing_cases import TODAY, adult_of, walk
from tests.site import Site


@pytest.fixture
def case(site: Site) -> tuple[CaseRow, int]:
    """A case in planning whose adult's PIP has just begun."""
    with site.team.store.transaction() as tx:
        row = walk(site.team, tx, "planning", "wanda")
        return row, adult_of(tx, row)


# --- The document --------------------------------------------------------------------------------------------------


def test_a_pip_is_proposed_only_when_it_is_complete(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        team.do(tx, "gino", row.code, "assessed", TODAY, person_id=person)
        who = team.occasion(tx, "gino", TODAY)
        with pytest.raises(NeedsMissing, match="PIP must be complete"):
            team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)
        pips.write(tx, who, row.code, person, PipDocument(work_situation="unemployed", goals=("Work",)))
        lacking = {lack.part for lack in pips.open_pip(tx, who, row.code, person).lacks}
        assert lacking == {"education", "availability", "actions", "review_on"}
        with pytest.raises(NeedsMissing):
            team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)
        team.write_pip(tx, "gino", row.code, person, TODAY)
        team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)
        assert pips.open_pip(tx, who, row.code, person).versions[0].proposed_on == TODAY
        assert auditing.verify(tx, team.pathways).found == []


def test_the_only_action_dropped_makes_it_incomplete_again(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        team.do(tx, "gino", row.code, "assessed", TODAY, person_id=person)
        team.write_pip(tx, "gino", row.code, person, TODAY)
        pips.end_action(tx, team.occasion(tx, "gino", TODAY), row.code, person, 1, "dropped")
        with pytest.raises(NeedsMissing):
            team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)


def test_nobody_signs_alone(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        team.do(tx, "gino", row.code, "assessed", TODAY, person_id=person)
        team.write_pip(tx, "gino", row.code, person, TODAY)
        team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)
        for alone in ({"signed_by_person": False}, {"signed_by_operator": False}):
            with pytest.raises(NeedsMissing, match="the person and the operator must both have signed"):
                team.do(tx, "gino", row.code, "sign", TODAY, person_id=person, **(BOTH_SIGN | alone))
        with pytest.raises(NeedsMissing, match="cannot lie in the future"):
            later = TODAY + timedelta(days=1)
            team.do(tx, "gino", row.code, "sign", TODAY, person_id=person, **BOTH_SIGN, pip_signed_on=later)
        day = TODAY - timedelta(days=1)
        team.do(
            tx, "gino", row.code, "sign", TODAY, person_id=person, **BOTH_SIGN, signed_how="digital", pip_signed_on=day
        )
        found = pips.open_pip(tx, team.occasion(tx, "gino", TODAY), row.code, person)
        assert [(one.side, one.how, one.signed_on) for one in found.signatures] == [
            ("person", "digital", day),
            ("operator", "digital", day),
        ]
        assert found.versions[0].state == "signed"


def test_a_variation_is_a_new_version_signed_again_and_the_old_one_is_kept(
    site: Site, case: tuple[CaseRow, int]
) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        who = team.occasion(tx, "gino", TODAY)
        with pytest.raises(TriggerNotAllowedHere, match="not being written now"):
            pips.write(tx, who, row.code, person, PipDocument())
        team.do(tx, "gino", row.code, "vary", TODAY, person_id=person, reason="Another goal")
        old = pips.open_pip(tx, who, row.code, person).document
        new = old.model_copy(update={"goals": ("A course first",)})
        pips.write(tx, who, row.code, person, new)
        team.do(tx, "gino", row.code, "propose", TODAY, person_id=person)
        before = pips.open_pip(tx, who, row.code, person)
        assert [(one.number, one.state) for one in before.versions] == [(2, "open"), (1, "signed")]
        team.do(tx, "gino", row.code, "sign", TODAY, person_id=person, **BOTH_SIGN)
        after = pips.open_pip(tx, who, row.code, person)
        assert [(one.number, one.state) for one in after.versions] == [(2, "signed"), (1, "replaced")]
        assert after.versions[1].document == old and after.document == new
        assert len(after.signatures) == 4
        assert auditing.verify(tx, team.pathways).found == []


def test_undo_takes_back_signature_variation_and_action(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        who = team.occasion(tx, "gino", TODAY)

        def states() -> list[tuple[int, str]]:
            return [(one.number, one.state) for one in pips.open_pip(tx, who, row.code, person).versions]

        team.do(tx, "gino", row.code, "vary", TODAY, person_id=person, reason="x")
        assert states() == [(2, "open"), (1, "signed")]
        undoing.undo(tx, who, row.code)
        assert states() == [(1, "signed")]
        undoing.undo(tx, who, row.code)
        found = pips.open_pip(tx, who, row.code, person)
        assert (found.state, found.versions[0].state, found.signatures) == ("proposed", "open", ())
        pips.end_action(tx, who, row.code, person, 1, "done", "went well")
        assert the_task(tx, "pip_action/1") == (str(TODAY + timedelta(days=14)), True)
        undoing.undo(tx, who, row.code)
        assert pips.open_pip(tx, who, row.code, person).actions[0].outcome is None
        assert the_task(tx, "pip_action/1") == (str(TODAY + timedelta(days=14)), False)
        assert auditing.verify(tx, team.pathways).found == []


def test_what_is_written_lies_encrypted(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        team.do(tx, "gino", row.code, "assessed", TODAY, person_id=person)
        team.write_pip(tx, "gino", row.code, person, TODAY, skills="Bricklayer")
        stored = tx.connection.execute(text("SELECT document FROM pip_version")).scalar_one()
        what = tx.connection.execute(text("SELECT what FROM pip_action")).scalar_one()
        assert "Bricklayer" not in stored and "Write the CV" not in what


# --- Actions -------------------------------------------------------------------------------------------------------


def test_an_action_with_a_day_is_somebodys_task_until_its_outcome_is_known(
    site: Site, case: tuple[CaseRow, int]
) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        who, due_on = team.occasion(tx, "gino", TODAY), TODAY + timedelta(days=3)
        number = pips.plan_action(
            tx, who, row.code, person, kind="italian", what="Italian course", doer="person", due_on=due_on
        )
        assert the_task(tx, f"pip_action/{number}") == (str(due_on), False)
        assert "PIP action 1" in [task for one in _tray(team, tx, "wanda") for task in one.tasks]
        found = pips.open_pip(tx, team.occasion(tx, "gino", due_on + timedelta(days=1)), row.code, person)
        assert [one.what for one in found.overdue(due_on + timedelta(days=1))] == ["Italian course"]
        assert found.overdue(due_on) == ()
        pips.end_action(tx, team.occasion(tx, "wanda", due_on), row.code, person, number, "partly", "half of it")
        assert the_task(tx, f"pip_action/{number}") == (str(due_on), True)
        with pytest.raises(TriggerNotAllowedHere, match="has its outcome already"):
            pips.end_action(tx, who, row.code, person, number, "done")


def _tray(team: Team, tx: Transaction, username: str):  # type: ignore[no-untyped-def]
    from ponte_workflow.services import worktray

    return worktray.worktray(tx, team.occasion(tx, username, TODAY))


def test_nothing_more_is_planned_in_a_concluded_pip(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        team.do(tx, "gino", row.code, "conclude", TODAY, person_id=person)
        who = team.occasion(tx, "gino", TODAY)
        with pytest.raises(TriggerNotAllowedHere, match="is concluded"):
            pips.plan_action(tx, who, row.code, person, kind="cv", what="A CV", doer="job_agency", due_on=None)


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        pytest.param({"what": " "}, Exception, "1 to 300 characters", id="nothing"),
        pytest.param({"kind": "holiday"}, InvalidField, "Unknown kind of action: holiday", id="kind"),
        pytest.param({"doer": "mayor"}, InvalidField, "Nobody of that name", id="doer"),
        pytest.param({"due_on": TODAY - timedelta(days=1)}, InvalidField, "has passed", id="past"),
    ],
)
def test_an_action_that_cannot_be_is_refused_by_name(
    site: Site, case: tuple[CaseRow, int], given: dict[str, object], error: type[Exception], sentence: str
) -> None:
    (row, person), team = case, site.team
    fits: dict[str, object] = {"kind": "cv", "what": "CV", "doer": "job_agency", "due_on": None}
    with team.store.transaction() as tx, pytest.raises(error, match=sentence):
        pips.plan_action(tx, team.occasion(tx, "gino", TODAY), row.code, person, **(fits | given))  # type: ignore[arg-type]


def test_a_pip_of_nobody_is_not_there(site: Site, case: tuple[CaseRow, int]) -> None:
    with site.team.store.transaction() as tx, pytest.raises(NotFound, match="no adult with the number 999"):
        pips.open_pip(tx, site.team.occasion(tx, "gino", TODAY), case[0].code, 999)


def test_volunteers_read_a_pip_and_do_not_write_it(site: Site) -> None:
    with site.team.store.transaction() as tx:
        row = walk(site.team, tx, "active", "wanda")
        who = site.team.occasion(tx, "vera", TODAY)
        assert not pips.open_pip(tx, who, row.code, adult_of(tx, row)).writable
        with pytest.raises(NotAllowed):
            pips.write(tx, who, row.code, adult_of(tx, row), PipDocument())


# --- Pages ---------------------------------------------------------------------------------------------------------


def test_the_page_is_filled_in_kept_and_says_what_is_lacking(site: Site, case: tuple[CaseRow, int]) -> None:
    (row, person), browser = case, site.signed_in("gino")
    here = f"/cases/{row.code}/persons/{person}/pip"
    shown = browser.get(here)
    assert shown.status_code == 200 and "Before it can be proposed it needs" in shown.text
    filled = {
        "work_situation": "unemployed",
        "education": "3",
        "availability": "Mornings",
        "isee": "7.500,50",
        "goals": "First goal\n\nSecond goal",
        "review_on": "2027-03-01",
    }
    assert browser.post(here, data=filled).status_code == 303
    again = browser.get(here).text
    assert "7500,50" in again and "First goal\nSecond goal" in again and "at least one action" in again
    action = {"what": "Write the CV", "kind": "cv", "doer": "job_agency", "due_on": "2099-01-01"}
    assert browser.post(f"{here}/actions", data=action).status_code == 303
    assert "Before it can be proposed it needs" not in browser.get(here).text
    assert browser.post(f"{here}/actions/1", data={"outcome": "done", "note": "<b>fine</b>"}).status_code == 303
    assert "&lt;b&gt;fine&lt;/b&gt;" in browser.get(here).text
    page = site.signed_in("wanda").get(f"/cases/{row.code}").text
    assert "Personal plans (PIP)" in page and here in page


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("isee", "a lot", "ISEE of the household: an amount is needed"),
        ("review_on", "31/02/2027", "Review on: a date"),
        ("goals", "\n".join("goal" for _n in range(11)), "Goals"),
        ("skills", "x" * 2001, "Skills and experience"),
        ("education", "9", "ISCED 0 to 8"),
    ],
)
def test_what_cannot_be_read_comes_back_with_the_form(
    site: Site, case: tuple[CaseRow, int], field: str, value: str, sentence: str
) -> None:
    (row, person), browser = case, site.signed_in("gino")
    answer = browser.post(
        f"/cases/{row.code}/persons/{person}/pip", data={field: value, "languages": "Italian, a little Arabic"}
    )
    assert answer.status_code == 422 and sentence in answer.text
    assert "Italian, a little Arabic" in answer.text, "nothing typed is lost"


# --- Reviews, comparison, paper ------------------------------------------------------------------------------------


def test_the_day_of_a_review_opens_a_task_once_and_holding_it_moves_the_day(
    site: Site, case: tuple[CaseRow, int]
) -> None:
    (row, person), team = case, site.team
    due = TODAY + timedelta(days=90)
    with team.store.transaction() as tx:
        signed(team, tx, case)
    for day in (due - timedelta(days=1), due, due + timedelta(days=1)):
        night(site, day)
        with team.store.transaction() as tx:
            assert (the_task(tx, "pip_review/1") is not None) is (day >= due)
    with team.store.transaction() as tx:
        assert tx.connection.execute(text("SELECT count(*) FROM task WHERE kind = 'pip_review/1'")).scalar() == 1
        who = team.occasion(tx, "gino", due + timedelta(days=2))
        with pytest.raises(InvalidField, match="Next review"):
            pips.review(tx, who, row.code, person, due)
        pips.review(tx, who, row.code, person, due + timedelta(days=92), "goes well")
        assert the_task(tx, "pip_review/1") == (due.isoformat(), True)
        assert pips.open_pip(tx, who, row.code, person).versions[0].review_on == due + timedelta(days=92)
        undoing.undo(tx, who, row.code)
        assert pips.open_pip(tx, who, row.code, person).versions[0].review_on == due
        assert the_task(tx, "pip_review/1") == (due.isoformat(), False)
        assert auditing.verify(tx, team.pathways).found == []


def test_versions_are_compared_part_by_part_and_printed_with_room_to_sign(
    site: Site, case: tuple[CaseRow, int]
) -> None:
    (row, person), team = case, site.team
    with team.store.transaction() as tx:
        signed(team, tx, case)
        team.do(tx, "gino", row.code, "vary", TODAY, person_id=person, reason="new hours")
        team.write_pip(tx, "gino", row.code, person, TODAY, availability="Evenings")
    gino = site.signed_in("gino")
    page = gino.get(f"/cases/{row.code}/persons/{person}/pip").text
    assert "<del>Mornings</del>" in page and "<ins>Evenings</ins>" in page
    paper = gino.get(f"/cases/{row.code}/persons/{person}/pip/print").text
    assert "Evenings" in paper and paper.count("________________________________") == 2
    assert site.signed_in("rita").get(f"/cases/{row.code}/persons/{person}/pip/print").status_code == 403


def test_a_confidential_note_is_about_a_person_and_for_few_eyes(site: Site, case: tuple[CaseRow, int]) -> None:
    row, person = case
    wanda = site.signed_in("wanda")
    wanda.post(f"/cases/{row.code}/special-note", data={"text": "needs dialysis", "person": str(person)})
    page = wanda.get(f"/cases/{row.code}").text
    assert "needs dialysis" in page and "Confidential note: Persona1 Prova" in page
    agency = site.signed_in("gino").get(f"/cases/{row.code}").text
    assert "needs dialysis" not in agency and "Keep a confidential note" not in agency
    wrong = wanda.post(f"/cases/{row.code}/special-note", data={"text": "x", "person": "999"})
    assert wrong.status_code == 422 and "number 999" in wrong.text
    household = wanda.post(f"/cases/{row.code}/special-note", data={"text": "a quiet street", "person": ""})
    assert household.status_code == 303
    with site.ponte.store.transaction() as tx:
        kept = tx.connection.execute(text("SELECT text, person_id FROM special_note ORDER BY id")).all()
        assert [one.person_id for one in kept] == [person, None]
        assert not any("dialysis" in one.text for one in kept)
        detail = tx.connection.execute(text("SELECT count(*) FROM history_detail d JOIN history h ON h.id = d.history_id "
                                            "WHERE h.data LIKE '%special_note%'")).scalar()  # fmt: skip
        assert detail == 0, "the history knows that there is a note, never what it says"
