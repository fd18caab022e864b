"""The application's own tables for the peers that bring none, and the step of one case as a few plain statements.

Written once, so that the peers differ in nothing but the engine: with `:name` as SQLite and SQLAlchemy take parameters, and
with `%(name)s` for psycopg.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from tests.benchmarks.peers import job
from tests.benchmarks.peers.job import AFTER, BEFORE, NEXT_DUE, ON, Job, Outcome

Execute = Callable[[str, dict[str, Any]], Any]  # returns something with fetchone()

TABLES = (
    "CREATE TABLE cases (id bigint PRIMARY KEY, state varchar(40) NOT NULL, attempts int NOT NULL, channels int NOT NULL)",
    "CREATE TABLE timer (case_id bigint PRIMARY KEY REFERENCES cases, name varchar(40) NOT NULL, due_on date NOT NULL)",
    "CREATE INDEX timer_due ON timer (due_on, case_id)",
    "CREATE TABLE audit (id {key}, case_id bigint NOT NULL REFERENCES cases, day date NOT NULL,"
    " source varchar(40) NOT NULL, target varchar(40) NOT NULL)",
    "CREATE INDEX audit_case ON audit (case_id)",
    "CREATE TABLE notice (id {key}, case_id bigint NOT NULL REFERENCES cases, rule varchar(40) NOT NULL,"
    " due_on date NOT NULL, status varchar(10) NOT NULL, UNIQUE (case_id, rule, due_on))",
)
KEYS = {"sqlite": "integer PRIMARY KEY", "postgresql": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}
ADD_CASE = "INSERT INTO cases (id, state, attempts, channels) VALUES (:case, :state, :attempts, :channels)"
ADD_TIMER = "INSERT INTO timer (case_id, name, due_on) VALUES (:case, :name, :due)"
DUE = "SELECT case_id FROM timer WHERE due_on <= :day ORDER BY due_on, case_id"

READ = (
    "SELECT c.state, c.attempts, c.channels, t.due_on FROM cases c JOIN timer t ON t.case_id = c.id WHERE c.id = :case"
)
MOVE = "UPDATE cases SET state = :state WHERE id = :case"
AUDIT = "INSERT INTO audit (case_id, day, source, target) VALUES (:case, :day, :source, :target)"
TIMER = "UPDATE timer SET name = :name, due_on = :due WHERE case_id = :case"
NOTICE = "INSERT INTO notice (case_id, rule, due_on, status) VALUES (:case, :rule, :due, 'queued')"


def for_psycopg(statement: str) -> str:
    """The statement with psycopg's names of parameters."""
    return re.sub(r":(\w+)", r"%(\1)s", statement)


def create(execute: Callable[[str], Any], kind: str) -> None:
    """The tables, in an empty database; kind is `sqlite` or `postgresql`."""
    for statement in TABLES:
        execute(statement.format(key=KEYS[kind]))


def case_rows(what: Job) -> list[dict[str, Any]]:
    """The open cases before the night."""
    more = {"state": BEFORE, "attempts": job.ATTEMPTS, "channels": job.CHANNELS}
    return [{"case": number} | more for number in what.numbers]


def timer_rows(what: Job) -> list[dict[str, Any]]:
    """Their timers."""
    return [{"case": number, "name": "contact", "due": what.due_on(number).isoformat()} for number in what.numbers]


def writes(case: int) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What the step writes: state, audit, next timer, notification."""
    today, due = ON.isoformat(), NEXT_DUE.isoformat()
    return (
        (MOVE, {"state": AFTER, "case": case}),
        (AUDIT, {"case": case, "day": today, "source": BEFORE, "target": AFTER}),
        (TIMER, {"name": AFTER, "due": due, "case": case}),
        (NOTICE, {"case": case, "rule": "ask_neighbours", "due": today}),
    )


def may_step(row: Any) -> bool:
    """Whether the case still stands where its timer found it, and the step's needs hold: false on a second try."""
    state, attempts, channels, due = row
    return state == BEFORE and job.guard(attempts, channels) and str(due) <= ON.isoformat()


def take_step(execute: Execute, case: int, *, lock: str = "") -> bool:
    """The step of one case inside the caller's transaction; False when somebody took it before."""
    if not may_step(execute(READ + lock, {"case": case}).fetchone()):
        return False
    for statement, parameters in writes(case):
        execute(statement, parameters)
    return True


def outcome(read: Callable[[str], Any]) -> Outcome:
    """What stands in the tables."""
    return Outcome(
        [tuple(row) for row in read("SELECT id, state FROM cases")],
        [tuple(row) for row in read("SELECT case_id, source, target FROM audit")],
        [(case, date.fromisoformat(str(due))) for case, due in read("SELECT case_id, due_on FROM timer")],
        [row[0] for row in read("SELECT case_id FROM notice")],
    )
