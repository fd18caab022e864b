"""Static checks of a pathway document: what pydantic cannot see. Each finding names file, line and mend."""

from collections.abc import Iterator, Mapping

from states.document import ChartSpec, Consequence, PathwayDocument, StateSpec, TriggerSpec
from states.errors import Finding
from states.guards import GUARDS, exclusive
from states.messages import MESSAGES
from states.yaml_source import KeyPath, Source

STAFF = frozenset({"supervisor", "case_worker", "job_agency", "volunteers", "landlord", "lead"})

Found = Iterator[Finding]


def validate(document: PathwayDocument, source: Source) -> tuple[Finding, ...]:
    """Everything wrong with the document, in no particular order; empty when it may be used."""
    findings: list[Finding] = []
    for name, chart in (("household", document.household), ("person", document.person)):
        states = dict(_states(chart.states, (name, "states"), ""))
        findings += _initial(chart, name, states, source)
        findings += _triggers(document, chart, name, states, source)
        findings += _clocks(document, chart, name, states, source)
        if not findings:
            findings += _reach(chart, name, states, source)
    return tuple(findings)


States = dict[str, tuple[KeyPath, StateSpec]]


def _states(states: dict[str, StateSpec], at: KeyPath, above: str) -> Iterator[tuple[str, tuple[KeyPath, StateSpec]]]:
    for name, spec in states.items():
        path = f"{above}.{name}" if above else name
        yield path, ((*at, name), spec)
        yield from _states(spec.states, (*at, name, "states"), path)


def _initial(chart: ChartSpec, name: str, states: States, source: Source) -> Found:
    if chart.initial not in chart.states:
        yield source.finding(
            (name, "initial"), f"initial state {chart.initial!r} does not exist", _one_of(chart.states)
        )
    if chart.closed is not None and chart.closed not in chart.states:
        yield source.finding((name, "closed"), f"closed state {chart.closed!r} does not exist", _one_of(chart.states))
    for path, (at, spec) in states.items():
        if spec.states and not spec.parallel and spec.initial is None and path != chart.closed:
            yield source.finding(
                at, f"{path} has children but no initial one", f"add initial: {next(iter(spec.states))}"
            )


def _all_triggers(chart: ChartSpec, name: str, states: States) -> Iterator[tuple[str, KeyPath, str, TriggerSpec]]:
    for path, (at, spec) in states.items():
        for trigger, trigger_spec in spec.triggers.items():
            yield path, (*at, "triggers", trigger), trigger, trigger_spec
    for trigger, trigger_spec in chart.everywhere.items():
        yield "", (name, "everywhere", trigger), trigger, trigger_spec


def _triggers(document: PathwayDocument, chart: ChartSpec, name: str, states: States, source: Source) -> Found:
    by_name: dict[str, list[str]] = {}
    known = {trigger for _path, _at, trigger, _spec in _all_triggers(chart, name, states)}
    for path, at, trigger, spec in _all_triggers(chart, name, states):
        by_name.setdefault(trigger, []).append(path)
        if not spec.by:
            yield source.finding((*at, "by"), f"nobody may fire {trigger}", "name at least one role")
        ways = spec.all_ways()
        for way_name, way in ways.items():
            way_at = at if way_name == "only" else (*at, "ways", way_name)
            if way.to is not None and way.to not in states:
                yield source.finding(
                    (*way_at, "to"), f"{trigger} leads to {way.to!r}, which does not exist", _near(way.to, states)
                )
            elif way.to is not None:
                yield from _entry(path, trigger, way.to, states, (*way_at, "to"), source)
            for guard, parameters in way.needs.items():
                yield from _guard(guard, parameters, (*way_at, "needs", guard), source)
        rivals = list(ways.items())
        for index, (first_name, first) in enumerate(rivals):
            for second_name, second in rivals[index + 1 :]:
                if not exclusive(first.needs, second.needs):
                    yield source.finding(
                        (*at, "ways", second_name),
                        f"{trigger}: {first_name} and {second_name} can both match",
                        "give them needs that exclude each other",
                    )
        if spec.attempt and not {"channel", "outcome"} <= spec.fields.keys():
            yield source.finding(at, f"{trigger} is a contact attempt without channel and outcome", "add both fields")
        for key, consequence in spec.then.items():
            yield from _consequence(document, consequence, (*at, "then", key), source)
            day = consequence.day_before
            if day is not None and (day not in spec.fields or spec.fields[day].type != "date"):
                yield source.finding(
                    (*at, "then", key, "day_before"), f"{day!r} is no date field of {trigger}", "add it under fields:"
                )
        if spec.four_eyes is not None and (spec.four_eyes == trigger or spec.four_eyes not in known):
            yield source.finding(
                (*at, "four_eyes"),
                f"four_eyes of {trigger} names {spec.four_eyes!r}, which is no other trigger of the {name}",
                _near(spec.four_eyes, known - {trigger}),
            )
        if spec.eventless and (name == "person" or "system" not in spec.by or any(w.to is None for w in ways.values())):
            yield source.finding(
                (*at, "eventless"),
                f"{trigger} can never be taken by itself",
                "a trigger of the household with to: and system among its by:, or no eventless:",
            )
    yield from _regions(chart, name, states, source)
    for trigger, paths in by_name.items():
        for path in paths:
            above = [other for other in paths if other != path and (other == "" or path.startswith(other + "."))]
            if above:
                at = (name, "everywhere", trigger) if path == "" else (*states[path][0], "triggers", trigger)
                yield source.finding(
                    at,
                    f"{trigger} stands in {path} and in {above[0] or 'everywhere'}: two transitions can both match",
                    "keep one of them",
                )


def _entry(path: str, trigger: str, target: str, states: States, at: KeyPath, source: Source) -> Found:
    """The library enters any target; these would leave a region without a leaf, which no case can be loaded with."""
    spec = states[target][1]
    if spec.states and not spec.parallel and spec.initial is None:
        children = (f"{target}.{child}" for child in spec.states)
        yield source.finding(at, f"{trigger} leads to {target}, which has no initial child", _one_of(children))
    for region in _regions_of(target, states):
        if path != region and not path.startswith(region + "."):
            whole = region.rpartition(".")[0]
            yield source.finding(
                at, f"{trigger} leads into one region of {whole} from outside it", f"lead to {whole}, or stay inside"
            )


def _regions_of(path: str, states: States) -> Iterator[str]:
    """The regions of parallel states in which the path lies."""
    while "." in path:
        above = path.rpartition(".")[0]
        if states[above][1].parallel:
            yield path
        path = above


def _regions(chart: ChartSpec, name: str, states: States, source: Source) -> Found:
    """One event in two regions moves both, but only one of them says who may fire it and what follows."""
    said: dict[str, list[tuple[str, KeyPath, TriggerSpec]]] = {}
    for path, at, trigger, spec in _all_triggers(chart, name, states):
        for other, _, other_spec in said.get(trigger, ()):
            regions, others = set(_regions_of(path, states)), set(_regions_of(other, states))
            at_once = {r.rpartition(".")[0] for r in regions - others} & {
                r.rpartition(".")[0] for r in others - regions
            }
            way: dict[str, object] = {"to": None, "needs": {}, "ways": {}}
            if at_once and spec.model_copy(update=way) != other_spec.model_copy(update=way):
                yield source.finding(
                    at, f"{trigger} stands in {other} too, active at the same time", "rename one, or say both alike"
                )
        said.setdefault(trigger, []).append((path, at, spec))


def _guard(guard: str, parameters: Mapping[str, object], at: KeyPath, source: Source) -> Found:
    if guard not in GUARDS:
        yield source.finding(at, f"unknown guard {guard!r}", _near(guard, GUARDS))
    elif set(parameters) != set(GUARDS[guard].parameters):
        wanted = ", ".join(sorted(GUARDS[guard].parameters)) or "none"
        yield source.finding(at, f"guard {guard} has other parameters", f"give exactly: {wanted}")


def _consequence(document: PathwayDocument, what: Consequence, at: KeyPath, source: Source) -> Found:
    for message in (what.message, what.with_message):
        if message is not None and message not in MESSAGES:
            yield source.finding(at, f"unknown message {message!r}", _near(message, MESSAGES))
    for role in (what.tell, what.task_role if what.task else None):
        if role is not None and role not in STAFF:
            yield source.finding(at, f"{role!r} is nobody who can be told", _one_of(STAFF))
    if what.signal is not None and not _knows(document.household, what.signal):
        yield source.finding(at, f"signal {what.signal!r} is no trigger of the household", "add it, by: [system]")
    if what.persons is not None and not _knows(document.person, what.persons):
        yield source.finding(at, f"{what.persons!r} is no trigger of the person", "add it, by: [system]")
    for guard, parameters in what.when.items():
        yield from _guard(guard, parameters, at, source)


def _knows(chart: ChartSpec, trigger: str) -> bool:
    found = [spec.triggers[trigger] for _, (_, spec) in _states(chart.states, (), "") if trigger in spec.triggers]
    found += [chart.everywhere[trigger]] if trigger in chart.everywhere else []
    return any("system" in spec.by for spec in found)


def _fires(chart: ChartSpec, path: str, trigger: str, states: States) -> bool:
    """Whether the system may fire the trigger while that state lasts."""
    near = (p for p in states if f"{path}.".startswith(f"{p}.") or p.startswith(f"{path}."))
    found = [states[p][1].triggers[trigger] for p in near if trigger in states[p][1].triggers]
    if trigger in chart.everywhere and path.split(".")[0] != chart.closed:
        found.append(chart.everywhere[trigger])
    return any("system" in spec.by for spec in found)


def _clocks(document: PathwayDocument, chart: ChartSpec, name: str, states: States, source: Source) -> Found:
    for path, (at, spec) in states.items():
        for clock_name, clock in spec.clocks.items():
            clock_at = (*at, "clocks", clock_name)
            if not clock.alarms:
                yield source.finding(clock_at, f"clock {clock_name} has no alarm", "add one, or remove the clock")
            deadlines = [
                alarm.after for alarm in clock.alarms.values() if alarm.do in ("escalate", "fire") and alarm.after
            ]
            for alarm_name, alarm in clock.alarms.items():
                alarm_at = (*clock_at, "alarms", alarm_name)
                last = (alarm.after or alarm.every or 0) + (alarm.every or 0) * ((alarm.times or 1) - 1)
                if alarm.do in ("remind", "message") and deadlines and last >= max(deadlines):
                    yield source.finding(
                        _newest((*clock_at, "alarms"), alarm_name, clock.alarms, source),
                        f"{alarm_name} rings on day {last}, not before the deadline on day {max(deadlines)}",
                        "ring earlier, or fewer times",
                    )
                if alarm.do == "message" and alarm.message not in MESSAGES:
                    yield source.finding(
                        alarm_at, f"unknown message {alarm.message!r}", _near(str(alarm.message), MESSAGES)
                    )
                if alarm.trigger is not None and not _fires(chart, path, alarm.trigger, states):
                    yield source.finding(
                        alarm_at,
                        f"{alarm.trigger!r} is no trigger that the system may fire here",
                        "spell it right, or add system to its by:",
                    )
                if alarm.to is not None and alarm.to not in STAFF:
                    yield source.finding(alarm_at, f"{alarm.to!r} is nobody who can be told", _one_of(STAFF))
        closed = spec.final or (chart.closed is not None and path.split(".")[0] == chart.closed)
        if not spec.states and not closed and not _has_clock(path, states):
            yield source.finding(at, f"open state {path} has no clock: a case could be forgotten there", "add a clock")


def _newest(at: KeyPath, late: str, alarms: Mapping[str, object], source: Source) -> KeyPath:
    """The figure to mend: where an overlay says one of them, that one; else the late alarm itself."""
    figures = [(*at, name, key) for name in (late, *alarms) for key in ("after", "every", "times")]
    said = [figure for figure in figures if figure in source.places and source.place((*at, late))[0] != source.file]
    return next((figure for figure in said if source.place(figure)[0] == source.file), (*at, late))


def _has_clock(path: str, states: States) -> bool:
    while path:
        if states[path][1].clocks:
            return True
        path = path.rpartition(".")[0]
    return False


def _reach(chart: ChartSpec, name: str, states: States, source: Source) -> Found:
    """Unreachable states and traps, over the plain graph: guards are taken as satisfiable."""
    edges: dict[str, set[str]] = {path: set() for path in states}
    for path, _, _, trigger in _all_triggers(chart, name, states):
        targets = {way.to for way in trigger.all_ways().values() if way.to}
        for source_path in (
            [path] if path else [p for p in chart.states if p != chart.closed and not chart.states[p].final]
        ):
            for leaf in (p for p in states if p == source_path or p.startswith(source_path + ".")):
                edges[leaf] |= targets
    reached = _closure({chart.initial}, edges, states)
    for path, (at, _spec) in states.items():
        if path not in reached:
            yield source.finding(at, f"state {path} cannot be reached", "lead a trigger there, or remove it")
    for path in reached:
        at, spec = states[path]
        ends = {p for p in _closure({path}, edges, states) if _ends(chart, p, states)}
        if not spec.states and not ends:
            yield source.finding(
                at,
                f"state {path} is a trap: no way leads on to a closed or final state",
                "add a trigger that leads out",
            )


def _ends(chart: ChartSpec, path: str, states: States) -> bool:
    if chart.closed is not None:
        return path.split(".")[0] == chart.closed
    return states[path][1].final


def _closure(start: set[str], edges: dict[str, set[str]], states: States) -> set[str]:
    seen: set[str] = set()
    todo = list(start)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        todo += edges[path]
        if "." in path:
            todo.append(path.rpartition(".")[0])
        spec = states[path][1]
        if spec.parallel:
            todo += [f"{path}.{child}" for child in spec.states]
        elif spec.initial:
            todo.append(f"{path}.{spec.initial}")
    return seen


def _one_of(names: object) -> str:
    return f"one of: {', '.join(sorted(names))}"  # type: ignore[call-overload]


def _near(word: str, names: object) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(names), n=3)  # type: ignore[call-overload]
    return f"did you mean: {', '.join(close)}?" if close else _one_of(names)
