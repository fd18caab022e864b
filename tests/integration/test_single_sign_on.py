"""Single sign-on against a real provider on this machine: who gets in, and what is not believed."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.errors import BadConfiguration
from ponte_workflow.services import single_sign_on
from ponte_workflow.services.single_sign_on import Provider
from ponte_workflow.store import network
from ponte_workflow.store.accounts import credential_of, put_credential, sessions_of
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.network import staff
from ponte_workflow.web.gate import COOKIE
from ponte_workflow.web.single_sign_on import WAY
from tests.integration.oidc_provider import CLIENT, SECRET, FakeTown, running
from tests.site import Site, make_site

pytestmark = pytest.mark.machine_clock


@pytest.fixture
def town() -> Iterator[FakeTown]:
    """The provider."""
    with running() as found:
        yield found


@pytest.fixture
def site(store: Store, tmp_path: Path, town: FakeTown) -> Iterator[Site]:
    """A site that trusts the provider."""
    made = make_site(
        store,
        tmp_path / "home",
        oidc_issuer=town.issuer,
        oidc_name="Città",
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
    )
    yield made
    made.close()


def at_the_provider(browser: TestClient, to: str = "/cases") -> str:
    """Leave for the provider and be signed in there: the address that it sends the browser back to."""
    left = browser.get("/sign-in/single", params={"to": to})
    assert left.status_code == 303 and browser.cookies[WAY]
    back = httpx.get(left.headers["location"])
    return back.headers["location"].removeprefix("https://ponte.test")


def come_in(browser: TestClient, to: str = "/cases") -> Any:
    """All the way there and back."""
    return browser.get(at_the_provider(browser, to))


def test_somebody_whom_the_provider_vouches_for_comes_in(site: Site) -> None:
    browser = site.visitor()
    assert 'href="/sign-in/single?to=/"' in browser.get("/sign-in").text
    answer = come_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    assert browser.get("/cases").status_code == 200
    assert WAY not in browser.cookies
    with site.ponte.store.reading() as tx:
        wanda = network.member_by_username(tx, "wanda")
        known = credential_of(tx, wanda.id)
        assert known is not None and known.oidc_subject
        assert sessions_of(tx, wanda.id, clock.now())[0].second_factor, "that is the provider's business"


def test_the_cookie_of_the_way_is_short_lived_closed_and_strict(site: Site) -> None:
    cookie = site.visitor().get("/sign-in/single").headers["set-cookie"]
    assert cookie.startswith(f"{WAY}=") and "nonce" not in cookie
    assert all(part in cookie for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"))


def test_after_the_first_time_the_subject_decides_and_not_the_name(site: Site, town: FakeTown) -> None:
    come_in(site.visitor())
    town.person = {"sub": "u-1", "preferred_username": "somebody.else"}
    browser = site.visitor()
    come_in(browser)
    assert "wanda" in browser.get("/account").text
    town.person = {"sub": "u-2", "preferred_username": "wanda"}
    answer = come_in(site.visitor())
    assert answer.status_code == 403 and f"{COOKIE}=" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "person",
    [
        pytest.param({"sub": "u-9", "preferred_username": "stranger"}, id="unknown here"),
        pytest.param({"sub": "u-9", "preferred_username": "walter"}, id="inactive here"),
        pytest.param({"sub": "u-9", "preferred_username": ""}, id="without a name"),
        pytest.param({"sub": "u-9", "preferred_username": ["wanda"]}, id="a name that is no text"),
        pytest.param({"sub": "u-9"}, id="no name at all"),
    ],
)
def test_a_stranger_is_refused_and_no_account_is_made(site: Site, town: FakeTown, person: dict[str, Any]) -> None:
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "walter").values(active=False))
        before = tx.connection.execute(select(func.count()).select_from(staff)).scalar_one()
    town.person = person
    browser = site.visitor()
    answer = come_in(browser)
    assert answer.status_code == 403 and "ask the administrator" in answer.text
    assert COOKIE not in browser.cookies
    with site.ponte.store.reading() as tx:
        assert tx.connection.execute(select(func.count()).select_from(staff)).scalar_one() == before


def test_whoever_was_deactivated_is_refused_although_bound(site: Site) -> None:
    come_in(site.visitor())
    with site.ponte.store.transaction() as tx:
        tx.connection.execute(update(staff).where(staff.c.username == "wanda").values(active=False))
    assert come_in(site.visitor()).status_code == 403


def test_a_name_that_only_the_userinfo_has_is_enough(site: Site, town: FakeTown) -> None:
    town.without = ("preferred_username",)
    assert come_in(site.visitor()).status_code == 303


def now_and(seconds: int) -> int:
    return int(time.time()) + seconds


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"nonce": "another"}, id="nonce of another sign-in"),
        pytest.param({"aud": "somebody-else"}, id="for another client"),
        pytest.param({"aud": ["somebody-else", "ponte"]}, id="for several, and none is named"),
        pytest.param({"aud": ["somebody-else", "ponte"], "azp": "somebody-else"}, id="given to another client"),
        pytest.param({"exp": 1_700_000_000}, id="expired long ago"),
        pytest.param({"exp": "soon"}, id="an expiry that is no time"),
        pytest.param({"iat": 4_000_000_000}, id="issued in the future"),
        pytest.param({"iss": "https://evil.example"}, id="from another issuer"),
        pytest.param({"sub": ""}, id="about nobody"),
        pytest.param({"sub": 7}, id="a subject that is no text"),
    ],
)
def test_a_token_that_does_not_say_what_it_must_is_not_believed(
    site: Site, town: FakeTown, spoil: dict[str, Any]
) -> None:
    town.spoil = spoil
    answer = come_in(site.visitor())
    assert answer.status_code == 403 and "begin again" in answer.text


@pytest.mark.parametrize("claim", ["nonce", "aud", "exp", "iat", "iss", "sub"])
def test_a_token_that_lacks_a_claim_is_not_believed(site: Site, town: FakeTown, claim: str) -> None:
    town.without = (claim,)
    assert come_in(site.visitor()).status_code == 403


def test_a_token_that_expired_just_now_is_not_believed_beyond_what_clocks_differ(site: Site, town: FakeTown) -> None:
    town.spoil = {"exp": now_and(-30)}
    assert come_in(site.visitor()).status_code == 303
    town.spoil = {"exp": now_and(-90)}
    assert come_in(site.visitor()).status_code == 403


def test_a_forged_signature_is_not_believed(site: Site, town: FakeTown) -> None:
    town.signs_with = RSAKey.generate_key(2048)
    assert come_in(site.visitor()).status_code == 403


@pytest.mark.parametrize("alg", ["HS256", "none"])
def test_a_token_signed_by_what_everybody_knows_is_not_believed(site: Site, town: FakeTown, alg: str) -> None:
    town.alg = alg
    assert come_in(site.visitor()).status_code == 403


def test_a_provider_that_changes_its_key_goes_on_working(site: Site, town: FakeTown) -> None:
    assert come_in(site.visitor()).status_code == 303
    town.key = RSAKey.generate_key(2048, auto_kid=True)
    assert come_in(site.visitor()).status_code == 303
    assert come_in(site.visitor()).status_code == 303
    assert town.asked == {"document": 2, "jwks": 2}, "fetched once, and once again for the new key"


def test_the_way_back_is_good_once(site: Site) -> None:
    browser = site.visitor()
    back = at_the_provider(browser)
    remembered = browser.cookies[WAY]
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403, "what was remembered is used up"
    thief = site.visitor()
    thief.cookies.set(WAY, remembered, domain="ponte.test", path="/")
    assert thief.get(back).status_code == 403, "and so is the provider's code"
    assert COOKIE not in thief.cookies


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("", id="nothing"),
        pytest.param("error=access_denied&state={state}", id="refused at the provider"),
        pytest.param("code={code}", id="no state"),
        pytest.param("code={code}&state=another", id="another state"),
        pytest.param("code={code}&state=%C3%A8", id="a state that is no ASCII"),
        pytest.param("code=guess&state={state}", id="a code that was never given"),
        pytest.param("code={code}&state={state}&iss=https://evil.example", id="mixed up with another issuer"),
    ],
)
def test_a_way_back_that_was_tampered_with_leads_nowhere(site: Site, query: str) -> None:
    browser = site.visitor()
    given = parse_qs(urlsplit(at_the_provider(browser)).query)
    answer = browser.get("/sign-in/single/return?" + query.format(code=given["code"][0], state=given["state"][0]))
    assert answer.status_code == 403 and COOKIE not in browser.cookies


def test_a_way_that_another_browser_began_leads_nowhere(site: Site) -> None:
    back = at_the_provider(site.visitor())
    assert site.visitor().get(back).status_code == 403
    other = site.visitor()
    at_the_provider(other)
    assert other.get(back).status_code == 403


@pytest.mark.parametrize("junk", ["", "nonsense", "gAAAAAB"])
def test_a_cookie_that_is_not_ours_leads_nowhere(site: Site, junk: str) -> None:
    browser = site.visitor()
    browser.cookies.set(WAY, junk, domain="ponte.test", path="/")
    assert browser.get("/sign-in/single/return?code=x&state=y").status_code == 403


def test_another_encrypted_value_of_ours_is_no_way(site: Site) -> None:
    browser = site.visitor()
    browser.cookies.set(WAY, site.ponte.store.cipher.encrypt("[1]"), domain="ponte.test", path="/")
    assert browser.get("/sign-in/single/return?code=x&state=y").status_code == 403


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/sign-in/single", "x"]
)
def test_the_way_back_stays_in_the_house(site: Site, to: str) -> None:
    assert come_in(site.visitor(), to).headers["location"] == "/"


def test_a_provider_that_does_not_answer_is_said_so(site: Site, town: FakeTown) -> None:
    town.broken = True
    answer = site.visitor().get("/sign-in/single")
    assert answer.status_code == 502 and "sign in with your password" in answer.text


def test_a_document_of_another_issuer_is_not_believed(site: Site, town: FakeTown) -> None:
    town.spoil = {"document_issuer": "https://evil.example"}
    assert site.visitor().get("/sign-in/single").status_code == 502


def test_the_providers_document_is_kept_for_an_hour(town: FakeTown) -> None:
    provider = Provider(town.issuer, CLIENT, SECRET, "preferred_username")
    at = clock.now()
    for minutes in (0, 59, 61):
        provider.begin("https://ponte.test/", at + timedelta(minutes=minutes))
    assert town.asked["document"] == 2


def test_an_issuer_that_others_could_listen_to_is_refused() -> None:
    with pytest.raises(BadConfiguration):
        Provider("http://id.example.org", CLIENT, None, "preferred_username")


def test_a_mail_address_counts_only_when_it_was_verified(town: FakeTown, store: Store, tmp_path: Path) -> None:
    settings = {"oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_username_claim": "email"}
    made = make_site(store, tmp_path / "home", oidc_issuer=town.issuer, **settings)
    town.person = {"sub": "u-1", "email": "wanda", "email_verified": False}
    assert come_in(made.visitor()).status_code == 403
    town.person["email_verified"] = True
    assert come_in(made.visitor()).status_code == 303
    made.close()


def test_once_forgotten_the_next_sign_in_binds_anew(site: Site, town: FakeTown) -> None:
    browser = site.visitor()
    come_in(browser)
    with site.ponte.store.transaction() as tx:
        single_sign_on.forget(tx, network.member_by_username(tx, "wanda").id, clock.now())
    assert browser.get("/cases").status_code == 303
    town.person["sub"] = "u-2"
    assert come_in(site.visitor()).status_code == 303


def test_a_password_to_be_changed_and_a_missing_second_factor_do_not_stand_in_the_way(
    store: Store, tmp_path: Path, town: FakeTown
) -> None:
    made = make_site(
        store,
        tmp_path / "home",
        oidc_issuer=town.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        second_factor_roles="case_worker",
    )
    with store.transaction() as tx:
        put_credential(tx, network.member_by_username(tx, "wanda").id, must_change=True)
    browser = made.visitor()
    come_in(browser)
    assert browser.get("/cases").status_code == 200
    made.close()


def test_without_a_provider_there_is_no_such_way(store: Store, tmp_path: Path) -> None:
    made = make_site(store, tmp_path / "home")
    browser = made.visitor()
    assert "single" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/single").status_code == browser.get("/sign-in/single/return").status_code == 404
    made.close()
