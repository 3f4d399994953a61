"""The index page: where the sheets lie, by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from geoshare.extracts.maps.draw import draw_map
from geoshare.extracts.maps.drawing import Drawing
from geoshare.extracts.maps.fonts import BOLD, spelled
from geoshare.extracts.maps.frame import Frame
from geoshare.extracts.maps.furniture import (
    INK,
    draw_code,
    draw_header,
    draw_imprint,
    draw_neatline,
    draw_north,
    draw_scale,
)
from geoshare.extracts.maps.legend import draw_legend
from geoshare.extracts.maps.paper import Rect
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.planning import PrintPlan
from geoshare.extracts.maps.sheets import outline, round_scale
from geoshare.extracts.maps.words import Speaker

AROUND: Final = 1.06  # of the sheets' outline, so that their edges are seen
BACKGROUND: Final = ("admin_areas", "water", "segments", "places", "hazard_zones")
RED: Final = "#b3261e"


def draw_index(
    pen: Pen, plan: PrintPlan, title: str, right: Sequence[str], link: str, say: Speaker
) -> None:
    """Draw the area of all sheets with their outlines and numbers."""
    paper, chart = plan.layout, plan.layout.map
    frame = _frame(plan, chart)
    views = {name: view for name, view in plan.views.items() if name in BACKGROUND}
    drawing = Drawing(frame, pen, say, (), plan.request.hazards, numbered=False)
    with pen.moved(chart.x, chart.y):
        for sheet in plan.split.frames:
            x, y, size = _number_at(frame, sheet)
            drawing.labels.reserve((x - size, y - size * 0.6, x + size, y + size * 0.6))
        draw_map(drawing, views)
        for sheet in plan.split.frames:
            _draw_outline(pen, frame, sheet)
    draw_neatline(pen, chart, frame)
    draw_header(pen, paper.header, title, plan.request.note, right)
    draw_scale(pen, paper.scale, round(frame.scale), say)
    draw_north(pen, paper.north, frame, say)
    about = [
        ("", say("index_note", overlap=f"{plan.split.overlap_mm:g}")),
        ("", say("index_sheets", sheets=len(plan.split.frames), scale=plan.scale)),
        ("", say("projection", zone=plan.zone.number, epsg=plan.zone.epsg)),
    ]
    draw_imprint(pen, paper.imprint, about)
    draw_code(pen, paper.code, link, say)
    rows = drawing.legend.rows()
    draw_legend(pen, rows, paper.legend, say("legend"), paper.legend_columns)


def _frame(plan: PrintPlan, chart: Rect) -> Frame:
    west, south, east, north = outline(plan.split.frames)
    scale = round_scale(max((east - west) / chart.w, (north - south) / chart.h) * 1000 * AROUND)
    return Frame(
        plan.zone,
        (west + east) / 2 - chart.w * scale / 2000,
        (south + north) / 2 - chart.h * scale / 2000,
        chart.w,
        chart.h,
        scale,
    )


def _draw_outline(pen: Pen, frame: Frame, sheet: Frame) -> None:
    by = 1000 / frame.scale
    x, y = (sheet.west_m - frame.west_m) * by, (sheet.south_m - frame.south_m) * by
    w, h = sheet.width_m * by, sheet.height_m * by
    pen.rect(x, y, w, h, edge="#ffffff", width=0.9)
    pen.rect(x, y, w, h, edge=RED, width=0.4)
    middle, centre, size = _number_at(frame, sheet)
    text = spelled(str(sheet.number), BOLD)
    pen.text(middle, centre - size * 0.36, text, size, BOLD, INK, 0.5, halo=0.7)


def _number_at(frame: Frame, sheet: Frame) -> tuple[float, float, float]:
    """Middle of a sheet's number and its size."""
    by = 1000 / frame.scale
    x = (sheet.west_m + sheet.width_m / 2 - frame.west_m) * by
    y = (sheet.south_m + sheet.height_m / 2 - frame.south_m) * by
    return x, y, max(3.0, min(9.0, sheet.height_m * by * 0.3, sheet.width_m * by * 0.3))
