"""Lanelet2 maps and Autoware's map packages of what a view shows of an area, with a report."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest
from geoshare.extracts.lanelet2.build import bounds_of, build
from geoshare.extracts.lanelet2.model import OutMap
from geoshare.extracts.lanelet2.osm import write_osm
from geoshare.extracts.lanelet2.plane import Plane, choose
from geoshare.extracts.lanelet2.rows import gather
from geoshare.extracts.request import Plan
from geoshare.extracts.road_rows import MapRows, bounds

MAP: Final = "lanelet2_map.osm"
PROJECTOR: Final = "map_projector_info.yaml"
METADATA: Final = "lanelet2_map_metadata.yaml"
DIVIDED: Final = "divided"  # the same package for a loader that loads cell by cell
CELL_M: Final = 100  # as Autoware's own divider cuts
Written = tuple[dict[str, int], dict[str, Any]]


def write_lanelet2(path: Path, made: Plan, now_us: int) -> Written:
    """Write a map in Lanelet2's own dialect, without rules that only Autoware has, to ``path``.

    Parameters
    ----------
    path, made, now_us
        Where to, the request read against its views, and the moment of making.

    Returns
    -------
    Features of each collection that the map was made of, and the report: elements, the projection
    that local coordinates count in, the largest distances in metres by which anything was moved, what
    was approximated and what was dropped, and how often.

    Raises
    ------
    BadRequest
        There is no lane in the area.
    TooLarge
        There are too many.
    """
    rows, out, plane = _made(made, autoware=False)
    write_osm(path, out, plane)
    return _counts(rows), _report(out, plane) | {"bounds": bounds(rows)}


def write_autoware(folder: Path, made: Plan, now_us: int) -> Written:
    """Write a map package of Autoware to a folder: the whole map, and the same in cells of 100 m.

    A cell holds every lanelet, line and area that meets it, whole, with the rules of its lanelets; what
    lies in several cells has one id in all. The whole map's version is the time of making, a cell's
    follows from what it holds. Parameters, result and errors are those of
    :func:`write_lanelet2`.
    """
    rows, out, plane = _made(made, autoware=True)
    version = str(now_us // 1_000_000)
    cells = folder / DIVIDED / MAP
    cells.mkdir(parents=True)
    write_osm(folder / MAP, out, plane, version=version)
    named = {}
    for (x, y), found in sorted(_cells(out, plane).items()):
        named[f"{x}_{y}.osm"] = [float(x), float(y)]
        whole = _closed(out, found)
        write_osm(cells / f"{x}_{y}.osm", out, plane, version=_version(out, whole), **whole)
    for place in (folder, folder / DIVIDED):
        (place / PROJECTOR).write_text(_projector(plane), "utf-8")
    (folder / DIVIDED / METADATA).write_text(_metadata(named), "utf-8")
    said = {"cells": len(named), "cell_size_m": CELL_M, "bounds": bounds(rows)}
    return _counts(rows), _report(out, plane) | said


def _made(made: Plan, *, autoware: bool) -> tuple[MapRows, OutMap, Plane]:
    rows = gather(made)
    plane = choose(bounds_of(rows), made.request.projector)
    if made.request.projector not in (None, plane.kind):
        raise BadRequest(
            "The map does not lie in one square of MGRS.",
            parameter="projector",
            allowed="TransverseMercator, or a smaller area",
            message_ja="地図がMGRSの1区画に収まりません。",
        )
    return rows, build(rows, plane, autoware=autoware), plane


def _counts(rows: MapRows) -> dict[str, int]:
    return {name: len(found) for name, found in rows.of.items()}


def _report(out: OutMap, plane: Plane) -> dict[str, Any]:
    kinds = [relation.tags.get("type") for relation in out.relations.values()]
    return {
        "nodes": len(out.nodes),
        "ways": len(out.ways),
        "lanelets": kinds.count("lanelet"),
        "areas": kinds.count("multipolygon"),
        "regulatory_elements": kinds.count("regulatory_element"),
        "features_kept_as_they_came": out.kept,
        "projector": _projector_info(plane),
    } | out.losses.said()


def _projector_info(plane: Plane) -> dict[str, Any]:
    """As Autoware's map projection loader reads it. Heights are the foundation's own."""
    said: dict[str, Any] = {"projector_type": plane.kind, "vertical_datum": "WGS84"}
    if plane.square is not None:
        return said | {"mgrs_grid": plane.square}
    lon, lat = plane.origin or (0.0, 0.0)
    origin = {"latitude": lat, "longitude": lon, "altitude": 0.0}
    return said | {"scale_factor": 0.9996, "map_origin": origin}


def _projector(plane: Plane) -> str:
    return "".join(_yaml(_projector_info(plane)))


def _yaml(said: Mapping[str, Any], indent: str = "") -> list[str]:
    lines = []
    for key, value in said.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:\n", *_yaml(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {value}\n")
    return lines


def _metadata(named: Mapping[str, list[float]]) -> str:
    said: dict[str, Any] = {"x_resolution": float(CELL_M), "y_resolution": float(CELL_M)}
    return "".join(_yaml(said | dict(named)))


# cells

Cell = tuple[int, int]  # lower left corner, metres
Chosen = dict[str, set[int]]  # relations, ways, nodes


def _cells(out: OutMap, plane: Plane) -> dict[Cell, Chosen]:
    """What meets each cell: lanelets and areas by the ground they cover, lines, lone points."""
    found: dict[Cell, Chosen] = defaultdict(lambda: defaultdict(set))
    keys = list(out.nodes)
    xyz = plane.metres(np.array([out.nodes[key].place for key in keys]).reshape(-1, 3))
    metres = dict(zip(keys, xyz[:, :2], strict=True))
    for key, way in out.ways.items():
        _note(found, "ways", key, _shape([metres[node] for node in way.nodes]))
    for key, relation in out.relations.items():
        if relation.tags.get("type") == "regulatory_element":
            continue
        places = [
            metres[node]
            for member in relation.members
            if member.type == "way"
            for node in out.ways[member.ref].nodes
        ]
        if places:
            _note(found, "relations", key, shapely.MultiPoint(places).convex_hull)
    for node in out.nodes.keys() - {node for way in out.ways.values() for node in way.nodes}:
        _note(found, "nodes", node, shapely.Point(metres[node]))
    return found


def _shape(places: list[np.ndarray]) -> BaseGeometry:
    return shapely.LineString(places) if len(places) > 1 else shapely.Point(places[0])


def _note(found: dict[Cell, Chosen], kind: str, key: int, shape: BaseGeometry) -> None:
    west, south, east, north = (int(value // CELL_M) for value in shape.bounds)
    for column in range(west, east + 1):
        for row in range(south, north + 1):
            x, y = column * CELL_M, row * CELL_M
            if shape.intersects(shapely.box(x, y, x + CELL_M, y + CELL_M)):
                found[x, y][kind].add(key)


def _closed(out: OutMap, chosen: Chosen) -> dict[str, set[int]]:
    """What was chosen with all that it refers to: rules, lanelets of these, lines and nodes."""
    relations, ways, nodes = set(chosen["relations"]), set(chosen["ways"]), set(chosen["nodes"])
    new = relations
    while new:
        new = _related(out, new) - relations
        relations |= new
    for key in relations:
        for member in out.relations[key].members:
            if member.type == "way":
                ways.add(member.ref)
            elif member.type == "node":
                nodes.add(member.ref)
    for key in ways:
        nodes.update(out.ways[key].nodes)
    return {"relations": relations, "ways": ways, "nodes": nodes}


def _version(out: OutMap, whole: Chosen) -> str:
    """A number that follows from what a cell holds: a cell in which nothing changed stays as it is."""
    elements = [
        *(out.nodes[key] for key in sorted(whole["nodes"])),
        *(out.ways[key] for key in sorted(whole["ways"])),
        *(out.relations[key] for key in sorted(whole["relations"])),
    ]
    digest = hashlib.blake2b(digest_size=6)
    for element in elements:
        digest.update(repr(element).encode())
    return str(int.from_bytes(digest.digest(), "big"))


def _related(out: OutMap, relations: set[int]) -> set[int]:
    return {
        member.ref
        for key in relations
        for member in out.relations[key].members
        if member.type == "relation"
    }
