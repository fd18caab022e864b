"""Programs that call the API of a test's site: tokens made through the services, calls through the public door."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

from fastapi import FastAPI
from httpx import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.services import integrations
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import actor_of
from ponte_workflow.store.engine import Transaction
from tests.integration.standing_cases import TODAY, walk
from tests.site import Site

BASE = "/api/v1"
_numbers = count(1)


@dataclass
class Program:
    """A program with a token. Every POST gets a fresh idempotency key unless one is given."""

    client: TestClient
    name: str
    token: str

    def get(self, path: str, **more: Any) -> Response:
        """GET below /api/v1."""
        answer: Response = self.client.get(BASE + path, **more)
        return answer

    def post(self, path: str, key: str | None = None, headers: dict[str, str] | None = None, **more: Any) -> Response:
        """POST below /api/v1."""
        sent = {"idempotency-key": key or f"key-{next(_numbers)}", **(headers or {})}
        answer: Response = self.client.post(BASE + path, headers=sent, **more)
        return answer


def administrator(site: Site, tx: Transaction) -> Occasion:
    """Ada at work now."""
    return Occasion(actor_of(tx, "ada", clock.today()), clock.today(), clock.now(), site.ponte.pathways)


def program(
    site: Site, username: str, scopes: Iterable[str] = integrations.SCOPES, *, until: date | None = None
) -> Program:
    """A program that acts for somebody."""
    name = f"program-{next(_numbers)}"
    with site.ponte.store.transaction() as tx:
        who = administrator(site, tx)
        last = until or who.on + timedelta(days=30)
        _row, token = integrations.create_token(tx, who, name=name, username=username, scopes=scopes, expires_on=last)
    return Program(caller(site, token), name, token)


def caller(site: Site, token: str | None) -> TestClient:
    """Whoever shows a token, or none."""
    client = site.visitor()
    if token is not None:
        client.headers["authorization"] = f"Bearer {token}"
    return client


def standing(site: Site, stage: str = "to_contact", worker: str = "wanda", on: date = TODAY) -> str:
    """The code of a case that stands there."""
    with site.ponte.store.transaction() as tx:
        return walk(site.team, tx, stage, worker, on=on).code


def problem(answer: Response) -> tuple[int, str, str]:
    """Status, type and sentence of a refusal; it must be a problem document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code and body["title"]
    return body["status"], body["type"].removeprefix("urn:ponte:problem:"), body["detail"]


def api_of(site: Site) -> FastAPI:
    """The mounted application."""
    found = next(route for route in site.app.routes if isinstance(route, Mount) and route.path == "/api/v1")
    assert isinstance(found.app, FastAPI)
    return found.app
