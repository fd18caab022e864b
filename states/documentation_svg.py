"""The pathway drawn as SVG by our own hand: boxes in bands, arrows between top-level states; no library, no fonts from outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from states.document import StateSpec
from states.machine import SEPARATOR
from states.pathway import Chart, Pathway

CHARACTER = 6.6  # pixels of a letter at 12px, on the generous side: text must never run over its box
LINE, PAD, GAP = 22, 12, 46
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#17324d}.t{font-weight:600}.n{fill:#5c6f82;font-size:11px}"
    ".b{fill:#fff;stroke:#0066cc;stroke-width:1.4}.g{fill:#f2f7fc;stroke:#0066cc;stroke-width:1.4}"
    ".k{fill:#fafafa;stroke:#98a6b3;stroke-dasharray:4 3}.f{fill:#e6f4ea;stroke:#008055;stroke-width:1.4}"
    ".a{fill:none;stroke:#5c6f82;stroke-width:1.2;marker-end:url(#h)}"
)


@dataclass
class Box:
    """A state with its place; children lie inside, in one row (a track) or in several (parallel tracks, closed states)."""

    path: str
    label: str
    kind: str
    rows: list[list["Box"]]
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    def measure(self) -> None:
        """Width and height from the label and what lies inside."""
        for row in self.rows:
            for child in row:
                child.measure()
        own = len(self.label) * CHARACTER + 2 * PAD
        inside = max((sum(c.width for c in row) + GAP * 0.6 * (len(row) - 1) for row in self.rows), default=0)
        self.width = max(own, inside + 2 * PAD if self.rows else 0)
        self.height = (
            LINE + PAD + sum(max(c.height for c in row) + PAD for row in self.rows) if self.rows else LINE + PAD
        )

    def put(self, x: float, y: float) -> None:
        """Place it and everything inside."""
        self.x, self.y = x, y
        below = y + LINE + PAD
        for row in self.rows:
            left = x + PAD
            for child in row:
                child.put(left, below)
                left += child.width + GAP * 0.6
            below += max(child.height for child in row) + PAD

    def walk(self) -> Iterator["Box"]:
        """Itself and everything inside."""
        yield self
        for row in self.rows:
            for child in row:
                yield from child.walk()


def svg(pathway: Pathway, language: str) -> str:
    """Both machines, the household's above the person's."""
    parts: list[str] = []
    top, width = 64.0, 0.0
    for title, chart in (
        ({"it": "Il nucleo", "en": "The household"}, pathway.household),
        ({"it": "La persona (ogni adulto con un PIP)", "en": "The person (each adult with a PIP)"}, pathway.person),
    ):
        boxes = [_box(name, spec, chart, language) for name, spec in chart.spec.states.items()]
        for box in boxes:
            box.measure()
        parts.append(
            f'<text class="t" x="24" y="{top - 14:.0f}">{escape(title["en" if language == "en" else "it"])}</text>'
        )
        right, bottom = _lay_out(boxes, top)
        known = {box.path: box for outer in boxes for box in outer.walk()}
        arrows = list(_arrows(chart, known, bottom))
        parts += [text for box in boxes for text in _draw(box)]
        parts += [drawing for drawing, _low in arrows]  # above the boxes: those between children would be hidden
        everywhere = ", ".join(spec.label.in_(language) for spec in chart.spec.everywhere.values())
        low = max([bottom, *(low for _drawing, low in arrows)]) + 24
        lead = "Da ogni stato aperto: " if language != "en" else "From every open state: "
        parts += _wrapped(lead + everywhere, 24, low, right)
        top, width = low + 80, max(width, right)
    height, heading = top - 40, escape(pathway.document.title.in_(language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 24:.0f} {height:.0f}" role="img">\n'
        f"<title>{heading}</title>\n<desc>{heading}, v{pathway.version}</desc>\n<style>{STYLE}</style>\n"
        '<defs><marker id="h" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#5c6f82"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n<text class="t" x="24" y="28" font-size="16">{heading}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _box(path: str, spec: StateSpec, chart: Chart, language: str) -> Box:
    children = [_box(f"{path}{SEPARATOR}{name}", child, chart, language) for name, child in spec.states.items()]
    closed = path.split(SEPARATOR)[0] == chart.spec.closed
    in_column = spec.parallel or path == chart.spec.closed
    rows = [[child] for child in children] if in_column else [children] if children else []
    label = spec.label.in_(language)
    if closed and ":" in label:
        label = label.partition(":")[2].strip().capitalize()
    kind = "k" if closed else "f" if spec.final else "g" if children else "b"
    return Box(path, label, kind, rows)


def _lay_out(boxes: list[Box], top: float) -> tuple[float, float]:
    """Left to right in rows no wider than a page; returns the right and the lower end."""
    left, right, low, row_top = 24.0, 0.0, top, top
    for box in boxes:
        if left > 24 and left + box.width > 2000:
            left, row_top = 24.0, low + GAP
        box.put(left, row_top)
        left += box.width + GAP
        right, low = max(right, box.x + box.width), max(low, box.y + box.height)
    return right, low


def _arrows(chart: Chart, known: dict[str, Box], bottom: float) -> Iterator[tuple[str, float]]:
    """One arrow for each pair of boxes that a trigger joins; those from every state are named in words instead."""
    seen: set[tuple[str, str]] = set()
    for trigger, sources in chart.triggers.items():
        if trigger in chart.spec.everywhere:
            continue
        for path, spec in sources.items():
            for way in spec.all_ways().values():
                if way.to is None or (path, way.to) in seen or way.to.split(SEPARATOR)[0] == chart.spec.closed:
                    continue
                seen.add((path, way.to))
                yield _arrow(known[path], known[way.to], bottom)


def _arrow(source: Box, target: Box, bottom: float) -> tuple[str, float]:
    sx, sy, tx, ty = source.x + source.width, source.y + LINE / 2 + 6, target.x, target.y + LINE / 2 + 6
    if abs(sy - ty) < 2 and 0 <= tx - sx <= GAP * 1.5:
        return f'<path class="a" d="M{sx:.0f} {sy:.0f}L{tx - 1:.0f} {ty:.0f}"/>', sy
    # Far arrows hang lower than near ones, inside a box never lower than its padding.
    distance = abs(target.x - source.x)
    low = max(source.y + source.height, target.y + target.height)
    inside = SEPARATOR in source.path and SEPARATOR in target.path
    down = low + 11.0 if inside else (bottom if distance > 600 else low) + 14 + distance * 0.03
    mx, my = source.x + source.width / 2, source.y + source.height
    nx, ny = target.x + target.width / 2, target.y + target.height
    return (
        f'<path class="a" d="M{mx:.0f} {my:.0f}C{mx:.0f} {down:.0f} {nx:.0f} {down:.0f} {nx:.0f} {ny + 1:.0f}"/>',
        down,
    )


def _draw(box: Box) -> Iterator[str]:
    yield (
        f'<rect class="{box.kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}" rx="6">'
        f"<title>{escape(box.path)}</title></rect>"
    )
    weight = ' class="t"' if box.rows else ""
    yield f'<text{weight} x="{box.x + PAD:.0f}" y="{box.y + LINE:.0f}">{escape(box.label)}</text>'
    for row in box.rows:
        for child in row:
            yield from _draw(child)


def _wrapped(text: str, x: float, y: float, width: float) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if (len(line) + len(word) + 1) * CHARACTER > width - x:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    lines.append(line)
    return [f'<text class="n" x="{x:.0f}" y="{y + 16 * n:.0f}">{escape(part)}</text>' for n, part in enumerate(lines)]
