"""Before anything is timed: do the servers answer with the same contents?"""

from __future__ import annotations

import json
import math
import sys
import urllib.request
from typing import Any

import mapbox_vector_tile
import shapely

TOLERANCE = 1.0  # tile units
SAMPLE = {"tile z6": 1, "tile z10": 2, "tile z14": 8, "tile z16": 8}
PAGES = 5
ALL = 10_000  # more than any of the boxes holds
DEGREES = 2e-7  # rounding of both servers to seven digits
LIMIT = 2.0  # rounding of both servers and half a unit of simplification of each


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """The tile of WebMercatorQuad in which a place lies."""
    n = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return z, int((lon + 180) / 360 * n), int(y * n)


def get(base: str, path: str, headers: dict[str, str]) -> bytes:
    """The body of an answer."""
    request = urllib.request.Request(base + path, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def contents(own: Any, peers: list, work: dict[str, list]) -> None:
    """Compare tiles of every zoom feature by feature; say what differs.

    Raises
    ------
    SystemExit
        if features are missing, attributes differ, or geometry is more than one unit apart.
    """
    for peer in peers:
        if hasattr(peer, "items"):
            _pages(own, peer, work)
        if hasattr(peer, "filtered"):
            filtered(own, peer, work)
        if not hasattr(peer, "tile"):
            continue
        compared = differing = compared_tiles = 0
        for name, tiles in SAMPLE.items():
            for ask in work[name][:tiles]:
                ours = _features(get(own.base, own.paths(name, [ask])[0], own.headers(own.tiers[0])))
                theirs = _features(get(peer.base, peer.tile(*ask), {}))
                compared_tiles += 1
                missing = {key for key in theirs if key not in ours and _inside(theirs[key])}
                if missing:
                    sys.exit(f"{peer.name} has {len(missing)} features in {ask} that geoshare has not")
                for key in ours.keys() & theirs.keys():
                    compared += 1
                    differing += _apart(ours[key], theirs[key])
        said = f"{compared} features of {compared_tiles} tiles compared, {differing} differ"
        print(f"{peer.name}: {said}", file=sys.stderr)
        if differing > compared * 0.001:
            sys.exit(f"geoshare and {peer.name} do not answer the same")


def _pages(own: Any, peer: Any, work: dict[str, list]) -> None:
    """Compare the features of boxes with a peer's, all that there are and in any order."""
    compared = 0
    for box, _ in work["items 100"][:PAGES]:
        ours, theirs = (
            _by_number(get(server.base, path, headers))
            for server, path, headers in (
                (own, own.paths("items", [(box, ALL)])[0], own.headers(own.tiers[0])),
                (peer, peer.items(box, ALL), {}),
            )
        )
        if ours.keys() != theirs.keys():
            sys.exit(f"{peer.name} and geoshare have other features in {box}")
        for number, (shape, properties) in theirs.items():
            compared += 1
            own_shape, own_properties = ours[number]
            values = {name: value for name, value in properties.items() if name in own_properties}
            same = all(_same(own_properties[name], value) for name, value in values.items())
            if not same or len(values) < len(own_properties) or _farthest(shape, own_shape) > DEGREES:
                sys.exit(f"{peer.name} and geoshare say other things of {number}")
    print(f"{peer.name}: {compared} features of {PAGES} boxes compared, none differs", file=sys.stderr)


def filtered(own: Any, peer: Any, work: dict[str, list]) -> None:
    """Compare which features filters leave with a peer's, all that there are and in any order."""
    for name in ("filter 100", "polygon 100"):
        compared = 0
        for box, _, text in work[name][:PAGES]:
            ours, theirs = (
                _by_number(get(server.base, path, headers)).keys()
                for server, path, headers in (
                    (own, own.paths("items", [(box, ALL, text)])[0], own.headers(own.tiers[0])),
                    (peer, peer.filtered(box, ALL, text), {}),
                )
            )
            if ours != theirs:
                sys.exit(f"{peer.name} and geoshare leave other features of {box} by {text}")
            compared += len(ours)
        said = (
            f"{compared} features that {name.split()[0]}s of {PAGES} boxes leave compared, none differs"
        )
        print(f"{peer.name}: {said}", file=sys.stderr)


def _by_number(page: bytes) -> dict[str, tuple[Any, dict]]:
    found = {}
    for feature in json.loads(page)["features"]:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        found[feature["properties"]["route_number"]] = shape, feature["properties"]
    return found


def _features(tile: bytes) -> dict[str, tuple[Any, dict]]:
    found = {}
    for layer in mapbox_vector_tile.decode(tile).values():
        for feature in layer["features"]:
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            properties = feature["properties"]
            found[properties["route_number"]] = shape, properties
    return found


def _inside(feature: tuple[Any, dict]) -> bool:
    """Whether something of it is visible, and longer than a unit."""
    seen = shapely.intersection(feature[0], shapely.box(0, 0, 4096, 4096))
    return not seen.is_empty and seen.length > LIMIT


def _apart(one: tuple[Any, dict], other: tuple[Any, dict]) -> bool:
    frame = shapely.box(0, 0, 4096, 4096)
    first, second = shapely.intersection(one[0], frame), shapely.intersection(other[0], frame)
    if first.is_empty or second.is_empty:
        return False
    theirs = {name: value for name, value in other[1].items() if name != "id"}
    if theirs.keys() != one[1].keys() - {"id"}:
        return True
    if any(not _same(one[1][name], value) for name, value in theirs.items()):
        return True
    # against the other's whole geometry: where lines leave the frame is not where they differ
    return max(_farthest(first, other[0]), _farthest(second, one[0])) > LIMIT


def _farthest(shape: Any, other: Any) -> float:
    """Distance to another geometry of the vertex that is farthest from it."""
    return float(shapely.distance(shapely.points(shapely.get_coordinates(shape)), other).max())


def _same(one: Any, other: Any) -> bool:
    """Equal values; a peer may say a truth value or a number as text."""
    if isinstance(other, str) and not isinstance(one, str):
        if isinstance(one, bool):
            return other.lower() in ("t", "true", "1") if one else other.lower() in ("f", "false", "0")
        return one is not None and float(other) == float(one)
    return bool(one == other)
