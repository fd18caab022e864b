"""Events, attendance, the emporio's book and referrals: through the services, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from ponte_workflow.errors import BadInput, NeedsMissing, PonteError
from ponte_workflow.services import casework, community, emporio, replaying, undoing
from ponte_workflow.services.community import Planned
from ponte_workflow.store import cases, local_services
from ponte_workflow.store import community as kept
from ponte_workflow.store import emporio as books
from ponte_workflow.store.cases import CaseRow
from ponte_workflow.store.engine import Store, Transaction
from ponte_workflow.store.schema.community import emporio_entry
from ponte_workflow.store.schema.messages import outbox
from tests.builders import MONDAY, Team, create_team
from tests.integration.standing_cases import walk

AGREED: dict[str, Any] = {"receiving_service": "CSM", "reason": "needs more", "household_agrees": True}


@pytest.fixture
def team(store: Store) -> Iterator[Team]:
    yield create_team(store)


def held(team: Team, tx: Transaction, *, days: int = 0, seats: int | None = None, kind: str = "dinner") -> int:
    starts = datetime(MONDAY.year, MONDAY.month, MONDAY.day, 18, 30, tzinfo=UTC) + timedelta(days=days)
    plan = Planned(kind, "Cena", "sanpolino", "amici_elefanti", "Sala", starts, starts + timedelta(hours=2), seats)
    return community.plan_event(tx, team.occasion(tx, "vera"), plan)


def home(team: Team, tx: Transaction) -> CaseRow:
    return walk(team, tx, "active", "wanda", on=MONDAY)


def now(tx: Transaction, row: CaseRow) -> CaseRow:
    return cases.by_id(tx, row.id)


def sound(team: Team, tx: Transaction, row: CaseRow) -> None:
    assert list(replaying.differences(tx, team.pathways, now(tx, row))) == []
    assert books.breaks(tx) == []


def test_attendance_of_many_households_moves_each_track_once(team: Team) -> None:
    with team.store.transaction() as tx:
        rows, event_id = [home(team, tx) for _ in range(3)], held(team, tx)
        who = team.occasion(tx, "vera")
        refused = community.attend(tx, who, event_id, {rows[0].code: 0, rows[1].code: 2, "P-999999": 0})
        assert list(refused) == ["P-999999"]
        again = community.attend(tx, who, event_id, {rows[0].code: 0, rows[2].code: 0})
        assert "counted for the household already" in again[rows[0].code] and len(again) == 1
        leaves = [next(leaf for leaf in now(tx, row).configuration if "community" in leaf) for row in rows]
        assert [leaf.rsplit(".")[-1] for leaf in leaves] == ["taking_part", "rooted", "taking_part"]
        event = kept.event_row(tx, event_id)
        assert (event.came, event.hours) == (3, 2)
        assert [books.balance(tx, row.household_id) for row in rows] == [0, 20, 0]
        for row in rows:
            sound(team, tx, row)


def test_a_wrong_attendance_is_corrected_later_and_the_correction_can_be_undone(team: Team) -> None:
    with team.store.transaction() as tx:
        row, event_id, who = home(team, tx), held(team, tx), team.occasion(tx, "vera")
        community.attend(tx, who, event_id, {row.code: 3})
        team.do(tx, "wanda", row.code, "record_attempt", channel="phone", outcome="spoken")
        (part,) = kept.parts_of(tx, row.id)
        community.correct(tx, who, row.code, part.id, "another family of that name")
        assert "active.community.invited" in now(tx, row).configuration
        assert books.balance(tx, row.household_id) == 0 and kept.event_row(tx, event_id).came == 0
        with pytest.raises(PonteError, match="no participation number"):
            community.correct(tx, who, row.code, part.id, "again")
        undoing.undo(tx, who, row.code)
        assert "active.community.rooted" in now(tx, row).configuration
        assert books.balance(tx, row.household_id) == 30 and kept.event_row(tx, event_id).came == 1
        sound(team, tx, row)


def test_undoing_an_attendance_takes_back_what_is_left_of_its_points(team: Team) -> None:
    with team.store.transaction() as tx:
        row, event_id, who = home(team, tx), held(team, tx), team.occasion(tx, "vera")
        emporio.put_good(tx, who, "sanpolino", "Pasta", 15)
        community.attend(tx, who, event_id, {row.code: 2})
        (good,) = books.goods(tx, None, active=True)
        assert emporio.spend(tx, who, row.code, good.id, 1) == 5
        undoing.undo(tx, who, row.code)
        assert "active.community.invited" in now(tx, row).configuration
        assert books.balance(tx, row.household_id) == 0
        assert community.attend(tx, who, event_id, {row.code: 1}) == {}
        sound(team, tx, row)


def test_nobody_is_invited_beyond_the_seats_nor_twice_nor_while_paused(team: Team) -> None:
    with team.store.transaction() as tx:
        first, second, paused = (home(team, tx) for _ in range(3))
        event_id, other, who = held(team, tx, days=7, seats=1), held(team, tx, days=8), team.occasion(tx, "vera")
        community.invite(tx, who, event_id, first.code)
        with pytest.raises(NeedsMissing, match="all are given"), tx.savepoint():
            community.invite(tx, who, event_id, second.code)
        with pytest.raises(NeedsMissing, match="invited to this event already"), tx.savepoint():
            community.invite(tx, who, event_id, first.code)
        community.invite(tx, who, other, first.code)
        sent = select(func.count()).where(outbox.c.case_id == first.id, outbox.c.message == "event_invitation")
        assert tx.connection.execute(sent).scalar_one() == 2, "two events of which one day speaks are two messages"
        casework.pause(tx, team.occasion(tx, "wanda"), paused.code, "hospital", MONDAY + timedelta(days=9))
        with pytest.raises(NeedsMissing, match="paused"), tx.savepoint():
            community.invite(tx, who, other, paused.code)
        undoing.undo(tx, who, first.code)
        undoing.undo(tx, who, first.code)
        community.invite(tx, who, event_id, second.code)
        assert kept.event_row(tx, event_id).invited == 1


def test_attendance_is_recorded_from_the_day_of_the_event_and_not_of_a_cancelled_one(team: Team) -> None:
    with team.store.transaction() as tx:
        row, later, gone, who = home(team, tx), held(team, tx, days=3), held(team, tx), team.occasion(tx, "vera")
        community.cancel(tx, who, gone)
        assert "recorded from that day" in community.attend(tx, who, later, {row.code: 0})[row.code]
        assert "cancelled" in community.attend(tx, who, gone, {row.code: 0})[row.code]
        assert "active.community.invited" in now(tx, row).configuration


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("kind", "rave", "none of"),
        ("title", " ", "title"),
        ("organiser", "aler", "no association"),
        ("seats", 0, "seats"),
    ],
)
def test_a_faulty_event_is_refused_by_its_field(team: Team, field: str, value: Any, said: str) -> None:
    starts = datetime(2026, 11, 5, 18, tzinfo=UTC)
    fields: dict[str, Any] = {
        "kind": "swap", "title": "Baratto", "quarter": "sanpolino", "organiser": "amici_elefanti", "place": "Sala",
        "starts": starts, "ends": starts + timedelta(hours=1), "seats": 3,
    }  # fmt: skip
    with team.store.transaction() as tx, pytest.raises(BadInput, match=said):
        community.plan_event(tx, team.occasion(tx, "vera"), Planned(**{**fields, field: value}))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=st.lists(st.tuples(st.sampled_from(("earn", "spend")), st.integers(1, 9)), max_size=12))
def test_the_emporios_book_always_balances_and_never_goes_below_zero(team: Team, deeds: list[tuple[str, int]]) -> None:
    with team.store.transaction() as tx:
        row, who = home(team, tx), team.occasion(tx, "vera")
        emporio.put_good(tx, who, "sanpolino", "Sapone", 7)
        (good,) = books.goods(tx, None, active=True)
        expected = 0
        for deed, n in deeds:
            if deed == "earn":
                team.do(tx, "vera", row.code, "participate", participated_in="emporio", hours_given=n)
                expected += 10 * n
            elif 7 * n <= expected:
                assert emporio.spend(tx, who, row.code, good.id, n) == expected - 7 * n
                expected -= 7 * n
            else:
                with pytest.raises(BadInput, match=f"has {expected} points, and this costs {7 * n}"):
                    emporio.spend(tx, who, row.code, good.id, n)
        total = select(func.coalesce(func.sum(emporio_entry.c.points), 0)).where(
            emporio_entry.c.household_id == row.household_id
        )
        assert tx.connection.execute(total).scalar_one() == expected == books.balance(tx, row.household_id)
        assert books.breaks(tx) == []


def test_many_at_the_counter_at_once_cannot_overdraw(team: Team) -> None:
    with team.store.transaction() as tx:
        row, who = home(team, tx), team.occasion(tx, "vera")
        team.do(tx, "vera", row.code, "participate", participated_in="emporio", hours_given=2)
        emporio.put_good(tx, who, "sanpolino", "Olio", 6)
        (good,) = books.goods(tx, None, active=True)
    refused: list[str] = []

    def take() -> None:
        try:
            with team.store.transaction() as tx:
                emporio.spend(tx, team.occasion(tx, "vera"), row.code, good.id, 1)
        except PonteError as refusal:
            refused.append(refusal.sentence)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with team.store.transaction() as tx:
        assert books.balance(tx, row.household_id) == 2 and len(refused) == 5 and books.breaks(tx) == []


def test_a_referral_needs_the_household_and_comes_back_when_refused(team: Team) -> None:
    with team.store.transaction() as tx:
        row = home(team, tx)
        with pytest.raises(NeedsMissing, match="the household must agree"), tx.savepoint():
            team.do(tx, "wanda", row.code, "refer", **AGREED | {"household_agrees": False})
        team.do(tx, "wanda", row.code, "refer", **AGREED)
        (waiting,) = local_services.referrals_of(tx, row.id)
        assert (waiting.status, waiting.receiving, waiting.consent_on) == ("proposed", "CSM", MONDAY)
        assert now(tx, row).closed_on is None and now(tx, row).partner_id == row.partner_id
        team.do(tx, "sara", row.code, "refuse_referral", reason="no place")
        (refused,) = local_services.referrals_of(tx, row.id)
        assert (refused.status, refused.answer) == ("refused", "no place")
        assert "referral_came_back" in {task.kind for task in cases.open_tasks(tx, (row.id,))}
        undoing.undo(tx, team.occasion(tx, "sara"), row.code)
        assert local_services.referrals_of(tx, row.id)[0].status == "proposed"
        team.do(tx, "sara", row.code, "accept_referral")
        assert local_services.referrals_of(tx, row.id)[0].status == "accepted"
        assert now(tx, row).configuration == ("closed.referred",)


@pytest.mark.parametrize(
    ("step", "fields", "says"),
    [
        pytest.param("refer", AGREED | {"service": 999}, "service: there is no service number 999", id="service"),
        pytest.param(
            "participate",
            {"participated_in": "event", "attended_event": 999},
            "event: there is no event number 999",
            id="event attended",
        ),
        pytest.param(
            "invite_to_event",
            {"what": "Dinner", "where": "Hall", "day": MONDAY, "hour": 18, "invited_event": 999},
            "event: there is no event number 999",
            id="event invited to",
        ),
    ],
)
def test_a_field_that_names_what_is_not_there_is_refused_by_its_name(
    team: Team, step: str, fields: dict[str, Any], says: str
) -> None:
    with team.store.transaction() as tx:
        row = home(team, tx)
        with pytest.raises(BadInput, match=says), tx.savepoint():
            team.do(tx, "wanda" if step == "refer" else "vera", row.code, step, **fields)


def test_help_alongside_leaves_the_case_with_us_and_goes_its_way(team: Team) -> None:
    with team.store.transaction() as tx:
        row = home(team, tx)
        team.do(tx, "wanda", row.code, "refer_alongside", **AGREED)
        (help_,) = local_services.referrals_of(tx, row.id)
        with pytest.raises(BadInput, match="cannot become"), tx.savepoint():
            team.do(tx, "wanda", row.code, "answer_alongside", referral=help_.id, answer="done")
        with pytest.raises(NeedsMissing, match="need a reason"), tx.savepoint():
            team.do(tx, "wanda", row.code, "answer_alongside", referral=help_.id, answer="refused")
        with pytest.raises(BadInput, match="no help alongside number"), tx.savepoint():
            team.do(tx, "wanda", row.code, "answer_alongside", referral=help_.id + 1, answer="accepted")
        for answer in ("accepted", "done"):
            team.do(tx, "wanda", row.code, "answer_alongside", referral=help_.id, answer=answer)
            assert local_services.referrals_of(tx, row.id)[0].status == answer
        undoing.undo(tx, team.occasion(tx, "wanda"), row.code)
        assert local_services.referrals_of(tx, row.id)[0].status == "accepted"
        assert now(tx, row).closed_on is None
        sound(team, tx, row)


def test_the_silence_of_a_service_is_told_once(team: Team, tmp_path: Any) -> None:
    from ponte_workflow.services import night as nights
    from ponte_workflow.services.night.run import Plan

    with team.store.transaction() as tx:
        row = home(team, tx)
        team.do(tx, "wanda", row.code, "refer_alongside", **AGREED)
    plan = Plan(team.store, team.pathways, tmp_path / "lock", "plain")
    for day in (date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 30)):
        nights.run_nights(plan, day, at=lambda: datetime(2026, 11, 30, 3, 30, tzinfo=UTC))
    with team.store.transaction() as tx:
        told = tx.connection.execute(
            select(outbox.c.due_on, outbox.c.recipient).where(outbox.c.rule.startswith("referral_silence/"))
        ).all()
        assert [one.due_on for one in told] == [date(2026, 11, 17)] and told[0].recipient.startswith("staff:")
