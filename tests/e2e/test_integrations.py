"""`ponte token` and `ponte webhook` at the console, and a token made there used at the API."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ponte_workflow import clock
from ponte_workflow.bootstrap import open_ponte
from ponte_workflow.config import Settings
from ponte_workflow.server import build
from tests.e2e.test_console import Console


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def ponte(home: Path) -> Console:
    """A home with an administrator and a lead."""
    console = Console(home)
    console("db", "key")
    console("db", "upgrade")
    console("partner", "add", "aler", "--name", "ALER", "--kind", "landlord")
    for username, role in (("ada", "admin"), ("lidia", "lead")):
        console("user", "add", username, "--name", username.title(), "--partner", "aler", "--role", role)
    return console


UNTIL = (clock.today() + timedelta(days=90)).isoformat()
NEW = ("--acts-as", "lidia", "--scope", "cases:read", "--scope", "events:read", "--until", UNTIL)


def test_a_token_is_made_used_listed_and_revoked(ponte: Console, home: Path) -> None:
    made = ponte.json("token", "add", "registry", *NEW, "--as", "ada")
    token = made.pop("token")
    assert token.startswith("ponte_") and made["scopes"] == ["cases:read", "events:read"]
    app = build(open_ponte(Settings(home=home)))
    with TestClient(app, base_url="https://ponte.test", headers={"authorization": f"Bearer {token}"}) as program:
        assert program.get("/api/v1/cases").json() == {"items": [], "next": None}
        listed = ponte.json("token", "list", "--as", "ada")
        assert [one["name"] for one in listed] == ["registry"] and listed[0]["last_used_at"]
        assert token not in json.dumps(listed) and "token" not in listed[0]
        assert ponte.json("token", "revoke", "registry", "--as", "ada")["revoked_at"]
        assert program.get("/api/v1/cases").status_code == 401
    assert token not in ponte("token", "list", "--as", "ada")


def test_a_token_without_json_is_printed_alone_on_its_line(ponte: Console) -> None:
    assert ponte("token", "add", "second", *NEW, "--as", "ada").splitlines()[-1].startswith("ponte_")


def test_refusals_are_sentences(ponte: Console) -> None:
    assert "administrator" in ponte("token", "list", "--as", "lidia", code=1)
    assert "Scopes must be among" in ponte(
        "token", "add", "third", "--acts-as", "lidia", "--scope", "x", "--until", UNTIL, "--as", "ada", code=1
    )
    assert "Integration nobody not found" in ponte("token", "revoke", "nobody", "--as", "ada", code=1)
    assert "cannot be a webhook" in ponte("webhook", "add", "http://127.0.0.1/", "--as", "ada", code=1)


def test_webhooks_are_added_listed_removed_and_tried_again(ponte: Console) -> None:
    address = "https://example.org/ponte"
    made = ponte.json("webhook", "add", address, "--event", "step", "--as", "ada")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert ponte.json("webhook", "list", "--as", "ada") == [made]
    assert made == {"id": 1, "url": address, "events": ["step"], "active": True, "waiting": 0, "sent": 0, "failed": 0}
    assert ponte.json("webhook", "retry", "1", "--as", "ada") == {"id": 1, "queued": 0}
    assert ponte.json("webhook", "remove", "1", "--as", "ada") == {"id": 1, "active": False}
    assert not ponte.json("webhook", "list", "--as", "ada")[0]["active"]
    report = ponte.json("deliver")
    assert report["sent"] == report["events_queued"] == report["events_sent"] == 0
