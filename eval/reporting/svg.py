"""Small plots as SVG. Pure functions: figures in, one self-contained `<svg>` element out, all text escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 420
_LABELS = 122
"""Room for the names of bars."""
_RIGHT = 44
_ROW = 15
_GAP = 9
COLOURS = ("#2f6fb3", "#d9822b", "#4a9a5b", "#a2559c", "#8a6d3b", "#c0413b")

_STYLE = (
    "<style>.t{font:12px system-ui,sans-serif;fill:#333}.m{fill:#777}.a{stroke:#bbb;stroke-width:1;fill:none}.w{stroke:#333;stroke-width:1}"
    "@media(prefers-color-scheme:dark){.t{fill:#ddd}.m{fill:#999}.a{stroke:#555}.w{stroke:#ddd}}</style>"
)


@dataclass(frozen=True)
class Bar:
    """One value with its bounds; None where there is nothing to show."""

    value: float | None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Point:
    """A place in a plane."""

    x: float
    y: float
    x_bounds: tuple[float, float] | None = None
    y_bounds: tuple[float, float] | None = None


def bars(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Horizontal bars from 0 to 1 with whiskers, a group for each name, a colour for each bar of a group."""
    scale = WIDTH - _LABELS - _RIGHT
    parts, y = [], 8.0
    for name, values in groups:
        middle = y + len(values) * _ROW / 2 + 4
        parts.append(_text(_LABELS - 6, middle, name, anchor="end"))
        for place, bar in enumerate(values):
            parts.append(_bar(bar, place, y, scale))
            y += _ROW
        y += _GAP
    axis = "".join(
        f'<line class="a" x1="{_LABELS + at * scale:.1f}" x2="{_LABELS + at * scale:.1f}" y1="4" y2="{y:.0f}"/>'
        + _text(_LABELS + at * scale, y + 13, f"{at:g}", anchor="middle", muted=True)
        for at in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    return _svg(title, y + 20, axis + "".join(parts))


def scatter(title: str, points: Sequence[Point | None], x_name: str, y_name: str) -> str:
    """Points with bounds over axes, each of its colour; x from 0 on, y from 0 to 1. None: nothing was measured."""
    left, top, height, width = 40, 10, 210, WIDTH - 60
    most = rounded_up(max([bound for point in points if point for bound in (point.x, *(point.x_bounds or ()))], default=1.0))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / most * width, top + (1 - y) * height

    parts = [_axes(left, top, width, height, x_name, y_name)]
    parts += [_text(left + at * width, top + height + 14, f"{at * most:g}", anchor="middle", muted=True) for at in (0.0, 0.5, 1.0)]
    for number, point in enumerate(points):
        if point is None:
            continue
        x, y = place(point.x, point.y)
        for bounds, along in ((point.x_bounds, True), (point.y_bounds, False)):
            if bounds:
                ends = [place(end, point.y) if along else place(point.x, end) for end in bounds]
                parts.append(_line(*ends[0], *ends[1], "w"))
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>')
    return _svg(title, top + height + 36, "".join(parts))


def rounded_up(most: float) -> float:
    """The next of 1, 2, 4, 6, 8, 10, 20 and so on, for the end of an axis; 1 for nothing."""
    if most <= 0:
        return 1.0
    scale: float = 10.0 ** math.floor(math.log10(most))
    return next(step * scale for step in (1, 2, 4, 6, 8, 10) if step * scale >= most)


def curves(title: str, series: Sequence[Sequence[tuple[float, float]]], x_name: str, y_name: str, dots: bool, diagonal: bool) -> str:
    """Lines over axes from 0 to 1; `diagonal`: with the line that a perfect one would follow."""
    left, top, height, width = 40, 10, 210, WIDTH - 60
    parts = [_axes(left, top, width, height, x_name, y_name)]
    parts += [_text(left + at * width, top + height + 14, f"{at:g}", anchor="middle", muted=True) for at in (0.0, 0.5, 1.0)]
    if diagonal:
        parts.append(_line(left, top + height, left + width, top, "a"))
    for number, line in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        places = [(left + x * width, top + (1 - y) * height) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if dots:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return _svg(title, top + height + 36, "".join(parts))


def growing(title: str, line: Sequence[tuple[float, float]], x_name: str, y_name: str) -> str:
    """One line: x logarithmic and above 0, y from 0 to a round number, each point with its value."""
    left, top, height, width = 66, 22, 210, WIDTH - 100
    low, high = math.log(line[0][0]), math.log(line[-1][0])
    most = rounded_up(max(y for _, y in line))
    places = [(left + ((math.log(x) - low) / (high - low) if high > low else 0.5) * width, top + (1 - y / most) * height) for x, y in line]
    frame = f'<path class="a" d="M{left - 26} {top}V{top + height}H{left + width + 8}"/>'
    names = _text(left - 26, top - 9, y_name, anchor="middle", muted=True)
    names += _text(left + width, top + height + 34, x_name, anchor="middle", muted=True)
    names += "".join(_text(left - 30, top + (1 - at) * height + 4, f"{at * most:g}", anchor="end", muted=True) for at in (0.0, 0.5, 1.0))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>']
    for (x, y), (at, up) in zip(line, places, strict=True):
        parts.append(f'<circle cx="{at:.1f}" cy="{up:.1f}" r="3.5" fill="{COLOURS[0]}"/>')
        parts.append(_text(at, up - 9, f"{y:.3g}", anchor="middle"))
        parts.append(_text(at, top + height + 16, f"{x:,.0f}", anchor="middle", muted=True))
    return _svg(title, top + height + 42, frame + names + "".join(parts))


def _bar(bar: Bar, place: int, y: float, scale: float) -> str:
    if bar.value is None:
        return _text(_LABELS + 4, y + 11, "not measured", muted=True)
    colour = COLOURS[place % len(COLOURS)]
    drawn = f'<rect x="{_LABELS}" y="{y + 1:.1f}" width="{bar.value * scale:.1f}" height="{_ROW - 3}" fill="{colour}"/>'
    end = bar.value
    if bar.bounds:
        low, high = bar.bounds
        end = max(end, high)
        drawn += _line(_LABELS + low * scale, y + _ROW / 2, _LABELS + high * scale, y + _ROW / 2, "w")
    return drawn + _text(_LABELS + end * scale + 5, y + 11, f"{bar.value:.2f}")


def _axes(left: int, top: int, width: int, height: int, x_name: str, y_name: str) -> str:
    marks = "".join(_text(left - 5, top + (1 - at) * height + 4, f"{at:g}", anchor="end", muted=True) for at in (0.0, 0.5, 1.0))
    frame = f'<path class="a" d="M{left} {top}V{top + height}H{left + width}"/>'
    names = _text(left + 6, top + 8, y_name, muted=True) + _text(left + width, top + height + 29, x_name, anchor="end", muted=True)
    return frame + marks + names


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", muted: bool = False) -> str:
    return f'<text class="t{" m" if muted else ""}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, height: float, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{_STYLE}{inside}</svg>"
    )
