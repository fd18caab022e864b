"""One's own account: password, second factor, sessions, days away."""

import re
from datetime import timedelta

import pyotp
import pytest
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import accounts
from ponte_workflow.store import network
from ponte_workflow.store.accounts import credential_of, sessions_of, touch_session
from ponte_workflow.web.gate import COOKIE
from tests.site import HOST, PASSWORD, Site

pytestmark = pytest.mark.machine_clock

NEW = "undici oche in giardino"


def come_in(site: Site, username: str = "wanda", password: str = PASSWORD) -> TestClient:
    """A browser that came in by the door."""
    browser = site.visitor()
    browser.cookies.set("ponte-language", "en", domain=HOST.removeprefix("https://"), path="/")
    assert browser.post("/sign-in", data={"username": username, "password": password}).status_code == 303
    return browser


def staff_id(site: Site, username: str) -> int:
    with site.ponte.store.reading() as tx:
        return network.member_by_username(tx, username).id


def pending_secret(page: str) -> str:
    found = re.search(r"<code class=\"nowrap\">([A-Z2-7 ]+)</code>", page)
    assert found is not None
    return found.group(1).replace(" ", "")


def enrol(browser: TestClient) -> tuple[str, list[str]]:
    """Set up a second factor through the pages: its secret and the recovery codes."""
    browser.post("/account/second-factor/begin")
    secret = pending_secret(browser.get("/account/second-factor").text)
    answer = browser.post("/account/second-factor/confirm", data={"code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 200
    return secret, re.findall(r"<li><code>([0-9a-f-]+)</code>", answer.text)


def test_the_page_names_me_my_organisation_and_my_sessions(site: Site) -> None:
    browser, _other = come_in(site), come_in(site)
    text = browser.get("/account").text
    assert "Elefanti Volanti" in text and "wanda" in text
    assert text.count("This one") == 1 and text.count('/end"') == 1


def test_a_new_password_ends_the_other_sessions_and_renews_this_one(site: Site) -> None:
    browser, other = come_in(site), come_in(site)
    before = browser.cookies[COOKIE]
    answer = browser.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert browser.cookies[COOKIE] != before
    assert browser.get("/account").status_code == 200
    assert other.get("/account").headers["location"].startswith("/sign-in")
    thief = site.visitor()
    thief.cookies.set(COOKIE, before, domain=HOST.removeprefix("https://"), path="/")
    assert thief.get("/account").status_code == 303, "the token from before is worth nothing"
    assert site.visitor().post("/sign-in", data={"username": "wanda", "password": PASSWORD}).status_code == 401
    come_in(site, password=NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        pytest.param("wrong words here", NEW, NEW, "present password is not right", id="old one wrong"),
        pytest.param(PASSWORD, NEW, NEW + "!", "not the same", id="mistyped"),
        pytest.param(PASSWORD, PASSWORD, PASSWORD, "is the old one", id="no new one"),
        pytest.param(PASSWORD, "short", "short", "12 to 128", id="against the rules"),
    ],
)
def test_a_password_is_not_changed(site: Site, old: str, new: str, again: str, said: str) -> None:
    browser = come_in(site)
    answer = browser.post("/account/password", data={"old": old, "new": new, "again": again})
    assert answer.status_code == 422 and said in answer.text
    come_in(site)


def test_whoever_guesses_the_old_password_in_an_open_session_locks_the_account(site: Site) -> None:
    browser = come_in(site)
    for _n in range(accounts.FREE_FAILURES):
        browser.post("/account/password", data={"old": "guess and guess", "new": NEW, "again": NEW})
    answer = browser.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
    assert answer.status_code == 422, "locked: even the right one is not taken"
    assert site.visitor().post("/sign-in", data={"username": "wanda", "password": PASSWORD}).status_code == 401


def test_nothing_is_reached_before_a_given_password_is_changed(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        given = accounts.random_password()
        who = network.member_by_username(tx, "wanda").id
        accounts.set_password(tx, who, given, at=clock.now(), must_change=True)
    browser = come_in(site, password=given)
    for path in ("/", "/cases", "/account", "/account/second-factor"):
        assert browser.get(path).headers["location"] == "/account/password"
    assert "given to you by somebody else" in browser.get("/account/password").text
    answer = browser.post("/account/password", data={"old": given, "new": NEW, "again": NEW})
    assert answer.headers["location"] == "/"
    assert browser.get("/").status_code == 200


def test_a_second_factor_is_set_up_by_a_code_of_it_and_asked_for_from_then_on(site: Site) -> None:
    browser, other = come_in(site), come_in(site)
    _secret, codes = enrol(browser)
    assert len(set(codes)) == accounts.RECOVERY_CODES
    assert browser.get("/account").status_code == 200, "this session has shown the factor"
    assert other.get("/account").headers["location"] == "/sign-in/code", "the other one has not"
    fresh = site.visitor()
    answer = fresh.post("/sign-in", data={"username": "wanda", "password": PASSWORD, "to": "/cases"})
    assert answer.headers["location"] == "/sign-in/code?to=%2Fcases"
    answer = fresh.post("/sign-in/code", data={"code": codes[0].upper(), "to": "/cases"})
    assert answer.headers["location"] == "/cases"
    assert "9 codes are left" in fresh.get("/account/second-factor").text


def test_the_picture_needs_no_style_and_the_secret_is_also_text(site: Site) -> None:
    browser = come_in(site)
    browser.post("/account/second-factor/begin")
    page = browser.get("/account/second-factor").text
    picture = page[page.index("<svg", page.index('role="img"')) : page.index("</svg>", page.index('role="img"'))]
    assert "style" not in picture and "path" in picture
    secret = pending_secret(page)
    with site.ponte.store.reading() as tx:
        known = credential_of(tx, staff_id(site, "wanda"))
    assert known is not None and known.totp_secret == secret and not known.totp_confirmed


def test_a_wrong_code_puts_nothing_in_force(site: Site) -> None:
    browser = come_in(site)
    browser.post("/account/second-factor/begin")
    assert browser.post("/account/second-factor/confirm", data={"code": "000000"}).status_code == 422
    assert browser.post("/account/second-factor/confirm", data={"code": "٠٠٠٠٠٠"}).status_code == 422
    assert come_in(site).get("/account").status_code == 200


def test_new_recovery_codes_ask_for_the_password_and_void_the_old_ones(site: Site) -> None:
    browser = come_in(site)
    _secret, codes = enrol(browser)
    assert browser.post("/account/second-factor/codes", data={"password": "no"}).status_code == 422
    answer = browser.post("/account/second-factor/codes", data={"password": PASSWORD})
    fresh = re.findall(r"<li><code>([0-9a-f-]+)</code>", answer.text)
    assert len(fresh) == 10 and not set(fresh) & set(codes)
    half = come_in(site)
    assert half.post("/sign-in/code", data={"code": codes[0]}).status_code == 401
    assert half.post("/sign-in/code", data={"code": fresh[0]}).status_code == 303


def test_a_second_factor_is_removed_with_the_password_only(site: Site) -> None:
    browser, other = come_in(site), come_in(site)
    enrol(browser)
    assert browser.post("/account/second-factor/remove", data={"password": "no"}).status_code == 422
    assert browser.post("/account/second-factor/remove", data={"password": PASSWORD}).status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").headers["location"].startswith("/sign-in?"), "its session has ended"
    assert come_in(site).get("/account").status_code == 200


def test_a_session_is_ended_from_another_one(site: Site) -> None:
    browser, other = come_in(site), come_in(site)
    found = re.search(r"/account/sessions/(\d+)/end\"", browser.get("/account").text)
    assert found is not None
    assert browser.post(f"/account/sessions/{found.group(1)}/end").status_code == 303
    assert other.get("/account").headers["location"].startswith("/sign-in")
    third = come_in(site)
    assert "1 session has ended" in follow(browser, browser.post("/account/sessions/end-others").headers["location"])
    assert third.get("/account").headers["location"].startswith("/sign-in")


def test_nobody_ends_somebody_elses_session(site: Site) -> None:
    browser, theirs = come_in(site), come_in(site, "walter")
    with site.ponte.store.reading() as tx:
        session = sessions_of(tx, network.member_by_username(tx, "walter").id, clock.now())[0]
    assert browser.post(f"/account/sessions/{session.id}/end").status_code == 404
    assert theirs.get("/account").status_code == 200


def test_a_session_that_nobody_used_for_an_hour_is_not_listed(site: Site) -> None:
    browser = come_in(site)
    come_in(site)
    with site.ponte.store.transaction() as tx:
        mine = sessions_of(tx, network.member_by_username(tx, "wanda").id, clock.now())
        touch_session(tx, min(s.id for s in mine), last_seen_at=clock.now())
        touch_session(tx, max(s.id for s in mine), last_seen_at=clock.now() - timedelta(minutes=61))
    assert '/end"' not in browser.get("/account").text


def test_an_absence_is_noted_with_a_deputy_of_the_same_organisation(site: Site) -> None:
    browser = come_in(site)
    day = clock.today()
    dates = {"first": day.isoformat(), "last": (day + timedelta(days=3)).isoformat()}
    assert browser.post("/account/absence", data=dates | {"deputy": "walter"}).status_code == 303
    assert "covered by" in browser.get("/account").text
    with site.ponte.store.reading() as tx:
        wanda = network.member_by_username(tx, "wanda")
        assert wanda.absent(day) and wanda.deputy_id == network.member_by_username(tx, "walter").id
    assert browser.post("/account/absence", data={"back": "true"}).status_code == 303
    with site.ponte.store.reading() as tx:
        assert network.member_by_username(tx, "wanda").absent_from is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param({"first": "2026-11-10", "last": "2026-11-09"}, "comes before", id="ends before it begins"),
        pytest.param({"last": "2026-11-09"}, "from which day", id="no beginning"),
        pytest.param({"first": "tomorrow"}, "is no date", id="no date"),
        pytest.param({"first": "2026-11-10", "deputy": "rita"}, "cannot cover", id="another organisation's"),
        pytest.param({"first": "2026-11-10", "deputy": "wanda"}, "cannot cover", id="myself"),
    ],
)
def test_an_absence_is_refused(site: Site, data: dict[str, str], said: str) -> None:
    answer = come_in(site).post("/account/absence", data=data)
    assert answer.status_code == 422 and said in answer.text


def test_the_language_is_kept_with_the_account(site: Site) -> None:
    browser = come_in(site)
    assert browser.post("/account/language", data={"language": "it"}).status_code == 303
    assert '<html lang="it">' in browser.get("/account").text
    assert browser.post("/account/language", data={"language": "xx"}).status_code == 422


def follow(browser: TestClient, where: str) -> str:
    return str(browser.get(where).text)
