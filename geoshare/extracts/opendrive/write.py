"""One OpenDRIVE file of what a view shows of an area, and the report of what it could not say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from lxml import etree

from geoshare.extracts.opendrive import kept
from geoshare.extracts.opendrive.borders import Ground
from geoshare.extracts.opendrive.elements import road_element
from geoshare.extracts.opendrive.fitted import abreast, fit, keeps_left
from geoshare.extracts.opendrive.frame import choose
from geoshare.extracts.opendrive.furniture import furnish
from geoshare.extracts.opendrive.linking import Linker
from geoshare.extracts.opendrive.model import Losses, Numbers, OutRoad
from geoshare.extracts.opendrive.rules import place_rules
from geoshare.extracts.opendrive.through import name_junctions
from geoshare.extracts.opendrive.xml import add, parsed, written
from geoshare.extracts.request import Plan
from geoshare.extracts.road_maps import COLLECTIONS
from geoshare.extracts.road_rows import MapRows, Row, bounds, check_some, gather
from geoshare.model.times import iso

_OLDEST = (1, 7)  # what states a rule of traffic and joins roads directly


def write_opendrive(path: Path, made: Plan, now_us: int) -> tuple[dict[str, int], dict[str, Any]]:
    """Write a map to ``path``.

    Roads whose elements were kept go out as they came in; all other lanes become roads that are
    fitted to their boundaries.

    Parameters
    ----------
    path, made, now_us
        Where to, the request read against its views, and the moment of making.

    Returns
    -------
    Features of each collection that the map was made of, and the report: roads kept and fitted, the
    largest distances in metres between the views' lines and the file's, what was approximated and
    what was dropped, and how often.

    Raises
    ------
    BadRequest
        There is no lane in the area.
    TooLarge
        There are too many.
    """
    rows = gather(made)
    check_some(rows, made.request)
    shapes = [row.geometry for row in rows["lanes"].values() if row.geometry is not None]
    builder = _Map(rows, shapely.total_bounds(shapes))
    root = builder.build(now_us)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
    counts: dict[str, int] = {name: len(rows[name]) for name in COLLECTIONS if name in rows.of}
    said = {"reference": builder.frame.reference, "bounds": bounds(rows)}
    return counts, builder.losses.said() | said


class _Map:
    """All roads of one file while they are put together."""

    def __init__(self, rows: MapRows, bounds: np.ndarray) -> None:
        self.losses = Losses()
        self._rows = rows
        whole = dict(kept.frames(rows["segments"], kept.by_segment(rows["lanes"])))
        middle = (float(bounds[0] + bounds[2]) / 2, float(bounds[1] + bounds[3]) / 2)
        self.frame = choose((parts[0] for parts in whole.values()), middle)
        self._whole = {key: parts for key, parts in whole.items() if parts[0] == self.frame}
        self.losses.approximated["roads of another frame"] = len(whole) - len(self._whole)
        self._numbers = Numbers()
        self._newer = False  # whether something is written that 1.4 has no word for

    def build(self, now_us: int) -> etree._Element:
        """The whole document."""
        roads: dict[str, OutRoad] = {}
        by_feature: dict[str, OutRoad] = {}
        for key, parts in sorted(self._whole.items(), key=lambda item: _rank(item[1][1])):
            road = kept.build(self._rows["segments"][key], parts, self._numbers)
            roads[road.id] = by_feature[key] = road
        self.losses.kept_roads = len(roads)
        fitted = self._fitted({lane.feature for road in roads.values() for lane in road.lanes})
        roads |= fitted
        name_junctions(fitted)
        controllers = furnish(by_feature, self._rows, self.losses)
        place_rules(fitted, self._rows, self.frame, self.losses)
        names = {key: parsed(row.object("opendrive").get("junction")) for key, row in self._junctions()}
        junctions = Linker(
            roads,
            self.losses,
            Numbers(),
            {key: element for key, element in names.items() if element is not None},
        ).link()
        root = etree.Element("OpenDRIVE")
        self._newer = bool(fitted) or any(item.get("type") == "direct" for item in junctions)
        root.append(self._header(now_us))
        root.extend([road.element for road in roads.values()])
        root.extend(controllers)
        root.extend(junctions)
        return root

    def _junctions(self) -> list[tuple[str, Row]]:
        return list(self._rows["junctions"].items())

    def _fitted(self, done: set[str]) -> dict[str, OutRoad]:
        lanes = {key: row for key, row in self._rows["lanes"].items() if key not in done}
        lanes = self._along_the_ground(lanes)
        found: dict[str, OutRoad] = {}
        if not lanes:
            return found
        left_hand = keeps_left(lanes)
        ground = Ground(self._rows, lanes, self.frame, self.losses)
        for group in abreast(lanes):
            for made in fit(group, ground, left_hand=left_hand, losses=self.losses):
                road = road_element(made, self._numbers.give(), self.losses)
                road.fitted = made.road
                found[road.id] = road
        self.losses.fitted_roads = len(found)
        return found

    def _along_the_ground(self, lanes: dict[str, Row]) -> dict[str, Row]:
        kept_lanes = {key: row for key, row in lanes.items() if row.geometry is not None}
        self.losses.dropped["lanes without a line"] += len(lanes) - len(kept_lanes)
        return kept_lanes

    def _header(self, now_us: int) -> etree._Element:
        """The header: of the kept roads' own map what holds for the frame, with a new box and date."""
        sources = [self._rows["segments"][key].object("opendrive") for key in self._whole]
        versions = [_version(source.get("version")) for source in sources]
        version = max(versions if versions and not self._newer else [_OLDEST, *versions])
        first = parsed(sources[0].get("header")) if sources else None
        header = etree.Element("header") if first is None else first
        header.set("revMajor", str(version[0]))
        header.set("revMinor", str(version[1]))
        header.set("name", header.get("name") or "geoshare")
        header.set("date", iso(now_us)[:19])
        for name, value in self._box().items():
            header.set(name, written(value))
        for child in [child for child in header if child.tag in ("geoReference", "offset")]:
            header.remove(child)
        reference = etree.Element("geoReference")
        reference.text = etree.CDATA(self.frame.reference)
        header.insert(0, reference)
        if any(self.frame.offset):
            names = ("x", "y", "z", "hdg")
            offset = add(header, "offset", **dict(zip(names, self.frame.offset, strict=True)))
            header.insert(1, offset)
        return header

    def _box(self) -> Mapping[str, float]:
        shapes = [row.geometry for row in self._rows["lanes"].values() if row.geometry is not None]
        places = np.vstack([shapely.get_coordinates(shape, include_z=True) for shape in shapes])
        xyz = self.frame.apply(places)
        west, south = np.floor(xyz[:, :2].min(axis=0)) - 10
        east, north = np.ceil(xyz[:, :2].max(axis=0)) + 10
        return {"north": float(north), "south": float(south), "east": float(east), "west": float(west)}


def _rank(shell: etree._Element) -> tuple[int, str]:
    """Roads by number, then by name."""
    key = shell.get("id") or ""
    return (int(key), "") if key.isdecimal() else (1 << 62, key)


def _version(text: object) -> tuple[int, int]:
    try:
        major, minor = str(text).split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return _OLDEST
