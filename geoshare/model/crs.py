"""Coordinate reference systems of the surface, by their OGC addresses.

Inside, coordinates are longitude, latitude and height (CRS84h). On the way out they take the axis
order of the authority: latitude first in EPSG:4326, 6668 and 6697, easting first in 3857, northing
first in the zones 6669 to 6687 of the Japan Plane Rectangular CS. No transformation is a ballpark one:
heights to EPSG:6697 need the geoid grid, and without it that system is not offered.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Final

import numpy as np
import pyproj
import pyproj.network
from numpy.typing import NDArray
from pyproj.exceptions import ProjError
from pyproj.transformer import TransformerGroup

from geoshare.errors import BadRequest

_OGC: Final = "http://www.opengis.net/def/crs/OGC/"
EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84: Final = f"{_OGC}1.3/CRS84"
CRS84H: Final = f"{_OGC}0/CRS84h"
CODES: Final = (4326, 3857, 6668, 6697, *range(6669, 6688))
KNOWN: Final = (CRS84, CRS84H, *(f"{EPSG}{code}" for code in CODES))
SHORT: Final = "OGC:CRS84"
_SPELLINGS: Final = (EPSG, "urn:ogc:def:crs:EPSG::", "EPSG:")
_NATIVE: Final = (SHORT, "CRS84", CRS84, CRS84H)
_UPRIGHT: Final = (6697,)  # whose heights count
_FLAT_WORLD, _WORLD = "EPSG:4326", "EPSG:4979"


def check_crs(name: str, *, parameter: str = "crs", allowed: tuple[str, ...] = KNOWN) -> str:
    """The reference system, if it is one of the allowed ones.

    Raises
    ------
    BadRequest
        naming ``parameter`` and those there are.
    """
    if name not in allowed:
        raise BadRequest(
            "The reference system is not supported.",
            parameter=parameter,
            allowed=", ".join(allowed),
            message_ja="この座標参照系には対応していません",
        )
    return name


def is_native(name: str) -> bool:
    """Whether coordinates are given in the system as they lie here: longitude, latitude, height."""
    return name in (CRS84, CRS84H)


def code_of(name: str) -> int:
    """The EPSG code of a system that is not native."""
    return int(name.removeprefix(EPSG))


def read_code(text: str, *, parameter: str = "crs") -> int:
    """The EPSG code of a system in any of its spellings, 0 for CRS84.

    Raises
    ------
    BadRequest
        for a system there is none of, or no sound way to on this machine; it names those there are.
    """
    if text in _NATIVE:
        return 0
    for prefix in _SPELLINGS:
        rest = text.removeprefix(prefix)
        if rest != text and f"{EPSG}{rest}" in offered():
            return int(rest)
    raise BadRequest(
        "The reference system is not supported.",
        parameter=parameter,
        allowed=", ".join([SHORT, *(f"EPSG:{code}" for code in CODES if f"{EPSG}{code}" in offered())]),
        message_ja="この座標参照系には対応していません",
    )


def is_metric(name: str) -> bool:
    """Whether the system's first two coordinates are metres."""
    return not is_native(name) and bool(flat(code_of(name)).is_projected)


@cache
def flat(code: int) -> pyproj.CRS:
    """The horizontal part of a system."""
    found = pyproj.CRS.from_epsg(code)
    return found.sub_crs_list[0] if found.is_compound else found.to_2d()


def is_upright(code: int) -> bool:
    """Whether the system's heights are above the geoid, and not above the ellipsoid."""
    return code in _UPRIGHT


@cache
def north_first(code: int) -> bool:
    """Whether the authority's first axis is latitude or northing."""
    return flat(code).axis_info[0].direction == "north"


@cache
def _operation(code: int) -> pyproj.Transformer | None:
    """From longitude, latitude (and height) to x to the east, y to the north; None: there is none."""
    upright = is_upright(code)
    source = pyproj.CRS(_WORLD if upright else _FLAT_WORLD)
    pyproj.network.set_network_enabled(False)  # type: ignore[attr-defined]
    with warnings.catch_warnings():  # that a grid is missing is what is asked here
        warnings.simplefilter("ignore")
        target = pyproj.CRS.from_epsg(code) if upright else flat(code)
        try:
            group = TransformerGroup(source, target, always_xy=True, allow_ballpark=False)
        except ProjError:
            return None
    return group.transformers[0] if group.best_available and group.transformers else None


@cache
def offered() -> tuple[str, ...]:
    """The systems that features can be given in on this machine; CRS84 comes first."""
    ways = (name for name in KNOWN if is_native(name) or _operation(code_of(name)) is not None)
    return tuple(ways)


def forget() -> None:
    """Look for ways anew: the grids that there are have changed."""
    _operation.cache_clear()
    offered.cache_clear()


def from_lon_lat_z(lon_lat_z: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Coordinates (n, 2 or 3) in a system, in the axis order of its authority.

    Parameters
    ----------
    lon_lat_z
        (n, 2 or 3) longitude and latitude in degrees, ellipsoidal height in metres or NaN.
    name
        One of ``offered()`` that is not native.

    Returns
    -------
    Heights are left out of systems that have none, and where ``lon_lat_z`` has none. Positions without
    a place in the system are infinite.
    """
    code = code_of(name)
    moved = east_first(lon_lat_z, code)
    if not is_upright(code):
        moved = moved[:, :2]
    return moved[:, [1, 0, 2][: moved.shape[1]]] if north_first(code) else moved


def east_first(lon_lat_z: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """Coordinates (n, 2 or 3) in the system of a code, x to the east first, as files have them.

    Heights of a system that has none stay what they are: metres above the ellipsoid. Positions without
    a place in the system are infinite.

    Raises
    ------
    BadRequest
        where there is no sound way to the system on this machine.
    """
    operation = _operation(code)
    if operation is None:
        raise BadRequest(
            "There is no sound way to this reference system here; a grid is not installed.",
            parameter="crs",
            allowed=", ".join(offered()),
            message_ja="この座標参照系への変換に必要な格子ファイルがありません",
        )
    out = lon_lat_z.copy()
    lon, lat = lon_lat_z[:, 0], lon_lat_z[:, 1]
    if is_upright(code) and lon_lat_z.shape[1] > 2:
        known = ~np.isnan(lon_lat_z[:, 2])
        out[:, 0], out[:, 1], z = operation.transform(lon, lat, np.where(known, lon_lat_z[:, 2], 0.0))
        out[:, 2] = np.where(known, z, np.nan)
    else:
        out[:, 0], out[:, 1] = operation.transform(lon, lat)
    return out
