"""Writing a case: what a Decision says, its history entry and its outbox rows, all in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from ponte_workflow.errors import CaseChanged
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import history as chain
from ponte_workflow.store import outbox
from ponte_workflow.store.cases import CaseRow, by_id, contact_person, value_text
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.network import Directory
from ponte_workflow.store.schema.casework import (
    cases,
    clock,
    contact_attempt,
    fact,
    journey,
    pathway_version,
    pause,
    task,
)
from ponte_workflow.store.schema.neighbourhood import consent, person
from states import decision as effects
from states.decision import Decision
from states.messages import DEMANDS, LEGAL
from states.snapshot import CaseSnapshot

NOBODY = "role:lead"  # nobody holds the role: the row waits for somebody who does, and the certificate counts it
CONSENTS = {"privacy_consent": "privacy", "participation": "participation"}


@dataclass(frozen=True, slots=True)
class Writing:
    """One history entry to be: what happens, who does it, when."""

    kind: str
    on: date
    at: datetime
    actor_id: int | None
    data: Mapping[str, Any]


def create(
    tx: Transaction,
    *,
    tenancy_id: int,
    household_id: int,
    quarter_id: int,
    pathway_version_id: int,
    opening: Decision,
    writing: Writing,
) -> CaseRow:
    """A new case with its first clocks and history entry. The unique key on open tenancies makes it once."""
    result = tx.connection.execute(
        insert(cases).values(
            code=f"new {tenancy_id}",
            tenancy_id=tenancy_id,
            household_id=household_id,
            quarter_id=quarter_id,
            pathway_version_id=pathway_version_id,
            configuration=" ".join(opening.configuration),
            version=0,
            opened_on=writing.on,
            last_event_on=writing.on,
            paused=False,
            history_length=0,
            history_head=chain.FIRST,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    case_id = int(key[0])
    tx.connection.execute(update(cases).where(cases.c.id == case_id).values(code=f"P-{case_id:06d}"))
    data = {**writing.data, "to": list(opening.configuration)}
    row = by_id(tx, case_id)
    history_id = _enter(tx, row, Writing(writing.kind, writing.on, writing.at, writing.actor_id, data), {}, {})
    for effect in opening.effects:
        assert isinstance(effect, effects.StartClock)
        _start_clock(tx, case_id, effect)
    assert history_id
    return by_id(tx, case_id)


def write(
    tx: Transaction,
    row: CaseRow,
    before: CaseSnapshot,
    decision: Decision,
    writing: Writing,
    directory: Directory,
    *,
    closed: bool,
    human: bool,
    special_fields: Mapping[str, str],
    case_values: Mapping[str, Any],
) -> tuple[CaseRow, int]:
    """Write the decision; returns the case as it stands now and the history id. Raises `CaseChanged` when the case is no longer as it was read.

    closed: whether the new configuration is a closed one. human: whether a person did it (silence ends).
    case_values: further columns of the case (assignment).
    """
    personal = {name: text for name, text, privacy in decision.private if privacy == "personal"}
    data = {**writing.data, "from": list(before.configuration), "to": list(decision.configuration)}
    values: dict[str, Any] = {"configuration": " ".join(decision.configuration), **case_values}
    values["closed_on"] = (row.closed_on or writing.on) if closed else None
    if human:
        values |= {"last_event_on": writing.on, "stalled_on": None, "stall_told_to": None}
    if decision.steps:
        data["steps"] = [[s.person_id, s.trigger, list(s.source), list(s.target)] for s in decision.steps]
    if started := [effect.person_id for effect in decision.effects if isinstance(effect, effects.StartJourney)]:
        data["started"] = started
    if writing.kind != "clock":
        data["before"] = _before(tx, row, before)
    entry = Writing(writing.kind, writing.on, writing.at, writing.actor_id, data)
    history_id = _enter(tx, row, entry, values, personal)
    for name, text in special_fields.items():
        chain.add_special_note(tx, case_id=row.id, person_id=None, history_id=history_id, text=f"{name}: {text}")
    for state in decision.journeys:
        _put_journey(tx, row.id, state, writing.on)
    applier = _Applier(tx, row, writing, history_id, directory)
    for effect in decision.effects:
        applier.apply(effect)
    return by_id(tx, row.id), history_id


def restore(tx: Transaction, row: CaseRow, entry: chain.Entry, writing: Writing) -> CaseRow:
    """The compensating entry of an undo: the case stands again as before `entry`, and what it recorded is retracted."""
    before = entry.data["before"]
    values = {
        "configuration": " ".join(before["configuration"]),
        "closed_on": _day(before["closed_on"]),
        "paused": before["paused"],
        "assigned_to": before["assigned_to"],
        "partner_id": before["partner_id"],
    }
    data = {
        **writing.data,
        "undoes": entry.seq,
        "from": list(row.configuration),
        "to": before["configuration"],
        "journeys": before["journeys"],
    }
    _enter(tx, row, Writing("undo", writing.on, writing.at, writing.actor_id, data), values, {})
    connection, case_id, history_id = tx.connection, row.id, entry.id
    connection.execute(delete(clock).where(clock.c.case_id == case_id))
    rows = [
        {
            "case_id": case_id,
            "person_id": c[0],
            "name": c[1],
            "started_on": date.fromisoformat(c[2]),
            "position": c[3],
            "held": c[4],
            "due_on": _day(c[5]),
        }
        for c in before["clocks"]
    ]
    if rows:
        connection.execute(insert(clock), rows)
    connection.execute(delete(journey).where(journey.c.case_id == case_id))
    for person_id, state, started_on, ended_on in before["journeys"]:
        connection.execute(
            insert(journey).values(
                case_id=case_id,
                person_id=person_id,
                configuration=state,
                started_on=date.fromisoformat(started_on),
                ended_on=_day(ended_on),
            )
        )
    connection.execute(update(fact).where(fact.c.history_id == history_id).values(retracted=True))
    connection.execute(update(contact_attempt).where(contact_attempt.c.history_id == history_id).values(retracted=True))
    connection.execute(update(consent).where(consent.c.history_id == history_id).values(withdrawn_on=writing.on))
    connection.execute(update(task).where(task.c.history_id == history_id).values(closed_on=writing.on))
    if closed_tasks := before["open_tasks"]:
        connection.execute(update(task).where(task.c.id.in_(closed_tasks)).values(closed_on=None))
    if entry.kind == "pause":
        connection.execute(delete(pause).where(pause.c.history_id == history_id))
    elif entry.kind == "resume":
        connection.execute(
            update(pause).where(pause.c.case_id == case_id, pause.c.id == before["pause"]).values(resumed_on=None)
        )
    if person_id := entry.data.get("deceased"):
        mark_deceased(tx, person_id, None)
    outbox.withdraw(tx, case_id, f"undo {entry.seq}", to_staff=True, from_seq=entry.seq)
    outbox.give_back(tx, case_id, f"step {entry.seq}")
    return by_id(tx, case_id)


def mark_deceased(tx: Transaction, person_id: int, on: date | None) -> None:
    """A person has died (None: that was a mistake)."""
    tx.connection.execute(update(person).where(person.c.id == person_id).values(deceased_on=on))


def mark_stalled(tx: Transaction, row: CaseRow, on: date, told_to: int | None) -> None:
    """Somebody named has been told that the case stalls."""
    tx.connection.execute(update(cases).where(cases.c.id == row.id).values(stalled_on=on, stall_told_to=told_to))


def set_aside(tx: Transaction, case_id: int, on: date, why: str) -> None:
    """The night could not handle the case: it says so and is tried again next night."""
    tx.connection.execute(update(cases).where(cases.c.id == case_id).values(set_aside_on=on, set_aside_why=why[:500]))


def take_back(tx: Transaction, case_ids: list[int]) -> None:
    """The night could handle these cases again."""
    tx.connection.execute(update(cases).where(cases.c.id.in_(case_ids)).values(set_aside_on=None, set_aside_why=None))


def pin(tx: Transaction, *, name: str, version: int, content_hash: str, document: str, at: datetime) -> int:
    """The id of that pathway version; stored when it is new."""
    found = tx.connection.execute(
        select(pathway_version.c.id).where(pathway_version.c.content_hash == content_hash)
    ).scalar()
    if found is not None:
        return int(found)
    result = tx.connection.execute(
        insert(pathway_version).values(
            name=name, version=version, content_hash=content_hash, document=document, seen_at=at
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def pinned_documents(tx: Transaction) -> dict[int, str]:
    """Pathway version id -> merged document, JSON."""
    return {r.id: r.document for r in tx.connection.execute(select(pathway_version.c.id, pathway_version.c.document))}


def _enter(tx: Transaction, row: CaseRow, writing: Writing, values: Mapping[str, Any], personal: dict[str, str]) -> int:
    history_id, head = chain.append(
        tx,
        case_id=row.id,
        length=row.history_length,
        head=row.history_head,
        kind=writing.kind,
        on=writing.on,
        at=writing.at,
        actor_id=writing.actor_id,
        data=dict(writing.data),
        personal=personal,
    )
    done = tx.connection.execute(
        update(cases)
        .where(cases.c.id == row.id, cases.c.version == row.version)
        .values(version=row.version + 1, history_length=row.history_length + 1, history_head=head, **values)
    )
    if done.rowcount != 1:
        raise CaseChanged(
            _("Case {code} was changed by somebody else meanwhile: look at it again").format(code=row.code)
        )
    return history_id


def _before(tx: Transaction, row: CaseRow, before: CaseSnapshot) -> dict[str, Any]:
    """What an undo needs to put the case back."""
    journeys = tx.connection.execute(
        select(journey.c.person_id, journey.c.configuration, journey.c.started_on, journey.c.ended_on)
        .where(journey.c.case_id == row.id)
        .order_by(journey.c.id)
    )
    open_tasks = select(task.c.id).where(task.c.case_id == row.id, task.c.closed_on.is_(None))
    open_pause = select(pause.c.id).where(pause.c.case_id == row.id, pause.c.resumed_on.is_(None))
    return {
        "configuration": list(before.configuration),
        "closed_on": _iso(row.closed_on),
        "paused": row.paused,
        "assigned_to": row.assigned_to,
        "partner_id": row.partner_id,
        "clocks": [
            [c.person_id, c.name, c.started_on.isoformat(), c.position, c.held, _iso(c.due_on)] for c in before.clocks
        ],
        "journeys": [[j.person_id, j.configuration, j.started_on.isoformat(), _iso(j.ended_on)] for j in journeys],
        "open_tasks": list(tx.connection.execute(open_tasks).scalars()),
        "pause": tx.connection.execute(open_pause).scalar(),
    }


class _Applier:
    """Effects written one by one, for one history entry."""

    def __init__(self, tx: Transaction, row: CaseRow, writing: Writing, history_id: int, directory: Directory) -> None:
        self.tx, self.row, self.writing, self.history_id, self.directory = tx, row, writing, history_id, directory

    def apply(self, effect: effects.Effect) -> None:
        match effect:
            case effects.StartClock():
                _start_clock(self.tx, self.row.id, effect)
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
        row = self.row
        if notice.to in ("household", "person"):
            recipient_id = notice.person_id or contact_person(self.tx, row.household_id, self.writing.on)
            if recipient_id is None:
                return  # nobody of the household is left to write to
            recipient, delivery = f"person:{recipient_id}", "direct"
        else:
            holder = self.directory.holder(
                notice.to, assigned_to=row.assigned_to, partner_id=row.partner_id, quarter_id=row.quarter_id
            )
            recipient = NOBODY if holder is None else f"staff:{holder}"
            delivery = "direct" if notice.at_once else "digest"
        outbox.queue(
            self.tx,
            outbox.OutboxRow(
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
            ),
        )

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
        there = select(task.c.id).where(
            task.c.case_id == self.row.id,
            task.c.person_id == effect.person_id,
            task.c.kind == effect.kind,
            task.c.opened_on == self.writing.on,
        )
        if self.tx.connection.execute(there).first() is None:
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


def _start_clock(tx: Transaction, case_id: int, start: effects.StartClock) -> None:
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


def _put_journey(tx: Transaction, case_id: int, state: tuple[int, str], on: date) -> None:
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


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
