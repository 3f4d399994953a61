"""The area a request names: a box, a drawn polygon, an administrative code or name, mesh squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest
from geoshare.filter.literals import read_area, read_geometry
from geoshare.model.box import Box
from geoshare.model.mesh import south_west
from geoshare.model.policy import Policy
from geoshare.query import View, Views
from geoshare.query.items import matching
from tiles.arrays import Rows
from tiles.geometry.convert import to_shapely

ADMIN: Final = "admin_areas"
MAX_MESHES: Final = 2_000
MESH_HELP: Final = "codes of JIS X 0410 squares: 4, 6, 7, 8, 9, 10 or 11 digits (80 km to 125 m)"


def asked_area(
    bbox: tuple[float, float, float, float] | None,
    asked: dict[str, Any] | str | None,
    policy: Policy,
    views: Views,
) -> BaseGeometry | None:
    """Read the area a request asks for, in CRS84: a box, a GeoJSON polygon, a code or a name.

    Raises
    ------
    BadRequest
        for an area that is none, or a code that no visible area has.
    """
    if bbox is not None:
        return read_geometry({"bbox": list(bbox)})
    if isinstance(asked, str):
        return _administrative_area(asked, policy, views)
    if asked is None:
        return None
    try:
        return read_area(asked)
    except ValueError as error:
        raise BadRequest(
            f"The area cannot be read: {error}.",
            parameter="area",
            allowed="a GeoJSON Polygon or MultiPolygon in CRS84 whose edges do not cross",
            message_ja="範囲の図形を読み取れません。線が交差しない多角形にしてください。",
        ) from error


def mesh_area(codes: Sequence[str]) -> BaseGeometry:
    """Join the squares of JIS X 0410 codes, in CRS84.

    The codes divide the ground of JGD2011, which agrees with WGS 84 within what a square's edge is
    known to. Raises BadRequest naming the first code that is none.
    """
    squares = []
    for code in codes:
        found = south_west(code)
        if found is None:
            raise BadRequest(
                f"{code[:20]!a} is no mesh code.",
                parameter="mesh",
                allowed=MESH_HELP,
                message_ja="地域メッシュコードではないものがあります。",
            )
        west, south, width, height = found
        squares.append(shapely.box(west, south, west + width, south + height))
    area: BaseGeometry = shapely.union_all(np.array(squares, object))
    shapely.prepare(area)
    return area


def _administrative_area(code: str, policy: Policy, views: Views) -> BaseGeometry:
    """Join the visible areas of a code, of all codes that begin with it, or else of a name.

    A municipality's code is known with its check digit and without; the longer codes of its town
    blocks (町丁目) begin with it.
    """
    unknown = BadRequest(
        "There is no such administrative area.",
        parameter="area",
        allowed="a code or a name of admin_areas",
        message_ja="そのコードまたは名称の行政区域はありません。",
    )
    if not policy.allows(ADMIN) or not 1 <= len(code) <= 40 or not code.isalnum():
        raise unknown
    view = views.get(policy, ADMIN)
    if not isinstance(view, View) or not view.has_column("code"):
        raise unknown
    texts = [f"code = '{code}'", f"code LIKE '{code}%'"]
    if _has_check_digit(code):
        texts.append(f"code = '{code[:5]}'")
    if view.has_column("name"):
        texts.append(f"name = '{code}'")
    for text in texts:
        shapes = _shapes(matching(view, None, None, text))
        if shapes:
            joined: BaseGeometry = shapely.union_all(shapely.make_valid(np.array(shapes, object)))
            shapely.prepare(joined)
            return joined
    raise unknown


def _has_check_digit(code: str) -> bool:
    """Whether six digits end with the check digit of a local government's code (weights 6 to 2)."""
    if len(code) != 6 or not code.isascii() or not code.isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code, range(6, 1, -1), strict=False))
    return int(code[5]) == (11 - total % 11) % 10


def _shapes(rows: Rows) -> Sequence[BaseGeometry]:
    found = [shape for table, numbers in rows.pairs for shape in to_shapely(table.geometries, numbers)]
    return [shape for shape in found if shape is not None and shapely.get_dimensions(shape) == 2]


def check_box(box: Box) -> None:
    """Raise BadRequest for a box that is none on this world."""
    lon_fits = all(abs(value) <= 180 for value in (box.west, box.east))
    lat_fits = -90 <= box.south <= box.north <= 90
    if not (lon_fits and lat_fits):  # nothing compares with what is no number
        raise BadRequest(
            "The box lies outside the world, or its south above its north.",
            parameter="bbox",
            allowed="west, south, east, north in degrees: longitudes -180 to 180, latitudes -90 to 90",
            message_ja="範囲の座標が正しくありません。",
        )
