"""The JSON API through its door: rights, lists, steps, refusals, imports; the same sentences as the console."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ponte_workflow import clock
from ponte_workflow.store import network
from ponte_workflow.store.schema.network import access
from ponte_workflow.store.schema.nights import night
from tests.conftest import KEY
from tests.integration.programs import Program, problem, program, standing
from tests.integration.standing_cases import TODAY, adult_of, walk
from tests.site import Site

DATA = Path(__file__).parents[1] / "data"


# --- Looking ------------------------------------------------------------------------------------------------------


def test_cases_come_in_pages_each_once(site: Site) -> None:
    codes = {standing(site) for _n in range(5)}
    one, seen = program(site, "wanda"), []
    path: str | None = "/cases?limit=2&state=engagement"
    while path:
        answer = one.get(path)
        assert answer.status_code == 200 and len(answer.json()["items"]) <= 2
        seen += [item["code"] for item in answer.json()["items"]]
        following = answer.json()["next"]
        link = answer.headers.get("link")
        assert (link is None) == (following is None)
        path = link.split(">")[0].removeprefix("</api/v1") if link else None
        assert path is None or (f"cursor={following}" in path and "state=engagement" in path)
    assert seen == sorted(codes, reverse=True)


def test_lists_are_narrowed_down(site: Site) -> None:
    standing(site)
    planning = standing(site, "planning")
    one = program(site, "wanda")

    def codes(query: str) -> list[str]:
        return [item["code"] for item in one.get(f"/cases?{query}").json()["items"]]

    assert codes("state=planning") == [planning] and codes("closed=true") == []
    assert codes("quarter=san_polo") == [] and len(codes("quarter=sanpolino")) == 2
    assert problem(one.get("/cases?quarter=nowhere"))[0] == 404
    for wrong in ("limit=0", "limit=201", "cursor=AAAA", "cursor=%00", "state=%00", "closed=perhaps"):
        assert problem(one.get(f"/cases?{wrong}"))[:2] == (422, "invalid-request"), wrong


def test_a_case_is_shown_with_its_version_and_the_view_leaves_a_trace(site: Site) -> None:
    code = standing(site)
    one = program(site, "wanda")
    answer = one.get(f"/cases/{code}")
    told = answer.json()
    assert told["code"] == code and told["configuration"] == ["engagement.to_contact"]
    assert answer.headers["etag"] == f'"{told["version"]}"' and answer.headers["cache-control"] == "no-store"
    assert one.get(f"/cases/{code}/triggers").headers["etag"] == answer.headers["etag"]
    assert one.get(f"/cases/{code}/history").json()["items"][0]["event"] == "opened"
    with site.ponte.store.transaction() as tx:
        wanda = network.member_by_username(tx, "wanda").id
        traces = tx.connection.execute(
            select(access.c.what).where(access.c.staff_id == wanda, access.c.household_id.is_not(None))
        ).scalars()
        assert {"case.show", "case.triggers", "case.history"} <= set(traces)


def test_what_may_be_done_says_what_is_missing_and_what_it_asks_for(site: Site) -> None:
    code = standing(site, "planning")
    found = {one["trigger"]: one for one in program(site, "wanda").get(f"/cases/{code}/triggers").json()["triggers"]}
    activate = found["activate"]
    assert not activate["ready"] and all(
        need["sentence"]["it"] and need["sentence"]["en"] and need["fix_by"] for need in activate["missing"]
    )
    attempt = found["record_attempt"]["fields"]
    assert attempt["additionalProperties"] is False and set(attempt["required"]) <= set(attempt["properties"])
    assert "door" in attempt["properties"]["channel"]["enum"]
    assert attempt["properties"]["channel"]["x-label"].keys() == {"it", "en"}
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx)
        assert adult_of(tx, row)
    excuse = found["excuse_pip"]["fields"]["properties"]["person"]
    assert len(excuse["enum"]) == 1


def test_schemas_of_every_trigger_come_from_the_pathway(site: Site) -> None:
    one = program(site, "wanda")
    told = one.get("/schemas/triggers/sanpolino").json()
    pathway = site.ponte.pathways.current("sanpolino")
    people = {
        name
        for name, sources in pathway.household.triggers.items()
        if any(set(spec.by) - {"system"} for spec in sources.values())
    }
    assert set(told["household"]) == people and told["person"]
    plan = next(s for s in told["household"].values() if "total_cents" in s.get("properties", {}))
    assert plan["properties"]["total_cents"]["type"] == "integer"
    assert problem(one.get("/schemas/triggers/nowhere"))[0] == 404


def test_the_worktray_and_the_stalled_cases(site: Site) -> None:
    code = standing(site)
    one = program(site, "wanda")
    tray = one.get("/worktray").json()
    assert [item["code"] for item in tray["items"]] == [code] and sum(tray["counts"].values()) == 1
    section = tray["items"][0]["urgency"]
    assert one.get(f"/worktray?section={section}").json()["items"] == tray["items"]
    assert problem(one.get("/worktray?section=nowhere"))[0] == 422
    assert one.get("/stalled").json() == {"items": [], "next": None}


def test_nights(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        for day in range(3):
            tx.connection.execute(
                insert(night).values(
                    business_on=TODAY - timedelta(days=day),
                    status="running",
                    runner="plain",
                    replayed=False,
                    started_at=clock.now(),
                    attempts=1,
                )
            )
    one = program(site, "lidia")
    page = one.get("/nights?limit=2").json()
    rest = one.get(f"/nights?limit=2&cursor={page['next']}").json()
    days = [item["on"] for item in page["items"] + rest["items"]]
    assert days == [(TODAY - timedelta(days=n)).isoformat() for n in range(3)] and rest["next"] is None
    assert one.get(f"/nights/{TODAY}").json()["sealed"] is None
    assert problem(one.get("/nights/1999-01-01"))[0] == 404 and problem(one.get("/nights/soon"))[0] == 422
    assert problem(program(site, "wanda").get("/nights"))[:2] == (403, "not-allowed")


def test_events_of_visible_cases_are_told_after_a_minute_and_only_once(site: Site) -> None:
    code = standing(site, "met", on=TODAY - timedelta(days=1))  # at noon of that day: over, whatever the hour is now
    one = program(site, "wanda")
    first = one.get("/events?limit=3").json()
    rest = one.get(f"/events?after={first['next']}").json()
    told = first["items"] + rest["items"]
    assert len(first["items"]) == 3 and {item["case"] for item in told} == {code}
    assert [item["seq"] for item in told] == list(range(1, len(told) + 1))
    assert told[1]["trigger"] == "assign" and told[1]["from"] == ["detected"] and told[1]["to"] == ["screening"]
    end = rest["next"]
    assert one.get(f"/events?after={end}").json() == {"items": [], "next": end}
    step = {"fields": {"channel": "door", "outcome": "spoken"}}
    assert one.post(f"/cases/{code}/triggers/record_attempt", json=step).status_code == 200
    assert one.get(f"/events?after={end}").json()["items"] == [], "who reads on must not overtake a slower writer"
    later = clock.now() + timedelta(minutes=2)
    with clock.told_by(lambda: later):
        assert [item["event"] for item in one.get(f"/events?after={end}").json()["items"]] == ["recorded"]
    assert program(site, "rita").get("/events").json()["items"] == []


# --- Doing --------------------------------------------------------------------------------------------------------


def test_a_step_is_taken_and_taken_back(site: Site) -> None:
    code = standing(site)
    one = program(site, "wanda")
    version = one.get(f"/cases/{code}").json()["version"]
    step = {"fields": {"channel": "door", "outcome": "spoken"}, "version": version}
    done = one.post(f"/cases/{code}/triggers/record_attempt", json=step)
    assert done.status_code == 200 and done.json()["version"] == version + 1
    assert done.headers["etag"] == f'"{version + 1}"'
    undone = one.post(f"/cases/{code}/undo", headers={"if-match": done.headers["etag"]})
    assert undone.status_code == 200 and undone.json()["undone_trigger"] == "record_attempt"
    assert one.get(f"/cases/{code}").json()["configuration"] == ["engagement.to_contact"]


def test_whoever_looked_at_another_version_is_told_so(site: Site) -> None:
    code = standing(site)
    one = program(site, "wanda")
    path, fields = f"/cases/{code}/triggers/record_attempt", {"channel": "door", "outcome": "spoken"}
    by_body = one.post(path, json={"fields": fields, "version": 1})
    by_header = one.post(path, json={"fields": fields}, headers={"if-match": '"1"'})
    assert problem(by_body)[:2] == (409, "case-changed") and problem(by_header)[:2] == (412, "precondition-failed")
    assert by_body.json()["detail"] == by_header.json()["detail"]
    assert problem(one.post(f"/cases/{code}/undo", headers={"if-match": '"1"'}))[0] == 412
    assert problem(one.post(path, json={"fields": fields}, headers={"if-match": "yesterday"}))[0] == 400


def test_refusals_have_types_and_list_what_is_missing(site: Site) -> None:
    code = standing(site, "planning")
    one = program(site, "wanda")
    refused = one.post(f"/cases/{code}/triggers/activate", json={})
    assert problem(refused)[:2] == (422, "needs-missing")
    assert all(one["name"] and one["sentence"] and one["fix_by"] for one in refused.json()["failures"])
    cases = {
        "no_such_step": (404, "unknown-trigger"),
        "meet": (409, "trigger-not-allowed-here"),
        "record_attempt": (422, "invalid-field"),
    }
    for trigger, expected in cases.items():
        assert problem(one.post(f"/cases/{code}/triggers/{trigger}", json={}))[:2] == expected, trigger
    gino = program(site, "gino")
    assert problem(gino.post(f"/cases/{code}/triggers/record_assessment", json={}))[0] in (403, 422)


def test_the_console_refuses_with_the_same_sentence(site: Site, database_url: str, tmp_path: Path) -> None:
    code = standing(site, "planning")
    sentence = problem(program(site, "wanda").post(f"/cases/{code}/triggers/activate", json={}))[2]
    done = subprocess.run(
        [sys.executable, "-m", "flows.console", "case", "advance", code, "activate", "--as", "wanda"],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PONTE_")},
            "PONTE_HOME": str(tmp_path / "console"),
            "PONTE_LANGUAGE": "en",
            "PONTE_DATABASE_URL": database_url,
            "PONTE_KEY": KEY,
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1 and done.stderr.strip() == sentence


def test_amounts_are_integer_cents_and_dates_iso(site: Site) -> None:
    code = standing(site, "active")
    one = program(site, "wanda")
    found = {t["trigger"]: t for t in one.get(f"/cases/{code}/triggers").json()["triggers"]}
    plan = next(name for name, t in found.items() if "total_cents" in t["fields"]["properties"])
    fit = {
        "total_cents": 60_000,
        "instalments": 3,
        "first_due_on": (TODAY + timedelta(days=30)).isoformat(),
        "signed_by_household": True,
        "signed_by_landlord": True,
    }
    path = f"/cases/{code}/triggers/{plan}"
    wrong: list[dict[str, object]] = [
        {"total_cents": "1.200"},
        {"total_cents": 12.5},
        {"total_cents": True},
        {"total_cents": 10**30},
        {"first_due_on": "03/04/2027"},
        {"first_due_on": "0001-01-01"},
        {"first_due_on": "9999-12-31"},
        {"instalments": 10**9},
        {"total": 60_000, "total_cents": None},
        {"nonsense": 1},
        {"total_cents": "NUL \0"},
    ]
    for change in wrong:
        given = {name: value for name, value in (fit | change).items() if value is not None}
        assert problem(one.post(path, json={"fields": given}))[0] == 422, change
    done = one.post(path, json={"fields": fit})
    assert done.status_code == 200, done.text
    instalments = one.get(f"/cases/{code}").json()["plan"]["instalments"]
    assert [item["amount_cents"] for item in instalments] == [20_000] * 3


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        pytest.param(b"{", "application/json", 422, id="no JSON"),
        pytest.param(b"[]", "application/json", 422, id="a list"),
        pytest.param(b'{"unknown": 1}', "application/json", 422, id="an unknown member"),
        pytest.param(b'{"fields": {"channel": null}}', "application/json", 422, id="null"),
        pytest.param(b'{"fields": {"channel": "\\ud800"}}', "application/json", 422, id="half a sign"),
        pytest.param(b"\xff\xfe", "application/json", 422, id="no text"),
        pytest.param(b"{}", "text/plain", 415, id="another kind"),
        pytest.param(b"{}", "application/xml", 415, id="XML"),
        pytest.param(b" " * 1_000_001, "application/json", 413, id="too large"),
        pytest.param(b'{"person_id": 99999999999999999999}', "application/json", 422, id="a huge number"),
        pytest.param(b'{"person_id": 424242}', "application/json", 404, id="somebody else's journey"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(site: Site, content: bytes, kind: str, status: int) -> None:
    code = standing(site)
    headers = {"content-type": kind}
    answer = program(site, "wanda").post(f"/cases/{code}/triggers/record_attempt", headers=headers, content=content)
    assert problem(answer)[0] == status


def test_unknown_addresses_and_methods_are_problems_too(site: Site) -> None:
    one = program(site, "wanda")
    assert problem(one.get("/nowhere"))[:2] == (404, "no-such-address")
    answer = one.client.delete("/api/v1/cases")
    assert problem(answer)[:2] == (405, "method-not-allowed") and "GET" in answer.headers["allow"]


def test_what_nobody_foresaw_is_a_problem_with_a_reference_and_no_data(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    one = program(site, "wanda")
    site.ponte.store.engine.dispose()
    with site.ponte.store.transaction() as tx:
        tx.connection.exec_driver_sql("DROP TABLE snooze")
    answer = one.get("/worktray")
    assert problem(answer)[:2] == (500, "broken")
    reference = answer.json()["reference"]
    logged = capsys.readouterr().err
    assert reference in logged and "snooze" not in answer.text and "Traceback" not in answer.text + logged


# --- Files --------------------------------------------------------------------------------------------------------


def upload(one: Program, name: str) -> dict[str, Any]:
    """The report on a committed file, sent as a form."""
    answer = one.post("/ledger-imports", files={"file": (name, (DATA / name).read_bytes(), "text/csv")})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def test_the_landlords_files_are_imported_once(site: Site, tmp_path: Path) -> None:
    one = program(site, "lidia", ["ledger:import"])
    first = upload(one, "patrimonio.csv")
    assert first["kind"] == "dwellings" and first["new"] > 0
    ledger = upload(one, "partitario_aler.csv")
    assert ledger["kind"] == "ledger" and ledger["new"] > 0 and ledger["refused"] == len(ledger["refusals"]) > 0
    assert all(note["line"] > 1 and note["text"] for note in ledger["refusals"])
    content = (DATA / "partitario_aler.csv").read_bytes()
    again = one.post("/ledger-imports?name=again.csv", headers={"content-type": "text/csv"}, content=content).json()
    assert again["file"] == "again.csv" and again["new"] == 0 and again["known"] == ledger["new"] + ledger["known"]
    assert list((site.ponte.settings.folder / "uploads").iterdir()) == [], "nothing is left lying about"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.csv", "a/b.csv", "x.exe", "", "a.csv\n", "è.csv", "." * 200 + ".csv"]
)
def test_names_of_files_are_names_and_no_paths(site: Site, name: str) -> None:
    one = program(site, "lidia")
    answer = one.post(
        "/ledger-imports", params={"name": name}, headers={"content-type": "text/csv"}, content=b"no header"
    )
    assert problem(answer)[0] == 422 and str(site.ponte.settings.folder) not in answer.text


def test_files_are_limited_and_typed(site: Site) -> None:
    one = program(site, "lidia")
    assert problem(one.post("/ledger-imports", json={}))[0] == 415
    headers = {"content-type": "text/csv", "content-length": "999999999999"}
    assert problem(one.post("/ledger-imports", headers=headers, content=b"x"))[0] == 413
    no_file = one.post("/ledger-imports", data={"a": "b"}, files={"other": ("a.csv", b"", "text/csv")})
    assert problem(no_file)[0] == 422
    broken = {"content-type": "multipart/form-data"}
    assert problem(one.post("/ledger-imports", headers=broken, content=b"--x"))[0] == 422


def test_a_case_seen_by_its_stage(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        code = walk(site.team, tx, "planning", "walter").code
    gino = program(site, "gino")
    assert gino.get(f"/cases/{code}").status_code == 200
    assert [item["code"] for item in gino.get("/cases").json()["items"]] == [code]
