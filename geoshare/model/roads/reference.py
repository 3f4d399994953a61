"""What a road map's geoReference says: a PROJ string that is often cut short or made up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_PARAMETER = re.compile(r"\+([A-Za-z_0-9]+)(?:=(\S*))?")
_ZONE_DEG: Final = 6.0
_MARGIN_DEG: Final = 1.0
_SAME_ELLIPSOID: Final = ("GRS80", "WGS84", "grs80", "wgs84")


@dataclass(frozen=True, slots=True)
class GeoReference:
    """A CRS that PROJ understands, and what had to be assumed to get there.

    ``completed``: a projection was added. ``datum_assumed``: only an ellipsoid was named.
    ``geoid_left_out``: a geoid grid was named, which is not used. ``contradiction``: what cannot all be
    right, empty where nothing is wrong.
    """

    crs: str
    completed: bool = False
    datum_assumed: bool = False
    geoid_left_out: bool = False
    contradiction: str = ""


def read_geo_reference(text: str) -> GeoReference:
    """Make a geoReference usable; anything but a PROJ string stays as it is."""
    found = dict(_PARAMETER.findall(text))
    if not found or ("proj" not in found and not {"lat_0", "lon_0"} <= found.keys()):
        return GeoReference(text)
    completed = "proj" not in found
    found.setdefault("proj", "tmerc")
    contradiction = _contradiction(found)
    geoid = found.pop("geoidgrids", None) is not None
    found.pop("vunits", None)
    assumed = False
    if (
        "datum" not in found
        and found.get("ellps", "WGS84") in _SAME_ELLIPSOID
        and not _moves(found.get("towgs84", ""))
    ):
        assumed = found["proj"] not in ("longlat", "geocent")
        for name in ("ellps", "towgs84"):
            found.pop(name, None)
        found["datum"] = "WGS84"
    crs = " ".join(f"+{name}={value}" if value else f"+{name}" for name, value in found.items())
    return GeoReference(crs, completed, assumed, geoid, contradiction)


def _moves(shift: str) -> bool:
    try:
        return any(float(part) for part in shift.split(",") if part)
    except ValueError:
        return True


def _contradiction(found: dict[str, str]) -> str:
    """UTM has a zone and no origin of its own: one that says another meridian was made up."""
    if found["proj"] != "utm" or "lon_0" not in found:
        return ""
    said = f"zone={found.get('zone', '')}, lon_0={found['lon_0']}"
    try:
        meridian, lon_0 = _ZONE_DEG * int(found.get("zone", "0")) - 183.0, float(found["lon_0"])
    except ValueError:
        return said
    return said if abs(lon_0 - meridian) > _ZONE_DEG / 2 + _MARGIN_DEG else ""
