"""The trade-off between accuracy, latency and size as a picture: PNG, or a page of HTML in one file.

Each model is a disc: further left is faster, further up is more accurate, a larger disc is a larger file.
The line joins the models that no other beats in both; those that are beaten in everything are grey.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge_sdk.optimize.compare import Comparison, Row
from edge_sdk.units import size_text

WIDTH, HEIGHT = 860, 520
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 30, 46, 62
_WIDE = 8  # slowest to fastest: from here on the axis of time is logarithmic
_GREATEST = 30.0  # radius of the largest file's disc
_CHARACTER, _LINE = 6.4, 16.0  # of a label's text, to keep labels apart
_CAPTION = "a larger disc is a larger file; grey: another model beats it in everything"
_BLUE, _GREY, _INK, _FAINT, _PAPER = "#1f6feb", "#9aa4b2", "#1b1f24", "#dfe3e8", "#ffffff"


@dataclass(frozen=True)
class _Disc:
    row: Row
    x: float
    y: float
    radius: float
    label: tuple[float, float]  # left end of its text's base line
    grey: bool


@dataclass(frozen=True)
class _Layout:
    discs: tuple[_Disc, ...]
    front: tuple[tuple[float, float], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_title: str
    y_title: str


def front(comparison: Comparison) -> list[Row]:
    """The models that no other is faster than and at least as good, the fastest first."""
    best: list[Row] = []
    for row in sorted(comparison.rows, key=lambda r: (r.p50_ms, -r.score)):
        if not best or row.score > best[-1].score:
            best.append(row)
    return best


def png(comparison: Comparison, path: str) -> None:
    """Writes the picture; drawn at twice its size and scaled down, for smooth edges."""
    from PIL import Image, ImageDraw, ImageFont

    k, plan = 2, _layout(comparison)
    image = Image.new("RGB", (WIDTH * k, HEIGHT * k), _PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    small, normal = ImageFont.load_default(12 * k), ImageFont.load_default(14 * k)
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    for x, text in plan.x_ticks:
        draw.line([(x * k, _TOP * k), (x * k, bottom * k)], _FAINT, k)
        draw.text((x * k, (bottom + 8) * k), text, _INK, small, anchor="mt")
    for y, text in plan.y_ticks:
        draw.line([(_LEFT * k, y * k), (right * k, y * k)], _FAINT, k)
        draw.text(((_LEFT - 8) * k, y * k), text, _INK, small, anchor="rm")
    draw.text(((_LEFT + right) / 2 * k, (HEIGHT - 14) * k), plan.x_title, _INK, normal, anchor="mb")
    draw.text((_LEFT * k, (_TOP - 16) * k), plan.y_title, _INK, normal, anchor="lb")
    draw.text((right * k, (_TOP - 16) * k), _CAPTION, _GREY, small, anchor="rb")
    draw.line([(x * k, y * k) for x, y in plan.front], _BLUE, 2 * k, joint="curve")
    for disc in plan.discs:
        box = [(v + s * disc.radius) * k for s in (-1, 1) for v in (disc.x, disc.y)]
        colour = _GREY if disc.grey else _BLUE
        draw.ellipse(box, colour + "60", colour, 2 * k)
    for disc in plan.discs:
        for line, text in enumerate(_label(disc.row)):
            x, y = disc.label[0], disc.label[1] + line * _LINE
            at = x * k, y * k
            draw.text(at, text, _INK, small, anchor="ls", stroke_width=2 * k, stroke_fill=_PAPER)
    image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(path, optimize=True)


def page(comparison: Comparison, title: str) -> str:
    """The picture and the table as a page that needs nothing else."""
    header = (
        "model",
        "numbers",
        comparison.measure,
        "drop",
        "agreement",
        "size",
        "arena",
        "p50",
        "p95",
        "energy",
    )
    rows = []
    for row in comparison.rows:
        cells = (
            row.name,
            row.numbers,
            f"{100 * row.score:.2f} %",
            f"{comparison.drop(row):.2f}",
            f"{100 * row.agreement:.2f} %",
            size_text(row.bytes),
            "-" if row.arena_bytes is None else size_text(row.arena_bytes),
            f"{row.p50_ms:.3f} ms",
            f"{row.p95_ms:.3f} ms",
            "not measured" if row.joules is None else f"{row.joules * 1e3:.3g} mJ",
        )
        note = f"beaten by {row.beaten_by}" if row.beaten_by else ""
        mark = f' class="beaten" title="{html.escape(note)}"' if note else ""
        rows.append(f"<tr{mark}>" + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>")
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in (*comparison.energy(), *comparison.notes))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head><body>
<h1>{html.escape(title)}</h1>
<p>{comparison.samples} samples from {html.escape(comparison.origin)};
{comparison.threads or "all"} thread(s). In the picture {_CAPTION}.</p>
{svg(comparison)}
<table><thead><tr>{"".join(f"<th>{h}</th>" for h in header)}</tr></thead>
<tbody>{"".join(rows)}</tbody></table>
<ul>{notes}</ul></body></html>
"""


def svg(comparison: Comparison) -> str:
    """The picture as an element of HTML; its colours follow the page's."""
    plan = _layout(comparison)
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="accuracy over latency">']
    for x, text in plan.x_ticks:
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{text}</text>')
    for y, text in plan.y_ticks:
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    parts.append(
        f'<text x="{(_LEFT + right) / 2}" y="{HEIGHT - 16}" text-anchor="middle">{plan.x_title}</text>'
    )
    parts.append(f'<text x="{_LEFT}" y="{_TOP - 16}">{html.escape(plan.y_title)}</text>')
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in plan.front)
    parts.append(f'<polyline class="front" points="{points}"/>')
    for disc in plan.discs:
        kind = "disc beaten" if disc.grey else "disc"
        tip = html.escape(", ".join((*_label(disc.row), f"{disc.row.p50_ms:.3f} ms")))
        parts.append(
            f'<circle class="{kind}" cx="{disc.x:.1f}" cy="{disc.y:.1f}" r="{disc.radius:.1f}">'
            f"<title>{tip}</title></circle>"
        )
    for disc in plan.discs:
        for line, text in enumerate(_label(disc.row)):
            x, y = disc.label[0], disc.label[1] + line * _LINE
            parts.append(f'<text class="name" x="{x:.1f}" y="{y:.1f}">{html.escape(text)}</text>')
    return "".join([*parts, "</svg>"])


def _label(row: Row) -> tuple[str, str]:
    return row.name, f"{size_text(row.bytes)}, {100 * row.score:.2f} %"


def _layout(comparison: Comparison) -> _Layout:
    rows = comparison.rows
    times, scores = [r.p50_ms for r in rows], [100 * r.score for r in rows]
    wide = max(times) > _WIDE * min(times)
    x_low, x_high, x_steps = _log_axis(times) if wide else _axis(0.0, max(times) * 1.15)
    spread = max(max(scores) - min(scores), 0.5)
    y_low, y_high, y_steps = _axis(min(scores) - 0.35 * spread, min(max(scores) + 0.35 * spread, 103))

    def across(ms: float) -> float:
        low, high, at = (math.log(v) if wide else v for v in (x_low, x_high, ms))
        return _LEFT + (at - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def up(percent: float) -> float:
        return _TOP + (y_high - percent) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)

    def place(row: Row) -> tuple[float, float]:
        return across(row.p50_ms), up(100 * row.score)

    most = max(r.bytes for r in rows)
    placed = [(row, *place(row), max(4.0, _GREATEST * math.sqrt(row.bytes / most))) for row in rows]
    line = tuple(place(row) for row in front(comparison))
    labels = _labels(placed, line)
    discs = tuple(
        _Disc(row, x, y, radius, label, row.beaten_by is not None)
        for (row, x, y, radius), label in zip(placed, labels)
    )
    beside = "" if rows[0].accuracy else f" with {rows[0].name}"
    return _Layout(
        discs,
        line,
        tuple((across(v), f"{v:g}") for v in x_steps),
        tuple((up(v), f"{v:g}") for v in y_steps),
        f"latency of a run, median, ms{' (logarithmic)' if wide else ''}",
        f"{comparison.measure}{beside}, %",
    )


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends of an axis and its round marks between them."""
    raw = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw)
    first = math.ceil(low / step - 1e-9)
    marks = [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]
    return low, high, marks


def _log_axis(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """The same of a logarithmic one."""
    low, high = min(values) / 1.5, max(values) * 1.5
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    marks = [round(m * 10.0**p, 10) for p in powers for m in (1, 2, 5)]
    return low, high, [m for m in marks if low <= m <= high]


def _labels(
    discs: Sequence[tuple[Row, float, float, float]], line: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """A place for each label near its disc, where it covers no other, and of discs and line little."""
    share = [i / 40 for i in range(41)]
    points = [(a + s * (c - a), b + s * (d - b)) for (a, b), (c, d) in zip(line, line[1:]) for s in share]
    taken: list[tuple[float, float, float, float]] = []
    found: dict[str, tuple[float, float]] = {}
    for row, x, y, radius in sorted(discs, key=lambda disc: -len(disc[0].name)):  # these fit in fewest places
        width = _CHARACTER * max(map(len, _label(row)))
        gap = radius + 6
        options = [
            (x + gap, y - 4),
            (x - gap - width, y - 4),
            (x - width / 2, y - gap - _LINE - 2),
            (x - width / 2, y + gap + 12),
            *((x + gap + over, y + shift) for shift in (-26, 26, -46, 38, -84, 76) for over in (0, 14)),
            *((x - gap - width, y + shift) for shift in (-26, 26, -46, 38, -84, 76)),
        ]

        def cost(at: tuple[float, float], width: float = width, own: float = x, y: float = y) -> float:
            box = (at[0], at[1] - 13, at[0] + width, at[1] + _LINE + 4)
            outside = box[0] < _LEFT or box[2] > WIDTH - 4 or box[1] < _TOP - 8 or box[3] > HEIGHT - _BOTTOM
            over = sum(_overlap(box, other) for other in taken)
            discs_over = sum(_overlap(box, (a - r, b - r, a + r, b + r)) for _, a, b, r in discs if a != own)
            on_line = sum(box[0] < a < box[2] and box[1] < b < box[3] for a, b in points)
            far = math.hypot(max(box[0] - own, own - box[2], 0.0), max(box[1] - y, y - box[3], 0.0))
            return 1e6 * outside + 20 * over + discs_over + 40 * on_line + 8 * far

        best = min(options, key=cost)
        taken.append((best[0], best[1] - 13, best[0] + width, best[1] + _LINE + 4))
        found[row.name] = best
    return [found[disc[0].name] for disc in discs]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


_STYLE = """
:root { color-scheme: light dark;
  --ink: #1b1f24; --paper: #fff; --grid: #dfe3e8; --blue: #1f6feb; --grey: #9aa4b2 }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6edf3; --paper: #0d1117; --grid: #30363d; --blue: #58a6ff } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
svg { width: 100%; height: auto } text { fill: var(--ink); font-size: 13px } .name { font-size: 12px;
  paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
.grid { stroke: var(--grid) } .front { fill: none; stroke: var(--blue); stroke-width: 2 }
.disc { fill: var(--blue); fill-opacity: .35; stroke: var(--blue); stroke-width: 2 }
.disc.beaten { fill: var(--grey); stroke: var(--grey) }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .6rem; text-align: left;
  border-bottom: 1px solid var(--grid) } .beaten td { color: var(--grey) }
"""
