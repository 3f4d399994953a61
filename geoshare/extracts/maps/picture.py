"""The same map as a picture, for previews: drawn as a page and rendered by PDFium."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

import pypdfium2
from reportlab.pdfgen.canvas import Canvas

from geoshare.errors import BadRequest
from geoshare.extracts.maps.draw import draw_map
from geoshare.extracts.maps.drawing import Drawing
from geoshare.extracts.maps.fonts import MEDIUM, load_fonts
from geoshare.extracts.maps.frame import PIXEL_MM, Frame
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.places import SHELTERS, SITES, collect
from geoshare.extracts.maps.plane import Mercator, bounds_on_plane
from geoshare.extracts.maps.words import Speaker
from geoshare.model.box import Box
from geoshare.query import View

MOST_PIXELS: Final = 4_000  # on a side
_LEAST_M: Final = 50.0  # a box that is a point still shows its surroundings
_WIDEST_M: Final = 20_037_508.0
PDFIUM: Final = threading.Lock()  # which is not made for threads


def picture(
    views: Mapping[str, View],
    box: Box,
    width_px: int,
    height_px: int,
    language: Literal["ja", "en"] = "ja",
    *,
    hazards: tuple[str, ...] | None = None,
    pixel_ratio: float = 1.0,
    drills: bool = True,
    at: datetime | None = None,
) -> bytes:
    """Draw what views show of a place as the browser's map would, and return it as a PNG.

    It takes about as long as drawing a sheet does (0.2 to 1 s of one processor), so it is for jobs and
    for what is kept, not for every request. The same views and arguments give the same bytes.

    Parameters
    ----------
    views
        By the name of their collection; names without a design are drawn in one colour. Only what
        these views show can be in the picture.
    box
        In degrees; the picture shows all of it, and more on the sides that its shape leaves over.
    width_px, height_px
        Size of the picture, at most 4,000 on a side.
    language
        Of the names on it.
    hazards
        Kinds of hazard that are shown of ``hazard_zones``; None: all.
    pixel_ratio
        Size of signs and letters: 2 draws them twice as large, for pictures that are shown small.
    drills
        Whether drills and tests are drawn.
    at
        The moment that is drawn: what is over by then is left out; None: only what is said to be over.

    Raises
    ------
    BadRequest
        for a box that is none, or a size out of range.
    Unavailable
        where the font has not been laid there by the web build.
    TooLarge
        where a collection has too many features for one picture.
    """
    frame = frame_around(box, width_px, height_px, pixel_ratio)
    load_fonts()
    content = io.BytesIO()
    pen = Pen(Canvas(content, invariant=1, pageCompression=0, initialFontName=MEDIUM))
    pen.begin_page(frame.width_mm, frame.height_mm)
    places = collect(views.get(SITES), views.get(SHELTERS), frame.plane, [frame], [frame.box()])
    drawing = Drawing(
        frame, pen, Speaker(language), places, hazards, numbered=False, drills=drills, at=at
    )
    draw_map(drawing, views)
    pen.canvas.save()
    return rendered(content.getvalue(), width_px, height_px)


def frame_around(box: Box, width_px: int, height_px: int, pixel_ratio: float) -> Frame:
    """The frame of a picture that shows a box; BadRequest as :func:`picture`."""
    if not (1 <= width_px <= MOST_PIXELS and 1 <= height_px <= MOST_PIXELS):
        raise BadRequest(
            "The picture's size is out of range",
            parameter="width_px",
            allowed=f"1 to {MOST_PIXELS} pixels on a side",
        )
    if not (-180 <= box.west <= box.east <= 180 and -85 <= box.south <= box.north <= 85):
        raise BadRequest(
            "The box cannot be drawn",
            parameter="box",
            allowed="west, south, east, north in degrees, in order",
        )
    plane = Mercator()
    west, south, east, north = bounds_on_plane(plane, box)
    metres = max((east - west) / width_px, (north - south) / height_px, _LEAST_M / width_px)
    metres = min(metres, 2 * _WIDEST_M / width_px)
    return Frame(
        plane,
        (west + east) / 2 - metres * width_px / 2,
        (south + north) / 2 - metres * height_px / 2,
        width_px * PIXEL_MM,
        height_px * PIXEL_MM,
        metres / PIXEL_MM * 1000,
        PIXEL_MM * pixel_ratio,
    )


def rendered(pdf: bytes, width_px: int, height_px: int) -> bytes:
    """The first page of a document as a PNG."""
    out = io.BytesIO()
    with PDFIUM:
        document = pypdfium2.PdfDocument(pdf)
        try:
            page = document[0]
            image = page.render(scale=96 / 72).to_pil().convert("RGB")
        finally:
            document.close()
    if image.size != (width_px, height_px):
        image = image.crop((0, 0, width_px, height_px))
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
