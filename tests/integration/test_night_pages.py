"""The nights' pages: what ran, sealed; what would run, held back or let go; and for whose eyes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from ponte_workflow import clock
from ponte_workflow.services import holding
from ponte_workflow.services import night as nights
from ponte_workflow.store.schema.casework import cases
from ponte_workflow.store.schema.casework import clock as clocks
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.nights import certificate
from tests.builders import create_ledger
from tests.site import Site


def tonight() -> date:
    return holding.tonight(clock.now())


def run(site: Site, on: date) -> None:
    plan = site.ponte.night_plan("plain")
    nights.run_nights(plan, on, at=lambda: datetime(on.year, on.month, on.day, 2, 30, tzinfo=UTC))


def due_tonight(site: Site, quarter_code: str = "sanpolino") -> str:
    """A case whose first deadline falls due tonight, with fresh ledgers."""
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, tonight() - timedelta(days=1), quarter_code=quarter_code)
        create_ledger(tx, row.tenancy_id, on=tonight())
        tx.connection.execute(clocks.update().where(clocks.c.case_id == row.id).values(due_on=tonight()))
        return row.code


def rung(site: Site) -> list[str]:
    with site.ponte.store.transaction() as tx:
        rows = select(cases.c.code).join(outbox, outbox.c.case_id == cases.c.id).where(outbox.c.kind == "remind")
        return list(tx.connection.execute(rows).scalars())


def subject_of(site: Site, code: str) -> str:
    with site.ponte.store.transaction() as tx:
        case_id = tx.connection.execute(select(cases.c.id).where(cases.c.code == code)).scalar_one()
    return f"clock:{case_id}:0:detected/assignment"


def test_a_night_is_listed_and_its_certificate_shown_with_the_one_before(site: Site) -> None:
    code = due_tonight(site)
    run(site, tonight() - timedelta(days=1))
    run(site, tonight())
    with site.ponte.store.transaction() as tx:
        hashes = list(tx.connection.execute(select(certificate.c.hash).order_by(certificate.c.night_id)).scalars())
    browser = site.signed_in("sara")
    listed = browser.get("/nights").text
    assert all(short[:12] in listed for short in hashes)
    assert f'href="/nights/{tonight()}"' in listed
    shown = browser.get(f"/nights/{tonight()}").text
    assert hashes[0] in shown and hashes[1] in shown and "The seal holds" in shown
    assert f'href="/nights/{tonight() - timedelta(days=1)}"' in shown
    assert "deadlines and reminders" in shown and code not in shown


def test_a_broken_seal_is_said(site: Site) -> None:
    run(site, tonight())
    with site.ponte.store.transaction() as tx:
        suffix = " ON certificate" if tx.is_postgresql else ""
        tx.connection.execute(text("DROP TRIGGER certificate_no_update" + suffix))
        tx.connection.execute(certificate.update().values(content=certificate.c.content + " "))
    assert "The seal is broken" in site.signed_in("lidia").get(f"/nights/{tonight()}").text


@pytest.mark.parametrize(
    ("username", "link"),
    [
        pytest.param("sara", True, id="its supervisor may open it"),
        pytest.param("rita", False, id="another partner's may not"),
        pytest.param("ada", False, id="an administrator sees no case"),
    ],
)
def test_a_case_set_aside_is_a_link_for_those_who_may_see_it(site: Site, username: str, link: bool) -> None:
    code = due_tonight(site)
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(clocks.update().values(name="detected/nonsense"))
    run(site, tonight())
    shown = site.signed_in(username).get(f"/nights/{tonight()}")
    assert shown.status_code == 200 and code in shown.text
    assert (f'href="/cases/{code}"' in shown.text) is link


@pytest.mark.parametrize("path", ["/nights/2020-01-01", "/nights/yesterday", "/nights/2026-13-40"])
def test_a_night_that_never_was_is_not_found(site: Site, path: str) -> None:
    assert site.signed_in("sara").get(path).status_code == 404


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        pytest.param("ada", "/nights", 200, id="counts are for administrators too"),
        pytest.param("ada", "/nights/rehearsal", 403, id="cases are not"),
        pytest.param("wanda", "/nights", 403, id="a case worker has no nights"),
        pytest.param("wanda", "/nights/rehearsal", 403, id="nor their rehearsal"),
        pytest.param("rita", "/nights/rehearsal", 200, id="a supervisor has"),
    ],
)
def test_who_may_see_nights(site: Site, username: str, path: str, status: int) -> None:
    assert site.signed_in(username).get(path).status_code == status


def test_an_action_held_on_the_page_does_not_ring_tonight_and_rings_tomorrow(site: Site) -> None:
    held, free = due_tonight(site), due_tonight(site)
    browser = site.signed_in("sara")
    shown = browser.post("/nights/rehearsal", data={}).text
    subject = subject_of(site, held)
    assert f'value="{subject}"' in shown and rung(site) == []
    answer = browser.post("/nights/hold", data={"on": tonight().isoformat(), "subject": subject})
    assert (answer.status_code, answer.headers["location"]) == (303, "/nights/rehearsal")
    page = browser.get("/nights/rehearsal").text
    assert "1 action held back." in page and held in page and "Sara" in page
    again = browser.post("/nights/rehearsal", data={"outcome": "held"}).text
    assert "held back by Sara: the night after does it" in again
    run(site, tonight())
    assert rung(site) == [free]
    run(site, tonight() + timedelta(days=1))
    assert sorted(rung(site)) == sorted([free, held])


def test_an_action_let_go_rings_tonight(site: Site) -> None:
    code = due_tonight(site)
    data: dict[str, Any] = {"on": tonight().isoformat(), "subject": subject_of(site, code)}
    browser = site.signed_in("sara")
    browser.post("/nights/hold", data=data)
    assert (
        "1 action let go." in browser.post("/nights/hold", data=data | {"release": "true"}, follow_redirects=True).text
    )
    run(site, tonight())
    assert rung(site) == [code]


def test_the_rehearsal_is_restricted_to_what_one_may_see(site: Site) -> None:
    mine, theirs = due_tonight(site), due_tonight(site, "san_polo")
    seen = {u: site.signed_in(u).post("/nights/rehearsal", data={}).text for u in ("sara", "rita", "lidia")}
    assert [(mine in seen[u], theirs in seen[u]) for u in ("sara", "rita", "lidia")] == [
        (True, False),
        (False, True),
        (True, True),
    ]
    assert "1 about cases of others" in seen["sara"]
    refused = site.signed_in("rita").post(
        "/nights/hold",
        data={"on": tonight().isoformat(), "subject": subject_of(site, mine)},
        follow_redirects=True,
    )
    assert "with another organisation" in refused.text
    run(site, tonight())
    assert sorted(rung(site)) == sorted([mine, theirs])


def test_the_rehearsal_is_searched(site: Site) -> None:
    one, other = due_tonight(site), due_tonight(site)
    shown = site.signed_in("sara").post("/nights/rehearsal", data={"text": one.lower(), "step": "clocks"}).text
    assert f'href="/cases/{one}"' in shown and other not in shown


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"on": "2026-11-23"}, id="nothing ticked"),
        pytest.param({"on": "never", "subject": "open:1"}, id="no night"),
        pytest.param({"subject": "open:1"}, id="no date"),
    ],
)
def test_what_cannot_be_held_is_said(site: Site, data: dict[str, str]) -> None:
    answer = site.signed_in("sara").post("/nights/hold", data=data)
    assert answer.status_code == 422


def test_the_page_of_a_night_says_what_happened_on_the_way(site: Site) -> None:
    on = tonight()
    plan = site.ponte.night_plan("plain")
    at = datetime(on.year, on.month, on.day, 2, 30, tzinfo=UTC)
    nights.begin(plan, on, on, at)  # a run that died
    certificate_ = nights.run_nights(plan, on, at=lambda: at, incidents={"prefect_lost": 2})
    assert certificate_["incidents"] == {"prefect_lost": 2, "taken_up_again": 1}
    shown = site.signed_in("lidia").get(f"/nights/{on}").text
    assert "What happened on the way" in shown
    assert "a run ended before its time and another took it up (1 time)" in shown
    assert "the night went on without it (2 times)" in shown
    run(site, on + timedelta(days=1))
    assert "What happened on the way" not in site.signed_in("lidia").get(f"/nights/{on + timedelta(days=1)}").text
