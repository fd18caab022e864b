"""The dead man's switch: a missed night is noticed with Prefect, its worker or everything else dead, and told once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest

from ponte_workflow import clock
from ponte_workflow.services import night as nights
from ponte_workflow.services.night.run import Plan
from ponte_workflow.store import alerts as alerts_kept
from ponte_workflow.store.engine import Store
from tests.builders import Team, create_team
from tests.conftest import KEY
from tests.e2e.test_up import answers, free_port, wait_for
from tests.integration.receiver import Receiver, receiving

REPOSITORY = Path(__file__).parents[2]
EDGES = (time(0), time(6))  # another date; another night that should have its certificate
MARGIN = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def _the_day_does_not_turn_in_the_middle() -> None:
    """Shortly before such an hour it is waited for."""
    now = clock.now().astimezone(clock.ROME)
    for edge in EDGES:
        at = datetime.combine(now.date(), edge, tzinfo=clock.ROME)
        left = (at if at > now else at + timedelta(days=1)) - now
        if left < MARGIN:
            sleep(left.total_seconds() + 1)


@pytest.fixture
def late(_the_day_does_not_turn_in_the_middle: None) -> date:
    """Three days ago: before six and after, last night has no certificate."""
    return clock.today() - timedelta(days=3)


@pytest.fixture
def team(store: Store, late: date) -> Team:
    """People, and nights up to three days ago."""
    made = create_team(store)
    with store.transaction() as tx:
        made.open_case(tx, late)
    night(made, store, late)
    return made


def night(team: Team, store: Store, day: date, **plan: Any) -> None:
    at = datetime(day.year, day.month, day.day, 2, 30, tzinfo=UTC)
    lock = Path(os.environ["XDG_RUNTIME_DIR"]) / "night.lock"
    nights.run_nights(Plan(store, team.pathways, lock, "plain", **plan), day, at=lambda: at)


def environment(home: Path, url: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PONTE_", "PREFECT_"))}
    return kept | {"PONTE_HOME": str(home), "PONTE_KEY": KEY, "PONTE_DATABASE_URL": url, "PONTE_LANGUAGE": "en"} | more


def watch(variables: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """`ponte watch` as cron calls it."""
    command = [sys.executable, "-m", "flows.console", "watch", *words]
    return subprocess.run(
        command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=60, check=False
    )


def events(log: Path) -> list[str]:
    """What a process has said in its log."""
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line)["event"] for line in lines if line.startswith("{") and line.endswith("\n")]


def heard(ear: Receiver) -> list[str]:
    return [json.loads(body)["message"] for _headers, body in ear.received]


@pytest.mark.usefixtures("team")
def test_a_web_application_alone_tells_that_the_night_was_missed_and_two_of_them_tell_it_once(
    store: Store, database_url: str, tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]
    processes = []
    with receiving(Receiver()) as ear:
        alerts = "json://" + ear.url.removeprefix("http://")
        try:
            for port in ports:
                variables = environment(
                    tmp_path, database_url, PONTE_WEB_PORT=str(port), PONTE_WATCH_SECONDS="1", PONTE_ALERT_URLS=alerts
                )
                words = [sys.executable, "-m", "flows.console", "web"]
                log = (tmp_path / f"{port}.log").open("wb")
                processes.append(subprocess.Popen(words, cwd=REPOSITORY, env=variables, stdout=log, stderr=log))
                log.close()
            for port in ports:
                wait_for(lambda port=port: answers(port))
                wait_for(lambda port=port: events(tmp_path / f"{port}.log"))
            # Several more looks: in each there is something else to tell.
            for more in ("sms", "email", "pec"):
                before = len(ear.received)
                with store.transaction() as tx:
                    alerts_kept.add(tx, f"channel/{more}/{clock.today()}", clock.now())
                wait_for(lambda before=before: len(ear.received) > before)
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                assert process.wait(60) in (0, -signal.SIGTERM), "the watch keeps nobody from ending"
        finally:
            for process in processes:
                process.kill()
                process.wait()
    assert ["was not completed" in one for one in heard(ear)] == [True, False, False, False]
    for port in ports:
        assert events(tmp_path / f"{port}.log") == ["no certificate of the night"], "each says it once in its own log"


def test_ponte_watch_says_it_with_its_exit_code_and_tells_it_once(
    team: Team, store: Store, database_url: str, tmp_path: Path, late: date
) -> None:
    with receiving(Receiver()) as ear:
        alerts = "json://" + ear.url.removeprefix("http://")
        variables = environment(tmp_path, database_url, PONTE_ALERT_URLS=alerts)
        quiet = watch(variables)
        assert quiet.returncode == 1 and "has no certificate" in quiet.stderr and "ponte nightly" in quiet.stderr
        assert ear.received == [], "it tells nobody unless it is asked to"
        for _twice in range(2):
            assert watch(variables, "--alert").returncode == 1
        assert len(heard(ear)) == 1
        for day in (late + timedelta(days=n) for n in (1, 2, 3)):
            night(team, store, day)
        done = watch(variables, "--alert", "--json")
        assert done.returncode == 0 and json.loads(done.stdout) == {"missed": False, "sentence": None}
        assert len(heard(ear)) == 1


def test_ponte_watch_tells_that_the_database_is_dead_once_a_day(tmp_path: Path) -> None:
    with receiving(Receiver()) as ear:
        alerts = "json://" + ear.url.removeprefix("http://")
        gone = f"postgresql://nobody@127.0.0.1:{free_port()}/ponte"
        variables = environment(tmp_path, gone, PONTE_ALERT_URLS=alerts)
        for _twice in range(2):
            done = watch(variables, "--alert")
            assert done.returncode == 1 and "cannot be looked at" in done.stderr and "Traceback" not in done.stderr
    assert len(heard(ear)) == 1 and "database does not answer" in heard(ear)[0]


@pytest.fixture
def watcher() -> Iterator[tuple[str, list[str], list[int]]]:
    """A watcher outside: its address, what was fetched from it, and the statuses it answers with."""
    fetched: list[str] = []
    statuses: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fetched.append(f"{self.command} {self.path} {self.headers.get('content-length', 0)}")
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/beat-7c1", fetched, statuses
    server.shutdown()
    server.server_close()
    thread.join()


def nightly(variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "flows.console", "nightly", "--without-prefect", "--json"]
    return subprocess.run(
        command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.usefixtures("team")
def test_the_last_of_the_missed_nights_beats_once_for_a_watcher_outside(
    database_url: str, tmp_path: Path, watcher: tuple[str, list[str], list[int]]
) -> None:
    url, fetched, _statuses = watcher
    variables = environment(tmp_path, database_url, PONTE_HEARTBEAT_URL=url)
    done = nightly(variables)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["missed_nights"]) == 2 and fetched == ["GET /beat-7c1 0"]
    assert nightly(variables).returncode == 0 and len(fetched) == 1, "a second run has nothing to tell"


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("how", ["refused", "gone"])
def test_a_watcher_that_does_not_hear_fails_no_night_and_its_address_stays_secret(
    database_url: str, tmp_path: Path, watcher: tuple[str, list[str], list[int]], how: str
) -> None:
    url, _fetched, statuses = watcher
    statuses.append(500)
    if how == "gone":
        url = f"http://127.0.0.1:{free_port()}/beat-7c1"
    done = nightly(environment(tmp_path, database_url, PONTE_HEARTBEAT_URL=url))
    assert done.returncode == 0 and "hash" in json.loads(done.stdout)
    assert "the heartbeat was not heard" in done.stderr and "beat-7c1" not in done.stderr


def test_a_heartbeat_in_plain_text_is_refused_at_every_start(tmp_path: Path) -> None:
    variables = environment(tmp_path, "sqlite://", PONTE_HEARTBEAT_URL="http://example.org/secret-name")
    done = watch(variables)
    assert done.returncode == 1 and "PONTE_HEARTBEAT_URL" in done.stderr and "secret-name" not in done.stderr
