"""The memo and the library agree everywhere; the library's traps are covered."""

from itertools import product

import pytest

from states.errors import IllegalConfiguration
from states.loader import load_all
from states.machine import Machine, Node, Transition

PATHWAYS = load_all()
CHARTS = [
    pytest.param(chart, id=f"{name}-{kind}")
    for name, pathway in PATHWAYS.items()
    for kind, chart in (("household", pathway.household), ("person", pathway.person))
]


@pytest.mark.parametrize("chart", CHARTS)
def test_the_memo_and_a_fresh_library_machine_agree_on_everything_reachable(chart) -> None:  # type: ignore[no-untyped-def]
    machine = chart.machine
    fresh = Machine(machine._nodes, machine._first, machine.transitions)
    triggers = sorted({transition.trigger for transition in machine.transitions})
    compared = 0
    for configuration in list(machine.reachable()):
        machine.check(configuration)
        for trigger in triggers:
            needs = machine.needs(configuration, trigger)
            assert fresh.needs(configuration, trigger) == needs
            for truth in product((True, False), repeat=len(needs or ())):
                machine.step(configuration, trigger, truth)  # fills the memo
                remembered = machine.step(configuration, trigger, truth)
                assert remembered == fresh.ask_library(configuration, trigger, truth), (configuration, trigger, truth)
                compared += 1
    assert compared > 50


def machine() -> Machine:
    """A parallel state with names that hold the library's own separator."""
    nodes = [
        Node("start_here"),
        Node("both", parallel=True, children=("both.left_side", "both.right")),
        Node("both.left_side", initial="one_two", children=("both.left_side.one_two", "both.left_side.three")),
        Node("both.left_side.one_two"),
        Node("both.left_side.three"),
        Node("both.right", initial="a", children=("both.right.a", "both.right.b")),
        Node("both.right.a"),
        Node("both.right.b"),
        Node("end"),
    ]
    need = (("g", ""),)
    return Machine(
        {node.path: node for node in nodes},
        "start_here",
        [
            Transition("enter", "start_here", "both", need),
            Transition("move", "both.left_side.one_two", "both.left_side.three", ()),
            Transition("move", "both.right.a", "both.right.b", ()),
            Transition("leave", "both", "end", ()),
            Transition("note", "both", None, ()),
        ],
    )


INSIDE = ("both.left_side.one_two", "both.right.a")


@pytest.mark.parametrize(
    ("configuration", "trigger", "truth", "expected"),
    [
        pytest.param(("start_here",), "enter", (True,), INSIDE, id="underscores do not break names"),
        pytest.param(("start_here",), "enter", (False,), None, id="a false guard is no step"),
        pytest.param(
            INSIDE, "move", (), ("both.left_side.three", "both.right.b"), id="an event that lives in two regions"
        ),
        pytest.param(INSIDE, "leave", (), ("end",), id="leaving one region leaves all"),
        pytest.param(INSIDE, "note", (), INSIDE, id="an internal trigger stays"),
        pytest.param(INSIDE, "enter", (), None, id="not from here"),
    ],
)
def test_the_library_is_asked_about_its_traps(configuration, trigger, truth, expected) -> None:  # type: ignore[no-untyped-def]
    assert machine().step(configuration, trigger, truth) == expected


@pytest.mark.parametrize(
    "configuration",
    [
        pytest.param((), id="nothing"),
        pytest.param(("nowhere",), id="unknown"),
        pytest.param(("both.right.a",), id="a region missing"),
        pytest.param(("both.left_side.three", "both.right.a", "both.right.b"), id="two leaves in one region"),
        pytest.param(("end", "start_here"), id="two states at once"),
        pytest.param(("both",), id="not a leaf"),
    ],
)
def test_an_illegal_configuration_is_refused(configuration: tuple[str, ...]) -> None:
    with pytest.raises(IllegalConfiguration):
        machine().check(configuration)
