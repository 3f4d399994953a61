"""Makes the pages of a print: an index, the sheets, what their legends leave over, the list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from reportlab.pdfgen.canvas import Canvas

from geoshare.extracts.licences import AGREEMENT
from geoshare.extracts.maps.draw import draw_map
from geoshare.extracts.maps.drawing import Drawing
from geoshare.extracts.maps.fonts import MEDIUM, load_fonts, spelled
from geoshare.extracts.maps.frame import Frame
from geoshare.extracts.maps.furniture import (
    draw_code,
    draw_footer,
    draw_header,
    draw_imprint,
    draw_neatline,
    draw_neighbours,
    draw_north,
    draw_scale,
)
from geoshare.extracts.maps.legend import Entry as LegendEntry
from geoshare.extracts.maps.legend import draw_legend
from geoshare.extracts.maps.listing import draw_list, rows_of_page
from geoshare.extracts.maps.overview import draw_index
from geoshare.extracts.maps.paper import EDGE, FOOTER
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.planning import PrintPlan
from geoshare.extracts.maps.words import Speaker
from geoshare.extracts.terms import licences_of

JST: Final = timezone(timedelta(hours=9), "JST")
Report = Callable[[float, str], object]


def write_prints(
    plan: PrintPlan,
    path: Path,
    *,
    link: str,
    now_us: int,
    progress: Report = lambda fraction, message: None,
) -> dict[str, Any]:
    """Write a print to ``path`` as a PDF.

    Parameters
    ----------
    plan
        What is drawn. Nothing but what its views show comes into the file.
    link
        Address of the QR code.
    now_us
        Moment that is stated as its making, microseconds since 1970.
    progress
        Told how far it is, 0 to 1, and with what; may raise to stop it.

    Returns
    -------
    SHA-256 and size of the file, its pages, and the scale.
    """
    load_fonts()
    book = _Book(plan, path, link, now_us, progress)
    book.write()
    with open(path, "rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return {
        "sha256": digest,
        "size": path.stat().st_size,
        "pages": book.page,
        "scale": plan.scale,
        "crs": f"EPSG:{plan.zone.epsg}",
    }


class _Book:
    """The pages as they are written."""

    def __init__(self, plan: PrintPlan, path: Path, link: str, now_us: int, progress: Report) -> None:
        self.plan, self.link, self.now_us, self.progress = plan, link, now_us, progress
        self.say = Speaker(plan.request.language)
        self.title = plan.request.title.strip() or self._default_title()
        canvas = Canvas(
            str(path),
            invariant=1,
            pageCompression=1,
            pdfVersion=(1, 6),
            initialFontName=MEDIUM,  # else every page names a font that is not embedded
            lang=plan.request.language,
        )
        canvas.setTitle(self.title)
        canvas.setAuthor("geoshare")
        canvas.setCreator("geoshare")
        canvas.setSubject(f"1:{plan.scale:,} EPSG:{plan.zone.epsg}")
        made = datetime.fromtimestamp(now_us / 1e6, UTC).strftime("D:%Y%m%d%H%M%SZ")
        canvas.setDateFormatter(lambda *_: made)
        self.pen = Pen(canvas)
        self.page = 0
        self.times_us: list[int] = []
        paper = plan.layout
        self.steps = max(1, len(plan.split.frames) * (2 * len(plan.views) + 1))
        self.done = 0
        self.size = (paper.width, paper.height)

    def _default_title(self) -> str:
        return "防災マップ" if self.say.language == "ja" else "Disaster map"

    def write(self) -> None:
        """Write all pages."""
        frames = self.plan.split.frames
        if len(frames) > 1:
            self._write_index()
        for frame in frames:
            self._write_sheet(frame)
        if self.plan.list_pages:
            self._write_list()
        self.pen.canvas.save()
        self.progress(1.0, "")

    def begin(self, name: str) -> Pen:
        """Start a page, which has a name in the outline of the file."""
        canvas = self.pen.canvas
        if self.page:
            canvas.showPage()
        self.page += 1
        self.pen.begin_page(*self.size)
        mark = f"page{self.page}"
        canvas.bookmarkPage(mark)
        canvas.addOutlineEntry(name, mark, 0, closed=False)
        return self.pen

    def footer(self) -> tuple[str, str]:
        """What stands at the foot of a page."""
        left = self.say("projection", zone=self.plan.zone.number, epsg=self.plan.zone.epsg)
        return f"{self.title}　{left}", f"p. {self.page}"

    def _step(self) -> None:
        self.done += 1
        self.progress(min(0.98, self.done / self.steps), "")

    def _write_index(self) -> None:
        pen = self.begin(self.say("index"))
        made = _moment(self.now_us, self.say)
        draw_index(pen, self.plan, self.title, [self.say("index"), made], self.link, self.say)
        draw_footer(pen, self.size[0], *self.footer())

    def _write_sheet(self, frame: Frame) -> None:
        plan, say, paper = self.plan, self.say, self.plan.layout
        several = len(plan.split.frames) > 1
        pen = self.begin(say("next_sheet", number=frame.number) if several else self.title)
        numbered = plan.list_pages > 0
        shown = [place for place in plan.places if frame.number in place.sheets]
        moment = datetime.fromtimestamp(self.now_us / 1e6, UTC)
        drawing = Drawing(frame, pen, say, shown, plan.request.hazards, numbered, at=moment)
        with pen.moved(paper.map.x, paper.map.y):
            draw_map(drawing, plan.views, self._step)
        self.times_us += drawing.times_us
        draw_neatline(pen, paper.map, frame)
        neighbours = plan.split.neighbours(frame)
        draw_neighbours(pen, paper.map, neighbours, plan.split.overlap_mm, say)
        right = (
            [f"{say('sheet')} {frame.number} {say('of')} {len(plan.split.frames)}"] if several else []
        )
        right = right or [""]
        draw_header(
            pen, paper.header, self.title, plan.request.note, [*right, _moment(self.now_us, say)]
        )
        draw_scale(pen, paper.scale, plan.scale, say)
        draw_north(pen, paper.north, frame, say)
        draw_code(pen, paper.code, self.link, say)
        draw_imprint(pen, paper.imprint, self._imprint(drawing))
        rows = drawing.legend.rows()
        if not rows:
            rows = [LegendEntry(say("nothing"), None)]
        rest = draw_legend(pen, rows, paper.legend, say("legend"), paper.legend_columns)
        draw_footer(pen, self.size[0], *self.footer())
        self._step()
        if rest:
            self._write_legend(rest)

    def _write_legend(self, rows: list[LegendEntry]) -> None:
        """What found no room beside the map goes on a page of its own."""
        wide, high = self.size
        while rows:
            pen = self.begin(self.say("legend_more"))
            area = (EDGE, EDGE + FOOTER, wide - 2 * EDGE, high - 2 * EDGE - FOOTER)
            rows = draw_legend(pen, rows, area, self.say("legend_more"), max(2, int(wide / 80)))
            draw_footer(pen, wide, *self.footer())

    def _write_list(self) -> None:
        plan, say = self.plan, self.say
        request = plan.request
        about = [_moment(self.now_us, say)]
        rows = rows_of_page(request.paper, request.orientation)
        draw_list(self.begin, self.size, plan.places, rows, self.title, about, say, self.footer)

    def _imprint(self, drawing: Drawing) -> list[tuple[str, str]]:
        """When it was made, of when its data are, whose they are, and what it is projected in."""
        say, plan = self.say, self.plan
        known = [moment for moment in drawing.times_us if moment <= self.now_us]
        state = f"{say('data')}：{_jst(max(known), say)}" if known else say("data_unknown")
        projection = say("projection", zone=plan.zone.number, epsg=plan.zone.epsg)
        mark = "、" if say.language == "ja" else ", "
        by_licence: dict[str, list[str]] = {}
        for name, view in plan.views.items():
            for licence in licences_of(plan.policy, name):
                by_licence.setdefault(licence, []).append(say.title(view))
        sources = "　".join(
            f"{mark.join(titles)}（{say('agreement') if licence == AGREEMENT else licence}）"
            for licence, titles in sorted(by_licence.items())
        )
        return [
            ("", state),
            ("", f"{projection}　{say('ticks')}"),
            (say("source"), f"geoshare　{sources}　{say('estimate_note')}"),
        ]


def _moment(now_us: int, say: Speaker) -> str:
    return spelled(f"{say('made')}：{_jst(now_us, say)}")


def _jst(moment_us: int, say: Speaker) -> str:
    moment = datetime.fromtimestamp(moment_us / 1e6, JST)
    if say.language == "ja":
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M} (JST)"
    return f"{moment:%Y-%m-%d %H:%M} JST"
