"""What stands around a map: title, scale bar, norths, QR code, sources, coordinates, neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import segno

from geoshare.extracts.maps.fonts import BOLD, MEDIUM, shortened, spelled, width, wrapped
from geoshare.extracts.maps.frame import Frame
from geoshare.extracts.maps.paper import Rect
from geoshare.extracts.maps.pen import FLAT, Pen
from geoshare.extracts.maps.plane import Zone
from geoshare.extracts.maps.words import Speaker
from geoshare.model.appearance import STYLE

INK: Final[str] = STYLE["ink"]
SOFT: Final = "#5a646c"
BAR_PARTS: Final = 4
TICKS_MM: Final = 30.0  # between ticks at least


def draw_header(pen: Pen, area: Rect, title: str, note: str, right: Sequence[str]) -> None:
    """Title and note on the left; short texts, the first one large, on the right."""
    big, small = 6.2, 2.7
    aside = 0.0
    for at, text in enumerate(right):
        size, font = (4.6, BOLD) if at == 0 else (3.0, MEDIUM)
        spelt = spelled(text, font)
        y = area.top - 5.4 if at == 0 else area.top - 10.2
        aside = max(aside, pen.text(area.right, y, spelt, size, font, INK, 1.0))
    room = area.w - aside - 6
    spelt = spelled(title, BOLD)
    while big > 3.4 and width(spelt, big, BOLD) > room:
        big -= 0.2
    lines = wrapped(title, big, room, 2 if big <= 3.4 else 1, BOLD)
    y = area.top - (6.0 if len(lines) == 1 else 3.8)
    for line in lines:
        pen.text(area.x, y, line, big, BOLD, INK)
        y -= big * 1.2
    low = area.y + 1.6
    for line in reversed(wrapped(note, small, room, 1 if len(lines) > 1 else 2)):
        pen.text(area.x, low, line, small, MEDIUM, SOFT)
        low += small * 1.3
    pen.polylines([[(area.x, area.y), (area.right, area.y)]], INK, 0.35, cap=FLAT)


def draw_scale(pen: Pen, area: Rect, scale: int, say: Speaker) -> None:
    """The scale as a number and as a bar."""
    pen.text(area.x, area.top - 5.2, spelled(f"1:{scale:,}", BOLD), 5.4, BOLD, INK)
    pen.text(
        area.x + width(f"1:{scale:,}", 5.4, BOLD) + 2,
        area.top - 5.2,
        spelled(f"{say('scale')}  (1 cm = {length(scale / 100)})"),
        2.5,
        MEDIUM,
        SOFT,
    )
    part = round_part((area.w - 8) * scale / 1000 / BAR_PARTS)
    long = part * 1000 / scale
    y, high = area.top - 12.5, 1.5
    for at in range(BAR_PARTS):
        pen.rect(
            area.x + at * long,
            y,
            long,
            high,
            fill=INK if at % 2 == 0 else "#ffffff",
            edge=INK,
            width=0.18,
        )
    unit, by = ("km", 1000) if part * BAR_PARTS >= 1000 else ("m", 1)
    for at in range(BAR_PARTS + 1):
        last = at == BAR_PARTS
        text = f"{part * at / by:g}" + (f" {unit}" if last else "")
        anchor = 0.0 if at == 0 else 0.5
        pen.text(area.x + at * long, y - 2.9, spelled(text), 2.3, MEDIUM, INK, anchor)


def round_part(most_m: float) -> float:
    """The roundest number of metres of at most so many."""
    step = 10 ** math.floor(math.log10(most_m))
    return float(max(factor for factor in (1, 2, 2.5, 5) if factor * step <= most_m) * step)


def length(metres: float) -> str:
    """Metres or kilometres."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


def draw_north(pen: Pen, area: Rect, frame: Frame, say: Speaker) -> None:
    """Grid north as a bare arrow, true north as a star turned by the convergence of the meridians."""
    zone = frame.plane
    if not isinstance(zone, Zone):
        return
    turn = zone.convergence(frame.centre_lon_lat)
    x, y, long = area.x + area.w / 2, area.y + 7.0, min(area.h - 12.5, 15.0)
    side = 6.0 if turn >= 0 else -6.0
    with pen.moved(x + side / 2, y):
        pen.polylines(
            [[(0, 0), (0, long)], [(-1.0, long - 2.6), (0, long), (1.0, long - 2.6)]], INK, 0.25
        )
        pen.text(0, long + 0.9, "GN", 2.2, BOLD, INK, 0.5)
    with pen.moved(x - side / 2, y, turn):
        pen.polygon([(0, long), (-1.7, long * 0.42), (0, long * 0.52)], fill=INK)
        pen.polygon([(0, long), (1.7, long * 0.42), (0, long * 0.52)], edge=INK, width=0.2)
        pen.polylines([[(0, 0), (0, long * 0.5)]], INK, 0.25)
        pen.text(0, long + 0.9, "N", 2.6, BOLD, INK, 0.5)
    minutes = round(abs(turn) * 60)
    apart = f"{minutes // 60}°{minutes % 60:02d}′"
    if say.language == "ja":
        text = f"真北(N)は座標北(GN)の{'西' if turn >= 0 else '東'}へ {apart}"
    else:
        text = f"True N is {apart} {'west' if turn >= 0 else 'east'} of grid N"
    for at, line in enumerate(wrapped(text, 2.1, area.w, 2)):
        pen.text(x, area.y + 3.4 - at * 2.7, line, 2.1, MEDIUM, SOFT, 0.5)


def draw_code(pen: Pen, area: Rect, link: str, say: Speaker) -> None:
    """The QR code of a link, with the link below it."""
    code = segno.make(link, error="m", boost_error=False)
    rows = [bytes(row) for row in code.matrix]
    side = min(area.w - 1, area.h - 6.5)
    cell = side / (len(rows) + 4)  # two cells of white on each side, the paper gives the others
    top = area.top - 3.6
    pen.text(area.x, area.top - 2.6, spelled(say("link"), BOLD), 2.5, BOLD, INK)
    for y, row in enumerate(rows):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                low = top - (y + 3) * cell
                pen.rect(area.x + (start + 2) * cell, low, (x - start) * cell, cell, fill="#000000")
                start = None
    low = top - side - 1.4
    shown = link if width(link, 1.7) < 1.9 * area.w else link.partition("#")[0]  # as one would type it
    for at, line in enumerate(wrapped(shown, 1.7, area.w - 1, 2)):
        pen.text(area.x, low - at * 2.1, line, 1.7, MEDIUM, SOFT)


def draw_imprint(pen: Pen, area: Rect, lines: Sequence[tuple[str, str]]) -> None:
    """Headed paragraphs from the top on, in letters that shrink until all have room."""
    for size in (2.3, 2.1, 1.95, 1.8, 1.65, 1.5):
        broken = [(head, wrapped(text, size, area.w, 12)) for head, text in lines]
        high = sum((bool(head) + len(found)) * size * 1.36 + 0.5 for head, found in broken)
        if high <= area.h:
            break
    y = area.top
    for head, found in broken:
        if head:
            y -= size * 1.36
            pen.text(area.x, y, spelled(head, BOLD), size, BOLD, INK)
        for line in found:
            y -= size * 1.36
            if y < area.y - 0.2:
                return
            pen.text(area.x, y, line, size, MEDIUM, SOFT)
        y -= 0.5


def draw_neatline(pen: Pen, chart: Rect, frame: Frame) -> None:
    """The edge of the map, with ticks at round coordinates of the plane."""
    pen.rect(chart.x, chart.y, chart.w, chart.h, edge=INK, width=0.35)
    step = _tick_step(TICKS_MM * frame.scale / 1000)
    decimals = max(0, -math.floor(math.log10(step / 1000) + 1e-9)) if step < 1000 else 0
    for value, x in _ticks(frame.west_m, frame.width_m, step, frame.scale):
        for y, out in ((chart.y, -1.2), (chart.top, 1.2)):
            pen.polylines([[(chart.x + x, y), (chart.x + x, y + out)]], INK, 0.2, cap=FLAT)
        if 6 < x < chart.w - 6:
            text = f"{value / 1000:.{decimals}f}"
            pen.text(chart.x + x + 0.6, chart.y - 2.9, text, 1.9, MEDIUM, SOFT)
    for value, y in _ticks(frame.south_m, frame.height_m, step, frame.scale):
        for x, out in ((chart.x, -1.2), (chart.right, 1.2)):
            pen.polylines([[(x, chart.y + y), (x + out, chart.y + y)]], INK, 0.2, cap=FLAT)
        if 6 < y < chart.h - 6:
            text = f"{value / 1000:.{decimals}f}"
            pen.text(chart.x - 1.5, chart.y + y + 0.6, text, 1.9, MEDIUM, SOFT, angle=90)


def _tick_step(least_m: float) -> float:
    power = 10 ** math.floor(math.log10(least_m))
    return float(min(factor for factor in (1, 2, 5, 10) if factor * power >= least_m) * power)


def _ticks(start_m: float, long_m: float, step: float, scale: float) -> list[tuple[float, float]]:
    first = math.ceil(start_m / step)
    last = math.floor((start_m + long_m) / step)
    return [(at * step, (at * step - start_m) * 1000 / scale) for at in range(first, last + 1)]


def draw_neighbours(
    pen: Pen, chart: Rect, neighbours: dict[str, Frame], overlap_mm: float, say: Speaker
) -> None:
    """Name the sheets beside this one, and mark what it shares with them."""
    inner = Rect(chart.x, chart.y, chart.w, chart.h)
    marks = {
        "north": (inner.x + inner.w / 2, inner.top + 1.3, 0.0),
        "south": (inner.x + inner.w / 2, inner.y - 3.6, 0.0),
        "east": (inner.right + 3.4, inner.y + inner.h / 2, 90.0),
        "west": (inner.x - 1.5, inner.y + inner.h / 2, 90.0),
    }
    signs = {"north": "▲", "south": "▼", "east": "▶", "west": "◀"}
    for side, frame in sorted(neighbours.items()):
        x, y, angle = marks[side]
        sign = signs[side] if not angle else {"east": "▼", "west": "▲"}[side]
        text = spelled(f"{sign} {say('next_sheet', number=frame.number)}", BOLD)
        wide = width(text, 2.6, BOLD) + 3
        with pen.moved(x, y, angle):
            pen.rect(-wide / 2, -0.9, wide, 3.4, fill="#ffffff")
            pen.text(0, 0, text, 2.6, BOLD, INK, 0.5)
        if overlap_mm > 0:
            pen.polylines([_shared(chart, side, overlap_mm)], SOFT, 0.15, (1.2, 1.2), cap=FLAT)


def _shared(chart: Rect, side: str, overlap_mm: float) -> list[tuple[float, float]]:
    """The line to which a neighbour reaches."""
    if side in ("north", "south"):
        y = chart.top - overlap_mm if side == "north" else chart.y + overlap_mm
        return [(chart.x, y), (chart.right, y)]
    x = chart.right - overlap_mm if side == "east" else chart.x + overlap_mm
    return [(x, chart.y), (x, chart.top)]


def draw_footer(pen: Pen, width_mm: float, left: str, right: str) -> None:
    """One small line at the foot of a page."""
    room = width_mm - 16 - width(right, 2.1) - 4
    pen.text(8, 8.4, shortened(spelled(left), 2.1, room), 2.1, MEDIUM, SOFT)
    pen.text(width_mm - 8, 8.4, spelled(right), 2.1, MEDIUM, SOFT, 1.0)
