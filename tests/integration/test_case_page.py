"""The page of a case and the forms of its steps: generated, kept as drafts, never lost to a faster colleague."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from ponte_workflow import clock
from ponte_workflow.services import auditing, casework
from ponte_workflow.store.cases import CaseRow, by_code
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.schema.desk import draft
from ponte_workflow.store.schema.network import access
from tests.builders import create_person, create_tenancy
from tests.site import Site, make_site

TODAY = clock.today()


def engaged(site: Site, tx: Transaction, **person: object) -> CaseRow:
    row = site.team.open_case(tx, TODAY, **person)  # type: ignore[arg-type]
    site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
    return site.team.do(tx, "wanda", row.code, "confirm", TODAY, cause="dismissal", objective=True, transitory=True)


@pytest.fixture
def case(site: Site) -> CaseRow:
    with site.ponte.store.transaction() as tx:
        return engaged(site, tx, adults=2)


def test_the_page_says_where_it_stands_what_may_happen_and_why_something_may_not(site: Site, case: CaseRow) -> None:
    page = site.signed_in("wanda").get(f"/cases/{case.code}").text
    assert "Stands in: To contact" in page and "Case opened: Detected" in page
    assert f"/cases/{case.code}/do/record_attempt" in page
    assert "a contact with a person is needed" in page and "can be seen to by: case worker, volunteers" in page
    missing = page.index("a contact with a person is needed")
    assert f'href="/cases/{case.code}/do/record_attempt">Record a contact attempt' in page[missing : missing + 600]
    assert "5 working days after" in page, "how the next alarm was computed"


def test_every_view_of_a_household_leaves_a_trace(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    browser.get(f"/cases/{case.code}")
    browser.get(f"/cases/{case.code}/do/meet")
    with site.ponte.store.reading() as tx:
        rows = tx.connection.execute(select(access.c.what).where(access.c.household_id == case.household_id)).scalars()
        assert {"case.show", "case.form"} <= set(rows)


def test_a_step_taken_in_the_page_moves_the_case_and_can_be_taken_back(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    form = browser.get(f"/cases/{case.code}/do/record_attempt").text
    assert 'name="channel" value="door"' in form and f'name="version" value="{case.version}"' in form
    sent = browser.post(
        f"/cases/{case.code}/do/record_attempt",
        data={"version": case.version, "channel": "door", "outcome": "spoken", "attempted_on": ""},
    )
    assert sent.headers["location"] == f"/cases/{case.code}"
    page = browser.get(f"/cases/{case.code}").text
    assert "Done: Record a contact attempt" in page and "Channel: At the door" in page
    browser.post(f"/cases/{case.code}/undo")
    page = browser.get(f"/cases/{case.code}").text
    assert "taken back" in page and "Channel: At the door" not in page


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(site: Site, case: CaseRow) -> None:
    answer = site.signed_in("wanda").post(
        f"/cases/{case.code}/do/record_attempt",
        data={"version": case.version, "channel": "door", "attempted_on": "tomorrow"},
    )
    assert answer.status_code == 422
    assert 'id="f-attempted_on-wrong"' in answer.text and 'aria-describedby="f-outcome-wrong"' in answer.text
    assert 'value="door" checked' in answer.text
    with site.ponte.store.reading() as tx:
        assert by_code(tx, case.code).version == case.version


def test_missing_needs_come_back_in_words(site: Site, case: CaseRow) -> None:
    answer = site.signed_in("wanda").post(f"/cases/{case.code}/do/meet", data={"version": case.version})
    assert answer.status_code == 422 and "a contact with a person is needed" in answer.text


def test_a_colleague_who_was_faster_is_shown_and_nothing_typed_is_lost(site: Site, case: CaseRow) -> None:
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "sara", case.code, "record_attempt", TODAY, channel="phone", outcome="spoken")
    browser = site.signed_in("wanda")
    data = {"version": case.version, "channel": "door", "outcome": "message_left"}
    answer = browser.post(f"/cases/{case.code}/do/record_attempt", data=data)
    assert answer.status_code == 409 and "A colleague was faster" in answer.text and "Sara" in answer.text
    assert 'value="message_left" checked' in answer.text
    assert f'name="version" value="{case.version + 1}"' in answer.text
    again = browser.post(f"/cases/{case.code}/do/record_attempt", data=data | {"version": case.version + 1})
    assert again.status_code == 303


def test_a_step_that_a_colleague_made_impossible_still_shows_what_was_typed(site: Site, case: CaseRow) -> None:
    with site.ponte.store.transaction() as tx:
        site.team.do(tx, "sara", case.code, "drop_out", TODAY, reason="gone")
    answer = site.signed_in("wanda").post(
        f"/cases/{case.code}/do/record_attempt", data={"version": case.version, "channel": "door", "outcome": "spoken"}
    )
    assert answer.status_code == 409 and "What you had typed" in answer.text and "<dd>door</dd>" in answer.text


def test_a_draft_survives_the_session_and_is_nobody_elses(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    kept = browser.post(f"/cases/{case.code}/draft/drop_out", data={"version": "1", "reason": "It is a long story"})
    assert kept.status_code == 204
    browser.post("/sign-out")
    assert "It is a long story" in site.signed_in("wanda").get(f"/cases/{case.code}/do/drop_out").text
    assert "It is a long story" not in site.signed_in("sara").get(f"/cases/{case.code}/do/drop_out").text
    with site.ponte.store.reading() as tx:
        assert "long story" not in tx.connection.execute(select(draft.c.fields)).scalar_one(), "encrypted"
    again = site.signed_in("wanda")
    again.post(f"/cases/{case.code}/do/drop_out", data={"version": case.version, "reason": "It is a long story"})
    with site.ponte.store.reading() as tx:
        assert tx.connection.execute(select(draft.c.id)).first() is None, "a step taken needs no draft"


def test_a_draft_can_be_thrown_away(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    browser.post(f"/cases/{case.code}/draft/drop_out", data={"version": "1", "reason": "x"})
    browser.post(f"/cases/{case.code}/draft/drop_out/discard")
    assert "Throw the draft away" not in browser.get(f"/cases/{case.code}/do/drop_out").text


def test_a_text_that_is_too_long_is_refused_whole_and_comes_back(site: Site, case: CaseRow) -> None:
    browser, long = site.signed_in("wanda"), "a long story " * 2000
    refused = browser.post(f"/cases/{case.code}/do/drop_out", data={"version": case.version, "reason": long})
    assert refused.status_code == 422 and "the text is too long (26000 &gt; 20000 characters)" in refused.text
    assert refused.text.count("a long story") == 2000, "nothing is cut without a word"
    kept = browser.post(f"/cases/{case.code}/draft/drop_out", data={"version": case.version, "reason": long})
    assert kept.status_code == 422


def test_a_note_is_kept_encrypted_and_moves_nothing(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    browser.post(f"/cases/{case.code}/note", data={"text": "Prefers to be called after six"})
    assert "Prefers to be called after six" in browser.get(f"/cases/{case.code}").text
    with site.ponte.store.reading() as tx:
        stored = (
            tx.connection.execute(text("SELECT text FROM history_detail ORDER BY history_id DESC")).scalars().first()
        )
        assert stored and "called after six" not in stored
        assert by_code(tx, case.code).configuration == case.configuration
        assert auditing.verify(tx, site.ponte.pathways).found == []
    assert browser.post(f"/cases/{case.code}/note", data={"text": "  "}).status_code == 422


def test_pause_and_resume(site: Site, case: CaseRow) -> None:
    browser = site.signed_in("wanda")
    review = (TODAY + timedelta(days=30)).isoformat()
    browser.post(f"/cases/{case.code}/pause", data={"reason": "hospital", "review_on": review})
    page = browser.get(f"/cases/{case.code}").text
    assert "Paused since" in page and "stands still" in page
    browser.post(f"/cases/{case.code}/resume")
    assert "Paused since" not in browser.get(f"/cases/{case.code}").text
    assert (
        browser.post(f"/cases/{case.code}/pause", data={"reason": "hospital", "review_on": "soon"}).status_code == 422
    )


def test_confidential_notes_are_for_case_workers_and_coordinators(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY)
        site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
        site.team.do(
            tx,
            "wanda",
            row.code,
            "confirm",
            TODAY,
            cause="other",
            objective=True,
            transitory=True,
            notes="very private",
        )
        for _n in range(2):
            site.team.do(tx, "wanda", row.code, "record_attempt", TODAY, channel="phone", outcome="spoken")
        site.team.do(tx, "wanda", row.code, "meet", TODAY)
    assert "very private" in site.signed_in("wanda").get(f"/cases/{row.code}").text
    page = site.signed_in("vera").get(f"/cases/{row.code}")
    assert page.status_code == 200 and "very private" not in page.text


def test_a_persons_own_journey_has_its_forms(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = engaged(site, tx)
        team, code = site.team, row.code
        team.do(tx, "wanda", code, "record_attempt", TODAY, channel="phone", outcome="spoken")
        team.do(tx, "wanda", code, "meet", TODAY)
        team.do(tx, "wanda", code, "consent", TODAY, privacy_consent=True, participation=True)
        person = tx.connection.execute(
            text("SELECT id FROM person WHERE household_id = :h"), {"h": row.household_id}
        ).scalar_one()
        team.do(tx, "wanda", code, "start_pip", TODAY, person=person)
    browser = site.signed_in("gino")
    assert f"/cases/{code}/do/assessed?person={person}" in browser.get(f"/cases/{code}").text
    done = browser.post(f"/cases/{code}/do/assessed?person={person}", data={"version": ""})
    assert done.status_code == 303, done.text
    assert "PIP: Drafting" in browser.get(f"/cases/{code}").text or "Draft" in browser.get(f"/cases/{code}").text


def test_a_new_trigger_in_a_file_has_its_form_without_code(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "pathways"
    folder.mkdir()
    base = Path("states/pathways/un_ponte_sul_blu.yaml").read_text(encoding="utf-8")
    new = """        clean_stairs:
          label: {it: "Turno delle scale", en: "Stairs duty"}
          by: [case_worker]
          fields:
            floor: {type: int, minimum: 1, maximum: 9, label: {it: Piano, en: Floor}}
            when: {type: date, required: false, label: {it: Quando, en: When}}
            kind: {type: choice, label: {it: Tipo, en: Kind}, choices: {wet: {it: Bagnato, en: Wet}, dry: {it: Asciutto, en: Dry}}}
"""
    spot = '        reject:\n          label: {it: "Non ammissibile"'
    assert spot in base
    (folder / "town.yaml").write_text(
        base.replace("name: un_ponte_sul_blu", "name: town").replace(spot, new + spot), encoding="utf-8"
    )
    site = make_site(store, tmp_path / "home", pathways=folder)
    with store.transaction() as tx:
        tx.connection.execute(text("UPDATE quarter SET pathway = 'town' WHERE code = 'sanpolino'"))
    with store.transaction() as tx:
        ids = create_tenancy(tx)
        create_person(tx, ids["household_id"])
        row = casework.open_case(
            tx, site.team.occasion(tx, None, TODAY), pathway="town", why={"class": "contained"}, **ids
        )
        site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
    browser = site.signed_in("wanda")
    form = browser.get(f"/cases/{row.code}/do/clean_stairs").text
    assert 'name="floor" required' in form and 'type="date"' in form and 'name="kind" value="wet"' in form
    sent = browser.post(f"/cases/{row.code}/do/clean_stairs", data={"floor": "3", "kind": "dry", "version": ""})
    assert sent.status_code == 303
    assert "Floor: 3" in browser.get(f"/cases/{row.code}").text
    site.close()
