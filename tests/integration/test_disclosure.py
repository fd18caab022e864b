"""What a household gets when it asks what is kept about it: everything, and who has looked at it."""

from ponte_workflow import clock
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


def test_only_coordination_hands_it_out_and_only_of_its_own_cases(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY)
    assert site.signed_in("wanda").get(f"/cases/{row.code}/export.json").status_code == 403
    assert site.signed_in("rita").get(f"/cases/{row.code}/export.json").status_code == 403
    assert site.signed_in("lidia").get(f"/cases/{row.code}/export.json").status_code == 200
