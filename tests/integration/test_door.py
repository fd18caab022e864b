"""What keeps others out: locks, codes taken once, sessions that end, requests of other sites, headers on every answer."""

import json
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import update
from starlette.routing import Route
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import accounts
from ponte_workflow.store import network
from ponte_workflow.store.accounts import credential_of, put_credential
from ponte_workflow.store.schema.accounts import credential, web_session
from ponte_workflow.web.gate import COOKIE, HEADERS
from tests.site import PASSWORD, Site

pytestmark = pytest.mark.machine_clock


def knock(browser: TestClient, username: str = "wanda", password: str = PASSWORD, to: str = "/") -> int:
    return browser.post("/sign-in", data={"username": username, "password": password, "to": to}).status_code


def test_wrong_passwords_lock_the_account_for_a_while_and_the_right_one_does_not_open_it(site: Site) -> None:
    browser = site.visitor()
    assert [knock(browser, password="no") for _n in range(accounts.FREE_FAILURES)] == [401] * accounts.FREE_FAILURES
    assert knock(browser) == 401, "locked, and nobody is told so"
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(credential).values(locked_until=clock.now() - timedelta(seconds=1)))
    assert knock(browser, password="no") == 401
    with site.ponte.store.reading() as tx:
        known = credential_of(tx, network.member_by_username(tx, "wanda").id)
    assert known is not None and known.locked_until is not None
    assert known.locked_until > clock.now() + accounts.FIRST_LOCK, "the second lock is longer"
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(credential).values(locked_until=None))
    assert knock(browser) == 303


def test_a_code_of_the_second_factor_is_taken_once_and_guessing_locks(site: Site) -> None:
    secret = pyotp.random_base32()
    with site.ponte.store.transaction() as tx:
        put_credential(tx, network.member_by_username(tx, "wanda").id, totp_secret=secret, totp_confirmed=True)
    first, code = site.visitor(), pyotp.TOTP(secret).now()
    assert knock(first) == 303
    assert first.get("/cases").headers["location"].startswith("/sign-in/code"), "half a session reaches nothing"
    assert first.post("/sign-in/code", data={"code": code}).status_code == 303
    assert first.get("/cases").status_code == 200
    second = site.visitor()
    knock(second)
    assert second.post("/sign-in/code", data={"code": code}).status_code == 401, "replayed"
    for _n in range(accounts.FREE_FAILURES):
        second.post("/sign-in/code", data={"code": "000000"})
    with site.ponte.store.reading() as tx:
        known = credential_of(tx, network.member_by_username(tx, "wanda").id)
    assert known is not None and known.locked_until is not None and known.locked_until > clock.now()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"last_seen_at": clock.now() - accounts.IDLE - timedelta(minutes=1)}, id="idle"),
        pytest.param({"expires_at": clock.now() - timedelta(seconds=1)}, id="expired"),
        pytest.param({"revoked_at": clock.now()}, id="revoked"),
    ],
)
def test_a_session_ends(site: Site, values: dict[str, object]) -> None:
    browser = site.signed_in("wanda")
    assert browser.get("/cases").status_code == 200
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(web_session).values(**values))
    assert browser.get("/cases").status_code == 303


def test_the_first_password_is_changed_before_anything_else(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        put_credential(tx, network.member_by_username(tx, "wanda").id, must_change=True)
    browser = site.visitor()
    assert knock(browser) == 303
    assert browser.get("/cases").headers["location"] == "/account/password"


@pytest.mark.parametrize(
    "password", ["short", "passwordpassword", "wanda wanda wanda", "111111111111", "Benvenuto2026!", "x" * 129]
)
def test_passwords_that_others_try_first_are_refused(site: Site, password: str) -> None:
    browser = site.signed_in("wanda")
    answer = browser.post("/account/password", data={"old": PASSWORD, "new": password, "again": password})
    assert answer.status_code in (400, 422), answer.status_code
    assert knock(site.visitor()) == 303, "the old one still holds"


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nX: y", "/sign-in"]
)
def test_signing_in_leads_nowhere_else(site: Site, to: str) -> None:
    answer = site.visitor().post("/sign-in", data={"username": "wanda", "password": PASSWORD, "to": to})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"sec-fetch-site": "cross-site"}, id="another site"),
        pytest.param({"sec-fetch-site": "same-site"}, id="a neighbour"),
        pytest.param({"origin": "https://evil.example"}, id="an older browser"),
        pytest.param({"origin": "null"}, id="a sandbox"),
    ],
)
def test_a_request_of_another_site_does_nothing(site: Site, headers: dict[str, str]) -> None:
    browser = site.signed_in("wanda")
    assert browser.post("/sign-out", headers=headers).status_code == 403
    assert browser.get("/cases").status_code == 200, "still signed in"
    assert browser.post("/sign-out", headers={"sec-fetch-site": "same-origin"}).status_code == 303


def test_every_answer_bears_the_headers_and_personal_ones_are_not_stored(site: Site) -> None:
    browser = site.signed_in("sara")
    style = browser.get("/cases").text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    for path in ("/", "/cases", "/nothing", "/cases/P-999999", "/static/x/y", style, "/health/live", "/api/v1/cases"):
        answer = browser.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (path, name)
        assert ("no-store" in answer.headers.get("cache-control", "")) == (not path.startswith("/static/")), path
    assert "'unsafe" not in HEADERS["Content-Security-Policy"]


def test_a_failure_gives_a_reference_and_no_trace_to_the_user(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(request: object) -> None:
        raise ValueError("the secret of the household")

    site.app.router.routes.insert(0, Route("/breaks", fail))
    answer = site.signed_in("wanda").get("/breaks")
    assert answer.status_code == 500 and "Traceback" not in answer.text and "secret of" not in answer.text
    logged = capsys.readouterr().err
    line = json.loads(next(one for one in logged.splitlines() if "reference" in one))
    assert line["reference"] in answer.text and line["error"] == "ValueError" and "secret of" not in logged


def test_the_cookie_belongs_to_this_host_alone(site: Site) -> None:
    browser = site.visitor()
    cookie = browser.post("/sign-in", data={"username": "wanda", "password": PASSWORD}).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and "Domain" not in cookie
    assert all(part in cookie for part in ("Path=/", "Secure", "HttpOnly", "SameSite=lax"))
