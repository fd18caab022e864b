"""Several machines on one: each a process with a PONTE_HOME of its own, all over one PostgreSQL."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from ponte_workflow.store.engine import Store
from tests.builders import MONDAY, create_ledger, create_team
from tests.conftest import KEY
from tests.databases import administer

REPOSITORY = Path(__file__).parents[2]
CASES = 160
# That long after the cases were opened clocks ring and cases stall every night: a last one, two missed ones, and this one.
LAST, ON = MONDAY + timedelta(days=13), MONDAY + timedelta(days=16)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def machine(home: Path, database_url: str, **settings: str) -> dict[str, str]:
    """The environment of one machine."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "PONTE_HOME": str(home),
        "PONTE_KEY": KEY,
        "PONTE_DATABASE_URL": database_url,
        "PONTE_LANGUAGE": "en",
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        **settings,
    }


@contextmanager
def process(*words: str, environment: Mapping[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours with whatever it starts itself; ended, the whole group, by its id."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=dict(environment),
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        end(child)


def end(child: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM) -> None:
    """End a process and what it has started."""
    for which in (how, signal.SIGKILL):
        try:
            os.killpg(child.pid, which)
        except ProcessLookupError:
            break
        try:
            child.wait(timeout=15)
            if which is signal.SIGTERM:
                continue  # whatever of its group is left
            break
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def eventually(look: Callable[[], Any], seconds: float, *logs: Path) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass  # the server is not up yet
        time.sleep(0.2)
    told = "\n".join(f"{log}:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}" for log in logs)
    raise AssertionError(f"not within {seconds} s\n{told}")


@contextmanager
def prefect_server(home: Path, database_url: str) -> Iterator[str]:
    """Prefect's own server over PostgreSQL; yields the address of its API."""
    port = free_port()
    api = f"http://127.0.0.1:{port}/api"
    home.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_API_DATABASE_CONNECTION_URL": database_url.replace("+psycopg", "+asyncpg"),
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    words = ("uvicorn", "--factory", "prefect.server.api.server:create_app", "--host", "127.0.0.1", "--port", str(port))
    log = home / "server.log"
    with process(*words, environment=environment, log=log):
        eventually(lambda: httpx.get(f"{api}/health", timeout=5).status_code == 200, 120, log)
        yield api


def populate(store: Store, cases: int = CASES) -> None:
    """Cases of both quarters in several states, with ledgers, none of whose alarms has rung yet."""
    team = create_team(store)
    with store.transaction() as tx:
        for number in range(cases):
            quarter = ("sanpolino", "san_polo")[number % 2]
            worker, supervisor = (("wanda", "sara"), ("rita", "rita"))[number % 2]
            row = team.open_case(tx, quarter_code=quarter, email=f"p{number}@example.org")
            create_ledger(tx, row.tenancy_id, on=ON)
            if number % 4 == 0:
                continue
            team.do(tx, supervisor, row.code, "assign", case_worker=worker)
            if number % 4 == 1:
                continue
            confirmed: dict[str, object] = {"cause": "dismissal", "objective": True, "transitory": True}
            team.do(tx, worker, row.code, "confirm", **confirmed)
            if number % 4 == 2:
                for channel in ("phone", "door", "phone"):
                    attempt = {"channel": channel, "outcome": "no_answer"}
                    team.do(tx, worker, row.code, "record_attempt", MONDAY + timedelta(days=1), **attempt)


def shards_done_by(store: Store, step: str = "clocks") -> dict[str, int]:
    """Process -> how many shards of the step it did, in every night after the first."""
    with store.reading() as tx:
        rows = tx.connection.exec_driver_sql(
            f"SELECT claimed_by, count(*) FROM night_step JOIN night ON night.id = night_id "
            f"WHERE step = '{step}' AND business_on > '{LAST.isoformat()}' GROUP BY claimed_by"
        )
        return {row[0]: row[1] for row in rows}


def night_is_completed(store: Store, on: date) -> bool:
    """Whether that night has its certificate."""
    with store.reading() as tx:
        query = "SELECT count(*) FROM night WHERE status = 'completed' AND business_on = '{}'"
        return bool(tx.connection.exec_driver_sql(query.format(on.isoformat())).scalar())


def create_database(url: str, name: str, template: str = "template0") -> str:
    """The URL of a new database; `url` has {} in the place of its name."""
    administer(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    return url.format(name)


def helper_at_work(store: Store) -> int | None:
    """The id of a process that works on a shard just now and does not lead the night."""
    with store.reading() as tx:
        found = tx.connection.exec_driver_sql(
            "SELECT claimed_by FROM night_step WHERE status = 'running' AND step = 'clocks' AND claimed_by NOT IN "
            "(SELECT claimed_by FROM night_step WHERE step = 'ledgers' AND claimed_by IS NOT NULL)"
        ).scalar()
    return None if found is None else int(found.rpartition(":")[2])


@contextmanager
def nobody_rings(store: Store) -> Iterator[None]:
    """Whoever takes a shard of clocks stands in it until the end of the block, however quick it is: no history is written."""
    with store.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("LOCK TABLE history IN SHARE MODE")
        yield


def two_at_work(store: Store) -> bool:
    """Whether two processes have a shard each, just now."""
    query = "SELECT count(DISTINCT claimed_by) FROM night_step WHERE status = 'running' AND step = 'clocks'"
    with store.reading() as tx:
        return tx.connection.exec_driver_sql(query).scalar() == 2


def stopped_at_work(store: Store, at_work: Callable[[], int | None], seconds: float, *logs: Path) -> int:
    """The id of a process that `at_work` finds, stopped (SIGSTOP) for certain in the middle of its shard.

    Begun within `nobody_rings`, so that there is somebody to find. A shard without due clocks may still have ended between
    being found and being stopped: then there is nothing to take over. So it is looked for again once it stands still and
    no COMMIT is on its way; if it is not found there, it goes on.
    """

    def stopped() -> int | None:
        found = at_work()
        if found is None:
            return None
        try:
            os.kill(found, signal.SIGSTOP)
        except ProcessLookupError:
            return None
        try:
            eventually(lambda: stands_still(found), 30)
            eventually(lambda: nobody_commits(store), 30)
            still = at_work() == found
        except BaseException:
            let_go_on(found)
            raise
        if not still:
            let_go_on(found)
        return found if still else None

    return int(eventually(stopped, seconds, *logs))


def stands_still(process_id: int) -> bool:
    """Whether a process is stopped, or gone."""
    try:
        told = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
    return told.rpartition(")")[2].split()[0] in "TZX"


def let_go_on(process_id: int) -> None:
    """Wake a stopped process up, if it is there."""
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGCONT)


def nobody_commits(store: Store) -> bool:
    """Whether no session of this database is just now in its COMMIT."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
        "AND query = 'COMMIT'"
    )
    with store.reading() as tx:
        return not tx.connection.exec_driver_sql(query).scalar()


def machine_of(process_id: int) -> str:
    """The name of the worker that started a process."""
    environment = Path(f"/proc/{process_id}/environ").read_bytes().decode().split("\0")
    return next(one.partition("=")[2] for one in environment if one.startswith("PONTE_WORKER_NAME="))
