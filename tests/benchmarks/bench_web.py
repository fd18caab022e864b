"""The pages with 100,000 open cases: how long the server takes, what it asks the database, and fifty people at once.

Alone: `python -m tests.benchmarks --only web`.
"""

import asyncio
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import httpx
from sqlalchemy import event, text
from starlette.testclient import TestClient

from ponte_workflow import clock, server
from ponte_workflow.bootstrap import Ponte, open_ponte
from ponte_workflow.config import Settings
from ponte_workflow.services import accounts
from ponte_workflow.store import network
from ponte_workflow.web.gate import COOKIE
from tests.benchmarks.cpu import database_cpu, process_cpu
from tests.benchmarks.region import RICH, Region
from tests.benchmarks.region_lives import FEW, LEAD, MANY
from tests.weight import first_visit

HOST = "https://ponte.test"
WARM = 5
KEPT_S = 4  # uvicorn ends a connection that was silent for 5 seconds


@dataclass(frozen=True, slots=True)
class Figure:
    """One page: milliseconds at the server over so many requests, CPU of the process, statements of one request."""

    page: str
    requests: int
    median_ms: float
    p99_ms: float
    cpu_ms: float  # of this process and of a database server, for one request
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """People at once: what they did, what went wrong, and how many steps are missing from the history (0)."""

    users: int
    seconds: float
    requests: int
    steps: int
    errors: tuple[str, ...]
    lost: int
    median_ms: float
    p99_ms: float
    slowest_ms: float
    cpu_ms: float  # of the server and of a database server, for one request


def settings(home: Path, url: str, key: str) -> Settings:
    """Of an installation over that database."""
    return Settings.model_validate({"home": home, "database_url": url, "key": key, "language": "it"})


def pages(ponte: Ponte, region: Region, *, requests: int, database: Path | None = None, only: str = "") -> list[Figure]:
    """Each page asked so often, one request after the other, of the whole ASGI application in this process.

    database: the data folder of a PostgreSQL server on this machine, whose CPU is counted too.
    """
    return asyncio.run(_pages(ponte, region, requests, database, only))


async def _pages(ponte: Ponte, region: Region, requests: int, database: Path | None, only: str) -> list[Figure]:
    app = server.build(ponte)
    server.spare_the_collector()  # as `ponte web` does
    found = []
    with counted(ponte) as statements:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
            for name, asked in _plan(ponte, region).items():
                if only in name:
                    found.append(await _measure(client, name, asked, requests, statements, database))
                    print(found[-1], flush=True)
    return found


def weight(ponte: Ponte) -> tuple[int, int]:
    """Bytes over the wire of a first visit to a full worktray, and how many files that is."""
    with TestClient(server.build(ponte), base_url=HOST) as browser:
        browser.headers["cookie"] = _session(ponte, MANY)
        loaded = first_visit(browser, "/")
    return sum(one.wire for one in loaded), len(loaded)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of somebody: cookies of their session, method, address, form."""

    cookies: str
    method: str
    path: str
    form: dict[str, str] | None = None


def _plan(ponte: Ponte, region: Region) -> dict[str, list[Asked]]:
    """Page -> requests, to be gone through in a circle."""
    rng = Random(3)
    sessions = {name: _session(ponte, name) for role in region.staff for name in region.staff[role][:60]}
    sessions |= {name: _session(ponte, name) for name in (FEW, MANY)}

    def of(role: str, path: str = "/", **form: str) -> list[Asked]:
        people = region.staff[role][:60]
        return [Asked(sessions[name], "POST" if form else "GET", path, form or None) for name in people]

    opened = []
    for name in region.staff["case_worker"][:60]:
        with ponte.store.reading() as tx:
            mine = text(
                "SELECT c.code FROM cases c JOIN staff s ON s.id = c.assigned_to"
                " WHERE s.username = :name AND c.closed_on IS NULL AND c.id % :rich = 0 ORDER BY c.id LIMIT 4"
            )
            codes = tx.connection.execute(mine, {"name": name, "rich": RICH}).scalars().all()
        opened += [Asked(sessions[name], "GET", f"/cases/{code}") for code in codes]
    with ponte.store.reading() as tx:
        names = tx.connection.execute(text("SELECT surname FROM person WHERE id % 997 = 0 ORDER BY id")).scalars().all()
    workers = [name for name in region.staff["case_worker"][:60] if name not in (FEW, MANY)]
    searched = [
        Asked(sessions[rng.choice(workers)], "POST", "/search", {"text": rng.choice(names)}) for _n in range(60)
    ]
    return {
        "worktray, case worker": of("case_worker"),
        "worktray, 5 cases": [Asked(sessions[FEW], "GET", "/")],
        "worktray, 50 cases": [Asked(sessions[MANY], "GET", "/")],
        "worktray, supervisor": of("supervisor"),
        "worktray, job agency": of("job_agency"),
        "worktray, volunteers": of("volunteers"),
        "worktray, landlord": of("landlord"),
        "worktray, lead": of("lead"),
        "cases, case worker": of("case_worker", "/cases"),
        "cases, supervisor": of("supervisor", "/cases"),
        "cases, job agency": of("job_agency", "/cases"),
        "cases, lead": of("lead", "/cases"),
        "case page": opened,
        "form of a step": [Asked(a.cookies, "GET", f"{a.path}/do/make_appointment") for a in opened],
        "supervision, supervisor": of("supervisor", "/supervision"),
        "supervision, escalated": of("supervisor", "/supervision?section=escalated"),
        "supervision, unassigned": of("supervisor", "/supervision?section=unassigned"),
        "supervision, workload": of("supervisor", "/supervision?section=workload"),
        "supervision, decisions": of("supervisor", "/supervision/decisions"),
        "supervision, lead": of("lead", "/supervision"),
        "supervision, workload, lead": of("lead", "/supervision?section=workload"),
        "heat map, supervisor": of("supervisor", "/supervision/pathway"),
        "heat map, lead": of("lead", "/supervision/pathway"),
        "flow, supervisor": of("supervisor", "/supervision/flow"),
        "flow, lead": of("lead", "/supervision/flow"),
        "search by surname, case worker": searched,
        "search by surname, lead": [Asked(sessions[LEAD], "POST", "/search", a.form) for a in searched],
    }


def _session(ponte: Ponte, username: str) -> str:
    with ponte.store.transaction() as tx:
        member = network.member_by_username(tx, username)
        token = accounts.open_session(tx, member.id, at=clock.now(), browser="bench", second_factor=True)
    return f"{COOKIE}={token}; ponte-language=it"


async def _measure(
    client: httpx.AsyncClient,
    name: str,
    asked: list[Asked],
    requests: int,
    statements: list[str],
    database: Path | None,
) -> Figure:
    times: list[float] = []
    counts: list[int] = []
    cpu = 0.0
    for number in range(-WARM, requests):
        if number == 0:
            cpu = time.process_time() + database_cpu(database)
        one = asked[number % len(asked)]
        headers = {"cookie": one.cookies, "accept-encoding": "gzip"}
        request = client.build_request(one.method, one.path, data=one.form, headers=headers)
        statements.clear()
        begun = time.perf_counter()
        answer = await client.send(request)
        seconds = time.perf_counter() - begun
        if answer.status_code not in (200, 303):
            raise SystemExit(f"{name}: {one.path} answered {answer.status_code}")
        if number >= 0:
            times.append(seconds * 1000)
            counts.append(len(statements))
    cpu = time.process_time() + database_cpu(database) - cpu
    median, p99 = statistics.median(times), percentile(times, 99)
    return Figure(name, requests, median, p99, cpu * 1000 / requests, min(counts), max(counts))


@contextmanager
def counted(ponte: Ponte) -> Iterator[list[str]]:
    """The SQL statements that run inside: not the beginning of a transaction, not settings of a connection, and not
    the note once a minute that a session is still used."""
    found: list[str] = []

    def note(*given: Any) -> None:
        if not given[2].startswith(("BEGIN", "PRAGMA", "UPDATE web_session")):
            found.append(given[2])

    event.listen(ponte.store.engine, "before_cursor_execute", note)
    yield found
    event.remove(ponte.store.engine, "before_cursor_execute", note)


def percentile(values: list[float], percent: int) -> float:
    """By nearest rank."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def crowd(
    made: Settings,
    region: Region,
    *,
    users: int = 50,
    seconds: float = 20,
    pause: float = 0,
    database: Path | None = None,
) -> Crowd:
    """So many people at once at a server of its own: worktray, case, form, step; `pause`: seconds between two pages."""
    ponte = open_ponte(made)
    names = [name for name in region.staff["case_worker"] if name not in (FEW, MANY)]
    people = [names[n * len(names) // users] for n in range(users)]
    sessions = [_session(ponte, name) for name in people]
    before = _entries(ponte)
    walkers: list[_Walker] = []
    with _served(made) as (port, process):
        begun = time.monotonic()
        cpu = process_cpu(process.pid) + database_cpu(database)
        for number, cookies in enumerate(sessions):
            walkers.append(_Walker(port, cookies, begun + seconds, pause, Random(number)))
        for walker in walkers:
            walker.start()
        for walker in walkers:
            walker.join()
        took = time.monotonic() - begun
        cpu = process_cpu(process.pid) + database_cpu(database) - cpu
    steps, times = sum(w.steps for w in walkers), [t for w in walkers for t in w.times]
    errors = tuple(e for w in walkers for e in w.errors)
    lost = steps - (_entries(ponte) - before)
    ponte.store.engine.dispose()
    median, p99 = statistics.median(times), percentile(times, 99)
    each = cpu * 1000 / len(times)
    return Crowd(users, took, len(times), steps, errors, lost, median, p99, max(times), each)


class _Walker(threading.Thread):
    """Somebody who opens one case after the other and records an attempt to reach its household."""

    def __init__(self, port: int, cookies: str, until: float, pause: float, rng: Random) -> None:
        super().__init__()
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Cookie": cookies, "Accept-Encoding": "identity"}
        self._until, self._pause, self._rng = until, pause, rng
        self.times: list[float] = []
        self.errors: list[str] = []
        self.steps = 0

    def run(self) -> None:
        """Until the time is over."""
        try:
            while time.monotonic() < self._until:
                codes = re.findall(r'name="code" value="(P-\d+)"', self._ask("GET", "/")[1])
                code = self._rng.choice(codes)
                shown = self._ask("GET", f"/cases/{code}")[1]
                where = f"/cases/{code}/do/record_attempt"
                if where not in shown:
                    continue
                version = re.search(r'name="version" value="(\d+)"', self._ask("GET", where)[1])
                assert version is not None
                fields = {"version": version[1], "channel": "phone", "outcome": "no_answer", "attempted_on": ""}
                status, answer = self._ask("POST", where, fields)
                if status == 303:
                    self.steps += 1
                else:
                    self.errors.append(f"POST {status} {answer[:100]}")
        except (OSError, HTTPException, IndexError) as error:
            self.errors.append(repr(error))
        finally:
            self._connection.close()

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        body = urlencode(fields) if fields else None
        headers = self._headers | ({"Content-Type": "application/x-www-form-urlencoded"} if fields else {})
        rest = self._rng.uniform(0, 2 * self._pause)
        time.sleep(rest)
        if rest > KEPT_S:  # as browsers do, which see that the server has hung up
            self._connection.close()
        begun = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read().decode()
        self.times.append((time.perf_counter() - begun) * 1000)
        if answer.status >= 400:
            self.errors.append(f"{method} {path.split('/')[-1][:20]} {answer.status}")
        return answer.status, content


@contextmanager
def _served(made: Settings) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """A server in a process of its own; its port."""
    assert made.key is not None
    environment = os.environ | {
        "PONTE_HOME": str(made.home),
        "PONTE_DATABASE_URL": made.database_url or "",
        "PONTE_KEY": made.key.get_secret_value(),
    }
    command = [sys.executable, "-m", "tests.benchmarks.web_server"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            _wait(port)
            yield port, process
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int) -> None:
    for _n in range(200):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _entries(ponte: Ponte) -> int:
    with ponte.store.reading() as tx:
        return int(tx.connection.execute(text("SELECT count(*) FROM history WHERE kind = 'recorded'")).scalar_one())
