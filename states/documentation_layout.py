"""Where the boxes, lanes and labels of the pathway's picture lie: plain arithmetic, the same every time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from states.document import StateSpec
from states.machine import SEPARATOR, ancestors
from states.pathway import Chart

LETTER, SMALL = 7.7, 6.4  # pixels of a letter at 12 and at 10 px, on the generous side: text must never run over
LINE, PAD, GAP, LANE = 22.0, 12.0, 28.0, 18.0
PORT = 11.0  # between the ends of two ways at one box


@dataclass(eq=False)
class Bus:
    """Ways of one trigger below a row of boxes: from the sources down to a lane, along it, and up to the targets."""

    label: str
    sources: list["Box"]
    targets: list["Box"]
    lane: int = 0
    ports: list[tuple[float, bool]] = field(default_factory=list)  # x, whether it ends in a target

    @property
    def span(self) -> tuple[int, int]:
        """The first and last column that it joins."""
        columns = [box.column for box in (*self.sources, *self.targets)]
        return min(columns), max(columns)


@dataclass
class Row:
    """Boxes side by side, the labels of the arrows between neighbours, and the lanes below."""

    boxes: list["Box"]
    steps: dict[int, list[str]]  # column: what leads from it to the next one
    buses: list[Bus]

    def gap(self, column: int) -> float:
        """The room between a box and the next: as wide as its arrow's labels."""
        return max([GAP, *(len(label) * SMALL + 18 for label in _two(self.steps.get(column, [])))])

    def width(self) -> float:
        """Of all boxes and gaps."""
        gaps = sum(self.gap(column) for column in range(len(self.boxes) - 1))
        inside = sum(box.width for box in self.boxes) + gaps
        return max([inside, *(len(bus.label) * SMALL + 8 for bus in self.buses)])

    def height(self) -> float:
        """Of the highest box and the lanes."""
        lanes = 1 + max((bus.lane for bus in self.buses), default=-1)
        return max(box.height for box in self.boxes) + (lanes * LANE + 8 if lanes else 0)

    def lane_y(self, lane: int) -> float:
        """Where a lane runs, once the boxes are put."""
        return self.boxes[0].y + max(box.height for box in self.boxes) + (lane + 1) * LANE

    def put(self, x: float, y: float) -> None:
        """Place the boxes and give each way below its own ends."""
        for column, box in enumerate(self.boxes):
            box.put(x, y)
            x += box.width + self.gap(column)
        for box in self.boxes:
            # Ways to the left end left, ways to the right end right: fewer of them cross.
            mine = [bus for bus in self.buses if box in self.joined(bus)]
            mine.sort(key=lambda bus: (sum(bus.span) - 2 * box.column, bus.lane))
            first = box.x + box.width / 2 - PORT * (len(mine) - 1) / 2
            for index, bus in enumerate(mine):
                bus.ports.append((first + PORT * index, box in bus.targets))

    def joined(self, bus: Bus) -> list["Box"]:
        """The boxes at its ends, in the order of its ports."""
        return [box for box in self.boxes if box in bus.sources or box in bus.targets]

    def label_x(self, bus: Bus) -> float:
        """Where its label begins: over its lane, where the fewest ways pass through."""
        xs = [x for x, _ in bus.ports]
        width = len(bus.label) * SMALL
        crossing = [x for other in self.buses if other.lane >= bus.lane for x, _ in other.ports]
        last = max(min(xs) + 4, max(xs) - width - 4)
        choices = [min(xs) + 4 + 3 * n for n in range(int((last - min(xs) - 4) / 3) + 1)]
        return min(choices, key=lambda x: sum(x - 3 < other < x + width + 3 for other in crossing))


@dataclass(eq=False)
class Box:
    """A state with its place; inside it lie rows: one for a track, several for parallel tracks or closed states."""

    path: str
    label: str
    kind: str
    rows: list[Row]
    column: int = 0
    ends: int = 0  # ways that end at its lower side
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    def measure(self) -> None:
        """Width and height from the label, the ends of ways and what lies inside."""
        for row in self.rows:
            for child in row.boxes:
                child.measure()
        inside = max((row.width() for row in self.rows), default=0)
        self.width = max(len(self.label) * LETTER, inside, self.ends * PORT) + 2 * PAD
        self.height = LINE + PAD + sum(row.height() + PAD for row in self.rows)

    def put(self, x: float, y: float) -> None:
        """Place it and everything inside."""
        self.x, self.y = x, y
        below = y + LINE + PAD
        for row in self.rows:
            row.put(x + PAD, below)
            below += row.height() + PAD

    def walk(self) -> Iterator["Box"]:
        """Itself and everything inside."""
        yield self
        for row in self.rows:
            for child in row.boxes:
                yield from child.walk()


def whole_row(chart: Chart, language: str) -> Row:
    """The chart's top-level states in one row, measured but not yet placed."""
    ways = _ways(chart)
    boxes = [_box(name, spec, chart, ways, language) for name, spec in chart.spec.states.items()]
    row = _row("", boxes, ways)
    for box in boxes:
        box.measure()
    return row


Ways = dict[str, dict[tuple[str, str], list[str]]]  # parent: (child, child): triggers


def _ways(chart: Chart) -> Ways:
    """Every way lifted to the level at which it joins two siblings; those from everywhere are told in words."""
    ways: Ways = {}
    for trigger, sources in chart.triggers.items():
        if trigger in chart.spec.everywhere:
            continue
        for path, spec in sources.items():
            for target in (way.to for way in spec.all_ways().values() if way.to is not None):
                around = set(ancestors(target))
                shared = next((above for above in ancestors(path) if above in around), "")
                depth = len(shared.split(SEPARATOR)) if shared else 0
                pair = tuple(SEPARATOR.join(p.split(SEPARATOR)[: depth + 1]) for p in (path, target))
                found = ways.setdefault(shared, {}).setdefault((pair[0], pair[1]), [])
                if pair[0] != pair[1] and trigger not in found:
                    found.append(trigger)
    return ways


def _box(path: str, spec: StateSpec, chart: Chart, ways: Ways, language: str) -> Box:
    children = [_box(f"{path}{SEPARATOR}{name}", child, chart, ways, language) for name, child in spec.states.items()]
    closed = path.split(SEPARATOR)[0] == chart.spec.closed
    column = spec.parallel or path == chart.spec.closed
    rows = [_row(path, [child], {}) for child in children] if column else [_row(path, children, ways)]
    label = spec.label.in_(language)
    if closed and ":" in label:
        label = label.partition(":")[2].strip().capitalize()
    kind = "k" if closed else "f" if spec.final else "g" if children else "b"
    return Box(path, label, kind, rows if children else [])


def _row(parent: str, boxes: list[Box], ways: Ways) -> Row:
    by_path = {box.path: box for box in boxes}
    for column, box in enumerate(boxes):
        box.column = column
    row = Row(boxes, {}, [])
    by_trigger: dict[str, list[tuple[Box, Box]]] = {}
    for (source, target), triggers in ways.get(parent, {}).items():
        first, second = by_path[source], by_path[target]
        for trigger in triggers:
            if second.column == first.column + 1:
                row.steps.setdefault(first.column, []).append(trigger)
            else:
                by_trigger.setdefault(trigger, []).append((first, second))
    row.buses = _in_lanes(_buses(by_trigger))
    for box in boxes:
        box.ends = sum(box in bus.sources or box in bus.targets for bus in row.buses)
    return row


def _buses(by_trigger: dict[str, list[tuple[Box, Box]]]) -> list[Bus]:
    """One bus for a trigger's ways to one box, or from one box; triggers that join the same boxes share it."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], Bus] = {}
    for trigger, pairs in by_trigger.items():
        one_source = len({source.path for source, _ in pairs}) == 1
        groups: dict[str, list[tuple[Box, Box]]] = {}
        for source, target in pairs:
            groups.setdefault("" if one_source else target.path, []).append((source, target))
        for group in groups.values():
            sources = list({source.path: source for source, _ in group}.values())
            targets = list({target.path: target for _, target in group}.values())
            key = tuple(box.path for box in sources), tuple(box.path for box in targets)
            if key in found:
                found[key].label += f", {trigger}"
            else:
                found[key] = Bus(trigger, sources, targets)
    return list(found.values())


def _in_lanes(buses: list[Bus]) -> list[Bus]:
    """Short ways run near, long ones below; two share a lane only where they do not touch."""
    taken: list[list[tuple[int, int]]] = []
    for bus in sorted(buses, key=lambda bus: (bus.span[1] - bus.span[0], bus.span)):
        low, high = bus.span
        free = (n for n, spans in enumerate(taken) if all(high < first or last < low for first, last in spans))
        bus.lane = next(free, len(taken))
        if bus.lane == len(taken):
            taken.append([])
        taken[bus.lane].append((low, high))
    return buses


def _two(labels: list[str]) -> tuple[str, str]:
    """What stands over an arrow and what below it."""
    half = (len(labels) + 1) // 2
    return ", ".join(labels[:half]), ", ".join(labels[half:])


def over_and_under(row: Row, column: int) -> tuple[str, str]:
    """The labels of the arrow from a box to the next."""
    return _two(row.steps[column])
