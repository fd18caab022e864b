"""What the tests of the door have in common: knocking, a second factor, a lock."""

from datetime import timedelta
from typing import Any

import pyotp
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import accounts
from ponte_workflow.store import network
from ponte_workflow.store.accounts import credential_of, put_credential
from ponte_workflow.store.engine import Transaction
from tests.site import HOST, PASSWORD, Site

HOME = HOST.removeprefix("https://")
STEP = timedelta(seconds=30)


def knock(site: Site, password: str = PASSWORD, username: str = "wanda", **form: str) -> Any:
    """Somebody at the door, in a browser of their own."""
    return site.visitor().post("/sign-in", data={"username": username, "password": password, **form})


def id_of(tx: Transaction, username: str = "wanda") -> int:
    return network.member_by_username(tx, username).id


def with_second_factor(site: Site, username: str = "wanda") -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """Somebody whose second factor is in force, and whose codes of the last minute are not used up."""
    with site.ponte.store.transaction() as tx:
        who, at = id_of(tx, username), clock.now()
        totp = pyotp.TOTP(accounts.propose_second_factor(tx, who))
        codes = accounts.confirm_second_factor(tx, who, totp.at(at), at)
        put_credential(tx, who, totp_last_step=0)
    return totp, codes


def half_way_in(site: Site, username: str = "wanda") -> TestClient:
    """A browser in which the password was right and the code is still to come."""
    browser = site.visitor()
    answer = browser.post("/sign-in", data={"username": username, "password": PASSWORD})
    assert answer.headers["location"].startswith("/sign-in/code")
    return browser


def lock_of(site: Site, username: str = "wanda") -> timedelta | None:
    """How long the account is locked from now on, to the second."""
    with site.ponte.store.reading() as tx:
        known = credential_of(tx, id_of(tx, username))
    assert known is not None
    if known.locked_until is None or known.locked_until <= clock.now():
        return None
    return timedelta(seconds=round((known.locked_until - clock.now()).total_seconds(), -1))


def end_lock(site: Site) -> None:
    """As if the time of the lock had passed."""
    with site.ponte.store.transaction() as tx:
        put_credential(tx, id_of(tx), locked_until=clock.now() - timedelta(seconds=1))
