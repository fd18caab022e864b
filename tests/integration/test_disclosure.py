"""What a household gets when it asks what is kept about it: everything, and who has looked at it."""

from datetime import timedelta

from ponte_workflow import clock
from tests.integration.standing_cases import adult_of, walk
from tests.site import Site

TODAY = clock.today()


def test_the_file_holds_everything_and_who_looked(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY, email="casa@example.org")
        site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
        site.team.do(
            tx,
            "wanda",
            row.code,
            "confirm",
            TODAY,
            cause="dismissal",
            objective=True,
            transitory=True,
            notes="very private",
        )
    site.signed_in("wanda").get(f"/cases/{row.code}")
    site.signed_in("wanda").post(f"/cases/{row.code}/note", data={"text": "Likes to be called after six"})
    answer = site.signed_in("sara").get(f"/cases/{row.code}/export.json")
    assert answer.headers["content-disposition"] == f'attachment; filename="{row.code}.json"'
    found = answer.json()
    assert found["persons"][0]["contacts"] == {"email": "casa@example.org"}
    texts = [text for entry in found["history"] for text in entry["texts"].values()]
    assert "Likes to be called after six" in texts
    assert found["history"][2]["details"]["Cause of the difficulty"] == "Dismissal"
    assert found["confidential_notes"][0]["text"].endswith("very private")
    looked = [(one["by"], one["what"]) for one in found["looked_at"]]
    assert ("case worker (elefanti_volanti)", "case.show") in looked
    assert "Wanda" not in answer.text, "the household learns the office, not the worker's name"
    again = site.signed_in("sara").get(f"/cases/{row.code}/export.json").json()
    assert ("supervisor (elefanti_volanti)", "household.export") in [(o["by"], o["what"]) for o in again["looked_at"]]


def test_the_file_holds_plans_work_appointments_and_the_neighbourhood_too(site: Site) -> None:
    team = site.team
    with site.ponte.store.transaction() as tx:
        row = walk(team, tx, "planning", "wanda")
        person = adult_of(tx, row)
        team.sign_pip(tx, "gino", row.code, person, TODAY)
        place = {"employer": "Una ditta", "placement_kind": "fixed_term", "placed_on": TODAY}
        team.do(tx, "gino", row.code, "place", TODAY, person_id=person, **place)
        day = TODAY + timedelta(days=3)
        team.do(tx, "wanda", row.code, "make_appointment", TODAY, what="Forms", where="Office", day=day, hour=9)
        for trigger in ("record_assessment", "record_esf_entry", "activate"):
            team.do(tx, "wanda", row.code, trigger, TODAY)
        team.do(tx, "vera", row.code, "participate", TODAY, participated_in="emporio", hours_given=2)
        team.do(
            tx,
            "wanda",
            row.code,
            "refer_alongside",
            TODAY,
            receiving_service="School",
            reason="r",
            household_agrees=True,
        )
    answer = site.signed_in("sara").get(f"/cases/{row.code}/export.json")
    found = answer.json()
    (plan,) = found["personal_plans"]
    assert plan["document"]["goals"] == ["A job near home"] and {one["side"] for one in plan["signatures"]} == {
        "person",
        "operator",
    }
    assert [one["what"] for one in found["actions"]] == ["Write the CV"]
    assert [one["employer"] for one in found["placements"]] == ["Una ditta"]
    assert [(one["what"], one["where"]) for one in found["appointments"]] == [("Forms", "Office")]
    assert [one["hours"] for one in found["took_part_in"]] == [2]
    assert [one["points"] for one in found["emporio"]] == [20]
    assert [one["receiving"] for one in found["referrals"]] == ["School"]
    assert "Wanda" not in answer.text and "Gino" not in answer.text


def test_only_coordination_hands_it_out_and_only_of_its_own_cases(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY)
    assert site.signed_in("wanda").get(f"/cases/{row.code}/export.json").status_code == 403
    assert site.signed_in("rita").get(f"/cases/{row.code}/export.json").status_code == 403
    assert site.signed_in("lidia").get(f"/cases/{row.code}/export.json").status_code == 200
