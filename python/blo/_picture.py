"""Pictures and tables of results, for notebooks: svg and html without any library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from ._arrays import Array

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 560, 260, 58, 92, 12, 34
_COLORS = {"residual_upper": "#1f77b4", "residual_lower": "#d62728", "residual_method": "#2ca02c"}


@dataclass(frozen=True)
class Picture:
    """A picture as svg. A notebook shows it.

    >>> import blo
    >>> problem = blo.load("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")
    >>> "</svg>" in problem.solve().plot().svg
    True
    """

    svg: str
    """The text of the picture."""

    def save(self, path: str | Path) -> None:
        """Writes the picture to a file.

        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "p.svg")
        >>> Picture("<svg></svg>").save(path)
        >>> open(path).read()
        '<svg></svg>'
        """
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<blo.Picture: svg of {len(self.svg)} bytes>"


def curves(history: Mapping[str, Array]) -> Picture:
    """The residuals over the iterations, both on logarithmic scales: rows lie at 1, 2, 5 times a power of ten. Iteration 0
    has the place of 1 on its left, since a logarithm has none for it."""
    iteration = np.asarray(history["iteration"], dtype=float)
    lines = {name: np.asarray(history[name]) for name in _COLORS}
    known = {name: np.isfinite(values) & (values > 0) for name, values in lines.items()}
    numbers = np.concatenate([lines[name][known[name]] for name in _COLORS])
    if not numbers.size:
        return Picture(_svg([_text(_WIDTH / 2, _HEIGHT / 2, "no residual was measured", "middle")]))
    least, most = math.floor(math.log10(numbers.min())), math.ceil(math.log10(numbers.max()))
    most = max(most, least + 1)
    last = max(float(iteration.max()), 9.0)

    def across(i: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log10(i + 1.0) / math.log10(last + 1.0)

    def down(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (most - math.log10(value)) / (most - least)

    parts: list[str] = []
    step = max(1, math.ceil((most - least) / 6))
    for power in range(least, most + 1, step):
        y = down(10.0**power)
        parts.append(_line(_LEFT, y, _WIDTH - _RIGHT, y, "#ddd"))
        parts.append(_text(_LEFT - 6, y + 4, f"1e{power}", "end"))
    for i in [0, *(10**d for d in range(int(math.log10(last)) + 1))]:
        x = across(i)
        parts.append(_line(x, _HEIGHT - _BOTTOM, x, _HEIGHT - _BOTTOM + 4, "#888"))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 17, str(i), "middle"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 4, "iteration", "middle"))
    for place, (name, color) in enumerate(_COLORS.items()):
        points = [(across(i), down(v)) for i, v in zip(iteration[known[name]], lines[name][known[name]])]
        if not points:
            continue
        shown = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{shown}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        if len(points) <= 40:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{color}"/>' for x, y in points]
        y = _TOP + 14 + 18 * place
        parts.append(_line(_WIDTH - _RIGHT + 8, y - 4, _WIDTH - _RIGHT + 24, y - 4, color))
        parts.append(_text(_WIDTH - _RIGHT + 28, y, f"r {name.removeprefix('residual_')}", "start"))
    return Picture(_svg(parts))


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of texts as html."""
    cell = '<td style="text-align: left">{}</td>'
    shown = ("".join(cell.format(escape(text)) for text in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in shown)}</table>"


def _svg(parts: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    style = 'font-family="sans-serif" font-size="11"'
    ground = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{ground}{"".join(parts)}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#444">{escape(text)}</text>'
