"""Pictures of a shared map: the preview that messengers show, and the QR code of its address."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final

import numpy as np
import segno
import shapely
from PIL import Image, ImageDraw

from geoshare.access.view import View
from geoshare.model.box import Box
from geoshare.services.shared import Shown

if TYPE_CHECKING:
    from geoshare.services import Services

WIDTH, HEIGHT = 1200, 630
TWICE: Final = 2  # drawn larger and made smaller: smooth edges
MAX_ROWS: Final = 20_000
LAND, SEA, WATER, ROAD = "#f6f4ef", "#cfe3ef", "#bcd9ea", "#ffffff"
ROAD_EDGE, CLOSED = "#c4beb1", "#d7191c"
LEVELS: Final = {"3": "#ff2800", "4": "#aa00aa", "5": "#0c000c"}
STATES: Final = {
    "open": "#0a7d3c",
    "full": "#b3261e",
    "preparing": "#b26a00",
    "not_open": "#3d6f9e",
    "closed": "#6b7680",
}


def code(address: str) -> bytes:
    """An SVG of the QR code of an address."""
    found = io.BytesIO()
    segno.make(address, error="m", micro=False).save(found, kind="svg", scale=8, border=4)
    return found.getvalue()


class _Sheet:
    """A picture of a box in Web Mercator, in pixels."""

    def __init__(self, box: Box) -> None:
        west, east = math.radians(box.west), math.radians(box.east)
        south, north = _northing(box.south), _northing(box.north)
        self._scale = TWICE * min(WIDTH / (east - west), HEIGHT / (north - south))
        self._west = (west + east) / 2 - TWICE * WIDTH / 2 / self._scale
        self._north = (south + north) / 2 + TWICE * HEIGHT / 2 / self._scale
        self.image = Image.new("RGB", (TWICE * WIDTH, TWICE * HEIGHT), SEA)
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    def pixels(self, lon_lat: np.ndarray) -> list[tuple[float, float]]:
        """Pixels (n, 2) of longitudes and latitudes (n, 2) in degrees."""
        north = np.arcsinh(np.tan(np.radians(np.clip(lon_lat[:, 1], -85, 85))))
        x = (np.radians(lon_lat[:, 0]) - self._west) * self._scale
        y = (self._north - north) * self._scale
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]

    @property
    def box(self) -> Box:
        """What the picture covers, in degrees."""
        east = self._west + TWICE * WIDTH / self._scale
        south = self._north - TWICE * HEIGHT / self._scale
        return Box(
            math.degrees(self._west),
            math.degrees(math.atan(math.sinh(south))),
            math.degrees(east),
            math.degrees(math.atan(math.sinh(self._north))),
        )


def picture(services: Services, shown: Shown) -> bytes:
    """A PNG of 1200 by 630 pixels of what a share shows."""
    share = shown.share
    sheet = _Sheet(Box(share.west, share.south, share.east, share.north))
    drawn = {view.collection.name: view for view in shown.drawn}
    for name, fill in (("admin_areas", LAND), ("water", WATER)):
        for shape, _ in _shapes(drawn.get(name), sheet.box, ()):
            _area(sheet, shape, fill, None)
    for name, column in (("evacuation_areas", "level"),):
        for shape, level in _shapes(drawn.get(name), sheet.box, (column,)):
            colour = LEVELS.get(str(level), "#f2a900")
            _area(sheet, shape, colour + "38", colour)
    roads = [shape for shape, _ in _shapes(drawn.get("segments"), sheet.box, ())]
    for colour, width in ((ROAD_EDGE, 8), (ROAD, 5)):
        for shape in roads:
            _line(sheet, shape, colour, width)
    for shape, _ in _shapes(drawn.get("events"), sheet.box, ()):
        _line(sheet, shape, CLOSED, 14)
    for shape, state in _shapes(shown.views.get("shelters"), sheet.box, ("status",)):
        _mark(sheet, shape, STATES.get(str(state), "#2e8b57"))
    found = io.BytesIO()
    small = sheet.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    small.quantize(128).save(found, "PNG", optimize=True)
    return found.getvalue()


def _northing(latitude: float) -> float:
    return math.asinh(math.tan(math.radians(latitude)))


def _shapes(
    view: View | None, box: Box, columns: tuple[str, ...]
) -> list[tuple[shapely.Geometry, object]]:
    """Geometries of a view in a box, each with the value of a column."""
    if view is None:
        return []
    names = [name for name in columns if view.has_column(name)]
    table = view.materialise(view.search(box, limit=MAX_ROWS), names)
    shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    values = table.column(names[0]).to_pylist() if names else [None] * table.num_rows
    return [(shape, value) for shape, value in zip(shapes, values, strict=True) if shape is not None]


def _area(sheet: _Sheet, shape: shapely.Geometry, fill: str, edge: str | None) -> None:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            ring = sheet.pixels(shapely.get_coordinates(part.exterior))
            sheet.pen.polygon(ring, fill=fill)
            if edge is not None:
                sheet.pen.line(ring, fill=edge, width=6)


def _line(sheet: _Sheet, shape: shapely.Geometry, colour: str, width: int) -> None:
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString":
            line = sheet.pixels(shapely.get_coordinates(part))
            sheet.pen.line(line, fill=colour, width=width, joint="curve")


def _mark(sheet: _Sheet, shape: shapely.Geometry, colour: str) -> None:
    ((x, y),) = sheet.pixels(shapely.get_coordinates(shapely.point_on_surface(shape)))
    plate = (x - 30, y - 30, x + 30, y + 30)
    sheet.pen.rounded_rectangle(plate, 12, fill=colour, outline="#fff", width=5)
    roof = [(x - 18, y), (x, y - 17), (x + 18, y)]
    walls = [(x - 12, y - 2), (x - 12, y + 16), (x + 12, y + 16), (x + 12, y - 2)]
    for line in (roof, walls):
        sheet.pen.line(line, fill="#fff", width=6, joint="curve")
