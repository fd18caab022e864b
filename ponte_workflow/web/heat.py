"""The pathway as a heat map, and its funnel and flow by month as small bars with their tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from ponte_workflow.i18n import gettext as _
from ponte_workflow.services import figuring
from ponte_workflow.services.figuring import HeatMap, HeatRow
from ponte_workflow.store import network
from ponte_workflow.store.network import Quarter
from ponte_workflow.web.pages import page
from ponte_workflow.web.visit import Visit, needs

router = APIRouter(prefix="/supervision")
SHADES = 5
MONTHS = 12
WIDTH, HEIGHT = 220, 46  # of the bars of one stage, in the units of their drawing
LONGEST = 320  # of a bar of the funnel
TONES = ("tone-a", "tone-b", "tone-c", "tone-d")  # one for each quarter; each bar also bears its number


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the heat map: the state itself when it has none inside, one column of states, or its tracks."""

    row: HeatRow
    tracks: tuple[tuple[HeatRow | None, tuple[HeatRow, ...]], ...]


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


@router.get("/pathway")
def pathway(
    visit: Annotated[Visit, Depends(needs("supervision"))],
    quarter: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Where the open cases stand and how long that usually lasts, of one quarter or side by side."""
    with visit.reading() as tx:
        wanted = network.quarter_by_code(tx, quarter).id if quarter else None
        every = figuring.heat_map(tx, visit.who, wanted)
        offered = every.quarters if wanted is None else figuring.heat_map(tx, visit.who).quarters
    return page(
        visit,
        "supervision/pathway.html",
        map=every,
        stages=tuple(stages(every)),
        shade=shades(every),
        offered=offered,
        quarter=quarter,
    )


@router.get("/flow")
def flow(visit: Annotated[Visit, Depends(needs("supervision"))]) -> Response:
    """How many cases entered each stage: in the last twelve months together, and month by month."""
    with visit.reading() as tx:
        funnel = figuring.funnel(tx, visit.who, MONTHS)
        months = figuring.flow_by_month(tx, visit.who, MONTHS)
    most = max((n for step in funnel.steps for n in step.entered.values()), default=0)
    busiest = max((n for row in months.rows for line in row.entered.values() for n in line), default=0)
    return page(
        visit,
        "supervision/flow.html",
        funnel=funnel,
        flow=months,
        tones=dict(zip([one.id for one in funnel.quarters], TONES * len(funnel.quarters), strict=False)),
        funnel_bars=lambda entered: funnel_bars(entered, funnel.quarters, most),
        month_bars=lambda entered: month_bars(entered, months.quarters, months.months, busiest),
        size=(WIDTH, HEIGHT, LONGEST),
    )


def stages(heat: HeatMap) -> Iterator[Stage]:
    """The open states as they lie beside and below each other; closed ones hold no open case."""
    inside: dict[str, list[HeatRow]] = {}
    for row in heat.rows:
        if not row.is_closed:
            inside.setdefault(row.path.rpartition(".")[0], []).append(row)
    for row in inside.get("", ()):
        children = inside.get(row.path, [])
        if any(child.path in inside for child in children):
            yield Stage(row, tuple((child, tuple(inside.get(child.path, ()))) for child in children))
        else:
            yield Stage(row, ((None, tuple(children)),) if children else ())


def shades(heat: HeatMap) -> Mapping[str, int]:
    """State -> 0 (no case) to SHADES (as many as the fullest state); the number stands beside it in any case."""
    around = {row.path.rpartition(".")[0] for row in heat.rows}
    leaves = [row for row in heat.rows if row.path not in around]
    most = max((row.whole.count for row in leaves), default=0)
    return {row.path: -(-SHADES * row.whole.count // most) if most else 0 for row in leaves}


def funnel_bars(entered: Mapping[int, int], quarters: Sequence[Quarter], most: int) -> list[Bar]:
    """A bar for each quarter, one below the other."""
    return [
        Bar(0, 18 * number, _part(entered[one.id], most, LONGEST), 14, entered[one.id], one.name, TONES[number % 4])
        for number, one in enumerate(quarters)
    ]


def month_bars(
    entered: Mapping[int, Sequence[int]], quarters: Sequence[Quarter], months: Sequence[date], most: int
) -> list[Bar]:
    """A group of bars for each month, one for each quarter; all stages have the same scale."""
    wide = WIDTH / max(len(months), 1)
    each = (wide - 3) / max(len(quarters), 1)
    found = []
    for place, month in enumerate(months):
        for number, one in enumerate(quarters):
            n = entered[one.id][place]
            high = _part(n, most, HEIGHT - 2)
            label = _("{month}, {quarter}: {n}").format(month=f"{month:%m/%Y}", quarter=one.name, n=n)
            found.append(
                Bar(
                    round(place * wide + number * each, 1),
                    round(HEIGHT - high, 1),
                    round(max(each - 0.5, 1), 1),
                    high,
                    n,
                    label,
                    TONES[number % 4],
                )
            )
    return found


def _part(n: int, most: int, length: float) -> float:
    """The length of a bar: never nothing where there is something."""
    return round(max(n / most * length, 2.0), 1) if most and n else 0.0
