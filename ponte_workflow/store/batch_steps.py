"""Decisions about whole cases written a thousand at a time, at driver level: steps, clocks, history, messages.

Only what alarms come to: a step of the household, clocks that stop, start and move, somebody told. Whoever has a decision
with other effects writes it by `casefile.write`, whose tables these are; a test holds both to the same rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from ponte_workflow.errors import CaseChanged
from ponte_workflow.i18n import gettext as _
from ponte_workflow.log import log
from ponte_workflow.store import outbox
from ponte_workflow.store.arrays import columns
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.outbox import OutboxRow
from states import decision as effects
from states.decision import Decision
from states.snapshot import RunningClock

BULK = (effects.StartClock, effects.StopClock, effects.MoveClock, effects.Notify, effects.Signal)


class CaseStep(NamedTuple):
    """The case's new state and chain head; `version_was` guards it."""

    configuration: str
    closed_on: date | None
    length: int
    head: str
    id: int
    version_was: int


class Entry(NamedTuple):
    """A chain entry."""

    case_id: int
    seq: int
    kind: str
    data: str
    previous_hash: str
    hash: str


@dataclass(slots=True)
class Batch:
    """What is to be written; `write` does it, in an order in which a clock that is entered anew starts anew."""

    cases: list[CaseStep] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    gone: list[tuple[int, int, str]] = field(default_factory=list)  # clocks: case, person, name
    moved: list[tuple[int, int, date | None, int, int, str]] = field(default_factory=list)
    started: list[tuple[int, int, str, date, date | None]] = field(default_factory=list)
    messages: list[OutboxRow] = field(default_factory=list)

    def clocks_of(self, case_id: int, decision: Decision, running: Sequence[RunningClock]) -> None:
        """Collect what happens to the clocks of a case. running: those it has."""
        for effect in decision.effects:
            if isinstance(effect, effects.StopClock):
                self.gone.append((case_id, *effect))
            elif isinstance(effect, effects.StartClock):
                for one in running:  # one that is entered anew starts anew
                    if one.name == effect.name and one.person_id == effect.person_id:
                        self.gone.append((case_id, effect.person_id, effect.name))
                self.started.append((case_id, *effect))
            elif isinstance(effect, effects.MoveClock):
                person_id, name, position, held, due_on = effect
                self.moved.append((position, held, due_on, case_id, person_id, name))


def fits(decision: Decision) -> bool:
    """Whether a decision can be written here."""
    return not decision.journeys and not decision.private and all(isinstance(one, BULK) for one in decision.effects)


_SQLITE = {
    "cases": """UPDATE cases SET configuration = ?, closed_on = ?, history_length = ?, history_head = ?,
        version = version + 1, set_aside_on = NULL, set_aside_why = NULL WHERE id = ? AND version = ?""",
    "entries": """INSERT INTO history (case_id, seq, kind, "on", at, data, previous_hash, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
    "moved": "UPDATE clock SET position = ?, held = ?, due_on = ? WHERE case_id = ? AND person_id = ? AND name = ?",
    "gone": "DELETE FROM clock WHERE case_id = ? AND person_id = ? AND name = ?",
    "started": """INSERT INTO clock (case_id, person_id, name, started_on, position, held, due_on)
        VALUES (?, ?, ?, ?, 0, 0, ?)""",
    "messages": """INSERT INTO outbox (case_id, rule, due_on, recipient, message, kind, delivery, legal, data, history_seq,
        status, attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0) ON CONFLICT DO NOTHING""",
}
# The places of dates, which SQLite keeps as texts.
_DAYS: dict[str, tuple[int, ...]] = {
    "cases": (1,),
    "moved": (2,),
    "gone": (),
    "started": (3, 4),
    "messages": (2,),
}
_POSTGRESQL = {
    "cases": """UPDATE cases SET configuration = n.configuration, closed_on = n.closed_on, history_length = n.length,
        history_head = n.head, version = version + 1, set_aside_on = NULL, set_aside_why = NULL
        FROM unnest(%s::text[], %s::date[], %s::int[], %s::text[], %s::bigint[], %s::int[])
            AS n(configuration, closed_on, length, head, id, was)
        WHERE cases.id = n.id AND cases.version = n.was""",
    "entries": """INSERT INTO history (case_id, seq, kind, "on", at, data, previous_hash, hash)
        SELECT n.case_id, n.seq, n.kind, %s, %s, n.data, n.previous, n.hash
        FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
            AS n(case_id, seq, kind, data, previous, hash)""",
    "moved": """UPDATE clock SET position = n.position, held = n.held, due_on = n.due_on
        FROM unnest(%s::int[], %s::int[], %s::date[], %s::bigint[], %s::bigint[], %s::text[])
            AS n(position, held, due_on, case_id, person_id, name)
        WHERE clock.case_id = n.case_id AND clock.person_id = n.person_id AND clock.name = n.name""",
    "gone": """DELETE FROM clock USING unnest(%s::bigint[], %s::bigint[], %s::text[]) AS n(case_id, person_id, name)
        WHERE clock.case_id = n.case_id AND clock.person_id = n.person_id AND clock.name = n.name""",
    "started": """INSERT INTO clock (case_id, person_id, name, started_on, position, held, due_on)
        SELECT n.case_id, n.person_id, n.name, n.started_on, 0, 0, n.due_on
        FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::date[], %s::date[])
            AS n(case_id, person_id, name, started_on, due_on)""",
    "messages": """INSERT INTO outbox (case_id, rule, due_on, recipient, message, kind, delivery, legal, data,
        history_seq, status, attempts)
        SELECT n.case_id, n.rule, n.due_on, n.recipient, n.message, n.kind, n.delivery, n.legal, n.data, n.seq, 'queued', 0
        FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bool[],
            %s::text[], %s::int[]) AS n(case_id, rule, due_on, recipient, message, kind, delivery, legal, data, seq)
        ON CONFLICT DO NOTHING""",
}


def write(tx: Transaction, batch: Batch, *, on: date, at: datetime) -> None:
    """Write a batch. Raises `CaseChanged` when somebody changed one of its cases meanwhile: nothing of it stays."""
    written = _many(tx, "cases", batch.cases)
    if written != len(batch.cases):
        missing = len(batch.cases) - written
        raise CaseChanged(_("{n} cases of a batch were changed by somebody else meanwhile").format(n=missing))
    _history(tx, batch.entries, on, at)
    _many(tx, "moved", batch.moved)
    _many(tx, "gone", batch.gone)
    _many(tx, "started", batch.started)
    if (new := _queue(tx, batch.messages)) != len(batch.messages):
        log.info("messages of a batch were there already", there=len(batch.messages) - new)
        for message in batch.messages:  # an undo may have withdrawn one: then it waits again
            outbox.queue(tx, message)


def _history(tx: Transaction, entries: Sequence[Entry], on: date, at: datetime) -> None:
    if tx.is_postgresql:
        tx.connection.exec_driver_sql(_POSTGRESQL["entries"], (on, at, *columns(entries)))
        return
    today, moment = on.isoformat(), at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    rows = [(case, seq, kind, today, moment, *rest) for case, seq, kind, *rest in entries]
    tx.connection.exec_driver_sql(_SQLITE["entries"], rows)


def _queue(tx: Transaction, messages: Sequence[OutboxRow]) -> int:
    """Queue messages that wait for no moment of their own at driver level, the others as ever; how many were new."""
    others = [one for one in messages if one.not_before is not None or one.expires_on is not None]
    rows = [
        (
            one.case_id,
            one.rule,
            one.due_on,
            one.recipient,
            one.message,
            one.kind,
            one.delivery,
            one.legal,
            outbox.data_text(one),
            one.history_seq,
        )
        for one in messages
        if one.not_before is None and one.expires_on is None
    ]
    return _many(tx, "messages", rows) + outbox.queue_many(tx, others)


def _many(tx: Transaction, what: str, rows: Sequence[tuple[Any, ...]]) -> int:
    if not rows:
        return 0
    run = tx.connection.exec_driver_sql
    if tx.is_postgresql:
        return run(_POSTGRESQL[what], columns(rows)).rowcount
    return run(_SQLITE[what], list(_with_texts(rows, _DAYS[what]))).rowcount


def _with_texts(rows: Sequence[tuple[Any, ...]], days: tuple[int, ...]) -> Iterable[tuple[Any, ...]]:
    if not days:
        return rows
    columns_: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at in days:
        columns_[at] = [day and day.isoformat() for day in columns_[at]]
    return zip(*columns_, strict=True)
