"""`decide()`: who may do what from where, and what follows from a step."""

from datetime import date, timedelta

import pytest

from states.decision import (
    CloseTask,
    Decision,
    Notify,
    OpenTask,
    Perform,
    Record,
    Refusal,
    Signal,
    StartClock,
    StopClock,
    Withdraw,
)
from states.snapshot import Fact, RunningClock
from tests.unit.snapshots import (
    AGENCY,
    CALL,
    MONDAY,
    SUPERVISOR,
    SYSTEM,
    TRACKS,
    WORKER,
    active,
    case,
    clocks,
    fire,
    taken,
)

REASON = {"reason": "x"}
PLAN = {
    "total": "1.200,00",
    "instalments": "12",
    "first_due_on": "2026-12-10",
    "signed_by_household": "si",
    "signed_by_landlord": "si",
}
WAYS = [
    (case("detected", figures={"assignee_works_here": True}), "assign", SUPERVISOR, {"case_worker": "w"}, "screening"),
    (case("detected", figures={"arrears_class": "regular"}), "cleared", SYSTEM, {}, "closed.not_eligible"),
    (
        case("screening"),
        "confirm",
        WORKER,
        {"cause": "dismissal", "objective": True, "transitory": True},
        "engagement.to_contact",
    ),
    (case("screening"), "reject", WORKER, REASON, "closed.not_eligible"),
    (case("screening", figures={"arrears_class": "watch"}), "cleared", WORKER, {}, "closed.not_eligible"),
    (case("engagement.to_contact", attempts=(CALL,)), "meet", WORKER, {}, "engagement.met"),
    (
        case("engagement.to_contact", attempts=(CALL, CALL, CALL._replace(channel="door"))),
        "ask_neighbours",
        WORKER,
        {},
        "engagement.neighbours",
    ),
    (case("engagement.neighbours", attempts=(CALL,)), "meet", frozenset({"volunteers"}), {}, "engagement.met"),
    (case("engagement.neighbours"), "not_reached", SUPERVISOR, REASON, "closed.dropped_out"),
    (case("engagement.met"), "consent", WORKER, {"privacy_consent": True, "participation": True}, "planning"),
    (case("engagement.met"), "decline", WORKER, REASON, "closed.declined"),
    (case("follow_up", figures={"arrears_class": "contained"}), "relapse", SYSTEM, {}, "engagement.to_contact"),
    (case("follow_up", facts=(Fact("survey", "not_obtained", MONDAY),)), "graduate", WORKER, {}, "closed.autonomous"),
    (case("closed.declined"), "reopen", SUPERVISOR, REASON, "screening"),
    (case(*TRACKS), "drop_out", WORKER, REASON, "closed.dropped_out"),
    (case("planning"), "move_out", WORKER, REASON, "closed.moved_out"),
    (case("planning"), "decease", WORKER, {"person": 7, "reason": "x"}, "closed.deceased"),
]


@pytest.mark.parametrize(
    ("snapshot", "trigger", "roles", "fields", "target"), WAYS, ids=[f"{w[0].configuration[0]}-{w[1]}" for w in WAYS]
)
def test_a_trigger_leads_where_the_pathway_says(snapshot, trigger, roles, fields, target) -> None:  # type: ignore[no-untyped-def]
    decision = taken(snapshot, trigger, roles, **fields)
    assert decision.configuration == (target,)
    started = {e.name.partition("/")[0] for e in decision.effects if isinstance(e, StartClock)}
    assert target.startswith("closed") or started, "an open state starts a clock"


@pytest.mark.parametrize(
    ("snapshot", "trigger", "roles", "fields", "target"), WAYS, ids=[f"{w[0].configuration[0]}-{w[1]}" for w in WAYS]
)
def test_nobody_without_the_role_and_not_without_its_fields(snapshot, trigger, roles, fields, target) -> None:  # type: ignore[no-untyped-def]
    stranger = fire(snapshot, trigger, frozenset({"landlord"}), **fields)
    assert isinstance(stranger, Refusal) and stranger.kind == "not_yours"
    if fields:
        empty = fire(snapshot, trigger, roles)
        assert isinstance(empty, Refusal) and empty.kind == "fields" and empty.failures


NEEDS = [
    (case("detected"), "assign", SUPERVISOR, {"case_worker": "w"}, {"case_worker_of_quarter"}),
    (
        case("screening"),
        "confirm",
        WORKER,
        {"cause": "other", "objective": True, "transitory": False},
        {"objective_and_transitory"},
    ),
    (
        case("engagement.to_contact", attempts=(CALL._replace(outcome="no_answer"),)),
        "meet",
        WORKER,
        {},
        {"contact_recorded"},
    ),
    (case("engagement.to_contact", attempts=(CALL, CALL, CALL)), "ask_neighbours", WORKER, {}, {"attempts"}),
    (
        case("engagement.met"),
        "consent",
        WORKER,
        {"privacy_consent": True, "participation": False},
        {"consents_recorded"},
    ),
    (
        case("planning"),
        "activate",
        WORKER,
        {},
        {"household_assessed", "every_adult_has_pip_or_reason", "esf_entry_complete"},
    ),
    (case(*TRACKS), "begin_follow_up", WORKER, {}, {"payment_settled_or_steady", "tracks_final"}),
    (case(*TRACKS), "accept_referral", WORKER, {}, {"referral_open"}),
    (case("follow_up"), "graduate", WORKER, {}, {"survey_recorded"}),
]


@pytest.mark.parametrize(("snapshot", "trigger", "roles", "fields", "needs"), NEEDS, ids=[n[1] for n in NEEDS])
def test_a_refusal_lists_every_failing_guard_and_who_can_fix_it(snapshot, trigger, roles, fields, needs) -> None:  # type: ignore[no-untyped-def]
    answer = fire(snapshot, trigger, roles, **fields)
    assert isinstance(answer, Refusal) and answer.kind == "needs"
    assert {failure.name for failure in answer.failures} == needs
    assert all(failure.fix_by and failure.sentence.it and failure.sentence.en for failure in answer.failures)


@pytest.mark.parametrize(
    ("snapshot", "trigger", "fields", "work"),
    [
        pytest.param(active(journeys={7: "signed"}), "search", {}, "searching", id="search"),
        pytest.param(
            active(journeys={7: "signed"}),
            "place",
            {"employer": "x", "placement_kind": "permanent", "placed_on": MONDAY},
            "placed",
            id="placed at once",
        ),
        pytest.param(
            active("placed", journeys={7: "placed"}), "lose_job", REASON, "searching", id="the last placement ends"
        ),
        pytest.param(
            active("placed", journeys={7: "placed", 8: "placed"}),
            "lose_job",
            REASON,
            "placed",
            id="another one still works",
        ),
        pytest.param(
            active("placed", journeys={7: "placed"}, facts=(Fact("placed_on", date(2026, 8, 1), MONDAY, 7),)),
            "keep",
            {},
            "stable",
            id="kept for ninety days",
        ),
    ],
)
def test_a_persons_step_moves_the_work_track_in_the_same_decision(snapshot, trigger, fields, work) -> None:  # type: ignore[no-untyped-def]
    decision = taken(snapshot, trigger, AGENCY, 7, **fields)
    assert decision.configuration[2] == f"active.work.{work}"
    assert any(isinstance(effect, Signal) for effect in decision.effects)


def test_a_search_that_began_before_the_household_was_active_counts() -> None:
    done = [Fact(name, True, MONDAY) for name in ("household_assessed", "esf_entry_complete")]
    facts = (*done, Fact("pip_signed", True, MONDAY, 7))
    decision = taken(case("planning", journeys={7: "searching"}, facts=facts), "activate")
    assert decision.configuration[2] == "active.work.searching"


def test_a_job_lost_while_paying_asks_for_the_plan_to_be_reviewed() -> None:
    decision = taken(active("placed", "paying", journeys={7: "placed"}), "lose_job", AGENCY, 7, **REASON)
    assert [e.kind for e in decision.effects if isinstance(e, OpenTask)] == ["review_payment_plan"]


def test_a_plan_is_signed_and_money_is_read_strictly() -> None:
    decision = taken(active(), "agree_plan", **PLAN)
    assert decision.configuration[1] == "active.payment.paying"
    assert [e.what for e in decision.effects if isinstance(e, Perform)] == ["sign_plan"]
    wrong = fire(active(), "agree_plan", **{**PLAN, "total": "1.2.3,4x", "instalments": "0"})
    assert isinstance(wrong, Refusal) and {f.name for f in wrong.failures} == {"total", "instalments"}


@pytest.mark.parametrize(
    ("missed", "total", "trigger", "taken_"),
    [
        pytest.param(1, 1, "breach", False, id="one missed is no breach"),
        pytest.param(2, 2, "breach", True, id="two in a row"),
        pytest.param(1, 3, "breach", True, id="three in all"),
    ],
)
def test_a_breach_stops_demands_and_tells_the_supervisor(missed: int, total: int, trigger: str, taken_: bool) -> None:
    snapshot = active(payment="struggling", figures={"missed_in_a_row": missed, "missed_total": total})
    answer = fire(snapshot, trigger, SYSTEM)
    assert isinstance(answer, Decision) == taken_
    if isinstance(answer, Decision):
        assert Withdraw("demands") in answer.effects
        assert any(isinstance(e, Notify) and e.at_once and e.to == "supervisor" for e in answer.effects)


def test_three_participations_in_ninety_days_root_a_household_by_themselves() -> None:
    days = (MONDAY - timedelta(days=80), MONDAY - timedelta(days=10))
    facts = tuple(Fact("participated_in", "event", day) for day in days)
    third = taken(active(community="taking_part", facts=facts), "participate", participated_in="emporio")
    assert third.configuration[0] == "active.community.rooted"
    old = (facts[0]._replace(on=MONDAY - timedelta(days=95)), facts[1])
    assert (
        taken(active(community="taking_part", facts=old), "participate", participated_in="event")
        .configuration[0]
        .endswith("taking_part")
    )
    given = taken(active(), "participate", participated_in="event", hours_given=2)
    assert given.configuration[0] == "active.community.rooted"


def test_a_referral_waits_for_its_answer() -> None:
    proposed = taken(case("screening"), "refer", receiving_service="x", reason="y", household_agrees=True)
    assert proposed.configuration == ("screening",) and any(isinstance(e, OpenTask) for e in proposed.effects)
    waiting = case("screening", facts=(Fact("referral_open", True, MONDAY),))
    refused = taken(waiting, "refuse_referral", **REASON)
    assert refused.configuration == ("screening",)
    assert any(isinstance(e, Notify) and e.message == "referral_refused" and e.at_once for e in refused.effects)
    accepted = taken(waiting, "accept_referral")
    assert accepted.configuration == ("closed.referred",) and CloseTask("referral_answer", 0) in accepted.effects


def test_a_death_silences_everything_and_closes_every_clock() -> None:
    running = (
        RunningClock(0, "planning/planning", MONDAY, 0, 0, MONDAY),
        RunningClock(7, "signed/start", MONDAY, 0, 0, MONDAY),
    )
    decision = taken(case("planning", clocks=running, journeys={7: "signed"}), "decease", person=7, reason="x")
    assert Withdraw("all") in decision.effects and Perform("mark_deceased", 7) in decision.effects
    assert {e.name for e in decision.effects if isinstance(e, StopClock)} >= {"planning/planning", "signed/start"}
    assert ("reason", "x", "special") in decision.private


def test_a_household_that_moves_out_concludes_its_persons() -> None:
    decision = taken(case("planning", journeys={7: "searching", 8: "kept"}), "move_out", **REASON)
    assert dict(decision.journeys) == {7: "concluded"}


@pytest.mark.parametrize("state", ["assessment", "drafting", "proposed", "signed", "training", "searching", "placed"])
def test_an_interrupted_pip_is_taken_up_where_it_was(state: str) -> None:
    stopped = taken(case("planning", journeys={7: state}), "interrupt", AGENCY, 7, **REASON)
    assert dict(stopped.journeys) == {7: "interrupted"}
    facts = (Fact("interrupted_from", state, MONDAY, 7),)
    again = taken(case("planning", journeys={7: "interrupted"}, facts=facts), "take_up_again", AGENCY, 7)
    assert dict(again.journeys) == {7: "searching" if state == "placed" else state}


def test_a_household_that_declined_is_asked_again_once() -> None:
    first = taken(case("engagement.met"), "decline", **REASON)
    assert [(c.name, c.due_on) for c in clocks(first)] == [("closed.declined/ask_again", MONDAY + timedelta(days=60))]
    second = taken(
        case("engagement.met", facts=(Fact("ran:closed.declined/ask_again", True, MONDAY),)), "decline", **REASON
    )
    assert clocks(second) == ()


def test_a_reopened_case_watches_its_open_pips_again() -> None:
    journeys = {7: "searching", 8: "kept", 9: "drafting"}
    closed = case("closed.deceased", journeys=journeys, adults=frozenset({7, 8}))
    started = {(c.person_id, c.name) for c in clocks(taken(closed, "reopen", SUPERVISOR, **REASON))}
    assert started == {(0, "screening/screening"), (7, "searching/review")}, "9 has died: nobody is reminded"


def test_a_large_household_can_move_out() -> None:
    journeys = dict.fromkeys(range(1, 16), "searching")
    decision = taken(case("planning", journeys=journeys), "move_out", **REASON)
    assert dict(decision.journeys) == dict.fromkeys(range(1, 16), "concluded")


def test_what_is_personal_never_becomes_a_fact() -> None:
    fields = {"cause": "illness_or_death", "objective": True, "transitory": True, "notes": "in cura"}
    decision = taken(case("screening"), "confirm", **fields)
    assert decision.private == (("notes", "in cura", "special"),)
    assert {e.name for e in decision.effects if isinstance(e, Record)} == {"cause", "objective", "transitory"}


def test_closing_is_proposed_once() -> None:
    cheap = case("screening", figures={"arrears_class": "regular"})
    first = taken(cheap, "propose_closing", SYSTEM)
    assert [e.kind for e in first.effects if isinstance(e, OpenTask)] == ["decide_closing"]
    again = fire(
        case("screening", figures=cheap.figures, facts=(Fact("closing_proposed", True, MONDAY),)),
        "propose_closing",
        SYSTEM,
    )
    assert isinstance(again, Refusal) and [f.name for f in again.failures] == ["closing_not_proposed"]
