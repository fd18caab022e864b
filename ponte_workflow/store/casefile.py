"""Writing a case: what a Decision says, its history entry and its outbox rows, all in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, update

from ponte_workflow.errors import CaseChanged
from ponte_workflow.i18n import gettext as _
from ponte_workflow.store import history as chain
from ponte_workflow.store import outbox
from ponte_workflow.store.cases import CaseRow, by_id
from ponte_workflow.store.effects import Applier, Writing, put_journey, start_clock
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
from states.snapshot import CaseSnapshot


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
        start_clock(tx, case_id, effect)
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
    """Write the decision; returns the case as it stands now and the history id.

    Raises `CaseChanged` when the case is no longer as it was read.

    closed: whether the new configuration is a closed one. human: whether a person did it (silence ends).
    case_values: further columns of the case (assignment).
    """
    personal = {name: text for name, text, privacy in decision.private if privacy == "personal"}
    data = entry_data(writing, before, decision)
    values: dict[str, Any] = {"configuration": " ".join(decision.configuration), **case_values}
    values["closed_on"] = (row.closed_on or writing.on) if closed else None
    if human:
        values |= {"last_event_on": writing.on, "stalled_on": None, "stall_told_to": None}
    if writing.kind != "clock":
        data["before"] = _before(tx, row, before)
    entry = Writing(writing.kind, writing.on, writing.at, writing.actor_id, data)
    history_id = _enter(tx, row, entry, values, personal)
    for name, text in special_fields.items():
        chain.add_special_note(tx, case_id=row.id, person_id=None, history_id=history_id, text=f"{name}: {text}")
    for state in decision.journeys:
        put_journey(tx, row.id, state, writing.on)
    applier = Applier(tx, row, writing, history_id, directory)
    for effect in decision.effects:
        applier.apply(effect)
    return by_id(tx, row.id), history_id


def entry_data(writing: Writing, before: CaseSnapshot, decision: Decision) -> dict[str, Any]:
    """What a history entry says of a decision, but for what an undo needs."""
    data = {**writing.data, "from": list(before.configuration), "to": list(decision.configuration)}
    if decision.steps:
        data["steps"] = [[s.person_id, s.trigger, list(s.source), list(s.target)] for s in decision.steps]
    if started := [effect.person_id for effect in decision.effects if isinstance(effect, effects.StartJourney)]:
        data["started"] = started
    if any(isinstance(effect, effects.Release) for effect in decision.effects):
        data["released"] = True
    return data


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
        # No step closes the task about a wrong contact: whoever has mended it since has done so for good.
        others = ~task.c.kind.startswith("contact_wrong/")
        connection.execute(update(task).where(task.c.id.in_(closed_tasks), others).values(closed_on=None))
    if entry.kind == "pause":
        connection.execute(delete(pause).where(pause.c.history_id == history_id))
    elif entry.data.get("released"):
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


class SetAside(NamedTuple):
    """A case that the night of `on` could not handle. why: "step: the error's class and place"."""

    id: int
    code: str
    on: date
    why: str


def now_set_aside(tx: Transaction) -> list[SetAside]:
    """The cases that are set aside, by whichever night."""
    columns = (cases.c.id, cases.c.code, cases.c.set_aside_on, func.coalesce(cases.c.set_aside_why, ""))
    rows = tx.connection.execute(select(*columns).where(cases.c.set_aside_on.is_not(None)).order_by(cases.c.id))
    return [SetAside(*row) for row in rows]


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


def pinned_ids(tx: Transaction) -> tuple[int, ...]:
    """The ids of all pathway versions to which cases may be pinned: a handful, however many cases there are."""
    return tuple(tx.connection.execute(select(pathway_version.c.id).order_by(pathway_version.c.id)).scalars())


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
    return before_data(
        row,
        before,
        [tuple(one) for one in journeys],
        list(tx.connection.execute(open_tasks).scalars()),
        tx.connection.execute(open_pause).scalar(),
    )


def before_data(
    row: CaseRow,
    before: CaseSnapshot,
    journeys: Sequence[tuple[Any, ...]],
    open_tasks: list[int],
    open_pause: int | None,
) -> dict[str, Any]:
    """What an undo needs, as a history entry keeps it. journeys: (person id, state, begun on, ended on)."""
    return {
        "configuration": list(before.configuration),
        "closed_on": _iso(row.closed_on),
        "paused": row.paused,
        "assigned_to": row.assigned_to,
        "partner_id": row.partner_id,
        "clocks": [
            [c.person_id, c.name, c.started_on.isoformat(), c.position, c.held, _iso(c.due_on)] for c in before.clocks
        ],
        "journeys": [[person, state, begun.isoformat(), _iso(ended)] for person, state, begun, ended in journeys],
        "open_tasks": open_tasks,
        "pause": open_pause,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
