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
    parser.add_argument("--kind", choices=("fire", "remind"), default="fire", help="remind: Ponte's reminder alone")
    args = parser.parse_args()
    return Given(args.database, Job(args.cases, args.due), args.data, args.kind)


def measure(what: Given, night: Callable[[], object], *, helper: int | None = None) -> Spent:
    """Run the night. helper: the id of a running server process of the peer, whose CPU counts too."""

    def used() -> float:
        return own_cpu() + database_cpu(what.data) + (family_cpu(helper) if helper else 0.0)

    cpu, begun = used(), time.perf_counter()
    night()
    wall = time.perf_counter() - begun
    return Spent(wall, used() - cpu)


def tell(what: Given, spent: Spent, found: Outcome) -> None:
    """Check the outcome and print the line that the benchmark reads."""
    check(what.job, found)
    say(what, spent)


def say(what: Given, spent: Spent) -> None:
    """The one line of JSON."""
    print(json.dumps({"wall": spent.wall, "cpu": spent.cpu, "cases": what.job.cases, "due": what.job.due}), flush=True)
