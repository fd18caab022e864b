"""The door: who gets in, who is locked out, what a session is worth."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from ponte_workflow import clock
from ponte_workflow.services import accounts, passwords
from ponte_workflow.services.accounts import ABSOLUTE, FIRST_LOCK, FREE_FAILURES, HALF_WAY, IDLE, LONGEST_LOCK
from ponte_workflow.store.accounts import put_credential, sessions_of
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.schema.accounts import recovery_code, web_session
from ponte_workflow.store.schema.network import access, staff
from ponte_workflow.web.gate import COOKIE
from ponte_workflow.web.visit import ANYBODY
from tests.integration.at_the_door import HOME, STEP, end_lock, half_way_in, id_of, knock, lock_of, with_second_factor
from tests.integration.route_table import OF_A_CASE, pages
from tests.site import PASSWORD, Site

pytestmark = pytest.mark.machine_clock


# --- Password ------------------------------------------------------------------------------------------------------


def test_the_right_password_opens_a_session_and_signing_out_ends_it(site: Site) -> None:
    browser = site.visitor()
    assert browser.get("/").headers["location"] == "/sign-in"
    answer = browser.post("/sign-in", data={"username": "wanda", "password": PASSWORD, "to": "/cases"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=") and COOKIE.startswith("__Host-")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax")) and "Domain" not in cookie
    token = browser.cookies[COOKIE]
    assert browser.post("/sign-out").status_code == 303
    again = site.visitor()
    again.cookies.set(COOKIE, token, domain=HOME, path="/")
    assert again.get("/cases").headers["location"].startswith("/sign-in"), "the token itself is worth nothing any more"


def test_the_token_is_nowhere_in_the_database(site: Site) -> None:
    browser = site.visitor()
    browser.post("/sign-in", data={"username": "wanda", "password": PASSWORD})
    with site.ponte.store.reading() as tx:
        kept = tx.connection.execute(select(web_session.c.token_hash)).scalars().all()
    assert browser.cookies[COOKIE] not in kept and kept == [accounts.token_hash(browser.cookies[COOKIE])]


def test_a_wrong_password_and_an_unknown_name_sound_the_same(site: Site) -> None:
    wrong, unknown = knock(site, "no"), knock(site, "no", "nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("wanda", "X") == unknown.text.replace("nobody", "X")
    assert COOKIE not in wrong.headers.get("set-cookie", "")


def test_whoever_is_unknown_costs_the_same_work_as_whoever_is_known() -> None:
    assert passwords.verify(None, "nove gatti sul tetto") is False
    known = passwords.hash_password("nove gatti sul tetto").split("$")
    nobody = passwords._NOBODY.split("$")
    assert nobody[1:4] == known[1:4], "the same algorithm with the same memory, rounds and lanes"
    assert [len(part) for part in nobody[4:]] == [len(part) for part in known[4:]], "else it would be refused unread"


@pytest.mark.parametrize("typed", ["WANDA", " wanda ", "Wanda"])
def test_a_username_may_be_typed_in_any_case(site: Site, typed: str) -> None:
    assert knock(site, username=typed).status_code == 303


def test_of_two_usernames_that_differ_in_case_only_each_is_itself(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "walter").values(username="WANDA"))
    browser = site.visitor()
    browser.post("/sign-in", data={"username": "WANDA", "password": PASSWORD})
    assert "<dd>WANDA</dd>" in browser.get("/account").text
    assert knock(site, username="Wanda").status_code == 401, "nobody knows which one is meant"


def test_somebody_who_left_or_never_had_a_password_does_not_come_in(site: Site) -> None:
    inside = site.signed_in("walter")
    assert inside.get("/account").status_code == 200
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "walter").values(active=False))
        put_credential(tx, id_of(tx, "rita"), password_hash=None)
    assert knock(site, username="walter").status_code == 401
    assert knock(site, username="rita").status_code == 401
    assert knock(site, "", "rita").status_code in (401, 422)
    assert inside.get("/account").headers["location"].startswith("/sign-in"), "the open session is worth nothing"


def test_a_new_session_takes_the_place_of_the_one_in_the_same_browser(site: Site) -> None:
    browser = site.signed_in("wanda")
    before = browser.cookies[COOKIE]
    browser.post("/sign-in", data={"username": "walter", "password": PASSWORD})
    thief = site.visitor()
    thief.cookies.set(COOKIE, before, domain=HOME, path="/")
    assert thief.get("/account").status_code == 303


# --- Lock-out ------------------------------------------------------------------------------------------------------


def test_after_some_failures_the_account_is_locked_even_for_the_right_password(site: Site) -> None:
    for _n in range(FREE_FAILURES - 1):
        knock(site, "wrong")
        assert lock_of(site) is None
    knock(site, "wrong")
    assert lock_of(site) == FIRST_LOCK
    locked, wrong = knock(site), knock(site, "wrong")
    assert locked.status_code == wrong.status_code == 401 and locked.text == wrong.text, "the lock tells nothing"
    assert lock_of(site) == FIRST_LOCK, "trying on does not prolong it"
    assert knock(site, username="walter").status_code == 303, "others come in"


def test_the_lock_doubles_up_to_an_hour_and_ends(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        put_credential(tx, id_of(tx), failed=FREE_FAILURES)
    found = []
    for _n in range(8):
        knock(site, "wrong")
        found.append(lock_of(site))
        end_lock(site)
    assert found == [FIRST_LOCK * n for n in (2, 4, 8, 16, 32)] + [LONGEST_LOCK] * 3
    assert knock(site).status_code == 303
    knock(site, "wrong")
    assert lock_of(site) is None, "whoever came in has their free tries back"


def test_a_lock_is_traced_and_can_be_ended(site: Site) -> None:
    for _n in range(FREE_FAILURES):
        knock(site, "wrong")
    with site.ponte.store.transaction() as tx:
        traced = select(func.count()).where(access.c.what == "account.locked", access.c.staff_id == id_of(tx))
        assert tx.connection.execute(traced).scalar_one() == 1
        accounts.unlock(tx, id_of(tx), clock.now())
    assert knock(site).status_code == 303


def test_one_address_knocks_thirty_times_in_five_minutes_and_no_more(site: Site) -> None:
    answers = [knock(site, "wrong", f"nobody{n}").status_code for n in range(31)]
    assert answers == [401] * 30 + [429]
    assert knock(site).status_code == 429, "also for whoever knows the password"


# --- Second factor -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [-1, 0, 1], ids=["the one before", "the present one", "the next one"])
def test_a_code_of_the_present_half_minute_or_beside_it_is_right(site: Site, steps: int) -> None:
    totp, _codes = with_second_factor(site)
    browser = half_way_in(site)
    before = browser.cookies[COOKIE]
    # In the middle of a step, so that the clock does not go on to the next one meanwhile.
    at = clock.now()
    with site.ponte.store.transaction() as tx:
        assert accounts.check_second_factor(tx, id_of(tx), totp.at(at + steps * STEP), at)
        put_credential(tx, id_of(tx), totp_last_step=0)
    if steps == 0:
        answer = browser.post("/sign-in/code", data={"code": totp.now(), "to": "/cases"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
        assert browser.cookies[COOKIE] != before, "whole sessions have another token than half ones"
        assert browser.get("/cases").status_code == 200


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_an_old_code_or_one_from_the_future_is_wrong(site: Site, steps: int) -> None:
    totp, _codes = with_second_factor(site)
    at = clock.now()
    with site.ponte.store.transaction() as tx:
        assert not accounts.check_second_factor(tx, id_of(tx), totp.at(at + steps * STEP), at)


def test_a_code_is_taken_once_and_so_is_any_older_one(site: Site) -> None:
    totp, _codes = with_second_factor(site)
    at = clock.now()
    with site.ponte.store.transaction() as tx:
        who = id_of(tx)
        assert accounts.check_second_factor(tx, who, totp.at(at), at)
        assert not accounts.check_second_factor(tx, who, totp.at(at), at), "seen over a shoulder, it is worth nothing"
        assert not accounts.check_second_factor(tx, who, totp.at(at + -1 * STEP), at)
        assert accounts.check_second_factor(tx, who, totp.at(at + 1 * STEP), at)


@pytest.mark.parametrize("code", ["", "000000", "٣٣٣٣٣٣", "abcdef", "1" * 60, "12 34", "é" * 6])
def test_a_wrong_code_is_refused(site: Site, code: str) -> None:
    with_second_factor(site)
    browser = half_way_in(site)
    assert browser.post("/sign-in/code", data={"code": code}).status_code in (401, 422)
    assert browser.get("/cases").headers["location"] == "/sign-in/code"


def test_whoever_has_the_password_cannot_guess_codes_without_end(site: Site) -> None:
    totp, _codes = with_second_factor(site)
    browser = half_way_in(site)
    for n in range(FREE_FAILURES):
        browser.post("/sign-in/code", data={"code": f"{n:06}"})
        # The right password in between gives no new tries.
        if n < FREE_FAILURES - 1:
            half_way_in(site)
    assert lock_of(site) == FIRST_LOCK
    assert browser.post("/sign-in/code", data={"code": totp.now()}).status_code == 401
    assert knock(site).status_code == 401


def test_codes_are_tried_ten_times_in_five_minutes_and_no_more(site: Site) -> None:
    with_second_factor(site)
    browser = half_way_in(site)
    answers = [browser.post("/sign-in/code", data={"code": "000000"}).status_code for _n in range(11)]
    assert answers == [401] * 10 + [429]


def test_a_recovery_code_lets_in_once(site: Site) -> None:
    _totp, codes = with_second_factor(site)
    assert half_way_in(site).post("/sign-in/code", data={"code": f" {codes[0].upper()} "}).status_code == 303
    assert half_way_in(site).post("/sign-in/code", data={"code": codes[0]}).status_code == 401
    assert half_way_in(site).post("/sign-in/code", data={"code": codes[1].replace("-", "")}).status_code == 303
    with site.ponte.store.reading() as tx:
        kept = tx.connection.execute(select(recovery_code.c.code_hash)).scalars().all()
    assert not {accounts.token_hash(code.replace("-", "")) for code in codes} & set(kept), "keyed, not merely hashed"


def test_somebody_elses_recovery_code_lets_nobody_in(site: Site) -> None:
    with_second_factor(site)
    _totp, theirs = with_second_factor(site, "walter")
    assert half_way_in(site).post("/sign-in/code", data={"code": theirs[0]}).status_code == 401


def test_half_a_session_reaches_nothing(site: Site) -> None:
    with_second_factor(site)
    browser = half_way_in(site)
    own = {"/sign-in/code", "/sign-out"}
    tried = 0
    for page in pages(site.app):
        if page.api or page.rule == ANYBODY or page.path in own:
            continue
        address = page.address(**dict.fromkeys(OF_A_CASE, "1") | {"code": "P-000001"})
        answer = browser.request(page.method, address)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in/code"), page.id
        tried += 1
    assert tried > 40
    assert browser.get("/sign-in").status_code == 200, "the door is open to start again"
    assert browser.post("/sign-out").status_code == 303


def test_half_a_session_ends_after_ten_minutes(site: Site) -> None:
    with_second_factor(site)
    browser = half_way_in(site)
    with site.ponte.store.transaction() as tx:
        session = sessions_of(tx, id_of(tx), clock.now())[0]
        assert session.expires_at - session.created_at == HALF_WAY and not session.second_factor
        _age(tx, session.id, created_at=clock.now() - HALF_WAY, expires_at=clock.now())
    assert browser.get("/sign-in/code").headers["location"].startswith("/sign-in?")


def test_a_role_that_must_have_a_second_factor_is_sent_to_set_it_up(site: Site) -> None:
    with site.ponte.store.transaction() as tx:
        token = accounts.open_session(tx, id_of(tx, "sara"), at=clock.now(), browser="", second_factor=False)
        found = accounts.signed_in(tx, token, clock.now(), required=frozenset({"supervisor", "lead"}))
        assert found is not None and found.must_enrol
        found = accounts.signed_in(tx, token, clock.now(), required=frozenset({"lead"}))
        assert found is not None and not found.must_enrol


# --- Sessions ------------------------------------------------------------------------------------------------------


def _age(tx: Transaction, session_id: int, **moments: datetime) -> None:
    tx.connection.execute(update(web_session).where(web_session.c.id == session_id).values(**moments))


@pytest.mark.parametrize(
    ("column", "ago", "alive"),
    [
        pytest.param("last_seen_at", IDLE - timedelta(minutes=1), True, id="used within the hour"),
        pytest.param("last_seen_at", IDLE, False, id="idle for an hour"),
        pytest.param("expires_at", timedelta(minutes=-1), True, id="before its last moment"),
        pytest.param("expires_at", timedelta(0), False, id="after its last moment, although in use"),
    ],
)
def test_a_session_ends(site: Site, column: str, ago: timedelta, alive: bool) -> None:
    browser = site.signed_in("wanda")
    with site.ponte.store.transaction() as tx:
        session = sessions_of(tx, id_of(tx), clock.now())[0]
        assert session.expires_at - session.created_at == ABSOLUTE
        _age(tx, session.id, **{column: clock.now() - ago})
    assert (browser.get("/account").status_code == 200) is alive


def test_use_prolongs_a_session_but_not_beyond_its_last_moment(site: Site) -> None:
    browser = site.signed_in("wanda")
    with site.ponte.store.transaction() as tx:
        session = sessions_of(tx, id_of(tx), clock.now())[0]
        _age(tx, session.id, last_seen_at=clock.now() - timedelta(minutes=50))
    browser.get("/account")
    with site.ponte.store.reading() as tx:
        after = sessions_of(tx, id_of(tx), clock.now())[0]
    assert clock.now() - after.last_seen_at < timedelta(minutes=1)
    assert after.expires_at == session.expires_at


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "%00", "wanda"])
def test_a_token_that_was_never_given_opens_nothing(site: Site, token: str) -> None:
    browser = site.visitor()
    browser.cookies.set(COOKIE, token, domain=HOME, path="/")
    assert browser.get("/cases").headers["location"].startswith("/sign-in")


# --- Where one goes from the door ----------------------------------------------------------------------------------

ASTRAY = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/cases\\..\\evil",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "",
    " /cases",
    "/\t/evil.example",
    "/cases\r\nSet-Cookie: a=b",
    "/\0",
    "/sign-in",
    "/sign-in?to=/sign-in",
    "/sign-in/code",
    "/sign-out",
]


def test_nobody_is_led_astray_from_the_door(site: Site) -> None:
    inside, outside = site.signed_in("wanda"), site.visitor()
    for to in ASTRAY:
        assert knock(site, to=to).headers["location"] == "/", to
        assert inside.get("/sign-in", params={"to": to}).headers["location"] == "/", to
        assert '<input type="hidden" name="to" value="/">' in outside.get("/sign-in", params={"to": to}).text, to
        assert outside.post("/language", data={"language": "it", "to": to}).headers["location"] == "/", to


def test_nobody_is_led_astray_after_the_code(site: Site) -> None:
    _totp, codes = with_second_factor(site)
    for code, to in zip(codes, ASTRAY, strict=False):
        answer = half_way_in(site).post("/sign-in/code", data={"code": code, "to": to})
        assert answer.headers["location"] == "/", to


@pytest.mark.parametrize(
    ("to", "where"),
    [
        pytest.param("/cases?state=planning&page=2", "/cases?state=planning&page=2", id="with its filters"),
        pytest.param("/cases/%0d%0aX", "/cases/%0d%0aX", id="line ends stay encoded"),
        pytest.param("/cases/è", "/cases/%C3%A8", id="an accent is encoded"),
    ],
)
def test_whoever_wanted_a_page_gets_there(site: Site, to: str, where: str) -> None:
    answer = knock(site, to=to)
    assert answer.headers["location"] == where and len(answer.headers.get_list("set-cookie")) == 1


def test_a_page_asked_for_without_a_session_is_remembered_at_the_door(site: Site) -> None:
    assert site.visitor().get("/cases?flag=stalled").headers["location"] == "/sign-in?to=%2Fcases%3Fflag%3Dstalled"
