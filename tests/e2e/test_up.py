"""`ponte up` as an operator meets it: one command, everything there, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(home: Path, web: int, prefect: int) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PONTE_", "PREFECT_"))}
    environment |= {"PONTE_HOME": str(home), "PONTE_LANGUAGE": "en", "PYTHONUNBUFFERED": "1"}
    environment |= {"PONTE_WEB_PORT": str(web), "PONTE_PREFECT_PORT": str(prefect)}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.console", "up"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(what: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := what():
                return found
        except OSError:
            pass
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.2)


def answers(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=2) as answer:
        return bool(answer.status == 200)


def deployments(port: int) -> set[str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/deployments/filter", b"{}", {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return {one["name"] for one in json.load(answer)}


def of_home(home: Path) -> dict[int, str]:
    """Process id -> command line, of the processes that live in this home."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if f"PONTE_HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue  # it ended meanwhile, or is another user's
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    for process in of_home(tmp_path / "home"):
        os.kill(process, signal.SIGKILL)


def test_a_busy_port_is_refused_before_anything_starts(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(home, port, free_port())
        said, _none = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port}" in said and "PONTE_WEB_PORT" in said and "Traceback" not in said
    assert of_home(home) == {} and not home.exists()


@pytest.mark.slow
@pytest.mark.prefect
def test_everything_starts_is_kept_alive_and_stops(home: Path) -> None:
    web, prefect = free_port(), free_port()
    process = start(home, web, prefect)
    wait_for(lambda: answers(web))
    wait_for(lambda: deployments(prefect) == {"night", "outbox", "pec"})
    pages = next(pid for pid, words in of_home(home).items() if words.endswith("flows.console web "))
    os.kill(pages, signal.SIGKILL)
    wait_for(lambda: pages not in of_home(home), 10)
    wait_for(lambda: answers(web), 30)
    process.send_signal(signal.SIGINT)
    said, _none = process.communicate(timeout=45)
    assert process.returncode == 0, said
    assert "web ended with code -9; it is started again" in said and "Everything is stopped." in said
    assert f"http://127.0.0.1:{web}" in said and "ponte user password" in said
    assert of_home(home) == {}


@pytest.mark.slow
@pytest.mark.prefect
def test_nobody_is_left_when_it_is_killed(home: Path) -> None:
    web = free_port()
    process = start(home, web, free_port())
    wait_for(lambda: answers(web))
    wait_for(lambda: len(of_home(home)) >= 3)
    process.kill()
    process.wait()
    wait_for(lambda: of_home(home) == {}, 30)
    assert process.stdout is not None
    process.stdout.close()
