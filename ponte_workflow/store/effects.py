"""What a Decision's effects do to the tables, one by one, for one history entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from ponte_workflow.store import outbox
from ponte_workflow.store.cases import CaseRow, contact_person, value_text
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Directory
from ponte_workflow.store.schema.casework import cases, clock, contact_attempt, fact, journey, pause, task
from ponte_workflow.store.schema.neighbourhood import consent
from states import decision as effects
from states.messages import DEMANDS, LEGAL

CONSENTS = {"privacy_consent": "privacy", "participation": "participation"}


@dataclass(frozen=True, slots=True)
class Writing:
    """One history entry to be: what happens, who does it, when."""

    kind: str
    on: date
    at: datetime
    actor_id: int | None
    data: Mapping[str, Any]


class Applier:
    """Effects written one by one, for one history entry."""

    def __init__(self, tx: Transaction, row: CaseRow, writing: Writing, history_id: int, directory: Directory) -> None:
        self.tx, self.row, self.writing, self.history_id, self.directory = tx, row, writing, history_id, directory

    def apply(self, effect: effects.Effect) -> None:
        """Write one effect."""
        match effect:
            case effects.StartClock():
                start_clock(self.tx, self.row.id, effect)
            case effects.StopClock(person_id, name):
                self._stop_clock(person_id, name)
            case effects.MoveClock():
                self._move_clock(effect)
            case effects.Notify():
                self._notify(effect)
            case effects.OpenTask() | effects.CloseTask():
                self._task(effect)
            case effects.Record(name, value, person_id):
                self._record(name, value, person_id)
            case effects.RecordAttempt(on, channel, outcome):
                self._insert(contact_attempt, on=on, channel=channel, outcome=outcome, by=self.writing.actor_id)
            case effects.Withdraw(scope):
                outbox.withdraw(
                    self.tx,
                    self.row.id,
                    f"step {self.row.history_length + 1}",
                    only=DEMANDS if scope == "demands" else None,
                )
            case effects.Hold(reason, review_on):
                self._hold(reason, review_on)
            case effects.Release():
                self._release()
            case effects.StartJourney() | effects.Signal() | effects.Perform():
                pass  # journeys are in Decision.journeys, signals in the entry's steps; the service performs the rest

    def _insert(self, table: Any, **values: Any) -> None:
        self.tx.connection.execute(insert(table).values(case_id=self.row.id, history_id=self.history_id, **values))

    def _stop_clock(self, person_id: int, name: str) -> None:
        self.tx.connection.execute(
            delete(clock).where(clock.c.case_id == self.row.id, clock.c.person_id == person_id, clock.c.name == name)
        )

    def _move_clock(self, move: effects.MoveClock) -> None:
        self.tx.connection.execute(
            update(clock)
            .where(clock.c.case_id == self.row.id, clock.c.person_id == move.person_id, clock.c.name == move.name)
            .values(position=move.position, held=move.held, due_on=move.due_on)
        )

    def _notify(self, notice: effects.Notify) -> None:
        contact = None
        if notice.to in ("household", "person") and not notice.person_id:
            contact = contact_person(self.tx, self.row.household_id, self.writing.on)
        if (message := notice_row(self.row, notice, contact, self.directory)) is not None:
            outbox.queue(self.tx, message)

    def _task(self, effect: effects.OpenTask | effects.CloseTask) -> None:
        if isinstance(effect, effects.CloseTask):
            self.tx.connection.execute(
                update(task)
                .where(
                    task.c.case_id == self.row.id,
                    task.c.kind == effect.kind,
                    task.c.closed_on.is_(None),
                    task.c.person_id.in_((effect.person_id, 0)),
                )
                .values(closed_on=self.writing.on)
            )
            return
        there = (
            task.c.case_id == self.row.id,
            task.c.person_id == effect.person_id,
            task.c.kind == effect.kind,
            task.c.opened_on == self.writing.on,
        )
        # Asked again on the day on which it was taken back or done: the same task, open once more.
        again = update(task).where(*there, task.c.closed_on.is_not(None))
        self.tx.connection.execute(
            again.values(
                closed_on=None,
                role=effect.role,
                due_on=effect.due_on,
                history_id=self.history_id,
                told_on=None,
                escalated_on=None,
            )
        )
        if self.tx.connection.execute(select(task.c.id).where(*there)).first() is None:
            self._insert(
                task,
                person_id=effect.person_id,
                kind=effect.kind,
                role=effect.role,
                opened_on=self.writing.on,
                due_on=effect.due_on,
            )

    def _record(self, name: str, value: Any, person_id: int) -> None:
        self._insert(fact, person_id=person_id or None, name=name, value=value_text(value), on=self.writing.on)
        if name in CONSENTS and value is True:
            self.tx.connection.execute(
                insert(consent).values(
                    household_id=self.row.household_id,
                    kind=CONSENTS[name],
                    given_on=self.writing.on,
                    recorded_by=self.writing.actor_id,
                    history_id=self.history_id,
                )
            )

    def _hold(self, reason: str, review_on: date) -> None:
        self._insert(pause, reason=reason, owner_id=self.writing.actor_id, from_on=self.writing.on, review_on=review_on)
        self.tx.connection.execute(update(cases).where(cases.c.id == self.row.id).values(paused=True))

    def _release(self) -> None:
        self.tx.connection.execute(
            update(pause)
            .where(pause.c.case_id == self.row.id, pause.c.resumed_on.is_(None))
            .values(resumed_on=self.writing.on)
        )
        self.tx.connection.execute(update(cases).where(cases.c.id == self.row.id).values(paused=False))


def notice_row(
    row: CaseRow, notice: effects.Notify, contact: int | None, directory: Directory
) -> outbox.OutboxRow | None:
    """What waits in the outbox for a notice of the case's next history entry; None: nobody is left to write to.

    contact: the person who is written to for the household.
    """
    if notice.to in ("household", "person"):
        recipient_id = notice.person_id or contact
        if recipient_id is None:
            return None
        recipient, delivery = f"person:{recipient_id}", "direct"
    else:
        holder = directory.holder(
            notice.to, assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
        )
        recipient = outbox.NOBODY if holder is None else f"staff:{holder}"
        delivery = "direct" if notice.at_once else "digest"
    return outbox.OutboxRow(
        rule=notice.rule,
        due_on=notice.due_on,
        recipient=recipient,
        message=notice.message,
        kind=notice.kind,
        delivery=delivery,
        case_id=row.id,
        data=_notice_data(notice),
        history_seq=row.history_length + 1,
        legal=notice.message in LEGAL,
        expires_on=notice.about,
        not_before=None if notice.about is None else _morning_before(notice.about),
    )


def _morning_before(day: date) -> datetime:
    # Eight in the morning in UTC is nine or ten in Rome: outside the quiet hours all the year round.
    return datetime.combine(day - timedelta(days=1), time(8), tzinfo=UTC)


def _notice_data(notice: effects.Notify) -> dict[str, Any]:
    """What the digest needs to say: since when, and how many earlier reminders this one stands for."""
    data: dict[str, Any] = {}
    if notice.since:
        data["since"] = notice.since
    if notice.overtaken:
        data["overtaken"] = notice.overtaken
    return data


def start_clock(tx: Transaction, case_id: int, start: effects.StartClock) -> None:
    """A clock begins at its first alarm."""
    # A state entered again starts its clocks anew.
    tx.connection.execute(
        delete(clock).where(
            clock.c.case_id == case_id, clock.c.person_id == start.person_id, clock.c.name == start.name
        )
    )
    tx.connection.execute(
        insert(clock).values(
            case_id=case_id,
            person_id=start.person_id,
            name=start.name,
            started_on=start.started_on,
            position=0,
            held=0,
            due_on=start.due_on,
        )
    )


def put_journey(tx: Transaction, case_id: int, state: tuple[int, str], on: date) -> None:
    """The state of a person's own machine, new or moved."""
    person_id, configuration = state
    done = tx.connection.execute(
        update(journey)
        .where(journey.c.case_id == case_id, journey.c.person_id == person_id)
        .values(configuration=configuration)
    )
    if done.rowcount == 0:
        tx.connection.execute(
            insert(journey).values(case_id=case_id, person_id=person_id, configuration=configuration, started_on=on)
        )
