"""Every route x every role x cases of one's own and of others, generated from the route table of the application."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, count, product
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import rights
from ponte_workflow.services.permissions import PERMISSIONS
from ponte_workflow.services.rights import Actor
from ponte_workflow.store import cases, network
from ponte_workflow.store.crypto import FieldCipher
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.accounts import web_session
from ponte_workflow.store.schema.casework import cases as case_table
from ponte_workflow.store.schema.casework import pathway_version
from ponte_workflow.web.gate import COOKIE, SAFE
from ponte_workflow.web.visit import ANYBODY, SIGNED_IN
from tests.builders import NOON, create_team, create_tenancy
from tests.integration.route_table import Page, pages
from tests.integration.standing_cases import STAFF_OF, TODAY, Keeper, sqlite_site, things_of, token_for, walk
from tests.site import HOST, Site

NOBODY = "nobody"
COORDINATE = frozenset({"supervisor", "lead"})
LED = frozenset({"case_worker", "supervisor", "lead"})
# Which case stands where (stage, case worker, quarter), and who may see it: written down by hand, from what the
# issue says of roles, partners and assignments, and not asked of the program that is tested here.
CASES: dict[str, tuple[str, str, str, set[str]]] = {
    "detected": ("detected", "", "sanpolino", {"supervisor", "lead"}),
    "detected elsewhere": ("detected", "", "san_polo", {"lead"}),
    "wanda's to contact": ("to_contact", "wanda", "sanpolino", {"case_worker", "supervisor", "lead"}),
    "la_rete's to contact": ("to_contact", "rita", "san_polo", {"lead"}),
    "wanda's with the neighbours": (
        "neighbours",
        "wanda",
        "sanpolino",
        {"case_worker", "supervisor", "volunteers", "lead"},
    ),
    "la_rete's with the neighbours": ("neighbours", "rita", "san_polo", {"lead"}),
    "wanda's in planning": ("planning", "wanda", "sanpolino", {"case_worker", "supervisor", "job_agency", "lead"}),
    "walter's in planning": ("planning", "walter", "sanpolino", {"supervisor", "job_agency", "lead"}),
    "la_rete's in planning": ("planning", "rita", "san_polo", {"job_agency", "lead"}),
    "wanda's active": (
        "active",
        "wanda",
        "sanpolino",
        {"case_worker", "supervisor", "job_agency", "volunteers", "landlord", "lead"},
    ),
    "la_rete's active": ("active", "rita", "san_polo", {"job_agency", "landlord", "lead"}),
}
# The trigger tried is record_attempt, for which a detected case is too early, whoever asks.
TRY = {"detected": frozenset(STAFF_OF), "*": frozenset({"case_worker", "supervisor", "volunteers"})}
# Routes that ask for more than their permission and the sight of the case, by the stage of the case ("*": any other).
# A new route that does so is told apart here; leave it out and it fails as refused.
NARROWER: dict[str, dict[str, frozenset[str]]] = {
    "POST /cases/{code}/pause": {"*": LED},
    "POST /cases/{code}/resume": {"*": LED},
    "POST /cases/{code}/assign": {"*": COORDINATE},
    "POST /cases/{code}/do/{trigger}": TRY,
    "POST /api/v1/cases/{code}/triggers/{trigger}": TRY,
}
# Routes that are there for cases which one may not see.
FOR_UNSEEN = {"POST /cases/{code}/open-with-reason"}
# Parts of the application that some roles never reach, whatever rule a route in them names.
NEVER: dict[str, set[str]] = {
    "/supervision": {"case_worker", "job_agency", "volunteers", "landlord", "admin"},
    "/nights": {"case_worker", "job_agency", "volunteers", "landlord"},
    "/administration": {"case_worker", "job_agency", "volunteers"},
    "/letters": {"case_worker", "job_agency", "volunteers", "landlord", "admin"},
    "/certified-mail": set(STAFF_OF) - {"lead"},
    "/cases": {"admin"},
    "/search": {"admin"},
    "/work": {"admin"},
}
VALUES = {
    "username": "walter",
    "worker": "walter",
    "language": "it",
    "reason": "hospital",
    "review_on": (TODAY + timedelta(days=10)).isoformat(),
    "until": (TODAY + timedelta(days=5)).isoformat(),
    "text": "hello",
    "channel": "door",
    "outcome": "",
    "what": "never",
    "step": "",
}
# For the routes that read whatever the form holds: a step of the pathway.
FREE_FORM = {"channel": "door", "outcome": "spoken"}


@dataclass
class World:
    """The application with people signed in and cases in many places."""

    site: Site
    pages: list[Page]
    things: dict[str, dict[str, str]]  # name in CASES: what paths name of it
    browser: TestClient
    tokens: dict[str, str]  # role: what a program that acts for them shows
    cookies: dict[str, str]  # role or NOBODY: what their browser sends
    keeper: Keeper

    def ask(self, role: str, page: Page, address: str, form: dict[str, Any] | None) -> Response:
        """One request with that role's cookies, whatever the one before has made of them."""
        files = {one.name: ("a.csv", b"a;b\n", "text/csv") for one in page.fields if one.kind == "file"} if form else {}
        headers = {"cookie": self.cookies[role], "origin": HOST}
        answer: Response = self.browser.request(page.method, address, data=form, files=files or None, headers=headers)
        self.browser.cookies.clear()
        return answer


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, cipher: FieldCipher) -> Iterator[World]:
    """SQLite is enough here: the rules are Python, and their twin in SQL is compared on both databases below."""
    with sqlite_site(sqlite_template, tmp_path_factory.mktemp("matrix"), cipher) as site:
        with site.ponte.store.transaction() as tx:
            things = {
                name: things_of(tx, walk(site.team, tx, stage, worker, quarter=quarter))
                for name, (stage, worker, quarter, _seen) in CASES.items()
            }
            tokens = {role: token_for(site, tx, username) for role, username in STAFF_OF.items()}
        sessions = {role: site.signed_in(username).cookies[COOKIE] for role, username in STAFF_OF.items()}
        with site.ponte.store.transaction() as tx:  # once a minute a request notes that its session was used: not here
            tx.connection.execute(update(web_session).values(last_seen_at=clock.now() + timedelta(hours=1)))
        cookies = {role: f"{COOKIE}={session}" for role, session in sessions.items()} | {NOBODY: ""}
        with site.visitor() as browser:
            keeper = Keeper(site)
            yield World(site, list(pages(site.app)), things, browser, tokens, cookies, keeper)
            keeper.close()


def test_every_route_has_exactly_one_rule_that_exists(world: World) -> None:
    without = [page.id for page in world.pages if len(page.rules) != 1]
    assert not without, f"give these routes one rule of web/visit.py (api/calls.py) each: {without}"
    unknown = [page.id for page in world.pages if set(page.rules) - {ANYBODY, SIGNED_IN, *PERMISSIONS}]
    assert not unknown, f"these routes name a permission that services/permissions.py does not have: {unknown}"


def test_no_route_opens_a_part_of_the_house_to_a_role_that_has_no_business_there(world: World) -> None:
    wrong = [
        f"{page.id} lets in {role}"
        for page in world.pages
        for part, never in NEVER.items()
        for role in sorted(never)
        if page.path == part or page.path.startswith((f"{part}/", f"{part}."))
        if page.rule in (ANYBODY, SIGNED_IN) or role in PERMISSIONS[page.rule]
    ]
    assert not wrong, "\n".join(wrong)
    assert {part for part in NEVER for page in world.pages if page.path.startswith(part)} == set(NEVER)


def test_every_path_can_be_filled_in(world: World) -> None:
    for page in world.pages:
        page.address(**world.things["wanda's active"])


def test_the_hand_written_tables_speak_of_routes_that_exist(world: World) -> None:
    there = {page.id for page in world.pages}
    assert {*NARROWER, *FOR_UNSEEN} <= there


def test_each_role_has_cases_of_both_kinds() -> None:
    for role in set(STAFF_OF) - {"lead", "admin"}:
        sees = [name for name, (_stage, _worker, _quarter, seen) in CASES.items() if role in seen]
        assert 0 < len(sees) < len(CASES), role


@pytest.mark.parametrize("role", [*STAFF_OF, NOBODY])
def test_matrix(world: World, role: str) -> None:
    wrong: list[str] = []
    for page in world.pages:
        if page.api:
            continue
        for name in _cases_for(page, role):
            address = page.address(**world.things[name])
            refused = _refused(page, role, name)
            for form in _forms(page):
                answer = world.ask(role, page, address, form)
                changed = world.keeper.changed()
                if complaint := _complaint(page, role, refused, form, answer, changed):
                    wrong.append(f"{role}: {page.id}, {name}, form {form}: {complaint} ({answer.status_code})")
                if changed:
                    world.keeper.put_back()
    assert not wrong, "\n".join(wrong)


def test_a_part_of_a_page_asked_for_without_a_session_leads_to_the_door(world: World) -> None:
    answer = world.browser.get("/cases", headers={"hx-request": "true"})
    assert answer.status_code == 401 and answer.headers["hx-redirect"] == "/sign-in"


@pytest.mark.parametrize("role", [*STAFF_OF])
def test_matrix_of_the_api(world: World, role: str) -> None:
    """A program that shows a token with every scope has the rights of whom it acts for, and no more."""
    wrong: list[str] = []
    calls, nothing = count(1), world.keeper.deeds()
    for page in world.pages:
        if not page.api:
            continue
        for name in _cases_for(page, role):
            for body in [None] if page.method in SAFE else [{}, {"fields": FREE_FORM}]:
                headers = {"authorization": f"Bearer {world.tokens[role]}", "idempotency-key": f"{role}-{next(calls)}"}
                answer = world.browser.request(
                    page.method, page.address(**world.things[name]), json=body, headers=headers
                )
                done = world.keeper.deeds() != nothing
                if complaint := _complaint(page, role, _refused(page, role, name), body, answer, done):
                    wrong.append(f"{role}: {page.id}, {name}, {body}: {complaint} ({answer.status_code})")
                if done:
                    world.keeper.put_back()
    assert not wrong, "\n".join(wrong)


def test_a_program_cannot_tell_a_case_that_is_out_of_sight_from_one_that_is_not_there(world: World) -> None:
    headers = {"authorization": f"Bearer {world.tokens['case_worker']}"}
    unseen = world.things["la_rete's active"]["code"]
    found = [world.browser.get(f"/api/v1/cases/{code}", headers=headers) for code in (unseen, "P-999999")]
    assert [one.status_code for one in found] == [404, 404]
    told = [re.sub(r"P-\d+|[0-9a-f]{8}", "", one.text) for one in found]
    assert told[0] == told[1]


def test_the_api_lets_in_no_program_without_a_token(world: World) -> None:
    wrong: list[str] = []
    world.keeper.put_back()
    nothing = world.keeper.deeds()  # that a browser's session was used is noted once a minute: it is no deed
    for page in world.pages:
        if not page.api:
            continue
        address = page.address(**world.things["wanda's active"])
        for role in (NOBODY, "lead"):  # a browser's session is no token
            for token in ("", "Bearer ponte_wrong", "Basic bGlkaWE6eA=="):
                header = {"authorization": token} if token else {}
                answer = world.browser.request(page.method, address, headers=header | {"cookie": world.cookies[role]})
                if answer.status_code != 401 or world.keeper.deeds() != nothing:
                    wrong.append(f"{role}: {page.id} with {token or 'no token'}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def _cases_for(page: Page, role: str) -> list[str]:
    if not page.of_a_case:
        return ["wanda's active"]
    return ["wanda's active"] if role in (NOBODY, "admin") else list(CASES)


def _forms(page: Page) -> list[dict[str, Any] | None]:
    """Without anything, and with what the route asks for."""
    if page.method in SAFE:
        return [None]
    if page.free_form:
        return [{}, FREE_FORM]
    return [{}, full_form(page)] if page.fields else [{}]


def full_form(page: Page) -> dict[str, Any]:
    """Every field of the route's form filled in."""
    return {
        one.name: VALUES.get(one.name, {"number": "1", "truth": "false"}.get(one.kind, "x"))
        for one in page.fields
        if one.kind != "file"
    }


def _refused(page: Page, role: str, name: str) -> bool:
    """Whether the role must be refused (403), by the permissions and the tables of this file."""
    if page.rule == ANYBODY or role == NOBODY:
        return False
    if page.rule != SIGNED_IN and role not in PERMISSIONS[page.rule]:
        return True
    stage, _worker, _quarter, seen_by = CASES[name]
    by_stage = NARROWER.get(page.id, {"*": frozenset(STAFF_OF)})
    if role not in by_stage.get(stage, by_stage["*"]):
        return True
    return page.of_a_case and page.id not in FOR_UNSEEN and role not in seen_by


def _complaint(
    page: Page, role: str, refused: bool, form: dict[str, Any] | None, answer: Response, changed: bool
) -> str | None:
    status = answer.status_code
    if role == NOBODY and page.rule != ANYBODY:
        right = status == 303 and answer.headers["location"].startswith("/sign-in")
        return None if right and not changed else "must be sent to the door and change nothing"
    if not refused:
        failed = status >= 500 or (status in (401, 403) and page.rule != ANYBODY)
        return "must not be refused and not fail" if failed else None
    if changed and page.method not in SAFE:
        return "was refused and yet changed something"
    # A form that cannot be read may be sent back before anybody looks at the case; it does nothing either.
    unread = status == 422 and form == {} and bool(page.fields)
    # What belongs to a case that is out of sight is as good as not there.
    hidden = status == 404 and page.of_a_case and (page.api or "code" not in page.parameters)
    return None if status == 403 or unread or hidden else "must be refused"


# --- The same rule twice: for one case in Python, for lists in SQL -------------------------------------------------

STANDING = (
    ("detected",),
    ("engagement.to_contact",),
    ("engagement.neighbours",),
    ("engagement.met",),
    ("planning",),
    ("active.community.invited", "active.payment.paying", "active.work.placed"),
    ("follow_up",),
    ("closed.declined",),
    (),
    # No pathway has these; one that had them must not open a case by a likeness of names.
    ("followXup",),
    ("planningX",),
    ("detected", "planningX"),
    ("detected", "activeX.work"),
    ("activeX.work",),
    ("detected", "engagement.metal"),
    ("inactive",),
    ("before.active",),
    ("detected", "follow_up"),
    ("detected", "follow_up.late", "planningX"),
)
ROLES = ("case_worker", "supervisor", "job_agency", "volunteers", "landlord", "lead", "admin", "system")


def test_a_list_holds_exactly_the_cases_that_may_be_seen_one_by_one(store: Store) -> None:
    create_team(store)
    with store.transaction() as tx:
        staff = {member.username: member for member in network.members(tx).values()}
        elephants, net = staff["wanda"].partner_id, staff["rita"].partner_id
        version = tx.connection.execute(
            insert(pathway_version).values(name="x", version=1, content_hash="x", document="{}", seen_at=NOON)
        ).inserted_primary_key[0]  # type: ignore[index]
        owners = [(None, None), (elephants, None), (elephants, staff["wanda"].id), (net, staff["rita"].id)]
        number = 0
        quarters = set()
        for standing, (partner, worker), quarter in product(STANDING, owners, ("sanpolino", "san_polo")):
            number += 1
            ids = create_tenancy(tx, quarter_code=quarter)
            quarters.add(ids["quarter_id"])
            tx.connection.execute(
                insert(case_table).values(
                    code=f"P-{number:06d}",
                    pathway_version_id=version,
                    configuration=" ".join(standing),
                    version=1,
                    opened_on=TODAY,
                    partner_id=partner,
                    assigned_to=worker,
                    last_event_on=TODAY,
                    history_length=0,
                    history_head="",
                    **ids,
                )
            )
    with store.reading() as tx:
        rows = [cases.case_row(row) for row in tx.connection.execute(select(*cases.CASE_COLUMNS))]
        assert len(rows) == number
        role_sets = [frozenset(some) for n in (0, 1, 2) for some in combinations(ROLES, n)]
        first, second = sorted(quarters)
        here: list[frozenset[int]] = [frozenset(), frozenset({first}), frozenset({first, second})]
        wanda = staff["wanda"].id
        covering = [(frozenset({wanda}), frozenset[int]()), (frozenset[int](), frozenset({rows[0].id, rows[-1].id}))]
        seen = 0
        for roles, partner, where, (covers, opened) in product(role_sets, (elephants, net, 0), here, covering):
            actor = Actor(None if "system" in roles else 1, roles, partner, where, covers, opened)
            listed = set(tx.connection.execute(select(case_table.c.id).where(rights.sight(actor))).scalars())
            one_by_one = {row.id for row in rows if rights.may_see(actor, row)}
            seen += len(listed)
            assert listed == one_by_one, f"{actor}: {_told(rows, listed ^ one_by_one)}"
        assert seen


def _told(rows: list[cases.CaseRow], ids: set[int]) -> list[tuple[Any, ...]]:
    return [(row.configuration, row.quarter_id, row.partner_id, row.assigned_to) for row in rows if row.id in ids]
