"""What is logged says what happened and where, and nothing about anybody: no names, texts, passwords or tokens."""

import asyncio
import re
import traceback
from collections.abc import MutableMapping
from typing import Any

import pytest
from sqlalchemy import text

from ponte_workflow.log import log
from ponte_workflow.services.metrics import Requests
from ponte_workflow.web import refusals
from ponte_workflow.web.gate import COOKIE, BrokenOff, Gate
from tests.integration.standing_cases import TODAY
from tests.site import PASSWORD, Site

NAME = "Calaminta Quaresimale"
TAX_CODE = "QRSCMN85A41B157X"
STORY = "the daughter is in hospital since the ninth"
WRONG = "sette cani in cantina"


def _secrets(token: str) -> tuple[str, ...]:
    return (*NAME.split(), TAX_CODE, STORY, WRONG, PASSWORD, token)


def _logged(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    out, err = capfd.readouterr()
    records = "\n".join(f"{one.getMessage()} {one.exc_text or ''} {one.args}" for one in caplog.records)
    return f"{out}\n{err}\n{records}"


@pytest.fixture
def code(site: Site) -> str:
    with site.ponte.store.transaction() as tx:
        row = site.team.open_case(tx, TODAY)
        site.team.do(tx, "sara", row.code, "assign", TODAY, case_worker="wanda")
        return row.code


def test_the_log_is_seen_by_this_test(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    log.error("a word to be found")
    assert "a word to be found" in _logged(capfd, caplog)


def test_ordinary_work_and_what_is_refused_leave_no_secret(
    site: Site, code: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stranger = site.visitor()
    assert stranger.post("/sign-in", data={"username": "wanda", "password": WRONG}).status_code == 401
    assert stranger.post("/sign-in", data={"username": WRONG, "password": PASSWORD}).status_code == 401
    assert stranger.post("/sign-in", data={"username": "wanda", "password": PASSWORD}).status_code == 303
    browser = site.signed_in("wanda")
    for words in (NAME, TAX_CODE):
        assert browser.post("/search", data={"text": words}).status_code == 200
    step = browser.post(f"/cases/{code}/do/confirm", data={"notes": STORY, "cause": NAME})
    assert step.status_code == 422 and STORY in step.text
    assert browser.post(f"/cases/{code}/do/reject", data={"reason": STORY, "version": "99"}).status_code == 409
    assert browser.post(f"/cases/{code}/note", data={"text": STORY}).status_code == 303
    assert site.signed_in("gino").post(f"/cases/{code}/note", data={"text": STORY}).status_code == 403
    found = _logged(capfd, caplog)
    cookies = [browser.cookies[COOKIE], stranger.cookies[COOKIE]]
    assert not [secret for token in cookies for secret in _secrets(token) if secret in found]


def test_a_failure_is_logged_with_its_place_and_without_its_data(
    site: Site, code: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The tables go away under the application: the database's own words would hold what was sent to it."""
    caplog.set_level("DEBUG")
    browser = site.signed_in("wanda")
    with site.ponte.store.transaction() as tx:
        for table in ("contact", "draft", "special_note"):
            tx.connection.execute(text(f"DROP TABLE {table}"))
    capfd.readouterr()
    asked = [
        browser.post("/search", data={"text": NAME}),
        browser.post("/search", data={"text": TAX_CODE}),
        browser.post(f"/cases/{code}/draft/confirm", data={"notes": STORY}),
        browser.post(f"/cases/{code}/do/reject", data={"reason": STORY}),
    ]
    found = _logged(capfd, caplog)
    for answer in asked:
        assert answer.status_code == 500
        assert not [word for word in ("Traceback", "SELECT", "sqlalchemy", "draft") if word in answer.text]
        reference = re.search("<strong>([0-9a-f]{8})</strong>", answer.text)
        assert reference and reference[1] in found, "what the page says is found in the log"
    assert found.count("request failed") == len(asked)
    assert not [secret for secret in _secrets(browser.cookies[COOKIE]) if secret in found]


def test_an_error_of_the_database_does_not_repeat_what_it_was_given(site: Site) -> None:
    with (
        pytest.raises(Exception, match=r"no such table|does not exist") as refused,
        site.ponte.store.transaction() as tx,
    ):
        tx.connection.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": NAME})
    assert NAME not in "".join(traceback.format_exception(refused.value))


def test_an_answer_that_breaks_off_halfway_says_nothing_to_the_servers_log(site: Site) -> None:
    """The headers have left, so that no page can follow: the server writes down what it is given."""

    async def breaking(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError(STORY)

    gate = Gate(breaking, ponte=site.ponte, broken=refusals.broken, refused=refusals.refused, requests=Requests())
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        assert message["type"] == "http.response.start"

    with pytest.raises(BrokenOff) as left:
        asyncio.run(gate(scope, receive, send))
    assert STORY not in "".join(traceback.format_exception(left.value))
