"""One `transitions` machine per chart, and the memo that lets the night run on a dict.

The library is the authority on semantics. Its answer for (configuration, trigger, truth of the guards) is kept,
because a dispatch costs 100-550 us and a look-up none; nothing is compiled by hand.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from threading import Lock
from typing import Any

from states.errors import IllegalConfiguration

Configuration = tuple[str, ...]
Need = tuple[str, str]  # guard name, its parameters in canonical form
SEPARATOR = "."  # the library's default "_" would break names such as not_pursued


@dataclass(frozen=True, slots=True)
class Node:
    """A state of a chart, as the machine needs it."""

    path: str
    parallel: bool = False
    initial: str | None = None
    children: tuple[str, ...] = ()  # paths


@dataclass(frozen=True, slots=True)
class Transition:
    """One way of a trigger from one state; `target` None: the case stays."""

    trigger: str
    source: str
    target: str | None
    needs: tuple[Need, ...]


@dataclass
class _Model:
    state: Any = field(default=None)


class Machine:
    """The compiled chart. `step` is pure: it neither keeps a case nor runs a callback with effects."""

    def __init__(self, nodes: dict[str, Node], initial: str, transitions: Iterable[Transition]) -> None:
        self._nodes = nodes
        self.transitions = tuple(transitions)
        self._sound: set[Configuration] = set()  # configurations that were looked at and are legal
        self._memo: dict[tuple[Configuration, str, tuple[bool, ...]], Configuration | None] = {}
        self._needs: dict[tuple[Configuration, str], tuple[Need, ...] | None] = {}
        self._lock = Lock()
        self._model = _Model()
        self._first = initial
        self._entered: Configuration = ()

    @cached_property
    def initial(self) -> Configuration:
        """The configuration in which everything begins, as the library enters it."""
        assert self._library is not None
        return self._entered

    @cached_property
    def _library(self) -> Any:
        """The library's machine, built when its word is first asked: a command that only lists cases never pays for it."""
        from transitions.extensions import HierarchicalMachine
        from transitions.extensions.nesting import NestedState

        class DottedState(NestedState):  # a subclass, so that other users of the library keep their separator
            separator = SEPARATOR

        class DottedMachine(HierarchicalMachine):
            state_cls = DottedState

        machine = DottedMachine(
            model=self._model,
            states=[_library_state(node, self._nodes) for path, node in self._nodes.items() if SEPARATOR not in path],
            initial=self._first,
            auto_transitions=False,
            send_event=True,
            ignore_invalid_triggers=True,
        )
        for transition in self.transitions:
            conditions: list[Any] = [_condition(need) for need in transition.needs]
            machine.add_transition(transition.trigger, transition.source, transition.target, conditions=conditions)
        self._entered = self._read()  # where the library has put its new model
        return machine

    def needs(self, configuration: Configuration, trigger: str) -> tuple[Need, ...] | None:
        """The guards that decide this trigger here, in a fixed order; None where the trigger is not possible."""
        key = (configuration, trigger)
        if key not in self._needs:
            here = self._around(configuration)
            ways = [t for t in self.transitions if t.trigger == trigger and t.source in here]
            self._needs[key] = tuple(sorted({need for way in ways for need in way.needs})) if ways else None
        return self._needs[key]

    def step(self, configuration: Configuration, trigger: str, truth: tuple[bool, ...]) -> Configuration | None:
        """The configuration after the trigger; None when no transition matches.

        truth: for each guard of `needs(configuration, trigger)`, in that order, whether it holds.
        """
        key = (configuration, trigger, truth)
        try:
            return self._memo[key]
        except KeyError:
            answer = self.ask_library(configuration, trigger, truth)
            self._memo[key] = answer
            return answer

    def ask_library(self, configuration: Configuration, trigger: str, truth: tuple[bool, ...]) -> Configuration | None:
        """The same answer, by the library itself and past the memo."""
        needs = self.needs(configuration, trigger)
        if needs is None:
            return None
        assert self._library is not None
        with self._lock:  # one model serves all threads
            self._model.state = configuration[0] if len(configuration) == 1 else list(configuration)
            moved = self._model.trigger(trigger, truth=dict(zip(needs, truth, strict=True)))  # type: ignore[attr-defined]
            return self._read() if moved else None

    def may_lead(self, source: Configuration, trigger: str, target: Configuration) -> bool:
        """Whether the trigger leads from source to target under some truth of its guards."""
        needs = self.needs(source, trigger)
        if needs is None:
            return False
        return any(self.step(source, trigger, truth) == target for truth in product((True, False), repeat=len(needs)))

    def check(self, configuration: Configuration) -> None:
        """Raise `IllegalConfiguration` unless every active region has exactly one leaf (the library accepts anything)."""
        if configuration in self._sound:
            return
        tops = {leaf.split(SEPARATOR)[0] for leaf in configuration}
        if len(tops) == 1 and tops <= self._nodes.keys():
            try:
                if sorted(self._leaves(next(iter(tops)), configuration)) == sorted(configuration):
                    self._sound.add(configuration)
                    return
            except LookupError:
                pass  # an unknown or missing leaf: refused below, with the whole configuration named
        raise IllegalConfiguration(f"the pathway knows no configuration {' '.join(configuration) or '(empty)'}")

    def reachable(self) -> Iterator[Configuration]:
        """Every configuration that some course of events leads to, the initial one first."""
        seen = {self.initial}
        todo = [self.initial]
        triggers = sorted({transition.trigger for transition in self.transitions})
        while todo:
            here = todo.pop()
            yield here
            for trigger in triggers:
                needs = self.needs(here, trigger)
                if needs is None:
                    continue
                for truth in product((True, False), repeat=len(needs)):
                    there = self.step(here, trigger, truth)
                    if there is not None and there not in seen:
                        seen.add(there)
                        todo.append(there)

    def _around(self, configuration: Configuration) -> set[str]:
        """The leaves and all their ancestors."""
        return {path for leaf in configuration for path in ancestors(leaf)}

    def _leaves(self, path: str, configuration: Configuration) -> Iterator[str]:
        node = self._nodes[path]
        if not node.children:
            yield path
        elif node.parallel:
            for child in node.children:
                yield from self._leaves(child, configuration)
        else:
            active = [
                c for c in node.children if any(leaf == c or leaf.startswith(c + SEPARATOR) for leaf in configuration)
            ]
            if len(active) != 1:
                raise LookupError(path)
            yield from self._leaves(active[0], configuration)

    def _read(self) -> Configuration:
        return tuple(sorted(_flatten(self._model.state)))


def ancestors(leaf: str) -> Iterator[str]:
    """The path itself and every prefix of it, the innermost first."""
    while leaf:
        yield leaf
        leaf = leaf.rpartition(SEPARATOR)[0]


def _flatten(state: Any) -> Iterator[str]:
    if isinstance(state, str):
        yield state
    else:
        for part in state:
            yield from _flatten(part)


def _library_state(node: Node, nodes: dict[str, Node]) -> dict[str, Any]:
    children = [_library_state(nodes[child], nodes) for child in node.children]
    state: dict[str, Any] = {"name": node.path.rpartition(SEPARATOR)[2]}
    if node.parallel:
        state["parallel"] = children
    elif children:
        state["children"] = children
        if node.initial:
            state["initial"] = node.initial
    return state


def _condition(need: Need) -> Callable[[Any], bool]:
    def holds(event: Any) -> bool:
        return bool(event.kwargs["truth"][need])

    return holds
