"""The picture of how the cost grows: points and fitted lines on logarithmic axes, as SVG, with its figures as a title."""

import math
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 380, 70, 30, 20, 60
COLOURS = ("#0066cc", "#a35a00")


class Curve(NamedTuple):
    """Measured (open cases, seconds), and the fit seconds = factor * n ** exponent."""

    name: str
    points: list[tuple[int, float]]
    exponent: float
    factor: float


def draw(curves: list[Curve], title: str) -> str:
    """The SVG."""
    sizes = [size for curve in curves for size, _seconds in curve.points]
    times = [seconds for curve in curves for _size, seconds in curve.points]
    x0, x1 = math.floor(math.log10(min(sizes))), math.ceil(math.log10(max(sizes)))
    y0, y1 = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))

    def x(size: float) -> float:
        return LEFT + (math.log10(size) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def y(seconds: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(seconds) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif"'
        ' font-size="13">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18">{title}</text>',
    ]
    for power in range(x0, x1 + 1):
        at = x(10**power)
        parts.append(f'<line x1="{at:.1f}" y1="{TOP}" x2="{at:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#d9dadb"/>')
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y0, y1 + 1):
        at = y(10**power)
        parts.append(f'<line x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}" stroke="#d9dadb"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 22}" text-anchor="middle">open cases</text>')
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        ends = [(size, curve.factor * size**curve.exponent) for size in (curve.points[0][0], curve.points[-1][0])]
        line = " ".join(f"{x(size):.1f},{y(seconds):.1f}" for size, seconds in ends)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for size, seconds in curve.points:
            told = f"<title>{curve.name}, {size:,} open: {seconds:.3f} s</title>"
            parts.append(f'<circle cx="{x(size):.1f}" cy="{y(seconds):.1f}" r="4" fill="{colour}">{told}</circle>')
        parts.append(
            f'<text x="{LEFT + 10}" y="{TOP + 18 + 18 * number}" fill="{colour}">{curve.name}: n^{curve.exponent:.2f}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
