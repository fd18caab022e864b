"""Logs of the services of `ponte up`: they stay small while the services run, and lose nothing that was kept."""

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flows import supervising
from flows.supervising import Service, Supervisor

TALKER = """
import sys, time
for n in range(100_000):
    sys.stdout.write(f"line {n:06d} of a service that speaks\\n")
    sys.stdout.flush()
    time.sleep(0.001)
"""


LINES = 500  # in a log that is full
PATIENCE = 60  # seconds


def numbers(path: Path) -> list[int]:
    """The lines of a log, by their numbers; one that was cut is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [int(line.split()[1]) for line in lines if line.startswith("line") and line.endswith("speaks")]


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@contextmanager
def watched(supervisor: Supervisor) -> Iterator[None]:
    """Everything is ended with the block, however it goes."""
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    try:
        yield
    finally:
        supervisor.stop()
        thread.join()
        supervisor.end()


def test_what_hangs_before_a_service_does_not_keep_it_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "BEFORE_SECONDS", 0.2)
    said: list[str] = []
    supervisor = Supervisor(tmp_path, said.append)
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    try:
        supervisor.start(Service("patient", sleeping, {}, lambda: True, before=sleeping))
    finally:
        supervisor.end()
    assert "patient" in said[0]


def test_a_log_is_kept_small_while_its_service_goes_on_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "LOG_BYTES", LINES * len("line 000000 of a service that speaks\n"))
    monkeypatch.setattr(supervising, "LOOK_AT_LOGS", 0.0)
    supervisor = Supervisor(tmp_path, lambda sentence: None)
    log, older = tmp_path / "talker.log", [tmp_path / f"talker.log.{n}" for n in range(supervising.OLDER_LOGS, 0, -1)]
    supervisor.start(Service("talker", [sys.executable, "-c", TALKER], {}, lambda: True))
    with watched(supervisor):
        newest = wait_for(lambda: older[0].is_file() and numbers(older[-1]))[-1]
        # Well into the file that was emptied, or the one after it.
        wait_for(lambda: (found := numbers(log)) and found[-1] > newest + LINES // 2)
    assert not (tmp_path / f"talker.log.{supervising.OLDER_LOGS + 1}").exists()
    pieces = [found for path in (*older, log) if (found := numbers(path))]
    assert len(pieces) >= supervising.OLDER_LOGS
    for found in pieces:
        assert found == list(range(found[0], found[-1] + 1)), "each goes on where it began, and has no hole"
    for before, after in pairwise(pieces):
        lost = after[0] - before[-1] - 1
        assert 0 <= lost < LINES, "what was written between copying and emptying, and no whole log"
    assert b"\0" not in log.read_bytes(), "it goes on at the beginning of the emptied file"


def test_a_log_for_whose_copy_there_is_no_room_is_emptied_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "LOG_BYTES", 1_000)
    log = tmp_path / "silent.log"
    log.write_bytes(b"x" * 5_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    supervisor = Supervisor(tmp_path, lambda sentence: None)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))  # the kernel refuses to write more into a file
    try:
        supervisor.start(Service("silent", [sys.executable, "-c", "import time; time.sleep(60)"], {}, lambda: True))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        supervisor.end()
    assert log.stat().st_size == 0
    assert not (tmp_path / "silent.log.1").exists()
