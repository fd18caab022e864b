"""A few processes under one roof: started in order, restarted when they die, stopped together, none left behind."""

import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log

STOP_SECONDS = 20.0
BEFORE_SECONDS = 60.0  # Prefect alone takes ten to begin on a busy machine
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # before a restart: 1, 2, 4 ... seconds
HEALTHY_AFTER = 60.0  # a service that lived so long begins at the first pause again
GIVE_UP = (5, 120.0)  # so many deaths within so many seconds: something is wrong that a restart does not mend
LOG_BYTES = 10_000_000
OLDER_LOGS = 3  # .log.1 is the newest of them
LOOK_AT_LOGS = 5.0  # seconds between two looks at their size
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Service:
    """A process to keep alive. `before`: run to its end each time before it starts; `ready`: whether it answers."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool]
    patience: float = 120.0
    before: Sequence[str] | None = None


class GaveUp(Exception):
    """A service does not stay alive, or never answers; `log` holds the last lines of what it said."""

    def __init__(self, service: str, log: str) -> None:
        super().__init__(service)
        self.service, self.log = service, log


@dataclass
class _Running:
    service: Service
    process: "subprocess.Popen[bytes]"
    since: float
    pause: float = FIRST_PAUSE
    deaths: "deque[float]" = field(default_factory=lambda: deque(maxlen=GIVE_UP[0]))
    restart_at: float | None = None


class Supervisor:
    """Runs services until `stop` is called (from a signal handler) or one of them does not stay alive."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs, self._say = logs, say
        self._running: list[_Running] = []
        self._stopping = False

    def stop(self, *_signal: object) -> None:
        """Ask for the end; the loop sees to it."""
        self._stopping = True

    def start(self, service: Service) -> bool:
        """Start a service and wait until it answers; False when the end was asked for meanwhile."""
        running = _Running(service, self._spawn(service), time.monotonic())
        self._running.append(running)
        deadline = time.monotonic() + service.patience
        while not service.ready():
            if self._stopping:
                return False
            if running.process.poll() is not None or time.monotonic() > deadline:
                raise GaveUp(service.name, self._tail(service.name))
            time.sleep(0.2)
        return True

    def watch(self) -> None:
        """Keep all services alive, and their logs small, until the end is asked for."""
        looked = time.monotonic()
        while not self._stopping:
            for running in self._running:
                self._look_after(running)
            if time.monotonic() - looked >= LOOK_AT_LOGS:
                looked = time.monotonic()
                for running in self._running:
                    self._rotate(running.service.name)
            time.sleep(0.2)

    def end(self) -> None:
        """Stop everything, the last started first: ask, wait, then kill."""
        for running in reversed(self._running):
            if running.process.poll() is None:
                _signal_group(running.process, signal.SIGTERM)
                try:
                    running.process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self._say(_("{name} does not stop: it is killed").format(name=running.service.name))
            _signal_group(running.process, signal.SIGKILL)  # and whatever it has started itself
            running.process.wait()
        self._running.clear()

    def _look_after(self, running: _Running) -> None:
        now = time.monotonic()
        if running.restart_at is not None:
            if now >= running.restart_at:
                running.process, running.since, running.restart_at = self._spawn(running.service), now, None
            return
        code = running.process.poll()
        if code is None:
            return
        _signal_group(running.process, signal.SIGKILL)
        if now - running.since >= HEALTHY_AFTER:
            running.pause = FIRST_PAUSE
        running.deaths.append(now)
        if len(running.deaths) == GIVE_UP[0] and now - running.deaths[0] <= GIVE_UP[1]:
            raise GaveUp(running.service.name, self._tail(running.service.name))
        self._say(
            _("{name} ended with code {code}; it is started again in {n} seconds").format(
                name=running.service.name, code=code, n=round(running.pause)
            )
        )
        running.restart_at = now + running.pause
        running.pause = min(running.pause * 2, LONGEST_PAUSE)

    def _spawn(self, service: Service) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, **service.environment}
        with self._log(service.name) as log:
            if service.before is not None:
                try:
                    subprocess.run(  # noqa: S603 - the words are ours
                        service.before, env=environment, stdout=log, stderr=log, check=False, timeout=BEFORE_SECONDS
                    )
                except subprocess.TimeoutExpired:  # what hangs there must not end what works
                    self._say(
                        _("{name} is started although what comes before it does not end").format(name=service.name)
                    )
            # A session of its own: Ctrl-C at the terminal reaches us alone, and we stop it in our order.
            return subprocess.Popen(  # noqa: S603 - the words are ours
                service.words,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _log(self, name: str) -> IO[bytes]:
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._rotate(name)
        return (self._logs / f"{name}.log").open("ab")

    def _rotate(self, name: str) -> None:
        """Keep what a log holds beside it and begin it anew, while its service goes on writing into it.

        The service holds the file open, and appends: it is copied and emptied, not moved. A line that is written
        between the two is lost.
        """
        path = self._logs / f"{name}.log"
        if not path.is_file() or path.stat().st_size <= LOG_BYTES:
            return
        for number in range(OLDER_LOGS, 1, -1):
            older = path.with_suffix(f".log.{number - 1}")
            if older.is_file():
                older.replace(path.with_suffix(f".log.{number}"))
        try:
            shutil.copyfile(path, path.with_suffix(".log.1"))
        except OSError as error:  # no room for the copy: what matters then is to make some
            path.with_suffix(".log.1").unlink(missing_ok=True)
            log.warning("a log could not be kept, and begins anew", service=name, error=type(error).__name__)
        os.truncate(path, 0)

    def _tail(self, name: str) -> str:
        path = self._logs / f"{name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        return "\n".join(lines[-15:])


def _die_with_parent() -> None:
    """In the child, before it becomes another program: the kernel ends it when we are killed and cannot do it (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: "subprocess.Popen[bytes]", which: signal.Signals) -> None:
    try:
        os.killpg(process.pid, which)
    except ProcessLookupError:
        return  # it is gone already
