"""What Ponte promises: one test for each promise of the design, on both databases."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from notifications.channels import FileChannel
from ponte_workflow.errors import NotAllowed, PonteError
from ponte_workflow.services import auditing, casework, undoing, views, worktray
from ponte_workflow.services import night as nights
from ponte_workflow.services.delivery import Courtesy, deliver
from ponte_workflow.services.importing import import_paths
from ponte_workflow.services.night import Plan
from ponte_workflow.services.replaying import differences
from ponte_workflow.services.wording import Writer
from ponte_workflow.store import cases, history, network, outbox, stalls
from ponte_workflow.store.engine import Store
from ponte_workflow.store.schema.casework import clock
from ponte_workflow.store.schema.casework import history as history_table
from states.calendars import LegalCalendar
from tests.builders import MONDAY, Team, create_ledger

NAME = "Zyxwvut"  # nobody's name: it must not turn up where names do not belong
DATA = Path(__file__).parents[1] / "data"


def run(plan: Plan, on: date) -> dict[str, Any]:
    return nights.run_nights(plan, on, at=lambda: datetime(on.year, on.month, on.day, 2, 30, tzinfo=UTC))


def open_one(team: Team, **person: Any) -> str:
    with team.store.transaction() as tx:
        row = team.open_case(tx, MONDAY, **person)
        create_ledger(tx, row.tenancy_id)
        return row.code


def engage(team: Team, code: str, *, contact: bool = True) -> None:
    with team.store.transaction() as tx:
        team.do(tx, "sara", code, "assign", case_worker="wanda")
        team.do(tx, "wanda", code, "confirm", cause="dismissal", objective=True, transitory=True, notes=NAME)
        if contact:
            team.do(tx, "wanda", code, "record_attempt", channel="phone", outcome="spoken")
            team.do(tx, "wanda", code, "meet")


def send(team: Team, folder: Path, at: datetime) -> list[str]:
    """Deliver to files; the texts that left."""
    writer = Writer(team.pathways, "Sportello", "030 0", 7)
    courtesy = Courtesy(LegalCalendar(saturdays=False).is_holiday)
    deliver(
        team.store,
        {"email": FileChannel(folder)},
        writer,
        sender="ponte@example.org",
        courtesy=courtesy,
        at=at,
        limit=100,
    )
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.eml"))]


def dump(store: Store, tables: tuple[str, ...]) -> str:
    with store.transaction() as tx:
        return "\n".join(
            str(tuple(row)) for table in tables for row in tx.connection.execute(text(f"SELECT * FROM {table}"))
        )


EVERYTHING = ("cases", "clock", "history", "outbox", "night", "night_step", "certificate", "task", "fact", "listing")


def test_promise_1_nobody_is_forgotten(team: Team, plan: Plan) -> None:
    codes = [open_one(team) for _ in range(4)]
    engage(team, codes[0])
    with team.store.transaction() as tx:
        team.do(tx, "sara", codes[1], "assign", case_worker="wanda")
        casework.pause(tx, team.occasion(tx, "wanda"), codes[1], "hospital", date(2026, 12, 1))
    for day in range(60):  # nobody does anything
        assert run(plan, MONDAY + timedelta(days=day))["forgotten"] == []
    with team.store.transaction() as tx:
        assert stalls.forgotten(tx) == []
        for code in codes:
            row = cases.by_code(tx, code)
            running = [c for c in cases.running_clocks(tx, row.id) if c.due_on is not None]
            assert row.closed_on or running or row.stall_told_to is not None
        reviews = [
            c.due_on for c in cases.running_clocks(tx, cases.by_code(tx, codes[1]).id) if c.name == "pause/review"
        ]
        assert reviews and reviews[0] is not None


def test_promise_2_once_only(team: Team, plan: Plan) -> None:
    code = open_one(team)
    run(plan, MONDAY + timedelta(days=3))
    before = dump(team.store, EVERYTHING)
    run(plan, MONDAY + timedelta(days=3))
    assert dump(team.store, EVERYTHING) == before
    with team.store.transaction() as tx:
        row = cases.by_code(tx, code)
        notice = outbox.OutboxRow(
            rule="r",
            due_on=MONDAY,
            recipient="staff:1",
            message="digest",
            kind="remind",
            delivery="digest",
            case_id=row.id,
        )
        assert outbox.queue(tx, notice) is not None and outbox.queue(tx, notice) is None
    for statement in (
        "INSERT INTO night (business_on, status, runner, replayed, started_at, attempts) "
        "SELECT business_on, status, runner, replayed, started_at, 1 FROM night",
        "INSERT INTO clock (case_id, person_id, name, started_on, position, held) "
        "SELECT case_id, person_id, name, started_on, 0, 0 FROM clock",
    ):
        with pytest.raises(DBAPIError), team.store.transaction() as tx:
            tx.connection.execute(text(statement))


def test_promise_3_missed_nights_are_caught_up_without_a_blast(team: Team, plan: Plan) -> None:
    open_one(team)
    run(plan, MONDAY)
    certificate = run(plan, MONDAY + timedelta(days=16))
    assert len(certificate["missed_nights"]) == 15
    with team.store.transaction() as tx:
        told = (
            tx.connection.execute(
                select(history_table.c.on).where(history_table.c.kind == "clock").order_by(history_table.c.id)
            )
            .scalars()
            .all()
        )
        mails = tx.connection.execute(text("SELECT count(*) FROM outbox WHERE delivery = 'direct'")).scalar_one()
    assert told == [date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 11), date(2026, 11, 16)]
    assert mails == 2  # one digest to the supervisor, one to the lead: not one for each missed night


def test_promise_4_all_or_nothing(team: Team) -> None:
    code = open_one(team)
    with team.store.transaction() as tx:
        if tx.is_postgresql:
            tx.connection.execute(
                text("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$")
            )
            tx.connection.execute(text("CREATE TRIGGER no BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION no()"))
        else:
            tx.connection.execute(
                text("CREATE TRIGGER no BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no'); END")
            )
        team.do(tx, "sara", code, "assign", case_worker="wanda")
    before = dump(team.store, EVERYTHING)
    with pytest.raises(DBAPIError), team.store.transaction() as tx:  # its invitation cannot be queued
        team.do(tx, "wanda", code, "confirm", cause="dismissal", objective=True, transitory=True)
    assert dump(team.store, EVERYTHING) == before


def test_promise_5_replay_gives_the_present_state_and_tampering_shows(team: Team, plan: Plan) -> None:
    code = open_one(team)
    engage(team, code)
    with team.store.transaction() as tx:
        team.do(tx, "wanda", code, "consent", privacy_consent=True, participation=True)
        undoing.undo(tx, team.occasion(tx, "wanda"), code)
        casework.pause(tx, team.occasion(tx, "wanda"), code, "legal", date(2026, 12, 1))
    run(plan, MONDAY + timedelta(days=1))
    with team.store.transaction() as tx:
        assert list(differences(tx, team.pathways, cases.by_code(tx, code))) == []
        assert auditing.verify(tx, team.pathways).sound
        tx.connection.execute(text("DELETE FROM history_detail"))  # a person is erased
        assert auditing.verify(tx, team.pathways).sound
        tx.connection.execute(text("DROP TRIGGER history_no_update" + (" ON history" if tx.is_postgresql else "")))
        tx.connection.execute(history_table.update().where(history_table.c.seq == 2).values(data="{}"))
        found = [(b.seq, b.what) for b in history.breaks(tx)]
        assert (2, "changed") in found


def test_promise_6_trust_first(team: Team, plan: Plan, tmp_path: Path) -> None:
    code = open_one(team, email="casa@example.org")
    engage(team, code, contact=False)
    with team.store.transaction() as tx:
        row = cases.by_code(tx, code)
        person = cases.contact_person(tx, row.household_id, MONDAY)
        for number in range(4):
            outbox.queue(
                tx,
                outbox.OutboxRow(
                    rule=f"instalment/{number}",
                    due_on=MONDAY,
                    recipient=f"person:{person}",
                    message="instalment_due",
                    kind="inform",
                    delivery="direct",
                    case_id=row.id,
                    data={"due_on": "2026-11-10", "cents": 5000},
                ),
            )
    assert send(team, tmp_path, datetime(2026, 11, 3, 4, 0, tzinfo=UTC)) == []  # five in the morning
    sent = send(team, tmp_path, datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    assert len(sent) == 1  # the invitation alone: no demand before a human contact attempt
    with team.store.transaction() as tx:
        assert outbox.counts(tx)["held"] == 4
        team.do(tx, "wanda", code, "record_attempt", channel="phone", outcome="spoken")
        for (number,) in tx.connection.execute(text("SELECT id FROM outbox WHERE status = 'held'")).all():
            outbox.decide_held(tx, number, send=True, why="contacted")
    assert len(send(team, tmp_path, datetime(2026, 11, 3, 11, 0, tzinfo=UTC))) == 2  # two a week
    assert len(send(team, tmp_path, datetime(2026, 11, 8, 11, 0, tzinfo=UTC))) == 2  # a Sunday


def test_promise_7_a_person_sees_only_what_is_theirs_and_leaves_a_trace(team: Team) -> None:
    code = open_one(team)
    engage(team, code)
    seen = []
    for username in ("lidia", "sara", "wanda", "walter", "rita", "gino", "vera"):
        with team.store.transaction() as tx:
            try:
                views.show(tx, team.occasion(tx, username), code)
                seen.append(username)
            except NotAllowed:
                assert code not in [row.code for row in worktray.case_list(tx, team.occasion(tx, username))]
    assert seen == ["lidia", "sara", "wanda", "vera"]  # the volunteers of the quarter, once the household was met
    with team.store.transaction() as tx:
        traces = tx.connection.execute(
            text("SELECT count(*) FROM access WHERE what = 'case.show' AND household_id IS NOT NULL")
        ).scalar_one()
    assert traces == len(seen)


def test_promise_8_no_personal_data_where_it_does_not_belong(
    team: Team, plan: Plan, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = open_one(team, name=NAME, email=f"{NAME}@example.org")
    engage(team, code)
    with team.store.transaction() as tx:
        team.do(tx, "wanda", code, "decline", reason=f"{NAME} non vuole")
        tx.connection.execute(
            clock.update().values(name="nonsense/x", due_on=MONDAY)
        )  # something goes wrong and is logged
    run(plan, MONDAY + timedelta(days=8))
    send(team, tmp_path, datetime(2026, 11, 10, 10, 0, tzinfo=UTC))
    kept = dump(
        team.store,
        (
            "history",
            "history_detail",
            "special_note",
            "outbox",
            "evidence",
            "certificate",
            "night_step",
            "fact",
            "cases",
            "access",
            "contact",
        ),
    )
    assert NAME not in kept
    shown = capfd.readouterr()
    assert NAME not in shown.out + shown.err and "case set aside" in shown.err


def test_promise_9_one_broken_case_never_stops_the_night(
    team: Team, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [open_one(team) for _ in range(3)]
    with team.store.transaction() as tx:
        tx.connection.execute(text("UPDATE cases SET configuration = 'nowhere' WHERE code = :code"), {"code": codes[0]})
        tx.connection.execute(
            clock.update().where(clock.c.case_id == cases.by_code(tx, codes[1]).id).values(name="nonsense/x")
        )
    certificate = run(plan, MONDAY + timedelta(days=3))
    assert codes[1] in certificate["set_aside"]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    told = [line for line in lines if line.get("case") == codes[1]]
    assert told, "the log says so too, and belongs to its night, step and shard"
    last = MONDAY + timedelta(days=3)
    assert all(line["night"] <= last.isoformat() and line["shard"] == 0 and line["step"] for line in told)
    assert certificate["steps"]["clocks"]["acted_on"] >= 1
    with team.store.transaction() as tx:
        assert (
            tx.connection.execute(
                text("SELECT count(*) FROM outbox WHERE case_id = :id"), {"id": cases.by_code(tx, codes[2]).id}
            ).scalar_one()
            == 1
        )


def test_promise_10_bad_input_is_refused_and_nothing_good_is_lost(store: Store, tmp_path: Path) -> None:
    at = datetime(2026, 11, 1, 3, tzinfo=UTC)
    first = import_paths(store, [DATA], at=at, rejects=tmp_path)
    assert first.total("refused") > 0 and first.total("new") > 10
    again = import_paths(store, [DATA], at=at, rejects=tmp_path)
    assert (again.total("new"), again.total("refused")) == (0, first.total("refused"))
    assert json.dumps(first.as_json())  # where and why, for machines too
    with pytest.raises(PonteError, match="nowhere"):
        import_paths(store, [tmp_path / "nowhere.csv"], at=at, rejects=tmp_path)


def test_the_directory_covers_for_the_absent(team: Team) -> None:
    with team.store.transaction() as tx:
        wanda, walter = (network.member_by_username(tx, name).id for name in ("wanda", "walter"))
        network.set_absence(tx, wanda, MONDAY, MONDAY + timedelta(days=7), walter)
        book = network.directory(tx, MONDAY)
        sanpolino = network.quarter_by_code(tx, "sanpolino").id
        assert book.holder("case_worker", assigned_to=wanda, partner_id=None, quarter_id=sanpolino) == walter
