"""The pathway as a heat map, and its funnel and flow by month as small bars with their tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import figuring
from ponte_workflow.services.figuring import HeatMap, HeatRow
from ponte_workflow.store import network
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.figures import Figures
from ponte_workflow.store.network import Quarter
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/supervision")
SHADES = 5
MONTHS = 12
BESIDE = 3  # more quarters than these are shown together, until one or two of them are chosen
WIDTH, HEIGHT = 220, 46  # of the bars of one stage, in the units of their drawing
LONGEST = 320  # of a bar of the funnel
TONES = ("tone-a", "tone-b", "tone-c")  # one for each column; every bar also bears its number
Code = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True, slots=True)
class Column:
    """What stands side by side: one quarter, or several together."""

    name: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A state in one column. usual: of one quarter alone; several have no median in common."""

    name: str
    count: int
    stalled: int
    usual: Figures | None
    alone: bool


@dataclass(frozen=True, slots=True)
class State:
    """A state of the map. shade: 0 (no case) to SHADES (as many as the fullest state)."""

    path: str
    label: str
    depth: int
    count: int
    stalled: int
    shade: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: the state itself when it has none inside, else one column of states, or its tracks (each with a name)."""

    state: State
    tracks: tuple[tuple[State | None, tuple[State, ...]], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in the units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    number: int
    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Line:
    """A stage of the funnel or of the flow, by column: numbers (one, or one for each month), shares, and bars."""

    label: str
    depth: int
    numbers: tuple[tuple[int, ...], ...]
    shares: tuple[float | None, ...]
    bars: tuple[Bar, ...]


@router.get("/pathway")
def pathway(visit: Annotated[Visit, Depends(needs("supervision"))], quarter: Code = "", beside: Code = "") -> Response:
    """Where the open cases stand and how long that usually lasts, of one quarter or of several side by side."""
    with visit.reading() as tx:
        heat = figuring.heat_map(tx, visit.who)
        columns = _columns(tx, heat.quarters, quarter, beside)
    found = states(heat, columns)
    return page(
        visit,
        "supervision/pathway.html",
        stages=tuple(stages(found)),
        states=found,
        total=sum(state.count for state in found if not state.depth),
        columns=columns,
        offered=heat.quarters,
        quarter=quarter,
        beside=beside,
        only=quarter if quarter and not beside else "",
    )


@router.get("/flow")
def flow(visit: Annotated[Visit, Depends(needs("supervision"))], quarter: Code = "", beside: Code = "") -> Response:
    """How many cases entered each stage: in the last twelve months together, and month by month."""
    with visit.reading() as tx:
        funnel, by_month = figuring.funnel_and_flow(tx, visit.who, MONTHS)
        columns = _columns(tx, funnel.quarters, quarter, beside)
    return page(
        visit,
        "supervision/flow.html",
        funnel=_lines([(s.label, s.depth, {q: (n,) for q, n in s.entered.items()}) for s in funnel.steps], columns),
        flow=_lines([(row.label, row.depth, row.entered) for row in by_month.rows], columns, by_month.months),
        since=funnel.since,
        months=by_month.months,
        columns=columns,
        tones=TONES,
        offered=funnel.quarters,
        quarter=quarter,
        beside=beside,
        size=(WIDTH, HEIGHT, LONGEST),
    )


def states(heat: HeatMap, columns: Sequence[Column]) -> tuple[State, ...]:
    """The open states with their counts by column; closed ones hold no open case."""
    around = {row.path.rpartition(".")[0] for row in heat.rows}
    parts = {row.path: tuple(_part(row, column) for column in columns) for row in heat.rows if not row.is_closed}
    counts = {path: sum(part.count for part in found) for path, found in parts.items()}
    most = max((n for path, n in counts.items() if path not in around), default=0)
    return tuple(
        State(
            row.path,
            row.label,
            row.depth,
            counts[row.path],
            sum(part.stalled for part in parts[row.path]),
            -(-SHADES * counts[row.path] // most) if most and row.path not in around else 0,
            parts[row.path],
        )
        for row in heat.rows
        if row.path in parts
    )


def stages(found: Iterable[State]) -> Iterator[Stage]:
    """The states as they lie beside and below each other."""
    inside: dict[str, list[State]] = {}
    for state in found:
        inside.setdefault(state.path.rpartition(".")[0], []).append(state)
    for state in inside.get("", ()):
        children = inside.get(state.path, [])
        if any(child.path in inside for child in children):
            yield Stage(state, tuple((child, tuple(inside.get(child.path, ()))) for child in children))
        else:
            yield Stage(state, ((None, tuple(children)),) if children else ())


def _columns(tx: Transaction, offered: Sequence[Quarter], quarter: str, beside: str) -> tuple[Column, ...]:
    """The quarters that were chosen; without a choice all of them, side by side while they are few."""
    chosen = []
    for code in dict.fromkeys(code for code in (quarter, beside) if code):
        one = network.quarter_by_code(tx, code)
        if one not in offered:
            raise NotAllowed(_("The figures of this quarter are for those who work there"))
        chosen.append(Column(one.name, (one.id,)))
    if chosen:
        return tuple(chosen)
    if len(offered) <= BESIDE:
        return tuple(Column(one.name, (one.id,)) for one in offered)
    return (Column(_("All quarters"), tuple(one.id for one in offered)),)


def _part(row: HeatRow, column: Column) -> Part:
    cells = [row.quarters[quarter_id] for quarter_id in column.ids]
    alone = len(cells) == 1
    usual = cells[0].usual if alone else None
    return Part(column.name, sum(c.count for c in cells), sum(c.stalled for c in cells), usual, alone)


def _lines(
    rows: Sequence[tuple[str, int, Mapping[int, Sequence[int]]]],
    columns: Sequence[Column],
    months: Sequence[date] = (),
) -> tuple[Line, ...]:
    """Stages with their numbers by column; with `months` drawn as a group of bars for each of them."""
    length = len(months) or 1
    numbers = [
        tuple(tuple(sum(entered[q][n] for q in column.ids) for n in range(length)) for column in columns)
        for _label, _depth, entered in rows
    ]
    most = max((n for row in numbers for column in row for n in column), default=0)
    first = numbers[0] if numbers else ()
    return tuple(
        Line(
            label,
            depth,
            row,
            tuple(mine[0] / whole[0] if whole[0] else None for mine, whole in zip(row, first, strict=True)),
            tuple(_month_bars(row, columns, months, most) if months else _funnel_bars(row, columns, most)),
        )
        for (label, depth, _entered), row in zip(rows, numbers, strict=True)
    )


def _funnel_bars(row: Sequence[Sequence[int]], columns: Sequence[Column], most: int) -> Iterator[Bar]:
    """A bar for each column, one below the other."""
    for number, (column, (n,)) in enumerate(zip(columns, row, strict=True)):
        yield Bar(0, 18 * number, _long(n, most, LONGEST), 14, n, column.name, TONES[number])


def _month_bars(
    row: Sequence[Sequence[int]], columns: Sequence[Column], months: Sequence[date], most: int
) -> Iterator[Bar]:
    """A group of bars for each month, one for each column; all stages have the same scale."""
    wide = WIDTH / len(months)
    each = (wide - 3) / max(len(columns), 1)
    for place, month in enumerate(months):
        for number, column in enumerate(columns):
            n = row[number][place]
            if n:
                high = _long(n, most, HEIGHT - 2)
                label = _("{month}, {quarter}: {n}").format(month=f"{month:%m/%Y}", quarter=column.name, n=n)
                x = round(place * wide + number * each, 1)
                yield Bar(x, round(HEIGHT - high, 1), round(max(each - 0.5, 1), 1), high, n, label, TONES[number])


def _long(n: int, most: int, length: float) -> float:
    """The length of a bar: never nothing where there is something."""
    return round(max(n / most * length, 2.0), 1) if most and n else 0.0
