"""The pathway in figures, for supervisors and leads: heat map, funnel, flow by month, quarters side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from ponte_workflow.errors import NotAllowed
from ponte_workflow.i18n import gettext as _
from ponte_workflow.i18n import language
from ponte_workflow.services import permissions
from ponte_workflow.services.casework import Occasion
from ponte_workflow.services.rights import Actor, sight
from ponte_workflow.store import balances, figures, network
from ponte_workflow.store.engine import Transaction
from ponte_workflow.store.figures import Entered, Figures, Standing
from ponte_workflow.store.network import Quarter
from states.machine import ancestors
from states.pathway import Chart

PERMISSION = "supervision"


@dataclass(frozen=True, slots=True)
class Cell:
    """A state in figures: open cases in it now, of them stalled, share of all open cases (0 to 1), usual days.

    `usual`: calendar days over the ended stays of the whole quarter, whoever has the cases; None where there are none.
    """

    count: int
    stalled: int
    share: float
    usual: Figures | None


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A state of the pathway. `depth`: 0 for a stage; `quarters`: the same by quarter id, for the side-by-side view.

    `whole.usual` is there for one quarter alone: a median over several cannot be had from their medians.
    """

    path: str
    label: str
    depth: int
    is_closed: bool
    whole: Cell
    quarters: Mapping[int, Cell]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Every state in the order of the pathway, each after the state around it. `total`: the open cases that are seen."""

    quarters: tuple[Quarter, ...]
    rows: tuple[HeatRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A stage, or a reason for which cases closed: by quarter, how many cases entered it for the first time."""

    path: str
    label: str
    depth: int
    entered: Mapping[int, int]
    share: Mapping[int, float | None]  # of those that entered the first stage in the same months; None: nobody did


@dataclass(frozen=True, slots=True)
class Funnel:
    """First entries since a day, stage by stage."""

    since: date
    quarters: tuple[Quarter, ...]
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A stage: by quarter, how many cases entered it for the first time, one number for each month."""

    path: str
    label: str
    depth: int
    entered: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Flow:
    """First entries by month. `months`: their first days, the oldest first; the last one is still running."""

    months: tuple[date, ...]
    quarters: tuple[Quarter, ...]
    rows: tuple[FlowRow, ...]


def heat_map(tx: Transaction, who: Occasion, quarter_id: int | None = None) -> HeatMap:
    """Where the open cases that the actor may see stand, and how long each state usually lasts; of one quarter or all.

    A case in three parallel states counts once in each, and once in every state around them.
    """
    permissions.require(who.actor, PERMISSION)
    condition = sight(who.actor)
    standing = figures.standing_counts(tx, condition)
    quarters = _shown(network.quarters(tx), who.actor, {key[2] for key in standing}, quarter_id)
    shown = {one.id for one in quarters}
    standing = {key: n for key, n in standing.items() if key[2] in shown}
    counts, stalled = _by_state(standing), _by_state(figures.stalled_counts(tx, condition))
    totals = {one: sum(n for key, n in standing.items() if key[2] == one) for one in shown}
    usual = figures.state_figures(tx)
    rows = []
    for path, chart in _states(_charts(tx, who, quarters, {key[1] for key in standing})).items():
        cells = {
            one: _cell(counts.get((path, one), 0), stalled.get((path, one), 0), totals[one], usual.get((path, one)))
            for one in sorted(shown)
        }
        whole = _together(cells.values(), sum(totals.values()))
        closed = chart.spec.closed is not None and path.split(".")[0] == chart.spec.closed
        rows.append(HeatRow(path, _label(chart, path), path.count("."), closed, whole, cells))
    return HeatMap(quarters, tuple(rows), sum(totals.values()))


def funnel(tx: Transaction, who: Occasion, months: int = 12) -> Funnel:
    """How many cases entered each stage for the first time in the last months, the running one included, by quarter."""
    return _funnel(*_entered(tx, who, months))


def flow_by_month(tx: Transaction, who: Occasion, months: int = 12) -> Flow:
    """The same month by month."""
    return _flow(months, *_entered(tx, who, months))


def funnel_and_flow(tx: Transaction, who: Occasion, months: int = 12) -> tuple[Funnel, Flow]:
    """Both, counted once."""
    entered = _entered(tx, who, months)
    return _funnel(*entered), _flow(months, *entered)


def usual_days(tx: Transaction, state: str, quarter_id: int) -> int | None:
    """The median of a state in a quarter, in calendar days; None where no stay has ended yet."""
    return figures.usual_days(tx, state, quarter_id)


def _sees_all(actor: Actor) -> bool:
    return actor.is_system or "lead" in actor.roles


def _shown(
    quarters: tuple[Quarter, ...], actor: Actor, busy: set[int], wanted: int | None = None
) -> tuple[Quarter, ...]:
    """Those where the actor works or has cases; one of them alone when it is wanted."""
    shown = tuple(one for one in quarters if _sees_all(actor) or one.id in actor.quarters | busy)
    if wanted is None:
        return shown
    if wanted not in {one.id for one in shown}:
        raise NotAllowed(_("The figures of this quarter are for those who work there"))
    return tuple(one for one in shown if one.id == wanted)


def _charts(tx: Transaction, who: Occasion, quarters: Iterable[Quarter], versions: Iterable[int] = ()) -> list[Chart]:
    """The charts of those quarters' pathways, then of older versions to which cases are still pinned."""
    current = dict.fromkeys(one.pathway for one in quarters)
    found = [who.pathways.current(name) for name in current]
    found += [who.pathways.pinned(tx, version) for version in sorted(versions)]
    return [pathway.household for pathway in found]


def _states(charts: Iterable[Chart]) -> dict[str, Chart]:
    """Every state path with the first chart that has it: in document order, each after the state around it."""
    owner: dict[str, Chart] = {}
    inside: dict[str, list[str]] = {}
    for chart in charts:
        for path in chart.states:
            if path not in owner:
                owner[path] = chart
                inside.setdefault(path.rpartition(".")[0], []).append(path)

    def walk(above: str) -> Iterable[str]:
        for path in inside.get(above, ()):
            yield path
            yield from walk(path)

    return {path: owner[path] for path in walk("")}


def _stages(charts: Iterable[Chart]) -> dict[str, Chart]:
    """The stages, and the reasons for which cases close."""
    return {
        path: chart
        for path, chart in _states(charts).items()
        if "." not in path or (path.count(".") == 1 and path.split(".")[0] == chart.spec.closed)
    }


def _entered(
    tx: Transaction, who: Occasion, months: int
) -> tuple[int, tuple[Quarter, ...], dict[str, Chart], tuple[Entered, ...]]:
    permissions.require(who.actor, PERMISSION)
    since = balances.month_of(who.on) - months + 1
    everyone = network.quarters(tx)
    # The table counts every case of a quarter; whoever sees some of them has them counted for themselves.
    if _sees_all(who.actor):
        entered = figures.month_flow(tx, since)
    else:
        states = _stages(_charts(tx, who, everyone))
        entered = figures.month_flow_of(tx, sight(who.actor), since, states)
    quarters = _shown(everyone, who.actor, {one.quarter_id for one in entered})
    return since, quarters, _stages(_charts(tx, who, quarters)), entered


def _funnel(
    since: int, quarters: tuple[Quarter, ...], stages: Mapping[str, Chart], entered: Iterable[Entered]
) -> Funnel:
    sums: dict[tuple[int, str], int] = {}
    for one in entered:
        sums[one.quarter_id, one.state] = sums.get((one.quarter_id, one.state), 0) + one.cases
    steps = []
    first: dict[int, int] = {}
    for path, chart in stages.items():
        here = {quarter.id: sums.get((quarter.id, path), 0) for quarter in quarters}
        first = first or here
        share = {key: here[key] / first[key] if first[key] else None for key in here}
        steps.append(FunnelStep(path, _label(chart, path), path.count("."), here, share))
    return Funnel(_first_day(since), quarters, tuple(steps))


def _flow(
    months: int, since: int, quarters: tuple[Quarter, ...], stages: Mapping[str, Chart], entered: Iterable[Entered]
) -> Flow:
    numbers = range(since, since + months)
    found = {(e.month, e.quarter_id, e.state): e.cases for e in entered}
    rows = tuple(
        FlowRow(
            path,
            _label(chart, path),
            path.count("."),
            {one.id: tuple(found.get((month, one.id, path), 0) for month in numbers) for one in quarters},
        )
        for path, chart in stages.items()
    )
    return Flow(tuple(_first_day(month) for month in numbers), quarters, rows)


def _by_state(standing: Mapping[Standing, int]) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    for (configuration, _version, quarter_id), n in standing.items():
        for path in {path for leaf in configuration for path in ancestors(leaf)}:
            found[path, quarter_id] = found.get((path, quarter_id), 0) + n
    return found


def _cell(count: int, stalled: int, total: int, usual: Figures | None) -> Cell:
    return Cell(count, stalled, count / total if total else 0.0, usual)


def _together(cells: Iterable[Cell], total: int) -> Cell:
    cells = list(cells)
    alone = cells[0].usual if len(cells) == 1 else None
    return _cell(sum(cell.count for cell in cells), sum(cell.stalled for cell in cells), total, alone)


def _label(chart: Chart, path: str) -> str:
    return chart.label(path).in_(language())


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)
