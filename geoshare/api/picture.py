"""The map on a page: a picture that WMS draws of what the caller sees, so it needs no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from geoshare.api.context import base_url, caller, followed, href, services
from geoshare.model.box import Box

WIDTH, HEIGHT = 720, 400  # pixels
MARGIN: Final = 0.08  # of what is shown, on every side
LEAST_M: Final = 250.0  # metres of the projection that a picture shows at least, from top to bottom
RADIUS_M: Final = 6_378_137.0  # of the sphere of Web Mercator
HIGHEST: Final = 85.0  # degrees of latitude: a little less than Web Mercator has
TILE_PX: Final = 512  # which zooms of the map count from
GROUND: Final = "segments"  # roads, which say where it is


class Drawn(NamedTuple):
    """A picture of a map, and where the map itself is."""

    picture: str
    leads: str
    width: int = WIDTH
    height: int = HEIGHT


def drawn(names: Sequence[str], box: Box | None) -> Drawn | None:
    """A picture of collections in a box (west, south, east, north in degrees).

    None where nothing of them is drawn for the caller, or nothing is known of where they are.
    """
    if box is None or not names:
        return None
    known = {view.collection.name: view.collection for view in services().drawable(caller())}
    wanted = [name for name in names if name in known]
    if not wanted:
        return None
    below = [name for name in wanted if known[name].kind != "vector"]
    ground = [GROUND] if GROUND in known else []
    layers = list(dict.fromkeys([*below, *ground, *wanted]))
    said = {
        "service": "WMS",
        "request": "GetMap",
        "version": "1.3.0",
        "layers": ",".join(layers),
        "crs": "EPSG:3857",
        "bbox": ",".join(f"{metre:.2f}" for metre in _framed(box)),
        "width": str(WIDTH),
        "height": str(HEIGHT),
        "bgcolor": "0xF6F4EF",
    }
    return Drawn(followed(href("wms", **said)), _on_the_map(layers, box))


def box_of(found: Iterable[Any]) -> Box | None:
    """The box of GeoJSON geometries; None where they have no places."""
    places = [place for geometry in found for place in _places(geometry)]
    if not places:
        return None
    lons, lats = [place[0] for place in places], [place[1] for place in places]
    return Box(min(lons), min(lats), max(lons), max(lats))


def stated(said: Any) -> Box | None:
    """A box as answers state it, with heights or without; None where none is stated."""
    if not isinstance(said, list | tuple) or len(said) not in (4, 6):
        return None
    if not all(isinstance(number, int | float) for number in said):
        return None
    return Box(said[0], said[1], *(said[2:] if len(said) == 4 else said[3:5]))


def _places(geometry: Any) -> Iterable[tuple[float, float]]:
    if isinstance(geometry, dict):
        for part in geometry.get("geometries", ()):
            yield from _places(part)
        yield from _positions(geometry.get("coordinates", ()))


def _positions(found: Any) -> Iterable[tuple[float, float]]:
    if len(found) > 1 and isinstance(found[0], int | float):
        yield found[0], found[1]
        return
    for part in found:
        yield from _positions(part)


def _metres(lon: float, lat: float) -> tuple[float, float]:
    """East and north on the sphere of Web Mercator (EPSG:3857)."""
    held = math.radians(min(max(lat, -HIGHEST), HIGHEST))
    return math.radians(lon) * RADIUS_M, math.asinh(math.tan(held)) * RADIUS_M


def _framed(box: Box) -> tuple[float, float, float, float]:
    """The box with a margin around it, as wide for its height as the picture is; in metres."""
    west, south = _metres(box[0], box[1])
    east, north = _metres(box[2], box[3])
    high = max((north - south) * (1 + 2 * MARGIN), LEAST_M)
    wide = max((east - west) * (1 + 2 * MARGIN), high * WIDTH / HEIGHT)
    high = wide * HEIGHT / WIDTH
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _on_the_map(layers: Sequence[str], box: Box) -> str:
    """Where the map shows the same."""
    west, _, east, _ = _framed(box)
    zoom = math.log2(2 * math.pi * RADIUS_M / (east - west) * WIDTH / TILE_PX)
    lon, lat = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    place = f"{max(zoom, 0):.2f}/{lat:.6f}/{lon:.6f}"
    return f"{base_url()}/map#map={place}&layers={','.join(layers)}"
