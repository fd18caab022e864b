"""Actions held back before the night: it leaves them alone, the night after does them; who may hold what."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, select

from ponte_workflow.errors import BadInput, NotAllowed, PonteError, TriggerNotAllowedHere
from ponte_workflow.services import holding
from ponte_workflow.services import night as nights
from ponte_workflow.services.holding import Wanted
from ponte_workflow.services.night import Action, Plan
from ponte_workflow.services.night.run import RehearsalTooLong
from ponte_workflow.store import cases
from ponte_workflow.store import nights as night_store
from ponte_workflow.store.schema.casework import cases as case_table
from ponte_workflow.store.schema.casework import clock
from ponte_workflow.store.schema.messages import outbox
from tests.builders import MONDAY, Team, create_ledger, create_tenancy

RINGS = MONDAY + timedelta(days=3)  # the first reminder of a case detected on Monday
RULE = "detected/assignment/remind"


def at(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 1, 30, tzinfo=UTC)


def run(plan: Plan, on: date) -> dict[str, object]:
    return nights.run_nights(plan, on, at=lambda: at(on))


def rehearse(plan: Plan, on: date) -> list[Action]:
    return nights.rehearse(plan, on, at=at(on))


def open_one(team: Team, quarter_code: str = "sanpolino") -> str:
    with team.store.transaction() as tx:
        row = team.open_case(tx, quarter_code=quarter_code)
        create_ledger(tx, row.tenancy_id)
        return row.code


def hold(team: Team, username: str, subject: str, on: date = RINGS, today: date = MONDAY) -> None:
    with team.store.transaction() as tx:
        holding.hold(tx, team.occasion(tx, username, today), on, subject)


def subject_of(plan: Plan, code: str, on: date = RINGS) -> str:
    return next(a.subject for a in rehearse(plan, on) if a.case == code and a.done and a.subject)


def rung(team: Team) -> list[tuple[str, date]]:
    with team.store.transaction() as tx:
        rows = tx.connection.execute(
            select(case_table.c.code, outbox.c.due_on)
            .join(outbox, outbox.c.case_id == case_table.c.id)
            .where(outbox.c.rule == RULE)
            .order_by(outbox.c.id)
        )
        return [(row[0], row[1]) for row in rows]


def test_a_held_clock_does_not_ring_tonight_and_rings_tomorrow(team: Team, plan: Plan) -> None:
    held, free = open_one(team), open_one(team)
    hold(team, "sara", subject_of(plan, held))
    assert run(plan, RINGS)["held"] == 1
    assert rung(team) == [(free, RINGS)]
    assert run(plan, RINGS + timedelta(days=1))["held"] == 0
    assert rung(team) == [(free, RINGS), (held, RINGS)]


def test_the_rehearsal_shows_what_is_held_and_by_whom(team: Team, plan: Plan) -> None:
    code = open_one(team)
    subject = subject_of(plan, code)
    hold(team, "sara", subject)
    (shown,) = [a for a in rehearse(plan, RINGS) if a.subject == subject]
    assert (shown.case, shown.done, shown.held_by) == (code, False, "Sara")
    assert shown.why == "held back by Sara: the night after does it"


def test_a_hold_lasts_through_the_missed_nights_that_are_done_with_it(team: Team, plan: Plan) -> None:
    code = open_one(team)
    run(plan, MONDAY)
    last = RINGS + timedelta(days=1)
    hold(team, "sara", subject_of(plan, code, last), last)
    run(plan, last)
    assert rung(team) == []
    run(plan, last + timedelta(days=1))
    assert rung(team) == [(code, RINGS)]


def test_what_is_released_rings_after_all(team: Team, plan: Plan) -> None:
    code = open_one(team)
    subject = subject_of(plan, code)
    hold(team, "sara", subject)
    hold(team, "lidia", subject)  # held already: whoever came first stays named
    assert next(a.held_by for a in rehearse(plan, RINGS) if a.subject == subject) == "Sara"
    with team.store.transaction() as tx:
        holding.release(tx, team.occasion(tx, "lidia"), RINGS, subject)
    run(plan, RINGS)
    assert rung(team) == [(code, RINGS)]


def test_a_case_that_is_not_to_open_tonight_opens_tomorrow(team: Team, plan: Plan) -> None:
    with team.store.transaction() as tx:
        ids = create_tenancy(tx)
        create_ledger(tx, ids["tenancy_id"])
    subject = f"open:{ids['tenancy_id']}"
    assert subject in [a.subject for a in rehearse(plan, MONDAY) if a.done]
    with team.store.transaction() as tx:
        holding.hold(tx, team.occasion(tx, "sara"), MONDAY, subject)
    assert [(a.done, a.held_by) for a in rehearse(plan, MONDAY) if a.subject == subject] == [(False, "Sara")]
    run(plan, MONDAY)
    with team.store.transaction() as tx:
        assert cases.open_ids(tx) == ()
    run(plan, MONDAY + timedelta(days=1))
    with team.store.transaction() as tx:
        assert len(cases.open_ids(tx)) == 1


def test_alarms_that_need_their_whole_case_are_held_too(team: Team, plan: Plan) -> None:
    code = open_one(team)
    with team.store.transaction() as tx:
        team.do(tx, "sara", code, "assign", case_worker="wanda")
        team.do(tx, "wanda", code, "confirm", cause="dismissal", objective=True, transitory=True)
        team.do(tx, "wanda", code, "record_attempt", channel="phone", outcome="spoken")
        team.do(tx, "wanda", code, "meet")
    on = MONDAY + timedelta(days=7)
    hold(team, "sara", subject_of(plan, code, on), on)
    run(plan, on)
    with team.store.transaction() as tx:
        sent = select(outbox.c.message).where(outbox.c.rule == "engagement.met/consent/message")
        assert tx.connection.execute(sent).all() == []
    run(plan, on + timedelta(days=1))
    with team.store.transaction() as tx:
        assert tx.connection.execute(sent).scalars().all() == ["meeting_reminder"]


def test_a_batch_that_fails_and_is_taken_one_by_one_leaves_held_clocks_alone(team: Team, plan: Plan) -> None:
    broken, held, free = open_one(team), open_one(team), open_one(team)
    subject = subject_of(plan, held)
    with team.store.transaction() as tx:
        broken_id = tx.connection.execute(select(case_table.c.id).where(case_table.c.code == broken)).scalar_one()
        nonsense = clock.update().where(clock.c.case_id == broken_id).values(name="detected/nonsense")
        tx.connection.execute(nonsense)
    hold(team, "sara", subject)
    assert run(plan, RINGS)["set_aside"] == [broken]
    assert rung(team) == [(free, RINGS)]


@pytest.mark.parametrize(
    ("username", "subject", "error"),
    [
        pytest.param("rita", "clock:{case}:0:detected/assignment", NotAllowed, id="another partner's case"),
        pytest.param("rita", "open:{tenancy}", NotAllowed, id="another partner's quarter"),
        pytest.param("wanda", "clock:{case}:0:detected/assignment", NotAllowed, id="a case worker"),
        pytest.param("sara", "clock:{case}:0:detected/nonsense", BadInput, id="no such clock"),
        pytest.param("sara", "clock:{case}:x:detected/assignment", BadInput, id="no number"),
        pytest.param("sara", "clock:999999999999999:0:detected/assignment", BadInput, id="no such case"),
        pytest.param("sara", "open:999999", BadInput, id="no such tenancy"),
        pytest.param("sara", "stall:{case}", BadInput, id="what cannot be held"),
        pytest.param("sara", "", BadInput, id="nothing"),
    ],
)
def test_who_may_hold_what(team: Team, username: str, subject: str, error: type[PonteError]) -> None:
    with team.store.transaction() as tx:
        row = team.open_case(tx)
    with pytest.raises(error):
        hold(team, username, subject.format(case=row.id, tenancy=row.tenancy_id))


def test_only_a_night_that_has_not_begun_can_be_changed(team: Team, plan: Plan) -> None:
    code = open_one(team)
    subject = subject_of(plan, code)
    run(plan, MONDAY)
    with pytest.raises(TriggerNotAllowedHere, match="has begun"):
        hold(team, "sara", subject, MONDAY)
    with pytest.raises(BadInput, match="coming night"):
        hold(team, "sara", subject, MONDAY + timedelta(days=30))


def test_the_rehearsal_of_others_is_counted_and_not_shown(team: Team, plan: Plan) -> None:
    mine, theirs = open_one(team), open_one(team, "san_polo")
    with team.store.transaction() as tx:
        ids = create_tenancy(tx, quarter_code="san_polo", code="SP-9")
        create_ledger(tx, ids["tenancy_id"])
    actions = rehearse(plan, RINGS)
    with team.store.transaction() as tx:
        seen = {u: holding.for_eyes_of(tx, team.occasion(tx, u, RINGS), actions) for u in ("sara", "rita", "lidia")}
        narrowed = holding.for_eyes_of(tx, team.occasion(tx, "lidia", RINGS), actions, Wanted(theirs.lower(), "clocks"))
        with pytest.raises(NotAllowed):
            holding.for_eyes_of(tx, team.occasion(tx, "wanda", RINGS), actions)
    texts = {u: " ".join(f"{a.case} {a.what}" for step in steps for a in step.actions) for u, steps in seen.items()}
    assert [(mine in texts[u], theirs in texts[u], "SP-9" in texts[u]) for u in ("sara", "rita", "lidia")] == [
        (True, False, False),
        (False, True, True),
        (True, True, True),
    ]
    assert {u: sum(step.elsewhere for step in steps) for u, steps in seen.items()} == {"sara": 2, "rita": 1, "lidia": 0}
    assert [a.case for step in narrowed for a in step.actions] == [theirs]


def test_a_rehearsal_that_takes_too_long_is_given_up_and_leaves_nothing(team: Team, plan: Plan) -> None:
    open_one(team)
    with pytest.raises(RehearsalTooLong, match="quiet hour"):
        nights.rehearse(plan, RINGS, at=at(RINGS), longest=0.0)
    assert rung(team) == []
    with team.store.transaction() as tx:
        assert night_store.night_row(tx, RINGS) is None


def test_the_next_night_is_the_one_at_half_past_three() -> None:
    assert holding.tonight(datetime(2026, 11, 2, 2, 0, tzinfo=UTC)) == MONDAY  # 03:00 in Rome
    assert holding.tonight(datetime(2026, 11, 2, 8, 0, tzinfo=UTC)) == MONDAY + timedelta(days=1)


def test_what_is_held_is_asked_once_and_not_for_every_batch(team: Team, plan: Plan) -> None:
    for _number in range(8):
        open_one(team)
    asked: list[str] = []
    engine = team.store.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    run(replace(plan, batch_size=2), RINGS)
    assert sum("held_action" in text for text in asked) == 3  # detection, deadlines, certificate
