"""Hostile texts in every field, query and path of every route: nothing fails, nothing runs, nothing else changes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
from httpx import Response
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import accounts
from ponte_workflow.services.permissions import PERMISSIONS
from ponte_workflow.services.throttling import Throttle
from ponte_workflow.store import network
from ponte_workflow.web.gate import COOKIE, SAFE
from ponte_workflow.web.visit import ANYBODY, SIGNED_IN
from tests.integration.hostile import VALUES, Look, counts, differences, encoded, foul, shown, values_for
from tests.integration.route_table import Page, pages
from tests.integration.standing_cases import STAFF_OF, add_landlord, things_of, token_for, walk
from tests.integration.test_rights_matrix import FREE_FORM, full_form
from tests.site import HOST, Site

# Rows that come and go with whoever looks, signs in or types.
TRACES = {"access", "web_session", "draft", "snooze"}
# What no form may make more or fewer of, unless it is a page that looks after it.
KEPT = {"household", "person", "tenancy", "dwelling", "building", "quarter", "cases", "movement", "account", "contact"}


@dataclass
class Attack:
    """A site with cases, and a browser that is signed in anew for each request."""

    site: Site
    things: dict[str, str]
    browser: TestClient
    staff: dict[str, int]
    token: str
    calls: Iterator[int] = field(default_factory=count)

    def send(self, page: Page, address: str, form: dict[str, str | bytes] | None) -> Response:
        """One request by somebody whom the route is for."""
        self.site.app.state.throttle = Throttle()
        headers = {"origin": HOST, "accept-language": "en"}
        if page.api:
            headers |= {"authorization": f"Bearer {self.token}", "idempotency-key": str(next(self.calls))}
        elif page.rule != ANYBODY:
            with self.site.ponte.store.transaction() as tx:
                token = accounts.open_session(
                    tx, self.staff[_whom(page)], at=clock.now(), browser="test", second_factor=True
                )
            headers["cookie"] = f"{COOKIE}={token}"
        if form is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        content = None if form is None else encoded(form)
        answer: Response = self.browser.request(page.method, address, content=content, headers=headers)
        self.browser.cookies.clear()
        return answer


def _whom(page: Page) -> str:
    allowed = set(STAFF_OF) if page.rule == SIGNED_IN else PERMISSIONS[page.rule]
    return next(role for role in ("supervisor", "lead", "admin", "landlord") if role in allowed)


@pytest.fixture
def attack(site: Site) -> Iterator[Attack]:
    with site.ponte.store.transaction() as tx:
        add_landlord(tx)
        things = things_of(tx, walk(site.team, tx, "active", "wanda"))
        token = token_for(site, tx, "sara")
        by_name = {member.username: member.id for member in network.members(tx).values()}
    with site.visitor() as browser:
        yield Attack(site, things, browser, {role: by_name[name] for role, name in STAFF_OF.items()}, token)


def _complaints(page: Page, answer: Response) -> list[str]:
    found = [f"status {answer.status_code}"] if answer.status_code >= 500 else []
    if "evil" in str(answer.headers.get("set-cookie", "")):
        found.append("a header of its own")
    if answer.headers.get("location", "/").startswith(("//", "http", "\\", "/\\")):
        found.append(f"leads away to {answer.headers['location']}")
    return found + foul(answer)


@pytest.mark.slow
def test_every_field_of_every_form(attack: Attack) -> None:
    store = attack.site.ponte.store
    wrong: list[str] = []
    before = counts(store)
    for page in pages(attack.site.app):
        if page.method in SAFE or page.api:
            continue
        names = (
            [*FREE_FORM, "version", "of_nobody"]
            if page.free_form
            else [f.name for f in page.fields if f.kind != "file"]
        )
        for name in names:
            for label, value in values_for(store, page.path).items():
                form: dict[str, Any] = (dict(FREE_FORM) if page.free_form else full_form(page)) | {name: value}
                answer = attack.send(page, page.address(**attack.things), form)
                after = counts(store)
                changed = differences(before, after)
                before = after
                complaints = _complaints(page, answer)
                if answer.status_code >= 400 and set(changed) - TRACES:
                    complaints.append(f"refused, and yet {changed}")
                if KEPT & set(changed) and not page.path.startswith("/administration"):
                    complaints.append(f"changed {changed}")
                wrong += [f"{page.id}, {name}={label}: {one}" for one in complaints]
    # What was kept of it is looked at on every page there is.
    for page in pages(attack.site.app):
        if page.method == "GET" and not page.api:
            answer = attack.send(page, page.address(**attack.things), None)
            wrong += [f"{page.id} afterwards: {one}" for one in _complaints(page, answer)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
def test_every_query_and_every_path(attack: Attack) -> None:
    store = attack.site.ponte.store
    wrong: list[str] = []
    before = counts(store)
    for page in pages(attack.site.app):
        for label, value in values_for(store).items():
            text = quote(value[:10_000], safe="")
            asked = [(f"?{name}", f"{page.address(**attack.things)}?{name}={text}") for name in page.query]
            asked += [(f"{{{name}}}", page.address(**attack.things | {name: text})) for name in page.parameters]
            for name, address in asked:
                answer = attack.send(page, address, None if page.method in SAFE else {})
                wrong += [f"{page.id}, {name}={label}: {one}" for one in _complaints(page, answer)]
    changed = {name: n for name, n in differences(before, counts(store)).items() if name in KEPT}
    assert not wrong and not changed, "\n".join([*wrong, str(changed)])


def test_a_search_finds_nothing_that_is_not_there(attack: Attack) -> None:
    search = next(page for page in pages(attack.site.app) if page.id == "POST /search")
    for label, value in values_for(attack.site.ponte.store).items():
        answer = attack.send(search, "/search", {"text": value})
        assert answer.status_code in (200, 422), label
        assert attack.things["code"] not in answer.text, label
        if label in ("script", "image", "braces", "percent", "quote"):
            assert shown(value) in Look(answer.text).words, f"{label} is shown as what was typed"


def test_what_a_form_sends_back_is_what_was_typed(attack: Attack) -> None:
    """The names of people, reasons and notes come back as text, in the page and in its fields."""
    note = next(page for page in pages(attack.site.app) if page.id == "POST /cases/{code}/note")
    case = next(page for page in pages(attack.site.app) if page.id == "GET /cases/{code}")
    stored = 0
    for label, value in values_for(attack.site.ponte.store).items():
        answer = attack.send(note, note.address(**attack.things), {"text": b"note " + value})
        if answer.status_code == 303:
            stored += 1
            words = Look(attack.send(case, case.address(**attack.things), None).text).words
            assert shown(b"note " + value) in words, label
    assert stored >= 6


@pytest.mark.parametrize("value", [VALUES["formula"], b"+1+1", b"-1+1", b"@SUM(1)", b"\t=1"])
def test_a_spreadsheet_holds_no_formula(attack: Attack, value: bytes) -> None:
    from openpyxl import load_workbook
    from sqlalchemy import update

    from ponte_workflow.store.schema.neighbourhood import building
    from ponte_workflow.store.schema.network import staff

    with attack.site.ponte.store.transaction() as tx:
        for table in (building, staff):
            tx.connection.execute(update(table).values(name=value.decode()))
    export = next(page for page in pages(attack.site.app) if page.id == "GET /cases.xlsx")
    answer = attack.send(export, "/cases.xlsx", None)
    cells = [cell for row in load_workbook(BytesIO(answer.content)).active.iter_rows() for cell in row]  # type: ignore[union-attr]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert any(str(cell.value).strip().startswith(value.decode().strip()) for cell in cells), "it is there, as text"


def test_a_form_of_a_thousand_fields_is_refused_with_a_sentence(attack: Attack) -> None:
    step = next(page for page in pages(attack.site.app) if page.id == "POST /cases/{code}/do/{trigger}")
    answer = attack.send(step, step.address(**attack.things), {f"f{n}": "x" for n in range(1000)})
    assert answer.status_code in (400, 413, 422)
