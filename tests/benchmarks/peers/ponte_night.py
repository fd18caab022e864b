"""The nightly job in Ponte: the alarm `do: fire` of a clock takes the step, and beside it a reminder that changes no state.

The pathway is the one of the repository with one addition: asking the neighbours writes to the household, so that this step too
queues a notification, as the job wants it.
"""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Table, insert, select, text

from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan, ringing
from ponte_workflow.services.pathways import Pathways
from ponte_workflow.store import history as chain
from ponte_workflow.store import leases, migrate
from ponte_workflow.store.crypto import FieldCipher, new_key
from ponte_workflow.store.engine import Store, Transaction, open_engine
from ponte_workflow.store.schema.casework import cases, clock, contact_attempt, history
from ponte_workflow.store.schema.messages import outbox
from ponte_workflow.store.schema.neighbourhood import building, dwelling, household, person, tenancy
from ponte_workflow.store.schema.network import partner, partner_quarter, quarter, staff, staff_role
from tests.benchmarks.peers import job
from tests.benchmarks.peers.job import AT, ON, Job, Outcome

PATHWAY = "peers_night"
BASE = Path(__file__).parents[3] / "states" / "pathways" / "un_ponte_sul_blu.yaml"
NEEDS = "needs: {attempts: {at_least: 3, channels: 2}}\n"
TELLS = "then: {write: {message: first_meeting_invitation}}\n"
STATE, CLOCK, STEP = "engagement.to_contact", "engagement.to_contact/contact", "ask_neighbours"
WORKERS = range(1, 21)  # the first one is the supervisor
ALARMS = {"fire": "neighbours", "remind": "first"}
BATCH = 20_000


def pathways(folder: Path) -> Pathways:
    """The pathways of the repository and the one of the job, whose file is written to the folder."""
    base = BASE.read_text(encoding="utf-8")
    assert base.count(NEEDS) == 1, "the step that asks the neighbours has changed"
    lines = base.replace("name: un_ponte_sul_blu\n", f"name: {PATHWAY}\n", 1).splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.endswith(NEEDS))
    lines.insert(at + 1, lines[at].removesuffix(NEEDS) + TELLS)
    (folder / f"{PATHWAY}.yaml").write_text("".join(lines), encoding="utf-8")
    return Pathways(folder)


def seed(store: Store, known: Pathways, what: Job, *, kind: str = "fire") -> None:
    """The open cases in a migrated, empty database: each its household with an adult, its history, attempts and clock."""
    alarms = known.current(PATHWAY).alarms(CLOCK, 0)
    position = next(n for n in range(20) if (alarm := alarms.at(n)) and alarm.name == ALARMS[kind])
    alarm = alarms.at(position)
    assert alarm is not None
    started = known.current(PATHWAY).calendar.subtract_working_days(ON, alarm.offset)
    with store.transaction() as tx:
        version = known.pin(tx, PATHWAY, AT)
        _network(tx)
        for begin in range(0, what.cases, BATCH):
            _cases(tx, what, what.numbers[begin : begin + BATCH], version)
            _clocks(tx, what, what.numbers[begin : begin + BATCH], position, started)
        if tx.is_postgresql:
            tables = (partner, partner_quarter, quarter, staff, staff_role, building, dwelling, household, tenancy)
            for table in (*tables, person, cases, clock, history, contact_attempt):
                if "id" in table.columns:
                    last = f"(SELECT max(id) FROM {table.name})"
                    tx.connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), {last})"))


def _insert(tx: Transaction, table: Table, names: str, rows: Sequence[tuple[Any, ...]]) -> None:
    tx.connection.execute(insert(table), [dict(zip(names.split(), row, strict=True)) for row in rows])


def _network(tx: Transaction) -> None:
    _insert(tx, partner, "id code name kind", [(1, "p", "P", "cooperative")])
    _insert(tx, quarter, "id code name pathway", [(1, "q", "Q", PATHWAY)])
    _insert(tx, partner_quarter, "partner_id quarter_id", [(1, 1)])
    names = "id username name language active partner_id created_at"
    _insert(tx, staff, names, [(n, f"u{n}", f"U{n}", "it", True, 1, AT) for n in WORKERS])
    _insert(tx, staff_role, "staff_id role", [(n, "supervisor" if n == 1 else "case_worker") for n in WORKERS])
    _insert(tx, building, "id quarter_id name", [(1, 1, "B")])


def _cases(tx: Transaction, what: Job, numbers: range, version: int) -> None:
    opened = date(2025, 10, 1)
    names = "id building_id code address"
    _insert(tx, dwelling, names, [(n, 1, f"D{n}", "Via 1") for n in numbers])
    _insert(tx, household, "id code", [(n, f"H{n}") for n in numbers])
    names = "id household_id ordinal surname given_name sex birth_date relation"
    born = date(1985, 5, 1)
    _insert(tx, person, names, [(n, n, 1, "Rossi", "Anna", "F", born, "intestatario") for n in numbers])
    names = "id code dwelling_id household_id quarter_id starts_on rent_cents service_cents"
    _insert(tx, tenancy, names, [(n, f"H{n}", n, n, 1, date(2020, 1, 1), 20_000, 5_000) for n in numbers])
    at, data = chain.moment_text(AT), '{"to":["engagement.to_contact"]}'
    heads = [chain.entry_hash(chain.FIRST, n, 1, "opened", opened.isoformat(), at, None, data, None) for n in numbers]
    names = "id code tenancy_id household_id quarter_id pathway_version_id configuration version opened_on"
    names += " partner_id assigned_to paused last_event_on history_length history_head"
    _insert(
        tx,
        cases,
        names,
        [
            (n, f"P-{n:06d}", n, n, 1, version, STATE, 1, opened, 1, n % 19 + 2, False, opened, 1, head)
            for n, head in zip(numbers, heads, strict=True)
        ],
    )
    names = "id case_id seq kind on at data previous_hash hash"
    rows = [(n, n, 1, "opened", opened, AT, data, chain.FIRST, head) for n, head in zip(numbers, heads, strict=True)]
    _insert(tx, history, names, rows)
    tried = [("phone", date(2025, 10, 28)), ("door", date(2025, 11, 4)), ("phone", date(2025, 11, 11))]
    attempts = [(n, day, channel, "no_answer", 2, n, False) for n in numbers for channel, day in tried]
    _insert(tx, contact_attempt, "case_id on channel outcome by history_id retracted", attempts)


def _clocks(tx: Transaction, what: Job, numbers: range, position: int, started: date) -> None:
    rows = [(n, n, 0, CLOCK, started if n in what.due_ids else ON, position, 0, what.due_on(n)) for n in numbers]
    _insert(tx, clock, "id case_id person_id name started_on position held due_on", rows)


def begin(store: Store, known: Pathways) -> nights.Night:
    """The night of the job, at its step of the clocks; the pathway is compiled, as the others' diagrams and models are."""
    machine = known.current(PATHWAY).household.machine
    machine.ask_library((STATE,), STEP, (True,) * len(machine.needs((STATE,), STEP) or ()))
    night = nights.begin(Plan(store, known, Path("/nonexistent"), "plain"), ON, ON, AT)
    with store.transaction() as tx:
        leases.open_step(tx, night.id, ringing.STEP, 1)
    return night


def outcome(store: Store) -> Outcome:
    """What stands in Ponte's tables, in the words of the job."""

    def short(configuration: str) -> str:
        return configuration.removeprefix("engagement.")

    with store.reading() as tx:
        read = tx.connection.execute
        found = Outcome([(n, short(state)) for n, state in read(select(cases.c.id, cases.c.configuration))])
        for case_id, data in read(text("SELECT case_id, data FROM history WHERE seq > 1")):
            steps = json.loads(data).get("steps")
            source, target = (steps[0][2][0], steps[0][3][0]) if steps else (STATE, STATE)
            found.audit.append((case_id, short(source), short(target)))
        found.timers += [(n, due) for n, due in read(select(clock.c.case_id, clock.c.due_on))]
        found.notices += list(read(select(outbox.c.case_id)).scalars())
    return found


def next_due(known: Pathways, kind: str) -> date:
    """When the next timer of a due case rings: of the state it came to, or the reminder after the first."""
    pathway = known.current(PATHWAY)
    if kind == "fire":
        due = pathway.due("engagement.neighbours/neighbours", 0, 0, ON)
    else:
        alarm = pathway.alarms(CLOCK, 0).at(0)
        assert alarm is not None
        due = pathway.due(CLOCK, 0, 1, pathway.calendar.subtract_working_days(ON, alarm.offset))
    assert due is not None
    return due


def verify(what: Job, store: Store, known: Pathways, kind: str) -> None:
    """The check of every peer, with Ponte's calendar. Raises `JobFailed`."""
    after = job.AFTER if kind == "fire" else job.BEFORE
    job.check(what, outcome(store), after=after, next_due=next_due(known, kind))


def main() -> None:
    """One night in this process."""
    what = job.given(__doc__)
    with TemporaryDirectory() as folder:
        known = pathways(Path(folder))
        store = Store(
            open_engine(what.database.replace("postgresql://", "postgresql+psycopg://")), FieldCipher([new_key()])
        )
        migrate.upgrade(store.engine)
        seed(store, known, what.job, kind=what.kind)
        night = begin(store, known)
        spent = job.measure(what, lambda: ringing.ring(night, 0))
        verify(what.job, store, known, what.kind)
        store.engine.dispose()
    job.say(what, spent)


if __name__ == "__main__":
    main()
