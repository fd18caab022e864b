"""A web application over a test's store, with people signed in: the public door that page tests go through."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.bootstrap import Ponte
from ponte_workflow.config import Settings
from ponte_workflow.server import build
from ponte_workflow.services import accounts, passwords
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import network
from ponte_workflow.store.accounts import put_credential
from ponte_workflow.store.engine import Store
from ponte_workflow.web.gate import COOKIE
from tests.builders import Team, create_team

PASSWORD = "nove gatti sul tetto"
HOST = "https://ponte.test"


@cache
def _hash() -> str:
    return passwords.hash_password(PASSWORD)


@dataclass
class Site:
    """Ponte in a browser's place. `team`: the staff of builders.STAFF plus `ada`, an administrator; all know PASSWORD."""

    ponte: Ponte
    app: FastAPI
    team: Team
    _clients: list[TestClient] = field(default_factory=list)

    def visitor(self) -> TestClient:
        """A browser in which nobody is signed in; redirects are not followed."""
        client = TestClient(
            self.app,
            base_url=HOST,
            follow_redirects=False,
            headers={"accept-language": "en"},
            client=("127.0.0.1", 50_000),
        )
        client.cookies.set(
            "ponte-language", "en", domain="ponte.test", path="/"
        )  # sentences in assertions are the msgids
        self._clients.append(client)
        return client

    def signed_in(self, username: str) -> TestClient:
        """A browser in which that person is signed in."""
        client = self.visitor()
        with self.ponte.store.transaction() as tx:
            member = network.member_by_username(tx, username)
            token = accounts.open_session(tx, member.id, at=clock.now(), browser="test", second_factor=True)
        client.cookies.set(COOKIE, token, domain="ponte.test", path="/")
        return client

    def close(self) -> None:
        """Give back what the clients hold."""
        for client in self._clients:
            client.close()


def make_site(store: Store, home: Path, **settings: object) -> Site:
    """A site over a store, with its people."""
    team = create_team(store)
    with store.transaction() as tx:
        network.add_staff(
            tx,
            username="ada",
            name="Ada",
            partner_code="aler",
            roles=("admin",),
            email="ada@example.org",
            language="it",
            at=clock.now(),
        )
        for member in network.members(tx).values():
            put_credential(tx, member.id, password_hash=_hash())
    read = Settings.model_validate({"home": home, "language": "en", **settings})
    ponte = Ponte(read, store, Pathways(read.pathways))
    team.pathways = ponte.pathways
    return Site(ponte, build(ponte), team)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    """A site on both databases."""
    made = make_site(store, tmp_path / "home")
    yield made
    made.close()
