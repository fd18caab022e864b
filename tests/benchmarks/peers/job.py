"""The nightly job that every peer does, how it is measured, and the check that it was really done.

A case stands in `to_contact` with three recorded contact attempts over two channels, and a timer. On the night the due ones
move to `neighbours` (three attempts over two channels are what that step needs), leave one row of audit, start the next timer and
queue one notification; the others stay as they are. The standard library alone: the peers have an environment of their own.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from tests.benchmarks.cpu import database_cpu, family_cpu, own_cpu

# In the past of every machine: engines that look at the machine's clock see the same timers due as those that are told a date.
ON = date(2025, 11, 24)
AT = datetime(2025, 11, 24, 2, 30, tzinfo=UTC)
FAR = date(2099, 1, 1)
BEFORE, AFTER = "to_contact", "neighbours"
ATTEMPTS, CHANNELS = 3, 2
NEXT_DUE = ON + timedelta(days=7)  # Ponte counts five working days, which is the same day
NEXT_FAR = date(2098, 1, 1)  # the next timer where the engine looks at the machine's clock: it must not be due at once


@dataclass(frozen=True)
class Job:
    """How many cases are open, and how many of them are due; spread the same way for everybody."""

    cases: int
    due: int

    @property
    def numbers(self) -> range:
        """The case ids."""
        return range(1, self.cases + 1)

    @cached_property
    def due_ids(self) -> frozenset[int]:
        """The cases whose timer is due on the night."""
        return frozenset(random.Random(1).sample(self.numbers, self.due))

    def due_on(self, number: int) -> date:
        """When the timer of a case is due before the night."""
        return ON if number in self.due_ids else FAR + timedelta(days=number % 20)


@dataclass
class Outcome:
    """What is found in the database after the night. One element a row: doubles show."""

    states: list[tuple[int, str]] = field(default_factory=list)
    audit: list[tuple[int, str, str]] = field(default_factory=list)  # case, from, to
    timers: list[tuple[int, date]] = field(default_factory=list)  # those that still run
    notices: list[int] = field(default_factory=list)


class JobFailed(Exception):
    """A peer did not do the job; the sentence says what is wrong."""


def guard(attempts: int, channels: int) -> bool:
    """What the step needs; the peers keep both numbers in the case's row, where they cost nothing to read."""
    return attempts >= ATTEMPTS and channels >= CHANNELS


def check(job: Job, found: Outcome, *, after: str = AFTER, next_due: date = NEXT_DUE) -> None:
    """Exactly the due cases moved, each with one row of audit, one next timer and one notification. Raises `JobFailed`."""
    due = job.due_ids
    wanted = Outcome(
        [(n, after if n in due else BEFORE) for n in job.numbers],
        [(n, BEFORE, after) for n in due],
        [(n, next_due if n in due else job.due_on(n)) for n in job.numbers],
        list(due),
    )
    for name, is_, ought in (
        ("states", found.states, wanted.states),
        ("audit", found.audit, wanted.audit),
        ("timers", found.timers, wanted.timers),
        ("notices", found.notices, wanted.notices),
    ):
        _same(name, is_, ought)


def _same(name: str, found: Sequence[object], wanted: Sequence[object]) -> None:
    more, fewer = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
    if more or fewer:
        raise JobFailed(
            f"{name}: {more.total()} too many, such as {[*more][:3]}, {fewer.total()} missing, such as {[*fewer][:3]}"
        )


@dataclass(frozen=True)
class Given:
    """What the command line says. data: the folder of the PostgreSQL server whose CPU is counted; None: SQLite."""

    database: str
    job: Job
    data: Path | None
    kind: str = "fire"


@dataclass(frozen=True)
class Spent:
    """Seconds of the night's work alone."""

    wall: float
    cpu: float


def given(doc: str | None) -> Given:
    """The arguments of this process."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument(
        "--database", required=True, help="sqlite:///FILE or postgresql://..., empty and of this run alone"
    )
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--due", type=int, default=500)
    parser.add_argument("--data", type=Path, help="data folder of the PostgreSQL server on this machine")
    parser.add_argument("--kind", default="fire", help="which of its ways, where a module has several")
    args = parser.parse_args()
    return Given(args.database, Job(args.cases, args.due), args.data, args.kind)


@dataclass
class Watch:
    """Begun before the night's work, stopped after it. helper: a running server process of the peer, whose CPU counts too."""

    what: Given
    helper: int | None = None

    def __post_init__(self) -> None:
        self._cpu, self._begun = self._used(), time.perf_counter()

    def wall(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun

    def cpu(self) -> float:
        """Seconds of CPU since the beginning, of this process, its children and the servers."""
        return self._used() - self._cpu

    def _used(self) -> float:
        return own_cpu() + database_cpu(self.what.data) + (family_cpu(self.helper) if self.helper else 0.0)


def measure(
    what: Given, night: Callable[[], object], *, helper: int | None = None, settle: Callable[[], object] | None = None
) -> Spent:
    """Run the night. settle: waits for what it has left to the helper; that one's CPU counts, its time does not."""
    watch = Watch(what, helper)
    night()
    wall = watch.wall()
    if settle is not None:
        settle()
    return Spent(wall, watch.cpu())


def tell(what: Given, spent: Spent, found: Outcome, *, next_due: date = NEXT_DUE) -> None:
    """Check the outcome and print the line that the benchmark reads."""
    check(what.job, found, next_due=next_due)
    say(what, spent)


def say(what: Given, spent: Spent) -> None:
    """The one line of JSON."""
    print(json.dumps({"wall": spent.wall, "cpu": spent.cpu, "cases": what.job.cases, "due": what.job.due}), flush=True)
