"""The pathway written out: as a table, as Mermaid; the picture is drawn in `documentation_svg`."""

from collections.abc import Iterator
from typing import NamedTuple

from states.document import AlarmSpec, ClockSpec, StateSpec, Text, TriggerSpec
from states.documentation_svg import EVERYWHERE, svg
from states.machine import SEPARATOR
from states.pathway import Chart, Pathway
from states.roles import ROLE_NAMES

__all__ = ["Row", "mermaid", "svg", "table"]

CHARTS = {"household": Text(it="Nucleo", en="Household"), "person": Text(it="Persona", en="Person")}
UNITS = {
    "working_days": Text(it="gg lavorativi", en="working days"),
    "calendar_days": Text(it="giorni", en="days"),
    "calendar_months": Text(it="mesi", en="months"),
}
VERBS = {
    "remind": Text(it="sollecito", en="remind"),
    "escalate": Text(it="segnalazione", en="escalate"),
    "message": Text(it="messaggio", en="message"),
    "fire": Text(it="da sé", en="by itself"),
}


class Row(NamedTuple):
    """One state in words."""

    chart: str
    path: str
    label: str
    waits_on: str
    clocks: str
    ways: str


def table(pathway: Pathway, language: str) -> list[Row]:
    """Every state of both machines with its clocks and the ways on, in the document's order; last ("*") those from anywhere."""
    rows = [
        Row(
            CHARTS[name].in_(language),
            path,
            state.spec.label.in_(language),
            _role(state.spec.waits_on, language),
            "; ".join(_clock(clock, language) for clock in state.spec.clocks.values()),
            "\n".join(_trigger(trigger, spec, language) for trigger, spec in _triggers(chart, path)),
        )
        for name, chart in (("household", pathway.household), ("person", pathway.person))
        for path, state in chart.states.items()
    ]
    for name, chart in (("household", pathway.household), ("person", pathway.person)):
        ways = "\n".join(_trigger(trigger, spec, language) for trigger, spec in chart.spec.everywhere.items())
        if ways:
            rows.append(Row(CHARTS[name].in_(language), "*", EVERYWHERE.in_(language), "", "", ways))
    return rows


def mermaid(pathway: Pathway, language: str) -> str:
    """Both machines as one Mermaid state diagram."""
    lines = ["stateDiagram-v2", "  direction LR"]
    for name, chart in (("household", pathway.household), ("person", pathway.person)):
        lines.append(f'  state "{CHARTS[name].in_(language)}" as {name} {{')
        lines.append(f"    [*] --> {_id(name, chart.spec.initial)}")
        for state_name, spec in chart.spec.states.items():
            lines += _mermaid_state(name, state_name, spec, language, 2)
        lines += _edges(name, chart, language)
        lines.append("  }")
    return "\n".join(lines) + "\n"


def _edges(name: str, chart: Chart, language: str) -> Iterator[str]:
    for trigger, sources in chart.triggers.items():
        if trigger in chart.spec.everywhere:
            continue
        for path, spec in sources.items():
            targets = dict.fromkeys(way.to for way in spec.all_ways().values() if way.to is not None)
            for target in targets:
                yield f"    {_id(name, path)} --> {_id(name, target)}: {_plain(spec.label, language)}"


def _mermaid_state(chart: str, path: str, spec: StateSpec, language: str, depth: int) -> Iterator[str]:
    pad = "  " * depth
    yield f'{pad}state "{_plain(spec.label, language)}" as {_id(chart, path)}'
    if not spec.states:
        return
    yield f"{pad}state {_id(chart, path)} {{"
    if spec.initial:
        yield f"{pad}  [*] --> {_id(chart, path + SEPARATOR + spec.initial)}"
    for index, (name, child) in enumerate(spec.states.items()):
        if spec.parallel and index:
            yield f"{pad}  --"
        yield from _mermaid_state(chart, path + SEPARATOR + name, child, language, depth + 1)
    yield f"{pad}}}"


def _plain(label: Text, language: str) -> str:
    """A label without what Mermaid takes for its own syntax."""
    return label.in_(language).replace(": ", " - ").replace(":", " ").replace(";", ",").replace('"', "'")


def _id(chart: str, path: str) -> str:
    return f"{chart}__{path.replace(SEPARATOR, '__')}"


def _triggers(chart: Chart, path: str) -> Iterator[tuple[str, TriggerSpec]]:
    for name, sources in chart.triggers.items():
        if path in sources and name not in chart.spec.everywhere:
            yield name, sources[path]


def _trigger(name: str, spec: TriggerSpec, language: str) -> str:
    who = ", ".join(_role(role, language) for role in spec.by)
    targets = " | ".join(way.to for way in spec.all_ways().values() if way.to)
    needs = ", ".join(
        _need(guard, dict(parameters)) for way in spec.all_ways().values() for guard, parameters in way.needs.items()
    )
    return f"{name} ({who})" + (f" > {targets}" if targets else "") + (f" [{needs}]" if needs else "")


def _need(guard: str, parameters: dict[str, object]) -> str:
    values = ", ".join(f"{key} {value}" for key, value in parameters.items())
    return f"{guard}: {values}" if values else guard


def _clock(clock: ClockSpec, language: str) -> str:
    unit = UNITS[clock.unit].in_(language)
    return ", ".join(_alarm(alarm, language) for alarm in clock.alarms.values()) + f" ({unit})"


def _alarm(alarm: AlarmSpec, language: str) -> str:
    first = alarm.after if alarm.after is not None else alarm.every
    again = f"+{alarm.every}" + (f"x{alarm.times}" if alarm.times else "…") if alarm.every else ""
    to = f" {_role(alarm.to, language)}" if alarm.to else ""
    what = alarm.message or alarm.trigger or ""
    return f"{VERBS[alarm.do].in_(language)} {first}{again}{to}" + (f" {what}" if what else "")


def _role(role: str | None, language: str) -> str:
    return ROLE_NAMES[role].in_(language) if role else ""
