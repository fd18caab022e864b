"""Every guard speaks both languages with its own parameters; the branching ones are put through their cases."""

from datetime import date, timedelta
from string import Formatter

import pytest

from states.document import Parameters
from states.guards import GUARDS, Guard, Situation, exclusive, need, parameters_of
from states.loader import load_all
from states.roles import ROLE_NAMES
from states.snapshot import Attempt, Fact, Value

ON = date(2026, 11, 2)
SAMPLES: Parameters = {
    "at_least": 3,
    "channels": 2,
    "in_a_row": 2,
    "in_all": 3,
    "times": 3,
    "within_days": 90,
    "days": 90,
    "value": "refused",
    "state": "signed",
    "states": ["placed", "kept"],
    "tracks": ["work", "community"],
}


def situation(*, configuration: tuple[str, ...] = ("planning",), person_id: int = 0, **more: object) -> Situation:
    """A case about which nothing is known."""
    known: dict[str, object] = {
        "journeys": {},
        "adults": frozenset(),
        "facts": (),
        "attempts": (),
        "figures": {},
        "fields": {},
    }
    return Situation(ON, configuration, person_id=person_id, **{**known, **more})  # type: ignore[arg-type]


def sample(guard: Guard) -> Parameters:
    """Parameters for it, and no others."""
    return {name: SAMPLES[name] for name in guard.parameters}


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_a_guard_says_what_it_needs_in_both_languages(guard: Guard) -> None:
    said = guard.explain(situation(), sample(guard))
    assert said.it and said.en and said.it != said.en
    assert "{" not in said.it + said.en
    for text in (guard.sentence.it, guard.sentence.en):
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        assert names <= guard.parameters | {"now"}, "a sentence names what it is given"
        assert guard.parameters - names <= {"within_days"}, "and leaves out no figure"
    assert guard.fix_by and set(guard.fix_by) <= ROLE_NAMES.keys()


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_a_guard_judges_a_case_about_which_nothing_is_known(guard: Guard) -> None:
    assert isinstance(guard.test(situation(), sample(guard)), bool)


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS)
def test_every_guard_is_used_by_a_pathway(guard: Guard) -> None:
    specs = [spec for pathway in load_all().values() for *_, spec in pathway.all_triggers()]
    used = {name for spec in specs for way in spec.all_ways().values() for name in way.needs}
    used |= {name for spec in specs for consequence in spec.then.values() for name in consequence.when}
    assert guard.name in used


def test_a_need_is_written_the_same_way_whatever_the_order() -> None:
    one, other = need("missed", {"in_a_row": 2, "in_all": 3}), need("missed", {"in_all": 3, "in_a_row": 2})
    assert one == other and parameters_of(one) == {"in_a_row": 2, "in_all": 3}
    assert parameters_of(need("contact_recorded", {})) == {}


def facts(name: str, *values: Value, person_id: int = 0, days_ago: int = 0) -> tuple[Fact, ...]:
    return tuple(Fact(name, value, ON - timedelta(days=days_ago), person_id) for value in values)


ACTIVE = ("active.community.rooted", "active.payment.paying", "active.work.stable")
CASES = [
    pytest.param("attempts", {"attempts": (Attempt(ON, "door", "x"),) * 3}, False, id="three attempts on one channel"),
    pytest.param("household_assessed", {"facts": facts("household_assessed", True, False)}, False, id="newest fact"),
    pytest.param("every_adult_has_pip_or_reason", {"adults": frozenset({7})}, False, id="an adult without anything"),
    pytest.param(
        "every_adult_has_pip_or_reason",
        {"adults": frozenset({7, 8}), "facts": facts("pip_signed", True, person_id=7)},
        False,
        id="one of two signed",
    ),
    pytest.param(
        "every_adult_has_pip_or_reason",
        {
            "adults": frozenset({7, 8}),
            "facts": facts("pip_signed", True, person_id=7) + facts("reason_without_pip", "retired", person_id=8),
        },
        True,
        id="one signed, one excused",
    ),
    pytest.param("tracks_final", {"configuration": ACTIVE}, True, id="both tracks final"),
    pytest.param("tracks_final", {"configuration": (*ACTIVE[:2], "active.work.placed")}, False, id="work is under way"),
    pytest.param(
        "payment_settled_or_steady",
        {"configuration": ACTIVE, "figures": {"on_time_in_a_row": 2}},
        True,
        id="enough instalments on time",
    ),
    pytest.param(
        "payment_settled_or_steady",
        {"configuration": ACTIVE, "figures": {"on_time_in_a_row": 1}},
        False,
        id="too few instalments on time",
    ),
    pytest.param(
        "payment_settled_or_steady", {"configuration": ("active.payment.settled",)}, True, id="the debt is settled"
    ),
    pytest.param(
        "payment_settled_or_steady",
        {"configuration": ("active.payment.struggling",), "figures": {"on_time_in_a_row": 9}},
        False,
        id="struggling whatever went before",
    ),
    pytest.param("takes_part", {"facts": facts("participated_in", "event", "event", "event")}, True, id="three times"),
    pytest.param(
        "takes_part",
        {"facts": facts("participated_in", "event", "event", "event", days_ago=90)},
        False,
        id="ninety days ago is over",
    ),
    pytest.param(
        "takes_part",
        {"facts": facts("participated_in", "event", "event", "event", days_ago=89)},
        True,
        id="eighty-nine days ago still counts",
    ),
    pytest.param("takes_part", {"facts": facts("hours_given", 0)}, False, id="no hours given"),
    pytest.param(
        "placement_lasted",
        {"person_id": 7, "facts": facts("placed_on", ON - timedelta(days=90), person_id=7)},
        True,
        id="ninety days at work",
    ),
    pytest.param(
        "placement_lasted",
        {"person_id": 7, "facts": facts("placed_on", ON - timedelta(days=89), person_id=7)},
        False,
        id="eighty-nine days at work",
    ),
    pytest.param(
        "placement_lasted",
        {"person_id": 7, "facts": facts("placed_on", ON - timedelta(days=200), person_id=8)},
        False,
        id="another one's days",
    ),
    pytest.param("somebody_in", {"journeys": {7: "kept"}}, True, id="one has kept a job"),
    pytest.param("nobody_placed", {"journeys": {7: "searching", 8: "kept"}}, False, id="another still works"),
    pytest.param("missed", {"figures": {"missed_in_a_row": 1, "missed_total": 2}}, False, id="two missed in all"),
    pytest.param("missed", {"figures": {"missed_in_a_row": 1, "missed_total": 3}}, True, id="three missed in all"),
]


@pytest.mark.parametrize(("name", "known", "holds"), CASES)
def test_a_guard_holds_where_it_should(name: str, known: dict[str, object], holds: bool) -> None:
    assert GUARDS[name].test(situation(**known), sample(GUARDS[name])) == holds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("first", "second", "never_both"),
    [
        pytest.param({"was_in": {"state": "a"}}, {"was_in": {"state": "b"}}, True, id="two pasts"),
        pytest.param({"was_in": {"state": "a"}}, {"was_in": {"state": "a"}}, False, id="the same past"),
        pytest.param({"was_in": {"state": "a"}}, {"attempts": {}}, False, id="different guards"),
        pytest.param({}, {}, False, id="no needs"),
    ],
)
def test_only_different_pasts_exclude_each_other(
    first: dict[str, object], second: dict[str, object], never_both: bool
) -> None:
    assert exclusive(first, second) == never_both
