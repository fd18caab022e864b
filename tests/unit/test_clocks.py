"""When clocks ring, whom they reach, and how a pause moves them."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from states.alarms import AlarmSequence
from states.calendars import LegalCalendar, WorkingCalendar
from states.decide import decide, opening
from states.decision import Decision, MoveClock, Notify, Refusal, Release, StartClock, StopClock
from states.loader import BUNDLED, load
from states.pathway import PAUSE_CLOCK
from states.snapshot import Attempt, CaseSnapshot, ClockDue, Event, Fact, Paused, Resumed, RunningClock
from tests.unit.snapshots import AGENCY, BASE, CALL, MONDAY, PATHWAYS, SYSTEM, active, case, fire, ring, taken


def test_the_alarms_of_a_clock_ring_in_order_on_working_days() -> None:
    start = next(e for e in opening(BASE, MONDAY).effects if isinstance(e, StartClock))
    clock, told = RunningClock(0, start.name, MONDAY, 0, 0, start.due_on), []
    while clock.due_on is not None:
        move, notice = ring(clock, case("detected"), clock.due_on).effects
        assert isinstance(move, MoveClock) and isinstance(notice, Notify)
        told.append((clock.due_on, notice.kind, notice.to))
        clock = clock._replace(position=move.position, due_on=move.due_on)
    assert told == [
        (date(2026, 11, 5), "remind", "supervisor"),
        (date(2026, 11, 9), "remind", "supervisor"),
        (date(2026, 11, 11), "remind", "supervisor"),
        (date(2026, 11, 16), "escalate", "lead"),
    ]


def test_reminders_that_fell_due_meanwhile_are_told_once() -> None:
    clock = RunningClock(0, "detected/assignment", MONDAY, 0, 0, date(2026, 11, 5))
    move, notice = ring(clock, case("detected"), date(2026, 11, 12)).effects
    assert isinstance(notice, Notify) and (notice.due_on, notice.overtaken) == (date(2026, 11, 11), 2)
    assert isinstance(move, MoveClock) and move.due_on == date(2026, 11, 16)


@pytest.mark.parametrize(
    ("pathway", "attempts", "moved"),
    [
        pytest.param(
            "sanpolino", (CALL, CALL, CALL._replace(channel="door")), True, id="three attempts on two channels"
        ),
        pytest.param(
            "sanpolino", (CALL, CALL._replace(channel="door")), False, id="two attempts are too few in Sanpolino"
        ),
        pytest.param("san_polo", (CALL, CALL._replace(channel="door")), True, id="two attempts are enough in San Polo"),
    ],
)
def test_the_neighbours_are_asked_by_the_clock_itself(pathway: str, attempts: tuple[Attempt, ...], moved: bool) -> None:
    alarms = PATHWAYS[pathway].alarms("engagement.to_contact/contact", 0)
    position = next(n for n in range(9) if (a := alarms.at(n)) and a.spec.do == "fire")
    due = PATHWAYS[pathway].due("engagement.to_contact/contact", 0, position, MONDAY)
    assert due is not None
    decision = ring(
        RunningClock(0, "engagement.to_contact/contact", MONDAY, position, 0, due),
        case("engagement.to_contact", attempts=attempts),
        due,
        pathway,
    )
    assert decision.configuration == (("engagement.neighbours",) if moved else ("engagement.to_contact",))
    assert (
        any(isinstance(e, Notify) and e.kind == "escalate" and e.to == "supervisor" for e in decision.effects) != moved
    )


@pytest.mark.parametrize(
    ("name", "shift"),
    [
        pytest.param("engagement.to_contact/contact", 7, id="working days: five of them are seven calendar days"),
        pytest.param("active/team_review", 7, id="calendar days"),
    ],
)
def test_a_pause_moves_each_clock_by_its_own_unit(name: str, shift: int) -> None:
    due = BASE.due(name, 0, 0, MONDAY)
    assert due is not None
    snapshot = case("engagement.to_contact", clocks=(RunningClock(0, name, MONDAY, 0, 0, due),))
    paused = decide(BASE, snapshot, Paused("hospital", MONDAY + timedelta(days=30)), MONDAY)
    assert isinstance(paused, Decision)
    assert {e.name: e.due_on for e in paused.effects if isinstance(e, MoveClock | StartClock)} == {
        name: None,
        PAUSE_CLOCK: MONDAY + timedelta(days=30),
    }
    still = snapshot._replace(paused_on=MONDAY, clocks=(RunningClock(0, name, MONDAY, 0, 0, None),))
    resumed = decide(BASE, still, Resumed(), MONDAY + timedelta(days=7))
    assert isinstance(resumed, Decision)
    assert [e.due_on for e in resumed.effects if isinstance(e, MoveClock)] == [due + timedelta(days=shift)]


@pytest.mark.parametrize(
    ("snapshot", "event", "kind"),
    [
        pytest.param(case(paused_on=MONDAY), Paused("hospital", date(2026, 12, 1)), "paused", id="paused already"),
        pytest.param(case(), Paused("holiday", date(2026, 12, 1)), "fields", id="unknown reason"),
        pytest.param(case(), Paused("hospital", MONDAY), "fields", id="review today"),
        pytest.param(case(paused_days=170), Paused("hospital", date(2026, 12, 1)), "pause_cap", id="over the cap"),
        pytest.param(case("closed.referred"), Paused("hospital", date(2026, 12, 1)), "not_here", id="closed"),
        pytest.param(case(), Resumed(), "not_paused", id="not paused"),
    ],
)
def test_a_pause_is_refused(snapshot: CaseSnapshot, event: Event, kind: str) -> None:
    answer = decide(BASE, snapshot, event, MONDAY)
    assert isinstance(answer, Refusal) and answer.kind == kind


def test_the_night_does_not_move_a_paused_case() -> None:
    snapshot = active(payment="struggling", paused_on=MONDAY, figures={"missed_in_a_row": 5})
    answer = fire(snapshot, "breach", SYSTEM)
    assert isinstance(answer, Refusal) and answer.kind == "paused"


def test_a_reminder_for_somebody_else_is_not_swallowed(tmp_path: Path) -> None:
    text = (BUNDLED / "un_ponte_sul_blu.yaml").read_text(encoding="utf-8")
    first, second = "after: 30\n                      do: remind", "after: 90\n                      every: 30"
    mine = text.replace(first, f"{first}\n                      to: volunteers", 1).replace(second, "after: 31", 1)
    (tmp_path / "un_ponte_sul_blu.yaml").write_text(mine, encoding="utf-8")
    pathway = load(tmp_path / "un_ponte_sul_blu.yaml")
    clock = RunningClock(0, "active.work.placed/checks", MONDAY, 0, 0, date(2026, 12, 2))
    told = []
    while clock.due_on is not None:
        answer = decide(pathway, active("placed"), ClockDue(clock), date(2026, 12, 10))
        assert isinstance(answer, Decision)
        move, notice = answer.effects
        assert isinstance(move, MoveClock) and isinstance(notice, Notify)
        told.append((notice.to, notice.due_on))
        clock = clock._replace(position=move.position, due_on=move.due_on)
    assert told == [("volunteers", date(2026, 12, 2)), ("job_agency", date(2026, 12, 3))]


def test_an_escalation_is_never_overtaken() -> None:
    clock = RunningClock(0, "detected/assignment", MONDAY, 2, 0, date(2026, 11, 11))
    move, notice = ring(clock, case("detected"), date(2026, 12, 31)).effects
    assert isinstance(notice, Notify) and (notice.kind, notice.overtaken) == ("remind", 0)
    assert isinstance(move, MoveClock) and (move.position, move.due_on) == (3, date(2026, 11, 16))


def test_the_monthly_look_goes_on_and_says_nothing_while_all_is_well() -> None:
    clock = RunningClock(0, "follow_up/ledger_look", date(2026, 8, 31), 0, 0, date(2026, 9, 30))
    quiet = ring(clock, case("follow_up", figures={"arrears_class": "regular"}), date(2026, 9, 30))
    assert quiet.looked is not None and quiet.configuration == ("follow_up",)
    assert quiet.effects == (MoveClock(0, "follow_up/ledger_look", 1, 0, date(2026, 10, 31)),)
    back = ring(clock, case("follow_up", figures={"arrears_class": "contained"}), date(2026, 9, 30))
    assert back.configuration == ("engagement.to_contact",)
    assert StopClock(0, "follow_up/ledger_look") in back.effects
    assert not any(isinstance(effect, MoveClock) for effect in back.effects)


@pytest.mark.parametrize(
    ("used", "days", "allowed"),
    [
        pytest.param(0, 180, True, id="the whole of it at once"),
        pytest.param(0, 181, False, id="one day too many"),
        pytest.param(150, 30, True, id="what is left"),
        pytest.param(150, 31, False, id="more than is left"),
        pytest.param(200, 1, False, id="nothing is left"),
    ],
)
def test_pauses_add_up_to_their_cap(used: int, days: int, allowed: bool) -> None:
    answer = decide(BASE, case(paused_days=used), Paused("abroad", MONDAY + timedelta(days=days)), MONDAY)
    assert isinstance(answer, Decision) == allowed
    if isinstance(answer, Refusal):
        assert answer.kind == "pause_cap" and f"{max(180 - used, 0)} of 180 days" in answer.sentence.en


def test_a_pause_over_the_holidays_counts_working_days_only() -> None:
    start, paused_on, resumed_on = date(2026, 12, 14), date(2026, 12, 18), date(2027, 1, 7)
    # 21-24 December, 28-31 December, 4 and 5 January, 7 January: eleven working days stood still
    running = RunningClock(0, "detected/assignment", start, 1, 0, None)
    answer = decide(BASE, case(paused_on=paused_on, clocks=(running,)), Resumed(), resumed_on)
    assert isinstance(answer, Decision)
    assert MoveClock(0, "detected/assignment", 1, 11, date(2027, 1, 8)) in answer.effects
    assert Release((resumed_on - paused_on).days) in answer.effects
    assert StopClock(0, PAUSE_CLOCK) in answer.effects


def test_a_clock_started_during_a_pause_stood_still_from_its_own_start() -> None:
    later = MONDAY + timedelta(days=7)
    drafted = case(
        "planning", journeys={7: "drafting"}, paused_on=MONDAY, facts=(Fact("pip_complete", True, MONDAY, 7),)
    )
    started = taken(drafted, "propose", AGENCY, 7, on=later)
    (clock,) = [effect for effect in started.effects if isinstance(effect, StartClock)]
    assert clock.due_on is None, "it waits for the case to go on"
    still = RunningClock(7, clock.name, clock.started_on, 0, 0, None)
    answer = decide(BASE, case("planning", paused_on=MONDAY, clocks=(still,)), Resumed(), later + timedelta(days=7))
    assert isinstance(answer, Decision)
    assert [(e.held, e.due_on) for e in answer.effects if isinstance(e, MoveClock)] == [(5, date(2026, 11, 23))]


def test_a_clock_that_has_run_out_stays_silent_after_a_pause() -> None:
    spent = RunningClock(0, "screening/screening", MONDAY, 2, 0, None)
    answer = decide(BASE, case("screening", paused_on=MONDAY, clocks=(spent,)), Resumed(), MONDAY + timedelta(days=7))
    assert isinstance(answer, Decision)
    assert [e.due_on for e in answer.effects if isinstance(e, MoveClock)] == [None]


def test_closing_a_paused_case_ends_its_pause() -> None:
    review = RunningClock(0, PAUSE_CLOCK, MONDAY, 0, 0, MONDAY + timedelta(days=30))
    later = MONDAY + timedelta(days=10)
    decision = taken(case("planning", paused_on=MONDAY, clocks=(review,)), "drop_out", on=later, reason="x")
    assert Release(10) in decision.effects and StopClock(0, PAUSE_CLOCK) in decision.effects


def test_rings_are_the_same_whichever_thread_asks_first() -> None:
    clock = BASE.document.household.states["active"].states["community"].states["invited"].clocks["invitation"]
    expected = [10 * (n + 1) for n in range(500)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # else the threads hardly meet
    try:
        for _ in range(5):
            sequence = AlarmSequence(clock)
            with ThreadPoolExecutor(8) as threads:
                found = list(threads.map(sequence.at, [n for n in range(500) for _ in range(8)]))
            assert [alarm.offset for alarm in found[::8] if alarm] == expected
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        pytest.param(date(2028, 2, 29), False, id="a leap year keeps the day"),
        pytest.param(date(2027, 3, 1), True, id="another year has none"),
    ],
)
def test_a_holiday_on_the_29th_of_february_stops_no_calendar(day: date, works: bool) -> None:
    assert WorkingCalendar(extra_holidays=[(2, 29)]).is_working(day) == works
    assert LegalCalendar(extra_holidays=[(2, 29)]).is_holiday(day) != works
