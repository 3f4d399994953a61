"""Rows of views as plain values, and the area that a request means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.view import View
from geoshare.derive.plane import areal, to_plane
from geoshare.derive.requests import MAX_DRAWN, AreaInputs
from geoshare.errors import BadRequest, TooLarge
from geoshare.filter.literals import read_area
from geoshare.model.box import Box
from geoshare.model.mesh import south_west
from geoshare.query.items import matching

MAX_KM2: Final = 2_000.0
MAX_ROWS: Final = 100_000
MAX_VERTICES: Final = 500_000


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of a view near a place: values of the columns that are visible, and shapes in CRS84."""

    rows: list[dict[str, Any]]
    shapes: NDArray[np.object_]  # (n,) never None

    def only(self, chosen: NDArray[np.bool_]) -> Found:
        """Return the chosen rows."""
        return Found(
            [row for row, kept in zip(self.rows, chosen, strict=True) if kept], self.shapes[chosen]
        )


NOTHING: Final = Found([], np.empty(0, dtype=object))


@dataclass(frozen=True, slots=True)
class Area:
    """An area that was asked for: its shape in CRS84, how it was said, and names of its parts."""

    shape: BaseGeometry
    kind: str  # drawn, administrative, mesh or evacuation
    names: tuple[str, ...] = ()

    @property
    def box(self) -> Box:
        """Its box in degrees."""
        return Box(*self.shape.bounds)


def too_large(message: str) -> TooLarge:
    """The error of an area that asks for too much."""
    return TooLarge(
        message, parameter="area", allowed="a smaller area", message_ja="範囲を狭くしてください"
    )


def read(
    view: View | None, box: Box | None, columns: Sequence[str], filter: str | None = None
) -> Found:
    """Rows of a view that meet a box, with those of the columns that are visible.

    Raises
    ------
    TooLarge
        for more rows or vertices than one request may ask for; both are counted in the view.
    """
    if view is None:
        return NOTHING
    rows = matching(view, box, None, filter)
    if len(rows) > MAX_ROWS:
        raise too_large(f"More than {MAX_ROWS} features lie in the area")
    table = view.materialise(rows, [name for name in columns if view.has_column(name)], "wkb")
    shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    shapes = np.asarray(shapes, dtype=object)
    if shapely.get_num_coordinates(shapes).sum() > MAX_VERTICES:
        raise too_large(f"Shapes in the area have more than {MAX_VERTICES} vertices")
    found = Found(table.drop_columns(["geometry"]).to_pylist(), shapes)
    return found.only(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))


def find_area(said: AreaInputs, admin_areas: View | None, evacuation_areas: View | None) -> Area:
    """The area that a request means.

    Raises
    ------
    BadRequest
        for a shape that is no polygon, and a code, mesh or id that nothing visible has.
    TooLarge
        for more than 2,000 square kilometres.
    """
    if said.area is not None:
        found = Area(_drawn(said.area), "drawn")
    elif said.meshes is not None:
        found = Area(shapely.union_all(_meshes(said.meshes)), "mesh", said.meshes[:20])
    elif said.codes is not None:
        found = _administrative(said.codes, admin_areas)
    else:
        found = _evacuation(said.evacuation_area or "", evacuation_areas)
    if shapely.area(to_plane(found.shape)) > MAX_KM2 * 1e6:
        raise too_large(f"The area is larger than {MAX_KM2:,.0f} square kilometres")
    return found


def _drawn(said: dict[str, Any]) -> BaseGeometry:
    allowed = (
        f"a GeoJSON Polygon or MultiPolygon in CRS84, at most {MAX_DRAWN} vertices, no edges that cross"
    )
    japanese = "範囲の図形を読み取れません"
    try:
        shape = read_area(said)
    except ValueError as error:
        raise BadRequest(
            f"The area cannot be read: {error}", parameter="area", allowed=allowed, message_ja=japanese
        ) from error
    if shapely.get_num_coordinates(shape) > MAX_DRAWN:
        raise BadRequest(
            "The area has too many vertices", parameter="area", allowed=allowed, message_ja=japanese
        )
    return _polygon([shape], "area", allowed)


def _meshes(codes: Sequence[str]) -> list[BaseGeometry]:
    boxes: list[BaseGeometry] = []
    for code in codes:
        square = south_west(code)
        if square is None:
            raise BadRequest(
                "There is no such mesh",
                parameter="meshes",
                allowed="codes of JIS X 0410 with 4 to 11 digits",
                message_ja="地域メッシュコードではありません",
            )
        west, south, width, height = square
        boxes.append(shapely.box(west, south, west + width, south + height))
    return boxes


def _administrative(codes: Sequence[str], view: View | None) -> Area:
    missing = BadRequest(
        "There is no such administrative area",
        parameter="codes",
        allowed="codes of admin_areas",
        message_ja="行政区域コードが見つかりません",
    )
    if view is None or not view.has_column("code"):
        raise missing
    listed = ", ".join(f"'{code}'" for code in dict.fromkeys(codes))  # letters and digits alone
    found = read(view, None, ("code", "name"), f"code IN ({listed})")
    if {row["code"] for row in found.rows} != set(codes):
        raise missing
    names = tuple(dict.fromkeys(str(row.get("name") or row["code"]) for row in found.rows))
    return Area(_polygon(found.shapes, "codes", "codes of areas"), "administrative", names[:20])


def _evacuation(feature: str, view: View | None) -> Area:
    allowed = "the id of a feature of evacuation_areas"
    missing = BadRequest(
        "There is no such evacuation area",
        parameter="evacuation_area",
        allowed=allowed,
        message_ja="避難情報の区域が見つかりません",
    )
    rows = None if view is None else view.lookup([feature])
    if view is None or rows is None or not len(rows):
        raise missing
    table = view.materialise(rows, ["name"] if view.has_column("name") else [], "wkb")
    shape = shapely.from_wkb(table.column("geometry")[0].as_py())
    name = table.to_pylist()[0].get("name")
    return Area(
        _polygon([shape], "evacuation_area", allowed), "evacuation", (str(name),) if name else ()
    )


def _polygon(shapes: Sequence[Any] | NDArray[np.object_], parameter: str, allowed: str) -> BaseGeometry:
    found = shapely.union_all(areal(np.asarray(shapes, dtype=object)))
    if shapely.get_dimensions(found) != 2 or found.is_empty:
        raise BadRequest("The area covers nothing", parameter=parameter, allowed=allowed)
    return found
