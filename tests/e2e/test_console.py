"""The console as people and programs use it: exit codes, sentences, JSON; every command of the README exists."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from flows.console import COMMANDS
from ponte_workflow.demo.neighbourhood import Neighbourhood

REPOSITORY = Path(__file__).parents[2]
LAST = date(2026, 10, 31)


# Every command's help, in one process: to start one for each takes two minutes.
ASK_EACH = """
import sys
from flows.console import app
for command in sys.stdin:
    sys.argv = ["ponte", *command.split(), "--help"]
    try:
        app()
    except SystemExit as end:
        if end.code:
            sys.exit(f"{command.strip()}: {end.code}")
"""


class Console:
    """`ponte` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PONTE_")},
            "PONTE_HOME": str(home),
            "PONTE_LANGUAGE": "en",
            "COLUMNS": "200",
        }

    def __call__(self, *words: str, code: int = 0, stdin: str = "", **environment: str) -> str:
        """Run a command, expect its exit code, return stdout (stderr when it is refused)."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.console", *words],
            env={**self.environment, **environment},
            cwd=REPOSITORY,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        if code:
            assert "Traceback" not in done.stderr
        return done.stderr if code else done.stdout

    def json(self, *words: str) -> Any:
        """The same, parsed."""
        return json.loads(self(*words, "--json"))


@pytest.fixture(scope="module")
def ponte(tmp_path_factory: pytest.TempPathFactory) -> Console:
    """A Ponte with the committed files imported, one night run, and a small team."""
    console = Console(tmp_path_factory.mktemp("home"))
    console("db", "key")
    console("db", "upgrade")
    exports = tmp_path_factory.mktemp("exports")
    Neighbourhood.generate(7, date(2024, 11, 1), LAST).write_exports(exports, LAST)
    console("import", str(exports))
    console("partner", "add", "aler", "--name", "ALER", "--kind", "landlord")
    where = ("--quarter", "sanpolino", "--quarter", "san_polo")
    console("partner", "add", "coop", "--name", "Cooperativa", "--kind", "cooperative", *where)
    for username, role in (("sara", "supervisor"), ("wanda", "case_worker")):
        console(
            "user",
            "add",
            username,
            "--name",
            username.title(),
            "--partner",
            "coop",
            "--role",
            role,
            "--email",
            f"{username}@example.org",
        )
    console(
        "user", "add", "lidia", "--name", "Lidia", "--partner", "aler", "--role", "lead", "--email", "lidia@example.org"
    )
    console("nightly", "--on", "2026-10-31", "--without-prefect")
    return console


def test_plans_are_listed_and_the_book_of_a_case_opens(ponte: Console) -> None:
    code = ponte.json("case", "list", "--as", "lidia")[0]["code"]
    assert ponte.json("plan", "list", "--as", "lidia") == []
    assert ponte.json("plan", "show", code, "--as", "lidia") == {"code": code, "plans": []}
    assert "No payment plan yet." in ponte("plan", "show", code, "--as", "lidia")
    assert "none of all, late, settled" in ponte("plan", "list", "--standing", "odd", "--as", "lidia", code=1)


def test_notices_and_receipts_say_what_is_missing(ponte: Console, tmp_path: Path) -> None:
    code = ponte.json("case", "list", "--as", "lidia")[0]["code"]
    assert ponte.json("notice", "list", code, "--as", "lidia") == []
    assert "PONTE_PAGOPA" in ponte("notice", "issue", code, "--as", "lidia", code=1)
    wrong = ponte("notice", "issue", code, "--as", "lidia", code=1, PONTE_PAGOPA="ALER=12/3")
    assert "ALER=12/3" in wrong
    bodies = "ALER=00000000001/47"
    assert "signed plan" in ponte("notice", "issue", code, "--as", "lidia", code=1, PONTE_PAGOPA=bodies)
    assert "cannot be read" in ponte("receipts", "import", str(tmp_path / "none.csv"), "--as", "lidia", code=1)
    file = tmp_path / "receipts.csv"
    file.write_text("receiptId,creditorReferenceId,paymentAmount,paymentDateTime\nR1,X1,10.00,2026-11-02\n")
    assert ponte.json("receipts", "import", str(file), "--as", "lidia")["new"] == 1
    assert [one["receipt_id"] for one in ponte.json("receipts", "unmatched", "--as", "lidia")] == ["R1"]


def test_the_neighbourhood_and_the_network_at_the_console(ponte: Console) -> None:
    assert ponte.json("event", "list", "--as", "lidia") == []
    assert ponte.json("referral", "list", "--as", "lidia") == []
    ponte("service", "put", "Evening school", "--kind", "training", "--quarter", "sanpolino", "--as", "sara")
    assert [one["name"] for one in ponte.json("service", "list", "--text", "school", "--as", "wanda")] == [
        "Evening school"
    ]
    assert "none of" in ponte("service", "put", "X", "--kind", "odd", "--as", "sara", code=1)
    ponte("partner", "add", "amici", "--name", "Amici", "--kind", "association", "--quarter", "sanpolino")
    plan = ("--kind", "dinner", "--quarter", "sanpolino", "--organiser", "amici", "--place", "Hall")
    when = ("--starts", "2026-12-01T18:30", "--ends", "2026-12-01T20:30")
    number = ponte.json("event", "add", "Dinner", *plan, *when, "--as", "sara")["event"]
    planned = ponte.json("event", "list", "--as", "wanda", "--on", "2026-11-02")
    assert [(one["id"], one["title"]) for one in planned] == [(number, "Dinner")]
    ponte("event", "cancel", str(number), "--as", "sara", "--on", "2026-11-02")
    ponte("emporio", "put", "Pasta", "5", "--quarter", "sanpolino", "--as", "sara")


def test_a_case_is_advanced_undone_paused_and_looked_at(ponte: Console) -> None:
    code = ponte.json("case", "list", "--as", "lidia")[0]["code"]
    assert ponte.json("case", "assign", code, "wanda", "--as", "sara", "--on", "2026-11-02")["configuration"] == [
        "screening"
    ]
    ponte("case", "undo", code, "--as", "sara", "--on", "2026-11-02")
    assert ponte.json("case", "show", code, "--as", "sara")["configuration"] == ["detected"]
    ponte("case", "assign", code, "wanda", "--as", "sara", "--on", "2026-11-02")
    ponte(
        "case",
        "advance",
        code,
        "confirm",
        "-s",
        "cause=dismissal",
        "-s",
        "objective=yes",
        "-s",
        "transitory=yes",
        "--as",
        "wanda",
        "--on",
        "2026-11-03",
    )
    ponte("case", "attempt", code, "--channel", "phone", "--outcome", "spoken", "--as", "wanda", "--on", "2026-11-03")
    ponte("case", "pause", code, "--reason", "hospital", "--until", "2026-11-20", "--as", "wanda", "--on", "2026-11-03")
    ponte("case", "resume", code, "--as", "wanda", "--on", "2026-11-04")
    possible = {
        p["trigger"]: p for p in ponte.json("case", "why", code, "--as", "wanda", "--on", "2026-11-04")["possibilities"]
    }
    assert possible["meet"]["ready"] and not possible["ask_neighbours"]["ready"]
    assert possible["ask_neighbours"]["missing"][0]["fix_by"] == ["case_worker"]
    assert [e["kind"] for e in ponte.json("case", "history", code, "--as", "wanda")][-2:] == ["pause", "resume"]
    ponte("case", "advance", code, "drop_out", "-s", "reason=x", "--as", "sara", "--on", "2026-11-05")
    assert ponte.json("case", "reopen", code, "--reason", "y", "--as", "sara", "--on", "2026-11-06")[
        "configuration"
    ] == ["screening"]
    for command in ("worktray", "stalled", "lists"):
        ponte(command, "--as", "sara", "--json")
        ponte(command, "--as", "sara")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        pytest.param(("case", "show", "P-999999", "--as", "sara"), 1, "not found", id="unknown case"),
        pytest.param(
            ("partner", "add", "x", "--name", "X", "--kind", "agency", "--quarter", "y"), 1, "Quarter y", id="quarter"
        ),
        pytest.param(("case", "show", "P-000001"), 1, "Say who acts", id="nobody acts"),
        pytest.param(("case", "show", "P-000001", "--as", "nobody"), 1, "Nobody active", id="unknown user"),
        pytest.param(("case", "advance", "P-000002", "fly", "--as", "lidia"), 1, "knows no", id="unknown trigger"),
        pytest.param(
            ("case", "advance", "P-000002", "consent", "--as", "lidia"), 1, "possible only from", id="not here"
        ),
        pytest.param(
            ("case", "advance", "P-000002", "assign", "--as", "wanda"), 1, "another organisation", id="not yours"
        ),
        pytest.param(
            ("case", "advance", "P-000002", "assign", "--as", "sara"), 1, "missing: Case worker", id="field missing"
        ),
        pytest.param(("case", "list", "--as", "sara", "--on", "31/10/2026"), 1, "YYYY-MM-DD", id="no date"),
        pytest.param(("nightly", "--on", "2026-01-01"), 1, "never run", id="a night before the first"),
        pytest.param(("import", "nowhere.csv"), 1, "nowhere.csv", id="no such file"),
        pytest.param(("case", "fly"), 2, "No such command", id="wrong usage"),
        pytest.param(("worktray", "--fly"), 2, "No such option", id="wrong option"),
    ],
)
def test_a_refusal_is_a_sentence_on_stderr_with_its_exit_code(
    ponte: Console, words: tuple[str, ...], code: int, sentence: str
) -> None:
    assert sentence in ponte(*words, code=code)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        pytest.param({"PONTE_KEY": "bm8="}, "Fernet key", id="no key at all"),
        pytest.param({"PONTE_KEY": "A" * 43 + "="}, "does not open this database", id="another key"),
        pytest.param({"PONTE_SMTP_PORT": "abc"}, "PONTE_SMTP_PORT", id="unreadable setting"),
        pytest.param({"PONTE_LANGUAGE": "de"}, "PONTE_LANGUAGE", id="unknown language"),
        pytest.param({"PONTE_DATABASE_URL": "mysql://x/y"}, "SQLite or PostgreSQL", id="another database"),
        pytest.param({"PONTE_DATABASE_URL": "postgresql://localhost:1/x"}, "does not answer", id="database away"),
        pytest.param({"PONTE_DATABASE_URL": "sqlite:///{tmp}/empty.sqlite3"}, "ponte db upgrade", id="empty database"),
    ],
)
def test_a_wrong_setting_is_refused_at_start(
    ponte: Console, environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    given = {name: value.replace("{tmp}", str(tmp_path)) for name, value in environment.items()}
    assert sentence in ponte("case", "list", "--as", "sara", code=1, **given)


def test_no_mail_server_leaves_everything_in_the_outbox(ponte: Console) -> None:
    ponte("nightly", "--on", "2026-11-05", "--without-prefect")  # reminders fall due, a digest is gathered
    refusal = ponte(
        "deliver", "--at", "2026-11-03T10:00+01:00", code=1, PONTE_SMTP_HOST="127.0.0.1", PONTE_SMTP_PORT="1"
    )
    assert "stays in the outbox" in refusal


def test_the_night_can_be_rehearsed_and_verified(ponte: Console) -> None:
    actions = ponte.json("nightly", "--on", "2026-11-09", "--rehearse")
    assert {"night", "step", "case", "what", "why", "done"} <= set(actions[0])
    assert ponte.json("audit", "verify")["found"] == []


def test_pathways_are_shown_drawn_and_validated(ponte: Console, tmp_path: Path) -> None:
    assert "engagement.to_contact" in ponte("pathway", "show", "san_polo")
    assert ponte("pathway", "diagram").lstrip().startswith("<svg")
    assert ponte("pathway", "diagram", "--format", "mermaid").startswith("stateDiagram-v2")
    ponte("pathway", "validate", "states/pathways/sanpolino.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: broken\nextends: un_ponte_sul_blu\nversion: 1\nhousehold:\n  states:\n    detectd: {}\n")
    assert "broken.yaml:6" in ponte("pathway", "validate", str(broken), code=1)


def test_every_command_in_the_readme_exists(ponte: Console) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    named = set()
    for words in re.findall(r"(?:`|^    )ponte ([a-z -]+)", text, flags=re.MULTILINE):
        first, *rest = [word for word in words.split() if not word.startswith("-")]
        grouped = isinstance(getattr(import_module(COMMANDS[first].module), COMMANDS[first].name), typer.Typer)
        named.add(" ".join([first, *rest[: int(grouped)]]))
    assert len(named) > 10
    helped = subprocess.run(
        [sys.executable, "-c", ASK_EACH],
        env=ponte.environment,
        cwd=REPOSITORY,
        input="\n".join(sorted(named)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert helped.returncode == 0, helped.stderr
    assert helped.stdout.count("Usage: ponte") == len(named)


def test_passwords_are_set_at_the_console(ponte: Console) -> None:
    made = ponte.json("user", "password", "wanda", "--random")
    assert made["must_change"] is True and len(made["password"]) == 24
    assert "one of the first" in ponte("user", "password", "wanda", "--final", code=1, stdin="passwordpassword\n")
    assert "is set" in ponte("user", "password", "wanda", "--final", stdin="nove gatti sul tetto\n")
    assert "can try again" in ponte("user", "unlock", "wanda")
    assert "no second factor" in ponte("user", "second-factor-off", "wanda")
    assert "nobody" in ponte("user", "password", "nobody", code=1)


def test_people_are_looked_after_at_the_console_by_the_rules_of_the_pages(ponte: Console) -> None:
    wrong = ("--name", "X", "--partner", "coop", "--role", "case_worker")
    assert "2 to 60 lower-case" in ponte("user", "add", "Wrong Name", *wrong, code=1)
    assert "is taken" in ponte("user", "add", "WANDA", *wrong, code=1)
    assert "mail address is not valid" in ponte("user", "add", "new", *wrong, "--email", "nowhere", code=1)
    assert "cannot cover" in ponte("user", "away", "wanda", "--from", "2026-11-02", "--deputy", "lidia", code=1)
    assert "before the first" in ponte("user", "away", "wanda", "--from", "2026-11-02", "--to", "2026-11-01", code=1)
    assert "a code begins" in ponte("partner", "add", "Coop!", "--name", "X", "--kind", "agency", code=1).lower()
    ponte("user", "away", "wanda", "--from", "2026-11-02", "--to", "2026-11-03", "--deputy", "sara")
    ponte("user", "away", "wanda")
    ponte("partner", "add", "coop", "--name", "Cooperativa", "--kind", "cooperative", "--quarter", "sanpolino")
    with sqlite3.connect(next(ponte.home.glob("*.sqlite3"))) as database:
        traced = {row[0] for row in database.execute("SELECT detail FROM access WHERE what = 'people.change'")}
    assert any("away 2026-11-02..2026-11-03" in one for one in traced)
    assert any("edited quarters:san_polo,sanpolino" in one for one in traced), "quarters are added, never lost"


def test_contacts_inbox_costs_and_bounces(ponte: Console, tmp_path: Path) -> None:
    code = ponte.json("case", "list", "--as", "lidia")[1]["code"]
    ponte("case", "assign", code, "wanda", "--as", "sara", "--on", "2026-11-02")
    people = ponte.json("contact", "list", code, "--as", "wanda")
    person = str(people[0]["id"])
    words = ("contact", "set", code, "--person", person, "--kind", "email")
    assert ponte.json(*words, "--value", "a@example.org", "--preferred", "yes", "--as", "wanda") == {"changed": True}
    assert "Nothing was new" in ponte(*words, "--preferred", "yes", "--as", "wanda")
    assert "no mail address" in ponte(*words, "--value", "a b", "--as", "wanda", code=1)
    assert "write yes or no" in ponte(*words, "--works", "perhaps", "--as", "wanda", code=1)
    assert "a@example.org" in ponte("contact", "list", code, "--as", "wanda")
    ponte("nightly", "--on", "2026-11-05", "--without-prefect")
    assert ponte.json("inbox", "--as", "sara")["unread"] > 0, "what the night said lies there"
    ponte("inbox", "--unread", "--as", "sara")
    ponte("deliver", "--at", "2026-11-05T10:00+01:00", PONTE_SMS_URL="files")
    assert {one["channel"] for one in ponte.json("costs", "--on", "2026-11-05", "--as", "sara")} >= {"email"}
    assert "mail" in ponte("costs", "--on", "2026-11-05", "--as", "sara")
    assert "This is for" in ponte("costs", "--as", "wanda", code=1)
    assert "PONTE_BOUNCES" in ponte("bounces", code=1)
    (tmp_path / "x.eml").write_bytes(b"")
    done = ponte("bounces", "--json", PONTE_BOUNCES=str(tmp_path))
    assert json.loads(done)["malformed"] == [{"mail": "x.eml", "why": "empty"}]
    ponte("bounces", code=1, PONTE_BOUNCES="imaps://u@127.0.0.1:1/INBOX")


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PONTE_SMS_URL": "http://sms.example.org"}, id="SMS in the clear"),
        pytest.param({"PONTE_SMS_FROM": "Un ponte sul blu", "PONTE_SMS_URL": "files"}, id="a sender too long"),
        pytest.param({"PONTE_SMS_SECRET": "short"}, id="a secret that can be guessed"),
        pytest.param({"PONTE_LEGAL_CHANNELS": "sms"}, id="legal weight by SMS"),
        pytest.param({"PONTE_BOUNCES": "pop3://x"}, id="another mailbox"),
        pytest.param({"PONTE_SMS_CENTS": "free"}, id="a price in words"),
    ],
)
def test_channels_that_cannot_be_are_refused_before_anything_leaves(
    ponte: Console, environment: dict[str, str]
) -> None:
    name = next(iter(environment))
    assert name in ponte("deliver", code=1, **environment)


def test_the_desk_at_the_console(ponte: Console) -> None:
    """Tasks, agenda, teams and caseloads, as somebody without a browser uses them."""
    on = ("--on", LAST.isoformat())
    key = ponte("task", "add", "Call the school", "--due", LAST.isoformat(), "--as", "wanda", *on).strip()
    assert "Call the school" in ponte("task", "list", "--as", "wanda", *on)
    ponte("task", "snooze", key, "--until", "2026-11-03", "--as", "wanda", *on)
    assert ponte("task", "list", "--as", "wanda", *on).strip() == "No task waits for you."
    ponte("task", "done", key, "--as", "wanda", *on)
    assert "todo/999" in ponte("task", "done", "todo/999", "--as", "wanda", code=1)
    assert ponte("agenda", "--as", "wanda", *on).strip() == "No appointment in these days."
    number = ponte("team", "add", "coop", "North", "--as", "sara", *on).strip()
    ponte("team", "set", number, "--name", "North", "--member", "wanda", "--coordinator", "sara", "--as", "sara", *on)
    (team,) = json.loads(ponte("team", "list", "--json", "--as", "sara", *on))
    assert team["members"] == ["wanda"] and team["coordinator"] == "sara"
    assert "is no active case worker" in ponte("caseload", "preview", "wanda", "sara", "--as", "sara", *on, code=1)
    assert json.loads(ponte("caseload", "list", "--json", "--as", "sara", *on)) == []


def test_an_installation_is_examined_kept_and_brought_back(ponte: Console, tmp_path: Path) -> None:
    secret = {"PONTE_BACKUP_SECRET": "a secret of the backups"}
    path = tmp_path / "ponte.backup"
    assert "PONTE_BACKUP_SECRET" in ponte("backup", str(path), code=1)
    assert "Keep the field key elsewhere" in ponte("backup", str(path), **secret)
    assert "is whole" in ponte("restore", str(path), "--check", **secret)
    assert "There is a database already" in ponte("restore", str(path), code=1, **secret)
    other = Console(tmp_path / "other")
    other.home.mkdir()
    (other.home / "key").write_bytes((ponte.home / "key").read_bytes())
    (other.home / "key").chmod(0o600)
    said = other("restore", str(path), **secret)
    assert "its histories hold" in said and "under Supervision, Decisions" in said
    assert json.loads(other("case", "list", "--as", "sara", "--json")) == json.loads(
        ponte("case", "list", "--as", "sara", "--json")
    )
    assert other.json("keys", "add") == {"keys": 2}
    turned = other.json("keys", "rotate")
    assert turned["sealed"] > 100 and turned["left"] == 0
    assert other.json("audit", "verify")["found"] == []
    (other.home / "key").chmod(0o644)
    other("doctor", code=1)  # what does not work makes it fail: a program that calls it hears of it
