"""Where a case stands, as a small picture: the stages of the pathway, and the tracks of the stage that has some."""

from html import escape

from markupsafe import Markup

from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from states.document import StateSpec
from states.pathway import Chart

BOX, GAP, HIGH, LEFT = 128, 14, 34, 116
_LONGEST = 19  # letters in a box


def picture(chart: Chart, configuration: tuple[str, ...], spoken: tuple[str, ...]) -> Markup:
    """An inline SVG; `spoken`: the states in words, which say the same to whoever does not see it."""
    stages = [(path, spec) for path, spec in chart.spec.states.items() if path != chart.spec.closed]
    closed = any(leaf.split(".")[0] == chart.spec.closed for leaf in configuration)
    here = {".".join(leaf.split(".")[:n]) for leaf in configuration for n in range(1, leaf.count(".") + 2)}
    reached = next((i for i, (path, _s) in enumerate(stages) if path in here), len(stages) if closed else -1)
    parts = []
    for index, (path, spec) in enumerate(stages):
        state = "now" if path in here else "past" if index < reached else "next"
        parts.append(_box(index * (BOX + GAP), 0, spec, state, arrow=index > 0))
    end = chart.spec.states.get(chart.spec.closed or "")
    if end is not None:
        parts.append(_box(len(stages) * (BOX + GAP), 0, end, "now" if closed else "next", arrow=True))
    rows, height = _rows(stages, here), HIGH
    for label, states in rows:
        height += HIGH + 10
        if label:
            parts.append(f'<text class="p-track" x="0" y="{height - 12}">{escape(_short(label))}</text>')
        left = LEFT if label else 0
        for index, (path, spec) in enumerate(states):
            parts.append(
                _box(left + index * (BOX + GAP), height - HIGH, spec, "now" if path in here else "next", arrow=False)
            )
    widest = max([len(stages) + 1, *(len(states) for _label, states in rows)]) * (BOX + GAP)
    label = escape(_("Stands in: {state}").format(state="; ".join(spoken)))
    return Markup(  # noqa: S704 - every text was escaped above
        f'<svg class="pathway" viewBox="-2 -2 {widest + (LEFT if rows and rows[0][0] else 0)} {height + 4}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _rows(stages: list[tuple[str, StateSpec]], here: set[str]) -> list[tuple[str, list[tuple[str, StateSpec]]]]:
    """What lies inside the present stage: its tracks, or its states in one row."""
    for path, spec in stages:
        if path not in here or not spec.states:
            continue
        if spec.parallel:
            return [
                (
                    track.label.in_(language()),
                    [(f"{path}.{name}.{leaf}", state) for leaf, state in track.states.items()],
                )
                for name, track in spec.states.items()
            ]
        return [("", [(f"{path}.{name}", state) for name, state in spec.states.items()])]
    return []


def _box(x: int, y: int, spec: StateSpec, state: str, *, arrow: bool) -> str:
    label = spec.label.in_(language())
    sign = {"now": "● ", "past": "✓ ", "next": ""}[state]
    line = f'<path class="p-line" d="M{x - GAP} {y + HIGH / 2}h{GAP}"/>' if arrow else ""
    return (
        f'{line}<rect class="p-{state}" x="{x}" y="{y}" width="{BOX}" height="{HIGH}" rx="5"/>'
        f'<text class="p-text p-text-{state}" x="{x + BOX / 2}" y="{y + HIGH / 2 + 4}" text-anchor="middle">'
        f"<title>{escape(label)}</title>{sign}{escape(_short(label))}</text>"
    )


def _short(label: str, longest: int = _LONGEST) -> str:
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "…"
