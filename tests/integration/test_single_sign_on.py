"""Single sign-on against a real provider: who comes in, and every token that must not open the door."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from ponte_workflow.store import network
from ponte_workflow.store.engine import Store
from ponte_workflow.web.gate import COOKIE
from tests.integration.oidc_provider import CLIENT, SECRET, OidcProvider, running
from tests.site import Site, make_site

STRANGER = "have no account in Ponte"
REFUSED = "did not succeed"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with running() as one:
        yield one


@pytest.fixture
def site(store: Store, tmp_path: Path, provider: OidcProvider) -> Iterator[Site]:
    provider.username, provider.subject, provider.claims, provider.forger = "wanda", "subject-1", {}, None
    made = make_site(
        store,
        tmp_path / "home",
        oidc_issuer=provider.issuer,
        oidc_name="Town",
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
    )
    yield made
    made.close()


def leave(browser: TestClient, to: str = "/") -> str:
    """Off to the provider, which sends the browser back: the address of the way back."""
    gone = browser.get("/sign-in/single", params={"to": to})
    assert gone.status_code == 303, gone.text
    back = httpx.get(gone.headers["location"], follow_redirects=False).headers["location"]
    assert back.startswith("https://ponte.test/sign-in/single/return?")
    return str(back)


def test_somebody_known_comes_in_and_lands_where_they_wanted(site: Site) -> None:
    browser = site.visitor()
    assert "Sign in with Town" in browser.get("/sign-in").text
    answer = browser.get(leave(browser, "/cases?flag=stalled"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?flag=stalled")
    assert browser.get("/account").status_code == 200 and COOKIE in browser.cookies


def test_the_subject_decides_from_the_first_time_on(site: Site, provider: OidcProvider) -> None:
    browser = site.visitor()
    browser.get(leave(browser))
    provider.username = "walter"  # a name can be changed there
    again = site.visitor()
    again.get(leave(again))
    assert "Wanda" in again.get("/account").text
    provider.subject, provider.username = "subject-2", "wanda"
    other = site.visitor()
    answer = other.get(leave(other))
    assert answer.status_code == 403 and STRANGER in answer.text, "a name that is bound to another subject"


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        pytest.param({"nonce": "another"}, REFUSED, id="nonce"),
        pytest.param({"aud": "another"}, REFUSED, id="audience"),
        pytest.param({"aud": [CLIENT, "another"]}, REFUSED, id="several audiences without azp"),
        pytest.param({"iss": "https://elsewhere.example"}, REFUSED, id="issuer"),
        pytest.param({"exp": int(time.time()) - 3600}, REFUSED, id="expired"),
        pytest.param({"preferred_username": "nobody"}, STRANGER, id="unknown here"),
        pytest.param({"preferred_username": None}, STRANGER, id="no username"),
    ],
)
def test_a_token_that_is_not_as_it_should_be_opens_nothing(
    site: Site, provider: OidcProvider, claims: dict[str, Any], sentence: str
) -> None:
    provider.claims = claims
    browser = site.visitor()
    answer = browser.get(leave(browser))
    assert answer.status_code == 403 and sentence in answer.text
    assert COOKIE not in browser.cookies


def test_a_forged_signature_opens_nothing(site: Site, provider: OidcProvider) -> None:
    provider.forger = RSAKey.generate_key(2048, {"kid": "one"})
    browser = site.visitor()
    assert browser.get(leave(browser)).status_code == 403 and COOKIE not in browser.cookies


def test_the_way_back_is_good_for_one_browser_and_once(site: Site) -> None:
    browser, thief = site.visitor(), site.visitor()
    back = leave(browser)
    assert thief.get(back).status_code == 403, "another browser"
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 403, "replayed"
    mine = leave(browser)
    assert browser.get(mine.replace("state=", "state=x")).status_code == 403, "another state"


def test_somebody_who_left_does_not_come_in(site: Site) -> None:
    from sqlalchemy import update

    from ponte_workflow.store.schema.network import staff

    browser = site.visitor()
    browser.get(leave(browser))
    with site.ponte.store.transaction() as tx:
        member = network.member_by_username(tx, "wanda")
        tx.connection.execute(update(staff).where(staff.c.id == member.id).values(active=False))
    again = site.visitor()
    answer = again.get(leave(again))
    assert answer.status_code == 403 and STRANGER in answer.text


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])
def test_the_way_leads_nowhere_else(site: Site, to: str) -> None:
    browser = site.visitor()
    assert browser.get(leave(browser, to)).headers["location"] == "/"


def test_without_a_provider_there_is_no_such_way(store: Store, tmp_path: Path) -> None:
    site = make_site(store, tmp_path / "plain")
    browser = site.visitor()
    assert browser.get("/sign-in/single").status_code == 404
    assert "/sign-in/single" not in browser.get("/sign-in").text
    site.close()


def test_a_provider_that_does_not_answer_is_said_and_the_password_still_works(store: Store, tmp_path: Path) -> None:
    site = make_site(store, tmp_path / "dead", oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT)
    browser = site.visitor()
    answer = browser.get("/sign-in/single")
    assert answer.status_code == 502 and "sign in with your password" in answer.text
    site.close()
