"""The pathway drawn as SVG by our own hand: boxes side by side, ways between them in lanes; no library, no fonts from outside."""

from collections.abc import Iterator
from html import escape

from states.document import Text
from states.documentation_layout import LETTER, LINE, PAD, Box, Row, over_and_under, whole_row
from states.pathway import Chart, Pathway

MARGIN = 24.0
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#17324d}.t{font-weight:600}.h{font-size:16px;font-weight:600}"
    ".n{fill:#44576a}.l{font-size:10px;fill:#44576a;paint-order:stroke;stroke:#f7fafd;stroke-width:3px}"
    ".b{fill:#fff;stroke:#0066cc;stroke-width:1.4}.g{fill:#f2f7fc;stroke:#0066cc;stroke-width:1.4}"
    ".k{fill:#fafafa;stroke:#98a6b3;stroke-dasharray:4 3}.f{fill:#e6f4ea;stroke:#008055;stroke-width:1.4}"
    ".a{fill:none;stroke:#5c6f82;stroke-width:1.1;stroke-linejoin:round}.e{marker-end:url(#h)}"
)
TITLES = (
    ("household", Text(it="Il nucleo", en="The household")),
    ("person", Text(it="La persona (ogni adulto con un PIP)", en="The person (each adult with a PIP)")),
)
EVERYWHERE = Text(it="Da ogni stato aperto", en="From every open state")
ABOUT = Text(
    it="gli stati del nucleo e della persona, e i passi che portano dall'uno all'altro",
    en="the states of the household and of the person, and the steps that lead from one to the next",
)


def svg(pathway: Pathway, language: str) -> str:
    """Both machines, the household's above the person's. Arrows bear the trigger's name, as `ponte case` takes it."""
    parts: list[str] = []
    charts = [(title.in_(language), getattr(pathway, name)) for name, title in TITLES]
    rows = [whole_row(chart, language) for _, chart in charts]
    width, top = max(row.width() for row in rows), 64.0
    for (title, chart), row in zip(charts, rows, strict=True):
        parts.append(_text("t", MARGIN, top - 14, title))
        row.put(MARGIN, top)
        labels = _labels(chart, language)
        parts += [drawn for box in row.boxes for drawn in _box(box, labels)]
        parts += _ways(row, labels)
        low = top + row.height() + 28
        everywhere = [f"{labels[name]} ({name})" for name in chart.spec.everywhere]
        words = list(_wrapped(f"{EVERYWHERE.in_(language)}: " + ", ".join(everywhere), MARGIN, low, width))
        parts += words
        top = low + 17 * len(words) + 50
    heading = escape(pathway.document.title.in_(language))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 2 * MARGIN:.0f} {top - 50:.0f}" role="img">\n'
        f"<title>{heading}</title>\n<desc>{heading}, v{pathway.version}: {escape(ABOUT.in_(language))}</desc>\n"
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="h" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#5c6f82"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{_text("h", MARGIN, 28, pathway.document.title.in_(language))}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _labels(chart: Chart, language: str) -> dict[str, str]:
    return {name: next(iter(sources.values())).label.in_(language) for name, sources in chart.triggers.items()}


def _box(box: Box, labels: dict[str, str]) -> Iterator[str]:
    yield (
        f'<rect class="{box.kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}"'
        f' rx="6"><title>{escape(box.path)}</title></rect>'
    )
    yield _text("t" if box.rows else "s", box.x + PAD, box.y + LINE, box.label)
    for row in box.rows:
        for child in row.boxes:
            yield from _box(child, labels)
        yield from _ways(row, labels)


def _ways(row: Row, labels: dict[str, str]) -> Iterator[str]:
    """Lines first, labels upon them."""
    for column in row.steps:
        source, target = row.boxes[column], row.boxes[column + 1]
        y = source.y + (LINE + PAD) / 2
        yield f'<path class="a e" d="M{source.x + source.width:.0f} {y:.0f}H{target.x - 1:.0f}"/>'
    for bus in row.buses:
        lane = row.lane_y(bus.lane)
        xs = [x for x, _ in bus.ports]
        yield f'<path class="a" d="M{min(xs):.0f} {lane:.0f}H{max(xs):.0f}"/>'
        for box, (x, ends) in zip(row.joined(bus), bus.ports, strict=True):
            low = box.y + box.height
            way = f"M{x:.0f} {lane:.0f}V{low + 1:.0f}" if ends else f"M{x:.0f} {low:.0f}V{lane:.0f}"
            yield f'<path class="{"a e" if ends else "a"}" d="{way}"/>'
    for column in row.steps:
        source = row.boxes[column]
        left = source.x + source.width + 6
        over, under = over_and_under(row, column)
        yield _named(left, source.y + 13, over, labels)
        if under:
            yield _named(left, source.y + 28, under, labels)
    for bus in row.buses:
        yield _named(row.label_x(bus), row.lane_y(bus.lane) - 4, bus.label, labels)


def _named(x: float, y: float, names: str, labels: dict[str, str]) -> str:
    words = ", ".join(labels[name] for name in names.split(", "))
    return f'<text class="l" x="{x:.0f}" y="{y:.0f}">{escape(names)}<title>{escape(words)}</title></text>'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'


def _wrapped(text: str, x: float, y: float, width: float) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and (len(line) + len(word) + 1) * LETTER > width:
            yield _text("n", x, y, line)
            line, y = "", y + 17
        line = f"{line} {word}".strip()
    yield _text("n", x, y, line)
