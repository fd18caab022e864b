"""Every trigger of the pathway from every state that has it: where it leads, who may fire it, what it asks."""

from itertools import product
from typing import get_args

import pytest

from states.decision import Decision, Refusal
from states.document import Role, TriggerSpec
from states.machine import ancestors
from states.snapshot import Attempt, CaseSnapshot, Fact, Value
from tests.unit.snapshots import AGENCY, BASE, CALL, MONDAY, SUPERVISOR, SYSTEM, WORKER, active, case, fire, taken
from tests.unit.test_decide import PLAN, REASON, WAYS

OCCASION = {"what": "x", "where": "y", "day": "2026-12-01", "hour": 18}
TRIED = {"channel": "phone", "outcome": "no_answer"}
PLACE = {"employer": "x", "placement_kind": "permanent", "placed_on": MONDAY}
EXCUSED = {"person": 7, "reason_without_pip": "retired"}
READY = tuple(Fact(name, True, MONDAY) for name in ("household_assessed", "esf_entry_complete"))
REFERRED = (Fact("referral_open", True, MONDAY),)
REGULAR = {"arrears_class": "regular"}
ENDED = case("active.community.not_pursued", "active.payment.settled", "active.work.stable")
WENT = {"participated_in": "event"}
BEEN = (Fact("participated_in", "event", MONDAY),)
REFERRAL = {"receiving_service": "x", "reason": "y", "household_agrees": True}
ALONGSIDE = (Fact("alongside_open", True, MONDAY),)

Row = tuple[str, CaseSnapshot, frozenset[str], dict[str, Value], str | None]
EXCUSE = (Fact("excuse_proposed", True, MONDAY),)
MET = (Fact("appointment_made", True, MONDAY),)
WRITE_OFF = (Fact("write_off_proposed", True, MONDAY),)
LEAD = frozenset({"lead"})
# (trigger, case, roles, fields, the leaf reached; None: the case stays)
TRACK_ROWS: list[Row] = [
    ("begin_follow_up", ENDED, WORKER, {}, "follow_up"),
    ("adult_searching", active(journeys={7: "searching"}), SYSTEM, {}, "active.work.searching"),
    ("adult_placed", active(journeys={7: "placed"}), SYSTEM, {}, "active.work.placed"),
    ("adult_placed", active("searching", journeys={7: "kept"}), SYSTEM, {}, "active.work.stable"),
    ("give_up_work", active(), WORKER, REASON, "active.work.not_pursued"),
    ("give_up_work", active("searching"), WORKER, REASON, "active.work.not_pursued"),
    ("last_placement_ended", active("placed"), SYSTEM, {}, "active.work.searching"),
    ("placement_kept", active("placed", journeys={7: "kept"}), SYSTEM, {}, "active.work.stable"),
    ("agree_plan", active(), WORKER, PLAN, "active.payment.paying"),
    ("settle", active(figures={"plan_settled": True}), SYSTEM, {}, "active.payment.settled"),
    ("settle", active(payment="paying", figures={"plan_settled": True}), SYSTEM, {}, "active.payment.settled"),
    ("settle", active(payment="struggling", figures={"plan_settled": True}), SYSTEM, {}, "active.payment.settled"),
    (
        "instalment_late",
        active(payment="paying", figures={"missed_in_a_row": 1}),
        SYSTEM,
        {},
        "active.payment.struggling",
    ),
    ("cannot_pay", active(payment="paying"), WORKER, REASON, "active.payment.struggling"),
    ("renegotiate", active(payment="paying"), WORKER, REASON, "active.payment.negotiating"),
    ("renegotiate", active(payment="struggling"), WORKER, REASON, "active.payment.negotiating"),
    ("renegotiate", active(payment="breached"), SUPERVISOR, REASON, "active.payment.negotiating"),
    ("back_on_track", active(payment="struggling"), SYSTEM, {}, "active.payment.paying"),
    (
        "breach",
        active(payment="struggling", figures={"missed_in_a_row": 2}),
        SYSTEM,
        {},
        "active.payment.breached",
    ),
    ("propose_excuse", active(payment="breached"), WORKER, REASON, None),
    ("excuse", active(payment="breached", facts=EXCUSE), SUPERVISOR, {}, "active.payment.paying"),
    ("refuse_excuse", active(payment="breached", facts=EXCUSE), SUPERVISOR, REASON, None),
    *(
        row
        for state in ("struggling", "breached")
        for row in (
            ("propose_write_off", active(payment=state), SUPERVISOR, REASON, None),
            ("write_off", active(payment=state, facts=WRITE_OFF), LEAD, {}, "active.payment.settled"),
            ("refuse_write_off", active(payment=state, facts=WRITE_OFF), LEAD, REASON, None),
        )
    ),
    ("participate", active(), WORKER, WENT, "active.community.taking_part"),
    ("participate", active(community="taking_part"), WORKER, WENT, None),
    ("participate", active(community="rooted"), WORKER, WENT, None),
    *(
        ("invite_to_event", active(community=state), WORKER, dict(OCCASION), None)
        for state in ("invited", "taking_part", "rooted")
    ),
    ("correct_participation", active(community="taking_part", facts=BEEN), SYSTEM, REASON, None),
    ("correct_participation", active(community="taking_part"), SYSTEM, REASON, "active.community.invited"),
    ("correct_participation", active(community="rooted", facts=BEEN), SYSTEM, REASON, "active.community.taking_part"),
    ("correct_participation", active(community="rooted", facts=BEEN * 3), SYSTEM, REASON, None),
    ("no_longer_taking_part", active(community="taking_part"), SYSTEM, {}, "active.community.invited"),
    ("unroot", active(community="rooted", facts=BEEN), SYSTEM, {}, "active.community.taking_part"),
    (
        "root",
        active(community="taking_part", facts=(Fact("hours_given", 2, MONDAY),)),
        WORKER,
        {},
        "active.community.rooted",
    ),
    ("give_up_community", active(), WORKER, REASON, "active.community.not_pursued"),
    ("give_up_community", active(community="taking_part"), WORKER, REASON, "active.community.not_pursued"),
]
STAY_ROWS: list[Row] = [
    *(
        ("record_attempt", case(state), WORKER, dict(TRIED), None)
        for state in (
            "engagement.to_contact",
            "engagement.neighbours",
            "engagement.met",
            "planning",
            "follow_up",
        )
    ),
    ("record_attempt", active(), WORKER, dict(TRIED), None),
    ("propose_closing", case("screening", figures=REGULAR), SYSTEM, {}, None),
    ("propose_closing", case("engagement.to_contact", figures=REGULAR), SYSTEM, {}, None),
    ("cleared", case("engagement.to_contact", figures=REGULAR), WORKER, {}, "closed.not_eligible"),
    ("record_assessment", case("planning"), WORKER, {}, None),
    ("record_esf_entry", case("planning"), WORKER, {}, None),
    ("start_pip", case("planning"), AGENCY, {"person": 7}, None),
    ("start_pip", active(), AGENCY, {"person": 7}, None),
    ("excuse_pip", case("planning"), WORKER, dict(EXCUSED), None),
    ("excuse_pip", active(), WORKER, dict(EXCUSED), None),
    (
        "activate",
        case("planning", facts=(*READY, Fact("reason_without_pip", "retired", MONDAY, 7))),
        WORKER,
        {},
        "active.work.waiting",
    ),
    ("record_review", active(), WORKER, {}, None),
    ("record_survey", case("follow_up"), WORKER, {"survey": "done"}, None),
    ("make_appointment", case("screening"), WORKER, dict(OCCASION), None),
    ("end_appointment", case("screening", facts=MET), WORKER, {"appointment": 1, "came_of_it": "held"}, None),
    ("refer", case("screening"), WORKER, dict(REFERRAL), None),
    ("revoke_referral", case("screening", facts=REFERRED), WORKER, REASON, None),
    ("refer_alongside", case("screening"), WORKER, dict(REFERRAL), None),
    ("answer_alongside", case("screening", facts=ALONGSIDE), WORKER, {"referral": 1, "answer": "accepted"}, None),
    ("accept_referral", case("screening", facts=REFERRED), WORKER, {}, "closed.referred"),
    ("refuse_referral", case("screening", facts=REFERRED), WORKER, REASON, None),
    ("adult_joined", case("planning"), SYSTEM, {"person": 7}, None),
]
# (trigger, the person's state, fields, facts about the person, the state reached)
PERSON_ROWS: list[tuple[str, str, dict[str, Value], dict[str, Value], str]] = [
    ("assessed", "assessment", {}, {}, "drafting"),
    ("propose", "drafting", {}, {"pip_complete": True}, "proposed"),
    ("sign", "proposed", {"signed_by_person": True, "signed_by_operator": True}, {}, "signed"),
    ("redraft", "proposed", {}, {}, "drafting"),
    *(("train", state, {}, {}, "training") for state in ("signed", "searching")),
    *(("search", state, {}, {}, "searching") for state in ("signed", "training")),
    *(("place", state, dict(PLACE), {}, "placed") for state in ("signed", "training", "searching")),
    *(("vary", state, dict(REASON), {}, "drafting") for state in ("signed", "training", "searching")),
    ("check_placement", "placed", {"placement_check": "well"}, {}, "placed"),
    ("keep", "placed", {}, {"placed_on": MONDAY.replace(month=8)}, "kept"),
    ("lose_job", "placed", dict(REASON), {}, "searching"),
    ("interrupt", "training", dict(REASON), {}, "interrupted"),
    ("take_up_again", "interrupted", {}, {"interrupted_from": "training"}, "training"),
    ("conclude", "interrupted", {}, {}, "concluded"),
]


def _id(row: Row) -> str:
    return f"{row[1].configuration[0]}-{row[0]}" if row[4] is None else f"{row[0]}-to-{row[4]}"


@pytest.mark.parametrize("row", [*TRACK_ROWS, *STAY_ROWS], ids=_id)
def test_a_trigger_leads_into_its_leaf_or_stays(row: Row) -> None:
    trigger, snapshot, roles, fields, leaf = row
    decision = taken(snapshot, trigger, roles, **fields)
    if leaf is None:
        assert decision.configuration == snapshot.configuration
    else:
        assert leaf in decision.configuration
    BASE.household.machine.check(decision.configuration)


@pytest.mark.parametrize(("trigger", "state", "fields", "facts", "reached"), PERSON_ROWS)
def test_a_persons_trigger_leads_where_the_pathway_says(
    trigger: str, state: str, fields: dict[str, Value], facts: dict[str, Value], reached: str
) -> None:
    known = tuple(Fact(name, value, MONDAY, 7) for name, value in facts.items())
    decision = taken(case("planning", journeys={7: state}, facts=known), trigger, AGENCY, 7, **fields)
    assert dict(decision.journeys) == {7: reached}


def test_no_trigger_of_the_pathway_is_left_out() -> None:
    rows = {(trigger, leaf) for trigger, snapshot, *_ in (*TRACK_ROWS, *STAY_ROWS) for leaf in snapshot.configuration}
    rows |= {(trigger, leaf) for snapshot, trigger, *_ in WAYS for leaf in snapshot.configuration}
    covered = {("household", trigger, path) for trigger, leaf in rows for path in ancestors(leaf)}
    covered |= {("person", trigger, state) for trigger, state, *_ in PERSON_ROWS}
    missing = {
        (chart, trigger, path)
        for chart, path, trigger, _ in BASE.all_triggers()
        if trigger not in getattr(BASE, chart).spec.everywhere and (chart, trigger, path) not in covered
    }
    named = {(chart, trigger) for chart, trigger, _ in covered}
    assert not missing
    assert {(chart, trigger) for chart, _, trigger, _ in BASE.all_triggers()} <= named


STANDING = {path: here for here in BASE.household.machine.reachable() for leaf in here for path in ancestors(leaf)}
EVERY = [
    pytest.param(chart, path, trigger, spec, role, id=f"{chart}-{path}-{trigger}-{role}")
    for (chart, path, trigger, spec), role in product(BASE.all_triggers(), get_args(Role))
]


@pytest.mark.parametrize(("chart", "path", "trigger", "spec", "role"), EVERY)
def test_only_the_roles_that_the_pathway_names_may_fire(
    chart: str, path: str, trigger: str, spec: TriggerSpec, role: str
) -> None:
    at_home = chart == "household"
    snapshot = case(*STANDING[path]) if at_home else case("planning", journeys={7: path})
    answer = fire(snapshot, trigger, frozenset({role}), 0 if at_home else 7)
    if role in spec.by:
        assert isinstance(answer, Decision) or answer.kind in ("needs", "fields")
    else:
        assert isinstance(answer, Refusal) and answer.kind == "not_yours"
        assert answer.sentence.en == f"this is for: {', '.join(spec.by)}"


@pytest.mark.parametrize("snapshot", [case("closed.dropped_out", journeys={7: "searching"})], ids=["dropped out"])
@pytest.mark.parametrize("trigger", ["train", "place", "interrupt", "conclude"])
def test_a_pip_rests_while_its_case_is_closed(snapshot: CaseSnapshot, trigger: str) -> None:
    answer = fire(snapshot, trigger, AGENCY, 7, **PLACE if trigger == "place" else REASON)
    assert isinstance(answer, Refusal) and answer.kind == "not_here"
    assert answer.sentence.en == "the case is closed: reopen it first"


@pytest.mark.parametrize(
    ("trigger", "subject", "kind"),
    [
        pytest.param("asign", 0, "unknown_trigger", id="misspelt"),
        pytest.param("assign", 0, "not_here", id="from another state"),
        pytest.param("search", 7, "not_here", id="a person elsewhere"),
        pytest.param("search", 8, "unknown_trigger", id="a person without a PIP"),
    ],
)
def test_what_is_not_possible_here_says_where_it_would_be(trigger: str, subject: int, kind: str) -> None:
    answer = fire(case("planning", journeys={7: "drafting"}), trigger, SUPERVISOR, subject)
    assert isinstance(answer, Refusal) and answer.kind == kind and answer.sentence.it != answer.sentence.en


@pytest.mark.parametrize("trigger", ["start_pip", "excuse_pip", "decease", "adult_joined"])
def test_nothing_is_done_about_a_person_of_another_household(trigger: str) -> None:
    fields = {"person": 99} | ({"reason_without_pip": "retired"} if trigger == "excuse_pip" else {})
    fields |= {"reason": "x"} if trigger == "decease" else {}
    answer = fire(case("planning"), trigger, WORKER, **fields)
    assert isinstance(answer, Refusal) and [failure.name for failure in answer.failures] == ["person"]


def test_an_attempt_counts_for_the_very_step_that_records_it() -> None:
    before = case("engagement.to_contact")._replace(attempts=(CALL._replace(outcome="no_answer"),))
    decision = taken(before, "record_attempt", **{**TRIED, "attempted_on": "30/10/2026"})
    recorded = [tuple(e) for e in decision.effects]
    assert tuple(Attempt(MONDAY.replace(month=10, day=30), "phone", "no_answer")) in recorded
