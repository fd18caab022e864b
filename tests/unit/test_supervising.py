"""Logs of the services of `ponte up`: they stay small while the services run, and lose nothing that was kept."""

import sys
import threading
import time
from pathlib import Path

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


def test_a_log_is_kept_small_while_its_service_goes_on_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "LOG_BYTES", 5_000)
    monkeypatch.setattr(supervising, "LOOK_AT_LOGS", 0.0)
    supervisor = Supervisor(tmp_path, lambda sentence: None)
    supervisor.start(Service("talker", [sys.executable, "-c", TALKER], {}, lambda: True))
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    log, oldest = tmp_path / "talker.log", tmp_path / f"talker.log.{supervising.OLDER_LOGS}"
    deadline = time.monotonic() + 30
    while not oldest.is_file():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    supervisor.stop()
    thread.join()
    supervisor.end()
    assert log.stat().st_size < 50_000
    assert not (tmp_path / f"talker.log.{supervising.OLDER_LOGS + 1}").exists()
    newest = log.read_bytes() or (tmp_path / "talker.log.1").read_bytes()
    assert b"\0" not in newest, "it goes on at the beginning of the emptied file"
    lines = [
        int(line.split()[1])
        for path in (tmp_path / "talker.log.2", tmp_path / "talker.log.1", log)
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("line") and line.endswith("speaks")
    ]
    assert lines == sorted(lines) and len(lines) > 100
    assert lines[-1] - lines[0] - len(lines) < 50, "what was written between copying and emptying, and no more"
