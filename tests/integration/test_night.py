"""The night through its services, on both databases: what rings, what is told, what is never done twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from ponte_workflow.services import casework
from ponte_workflow.services import night as nights
from ponte_workflow.services.night import Plan
from ponte_workflow.store import leases
from ponte_workflow.store.engine import Store
from ponte_workflow.store.failures import DatabaseAway
from ponte_workflow.store.locking import Busy
from ponte_workflow.store.schema.casework import cases, clock, history
from ponte_workflow.store.schema.messages import outbox
from tests.builders import MONDAY, Team, create_ledger
from tests.soak.process import Harm, harmed

SHUT_OUT = 14  # transactions of a night, from the tenth on


def run(plan: Plan, on: date) -> dict[str, object]:
    return nights.run_nights(plan, on, at=lambda: datetime(on.year, on.month, on.day, 2, 30, tzinfo=UTC))


def open_one(team: Team, on: date = MONDAY) -> str:
    with team.store.transaction() as tx:
        row = team.open_case(tx, on)
        create_ledger(tx, row.tenancy_id, on=on)
        return row.code


def notices(team: Team) -> list[tuple[str, str, str]]:
    with team.store.transaction() as tx:
        rows = tx.connection.execute(
            select(outbox.c.rule, outbox.c.recipient, outbox.c.kind).where(outbox.c.case_id.is_not(None))
        )
        return [tuple(row) for row in rows]


def everything(store: Store) -> list[tuple[object, ...]]:
    with store.transaction() as tx:
        found = []
        for table in ("cases", "clock", "history", "outbox", "night", "night_step", "certificate", "task", "fact"):
            found += [tuple(row) for row in tx.connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]
        return found


def test_reminders_then_the_escalation_go_to_whom_the_state_waits_on(team: Team, plan: Plan) -> None:
    open_one(team)
    for day in range(18):
        run(plan, MONDAY + timedelta(days=day))
    # 2 November is a Monday: working days 3, 5, 7 and 10.
    assert [(rule, kind) for rule, _who, kind in notices(team)] == [("detected/assignment/remind", "remind")] * 3 + [
        ("detected/assignment/escalate", "escalate"),
        ("stall", "escalate"),
    ]
    with team.store.transaction() as tx:
        due = (
            tx.connection.execute(select(outbox.c.due_on).where(outbox.c.rule == "detected/assignment/remind"))
            .scalars()
            .all()
        )
    assert due == [date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 11)]


def test_a_second_night_of_the_same_date_changes_nothing(team: Team, plan: Plan) -> None:
    open_one(team)
    on = MONDAY + timedelta(days=3)
    run(plan, on)
    before = everything(team.store)
    run(plan, on)
    assert everything(team.store) == before


def test_a_rehearsal_says_what_would_happen_and_leaves_everything_as_it_was(team: Team, plan: Plan) -> None:
    code = open_one(team)
    before = everything(team.store)
    actions = nights.rehearse(plan, MONDAY + timedelta(days=3), at=datetime(2026, 11, 5, tzinfo=UTC))
    assert (code, "remind supervisor (sara)") in [(a.case, a.what) for a in actions if a.done]
    assert everything(team.store) == before


def test_one_broken_case_is_set_aside_and_tried_again(team: Team, plan: Plan) -> None:
    codes = [open_one(team) for _ in range(3)]
    with team.store.transaction() as tx:
        tx.connection.execute(clock.update().where(clock.c.id == 2).values(name="detected/nonsense"))
    first = run(plan, MONDAY + timedelta(days=3))
    assert first["set_aside"] == [codes[1]]
    assert len(notices(team)) == 2
    with team.store.transaction() as tx:
        tx.connection.execute(clock.update().where(clock.c.id == 2).values(name="detected/assignment"))
    second = run(plan, MONDAY + timedelta(days=4))
    assert second["set_aside"] == []
    assert len(notices(team)) == 3
    with team.store.transaction() as tx:
        assert tx.connection.execute(select(cases.c.set_aside_on)).scalars().all() == [None] * 3


def test_a_case_is_no_longer_set_aside_once_the_step_went_well_though_it_had_nothing_to_do_for_it(
    team: Team, plan: Plan
) -> None:
    for _n in range(2):
        open_one(team)
    with team.store.transaction() as tx:
        tx.connection.execute(clock.update().where(clock.c.id == 2).values(name="detected/nonsense"))
        elsewhere = {"set_aside_on": MONDAY, "set_aside_why": "detection: KeyError"}
        tx.connection.execute(cases.update().where(cases.c.id == 1).values(elsewhere))
        tx.connection.execute(clock.update().where(clock.c.id == 1).values(due_on=MONDAY + timedelta(days=30)))
    stale = replace(plan, ledger_max_age_days=1)
    assert run(stale, MONDAY + timedelta(days=3))["set_aside"] == ["P-000002"]
    with team.store.transaction() as tx:  # mended, and nothing is due for a while
        mended = {"name": "detected/assignment", "due_on": MONDAY + timedelta(days=30)}
        tx.connection.execute(clock.update().where(clock.c.id == 2).values(mended))
    run(stale, MONDAY + timedelta(days=4))
    with team.store.transaction() as tx:
        aside = tx.connection.execute(select(cases.c.set_aside_on).order_by(cases.c.id)).scalars().all()
    assert aside == [MONDAY, None], "detection was left out, and has not looked at the first one again"
    run(plan, MONDAY + timedelta(days=5))
    with team.store.transaction() as tx:
        assert tx.connection.execute(select(cases.c.set_aside_why)).scalars().all() == [None, None]


def test_a_night_that_the_database_shut_out_blames_no_case_and_tells_all_that_it_has_done_once(
    team: Team, plan: Plan
) -> None:
    codes, broke_off = [open_one(team) for _ in range(3)], 0
    for number in range(SHUT_OUT):
        on = MONDAY + timedelta(days=number)
        with team.store.transaction() as tx:  # each of them stalls, and the ledgers are old
            tx.connection.execute(clock.update().values(due_on=None))
            tx.connection.execute(cases.update().values(stalled_on=None))
        stale = replace(plan, ledger_max_age_days=1, patience=0)
        with harmed(team.store, Harm("locked_out", 10 + number, 0.09)):
            try:
                run(stale, on)
            except DatabaseAway:
                broke_off += 1
        steps: Any = run(stale, on)["steps"]
        assert (steps["stalls"]["acted_on"], steps["stalls"]["set_aside"]) == (len(codes), 0), number
        assert steps["ledgers"]["looked_at"] == 1
        with team.store.transaction() as tx:
            assert tx.connection.execute(select(cases.c.set_aside_why)).scalars().all() == [None] * len(codes), number
    assert broke_off > 4
    assert [rule for rule, *_rest in notices(team)] == ["stall"] * len(codes) * SHUT_OUT


def test_missed_nights_are_caught_up_in_order_each_under_its_own_date(team: Team, plan: Plan) -> None:
    open_one(team)
    run(plan, MONDAY)
    last = run(plan, MONDAY + timedelta(days=10))
    assert last["missed_nights"] == [(MONDAY + timedelta(days=n)).isoformat() for n in range(1, 10)]
    with team.store.transaction() as tx:
        on = (
            tx.connection.execute(select(history.c.on).where(history.c.kind == "clock").order_by(history.c.id))
            .scalars()
            .all()
        )
        digests = tx.connection.execute(select(outbox.c.due_on).where(outbox.c.rule == "digest")).scalars().all()
    assert on == [date(2026, 11, 5), date(2026, 11, 9), date(2026, 11, 11)]
    assert digests == [MONDAY + timedelta(days=10)]  # one mail, not one for each missed night


def test_a_stale_ledger_skips_detection_but_not_the_clocks(team: Team, plan: Plan) -> None:
    open_one(team)
    certificate = run(replace(plan, ledger_max_age_days=1), MONDAY + timedelta(days=3))
    steps = certificate["steps"]
    assert isinstance(steps, dict)
    assert (steps["detection"]["status"], steps["instalments"]["status"], steps["clocks"]["acted_on"]) == (
        "skipped",
        "skipped",
        1,
    )


def test_each_ledger_that_falls_silent_is_told_once_whatever_the_others_do(team: Team, plan: Plan) -> None:
    def told(on: date) -> int:
        run(replace(plan, ledger_max_age_days=10), on)
        with team.store.transaction() as tx:
            return tx.connection.execute(text("SELECT count(*) FROM outbox WHERE rule = 'stale_ledger'")).scalar_one()

    with team.store.transaction() as tx:
        row = team.open_case(tx, MONDAY)
        create_ledger(tx, row.tenancy_id, name="ALER", on=MONDAY)
        create_ledger(tx, row.tenancy_id, name="Condominio", on=MONDAY - timedelta(days=8))
    once = told(MONDAY + timedelta(days=3))
    assert once > 0, "of the condominium"
    with team.store.transaction() as tx:
        tx.connection.execute(text("UPDATE creditor SET ledger_on = '2026-11-05' WHERE name = 'ALER'"))
    assert told(MONDAY + timedelta(days=4)) == once, "a new file of the other one is no news of this one"
    assert told(MONDAY + timedelta(days=20)) == 2 * once, "the other one has fallen silent too"


def test_a_paused_case_is_not_reminded_but_its_review_is(team: Team, plan: Plan) -> None:
    code = open_one(team)
    with team.store.transaction() as tx:
        team.do(tx, "sara", code, "assign", case_worker="wanda")
        casework.pause(tx, team.occasion(tx, "wanda"), code, "hospital", date(2026, 11, 20))
    for day in range(21):
        run(plan, MONDAY + timedelta(days=day))
    assert [rule for rule, *_ in notices(team)] == ["pause/review/review"]


def test_a_household_hears_of_the_meeting_it_has_not_answered(team: Team, plan: Plan) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx, MONDAY)
        create_ledger(tx, row.tenancy_id)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        team.do(tx, "wanda", row.code, "confirm", cause="dismissal", objective=True, transitory=True)
        team.do(tx, "wanda", row.code, "record_attempt", channel="phone", outcome="spoken")
        team.do(tx, "wanda", row.code, "meet")
    run(plan, MONDAY + timedelta(days=7))
    assert [rule for rule, who, _kind in notices(team) if who.startswith("person:")] == [
        "confirm/invite",
        "engagement.met/consent/message",
    ]


def test_a_rehearsal_tells_of_a_message_over_the_cap(team: Team, plan: Plan) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx, MONDAY)
        create_ledger(tx, row.tenancy_id)
        team.do(tx, "sara", row.code, "assign", case_worker="wanda")
        team.do(tx, "wanda", row.code, "confirm", cause="dismissal", objective=True, transitory=True)
        team.do(tx, "wanda", row.code, "record_attempt", channel="phone", outcome="spoken")
        team.do(tx, "wanda", row.code, "meet")
        for day in (5, 6):  # two reminders of appointments wait to leave this week
            fields = {"what": "x", "where": "y", "day": MONDAY + timedelta(days=day), "hour": 10}
            team.do(tx, "wanda", row.code, "make_appointment", MONDAY + timedelta(days=day - 4), **fields)
    actions = nights.rehearse(plan, MONDAY + timedelta(days=7), at=datetime(2026, 11, 9, 2, 30, tzinfo=UTC))
    assert [a.what for a in actions if "over the cap" in a.why] == ["reminder after the meeting does not leave yet"]
    assert not [a for a in actions if "over the cap" in a.why and a.done]


def test_shards_ring_every_clock_once(team: Team, plan: Plan) -> None:
    codes = [open_one(team) for _ in range(7)]
    certificate = run(replace(plan, shards=3, batch_size=2), MONDAY + timedelta(days=3))
    steps = certificate["steps"]
    assert isinstance(steps, dict) and steps["clocks"]["acted_on"] == len(codes) == len(notices(team))


def test_what_one_step_has_set_aside_the_others_of_that_night_leave_alone(team: Team, plan: Plan) -> None:
    """Each task of Prefect's and each helper has a Night of its own: what they share stands in the database."""
    on = MONDAY + timedelta(days=3)
    codes, at = [open_one(team) for _ in range(2)], datetime(2026, 11, 5, 2, 30, tzinfo=UTC)
    with team.store.transaction() as tx:
        aside = {"set_aside_on": on, "set_aside_why": "instalments: KeyError"}
        tx.connection.execute(cases.update().where(cases.c.code == codes[0]).values(aside))
    for day in nights.nights_to_run(team.store, on):
        for spec in nights.STEPS:
            night = nights.begin(plan, day, on, at, again=True)
            nights.open_step(night, spec)
            nights.run_step(night, spec)
    assert nights.certificate(team.store, on)["set_aside"] == [codes[0]]
    assert len(notices(team)) == 1
    assert run(plan, on + timedelta(days=1))["set_aside"] == []
    assert len(notices(team)) == 2


def test_a_rehearsal_does_not_wait_for_the_shards_of_a_night_that_was_killed(team: Team, plan: Plan) -> None:
    code, on, at = open_one(team), MONDAY + timedelta(days=3), datetime(2026, 11, 5, 2, 30, tzinfo=UTC)
    killed = replace(plan, lease_seconds=3600)
    for day in nights.nights_to_run(team.store, on)[:1]:
        night = nights.begin(killed, day, on, at)
        nights.open_step(night, nights.STEPS[0])
        with team.store.transaction() as tx:
            assert leases.take(tx, night.id, nights.STEPS[0].name, "dead:1", 3600) is not None
    actions = nights.rehearse(plan, on, at=at, longest=20)
    assert (code, "remind supervisor (sara)") in [(a.case, a.what) for a in actions if a.done]


def test_a_rehearsal_waits_until_the_night_at_work_has_finished(team: Team, plan: Plan) -> None:
    on = MONDAY + timedelta(days=3)
    with team.store.alone(plan.lock_file, wait_seconds=1), pytest.raises(Busy, match="look again when it has finished"):
        nights.rehearse(plan, on, at=datetime(2026, 11, 5, 2, 30, tzinfo=UTC), longest=0.5)


def test_one_case_in_a_state_that_is_none_costs_the_others_no_batch(team: Team, plan: Plan) -> None:
    """Neither the bulk of reminders nor that of steps: it is looked at alone, and named."""
    codes, on = [open_one(team) for _ in range(3)], MONDAY + timedelta(days=3)
    with team.store.transaction() as tx:
        for code in codes[:2]:
            tx.connection.execute(cases.update().where(cases.c.code == code).values(configuration="nowhere.at.all"))
    certificate = run(plan, on)
    assert certificate["set_aside"] == codes[:2] and "incidents" not in certificate
    assert len(notices(team)) == 1
