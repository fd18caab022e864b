"""Every page in both languages: no violation that axe finds, nothing hangs over at 360 px, nothing refused by the CSP."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.routing import APIRoute
from playwright.sync_api import Browser, Page
from sqlalchemy import insert, select, update

from notifications.channels.imap import Found, Place
from ponte_workflow import clock
from ponte_workflow.services import certified_mail, pips
from ponte_workflow.services import letters as letter_work
from ponte_workflow.services import night as nights
from ponte_workflow.store import cases, placements
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Store, Transaction, open_engine
from ponte_workflow.store.schema.casework import history, journey
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.web.app import ROUTERS
from ponte_workflow.web.gate import COOKIE, LANGUAGE_COOKIE
from tests.browser import chromium, served
from tests.builders import Team, create_ledger, create_person, create_tenancy
from tests.integration.letter_cases import write_letters
from tests.integration.standing_cases import add_surroundings
from tests.site import Site, make_site

__all__ = ["chromium"]
TODAY = clock.today()
# Routes whose answer is no page: files, pictures, redirects.
NO_PAGES = re.compile(r"\.(xlsx|json|csv|svg|pdf|ics)$|^/static/|^/health|/(picture|image|html|raw)$|^/sign-in/single")

# What stands for a parameter of a route.
VALUES = {
    "code": "P-000002",
    "trigger": "record_attempt",
    "day": TODAY.isoformat(),
    "on": TODAY.isoformat(),
    "date": TODAY.isoformat(),
    "name": "un_ponte_sul_blu",
    "pathway": "un_ponte_sul_blu",
    "message": "plan_signed",
    "language": "it",
    "username": "wanda",
    "batch": "1",
    "mail_id": "1",
    "person": "1",
    "event": "1",
    "building": "1",
    "service": "1",
    "team": "1",
    "handover": "1",
    "token": "none",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, cipher: Any) -> Iterator[Site]:
    """A town with something on every page: cases in several states, nights, a paused and a stalled case, a message."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "ponte.sqlite3").write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{folder / 'ponte.sqlite3'}")
    made = make_site(Store(engine, cipher), folder / "home")
    team, yesterday = made.team, TODAY - timedelta(days=1)
    with made.ponte.store.transaction() as tx:
        ids = create_tenancy(tx)
        create_person(tx, ids["household_id"], email="casa@example.org")
        create_ledger(tx, ids["tenancy_id"], on=TODAY, due_on=TODAY - timedelta(days=40))
        add_surroundings(team, tx)
        rows = [team.open_case(tx, yesterday, adults=2, email="a@example.org") for _n in range(3)]
        for row in rows[1:]:
            team.do(tx, "sara", row.code, "assign", yesterday, case_worker="wanda")
            team.do(
                tx, "wanda", row.code, "confirm", yesterday, cause="other", objective=True, transitory=True, notes="x"
            )
        code = rows[2].code
        team.do(tx, "wanda", code, "record_attempt", yesterday, channel="phone", outcome="spoken")
        team.do(tx, "wanda", code, "meet", yesterday)
        team.do(
            tx, "wanda", code, "refer", yesterday, receiving_service="CSM", reason="other help", household_agrees=True
        )
        _with_pip(team, tx, rows[1], yesterday)
    letters = write_letters(made.ponte, [row.code for row in rows])
    with made.ponte.store.transaction() as tx:
        letter_work.print_batch(tx, team.occasion(tx, "lidia", TODAY), letters[1:2])
        certified_mail.take_in(tx, Found(Place(1, 1), b"From: a@example.org\r\n\r\nnot a receipt"), clock.now())
    plan = made.ponte.night_plan("plain")
    nights.run_nights(plan, TODAY, at=clock.now)
    with made.ponte.store.transaction() as tx:
        waiting = select(outbox.c.id).where(outbox.c.recipient.startswith("person:")).limit(1)
        number = tx.connection.execute(waiting).scalar_one()
        why = "no mail address is known: tell the person in another way"
        tx.connection.execute(update(outbox).where(outbox.c.id == number).values(status="held", why=why))
    VALUES["number"] = str(number)
    yield made
    made.close()
    engine.dispose()


def _with_pip(team: Team, tx: Transaction, row: CaseRow, on: date) -> None:
    """An adult whose PIP is being written, with actions and a placement from before."""
    person = min(cases.persons(tx, row.household_id))
    values = {"case_id": row.id, "person_id": person, "configuration": "drafting", "started_on": on}
    tx.connection.execute(insert(journey).values(**values))
    team.write_pip(tx, "wanda", row.code, person, on, goals=("One goal", "Another"))
    pips.end_action(tx, team.occasion(tx, "wanda", TODAY), row.code, person, 1, "done", "a note")
    team.write_pip(tx, "wanda", row.code, person, on)
    entry = tx.connection.execute(select(history.c.id).where(history.c.case_id == row.id).limit(1)).scalar_one()
    placements.begin(tx, row.id, person, entry, employer="A firm", kind="permanent", starts_on=on)
    VALUES["person"] = str(person)


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.app) as where:
        yield where


def _fill(path: str) -> str:
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: VALUES[found[1]], path)


def _pages() -> list[str]:
    """The address of every page that a route of ours answers GET with; one that needs a further value fails here."""
    found = []
    for route in (route for router in ROUTERS for route in router.routes):
        if isinstance(route, APIRoute) and "GET" in route.methods and not NO_PAGES.search(route.path):
            found.append(_fill(route.path))
    return found


def _signed_in(chromium: Browser, site: Site, username: str, language: str, width: int) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    token = site.signed_in(username).cookies[COOKIE]
    for name, value in ((COOKIE, token), (LANGUAGE_COOKIE, language)):
        context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/", "secure": True}])
    context.set_default_timeout(10_000)
    return context.new_page()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_page_is_accessible(chromium: Browser, site: Site, address: str, language: str, width: int) -> None:
    axe, problems, seen = Axe(), [], 0
    people = {name: _signed_in(chromium, site, name, language, width) for name in ("lidia", "ada")}
    noise: list[str] = []
    for page in people.values():
        page.on("console", lambda message: noise.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: noise.append(str(error)))
    for path in _pages():
        for username in ("lidia", "ada"):
            page = people[username]
            noise.clear()
            answer = page.goto(f"{address}{path}")
            assert answer is not None
            if answer.status == 403 and username == "lidia":
                continue  # the administrator's
            if answer.status != 200:
                problems.append(f"{path}: {answer.status}")
                break
            seen += 1
            found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
            problems += [f"{path}: {one['id']} {one['nodes'][0]['html'][:160]}" for one in found]
            if page.evaluate("document.documentElement.lang") != language:
                problems.append(f"{path}: not in {language}")
            if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
                problems.append(f"{path}: {wide} px wide at {width}")
            problems += [f"{path}: {text[:160]}" for text in noise]
            break
    assert seen >= 8
    assert problems == []
    for page in people.values():
        page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["it", "en"])
def test_the_door_is_accessible(chromium: Browser, site: Site, address: str, language: str) -> None:
    context = chromium.new_context(locale={"it": "it-IT", "en": "en-GB"}[language])
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#f-username", "wanda")
    page.fill("#f-password", "wrong")
    page.locator("main form button").first.click()
    violations = Axe().run(page).response["violations"]
    assert [one["id"] for one in violations] == []
    assert page.evaluate("document.documentElement.lang") == language
    context.close()
