"""The roads of a view as the map that TomTom's OpenLR decoder reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import openlr
import shapely
from openlr_dereferencer.maps import Line, MapReader, Node

from geoshare.access.view import View
from geoshare.errors import TooLarge
from geoshare.model.box import Box
from geoshare.network.along import Measured
from geoshare.network.plane import Plane

MOST_ROADS = 30_000
MOST_LOOKS = 1_000_000
FRC = {
    "motorway": openlr.FRC.FRC0,
    "trunk": openlr.FRC.FRC1,
    "primary": openlr.FRC.FRC2,
    "secondary": openlr.FRC.FRC3,
    "tertiary": openlr.FRC.FRC4,
    "unclassified": openlr.FRC.FRC5,
    "residential": openlr.FRC.FRC6,
}
DIVIDED = ("trunk", "primary")  # one-way roads of these are carriageways of one road
COLUMNS = ("class", "subclass", "one_way")
DIGITS = 7  # of degrees (1 cm): roads that end closer together meet

Key = tuple[str, bool]  # a segment, and whether it is used against its line


class Budget:
    """How much may be looked at for one reference: a bad one can lead a decoder in circles."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, looks: int) -> None:
        """Count. Raises TooLarge once it was too much."""
        self._left -= looks
        if self._left < 0:
            raise TooLarge(
                "The reference takes too long to follow",
                message_ja="参照の解決に時間がかかりすぎます",
                parameter="reference",
            )


class Road(Line):  # type: ignore[misc]  # the library has no types
    """One direction of a segment."""

    def __init__(
        self, key: Key, measured: Measured, ends: tuple[Junction, Junction], said: Any
    ) -> None:
        self._key, self._measured, self._ends = key, measured, ends
        self._frc, self._fow = _classes(said)

    line_id = property(lambda self: self._key)
    geometry = property(lambda self: self._measured.line)
    length = property(lambda self: self._measured.length_m)
    start_node = property(lambda self: self._ends[0])
    end_node = property(lambda self: self._ends[1])
    frc = property(lambda self: self._frc)
    fow = property(lambda self: self._fow)

    def distance_to(self, coord: openlr.Coordinates) -> float:
        """Metres from a position in degrees."""
        return self._measured.nearest(*coord).distance_m


class Junction(Node):  # type: ignore[misc]  # the library has no types
    """A place where roads begin and end."""

    def __init__(self, lon_lat: tuple[float, float], budget: Budget) -> None:
        self._lon_lat, self._budget = lon_lat, budget
        self.leaving: list[Road] = []
        self.arriving: list[Road] = []

    node_id = property(lambda self: self._lon_lat)
    coordinates = property(lambda self: openlr.Coordinates(*self._lon_lat))

    def outgoing_lines(self) -> Iterable[Road]:
        """Roads that begin here."""
        self._budget.spend(1 + len(self.leaving))
        return self.leaving

    def incoming_lines(self) -> Iterable[Road]:
        """Roads that end here."""
        self._budget.spend(1 + len(self.arriving))
        return self.arriving

    def connected_lines(self) -> Iterable[Road]:
        """Both."""
        return [*self.outgoing_lines(), *self.incoming_lines()]


class Roads(MapReader):  # type: ignore[misc]  # the library has no types
    """All roads of a view within a box, in both directions where they may be driven so.

    Roads meet where they end at the same place, so this needs no references to connectors, which the
    view may not show.

    Raises
    ------
    TooLarge
        for more than 30,000 segments.
    """

    def __init__(self, view: View, box: Box) -> None:
        rows = view.search(box)
        if len(rows) > MOST_ROADS:
            raise TooLarge(
                f"There are more than {MOST_ROADS} roads around the reference",
                message_ja=f"参照の周囲に{MOST_ROADS}本を超える道路があります",
                parameter="reference",
            )
        self._budget = Budget(MOST_LOOKS)
        self._nodes: dict[tuple[float, float], Junction] = {}
        self._roads: dict[Key, Road] = {}
        wanted = [name for name in COLUMNS if view.has_column(name)]
        for said in view.materialise(rows, wanted).to_pylist():
            line = shapely.from_wkb(said["geometry"])
            if line is not None and line.geom_type == "LineString" and line.length > 0:
                self._add(said, line)

    def _add(self, said: dict[str, Any], line: shapely.LineString) -> None:
        flat = shapely.force_2d(line)
        for against in (False, True):
            if said.get("one_way") == ("forward" if against else "backward"):
                continue
            shape = flat.reverse() if against else flat
            ends = self._node(shape.coords[0]), self._node(shape.coords[-1])
            road = Road((said["id"], against), Measured(shape), ends, said)
            self._roads[road.line_id] = road
            ends[0].leaving.append(road)
            ends[1].arriving.append(road)

    def _node(self, point: tuple[float, ...]) -> Junction:
        place = round(point[0], DIGITS), round(point[1], DIGITS)
        return self._nodes.setdefault(place, Junction(place, self._budget))

    @cached_property
    def _tree(self) -> tuple[shapely.STRtree, list[Road]]:
        roads = list(self._roads.values())
        return shapely.STRtree([road.geometry for road in roads]), roads

    def find_lines_close_to(self, coord: openlr.Coordinates, dist: float) -> Iterable[Road]:
        """Roads within so many metres of a position in degrees."""
        tree, roads = self._tree
        margin = dist / 50_000  # degrees: more than enough up to a latitude of 60 degrees
        around = shapely.box(
            coord.lon - margin, coord.lat - margin, coord.lon + margin, coord.lat + margin
        )
        near = [roads[index] for index in sorted(tree.query(around))]
        self._budget.spend(len(near))
        return [road for road in near if road.distance_to(coord) <= dist]

    def find_nodes_close_to(self, coord: openlr.Coordinates, dist: float) -> Iterable[Junction]:
        """Ends of the roads within so many metres of a position in degrees."""
        self._budget.spend(len(self._nodes))
        away = np.hypot(*Plane(*coord).metres(np.array(list(self._nodes))).T)
        return [node for node, metres in zip(self._nodes.values(), away, strict=True) if metres <= dist]

    def get_line(self, line_id: Key) -> Road:
        """One direction of a segment."""
        return self._roads[line_id]

    def get_lines(self) -> Iterable[Road]:
        """All of them."""
        return self._roads.values()

    def get_linecount(self) -> int:
        """How many there are."""
        return len(self._roads)

    def get_node(self, node_id: tuple[float, float]) -> Junction:
        """The junction at a place."""
        return self._nodes[node_id]

    def get_nodes(self) -> Iterable[Junction]:
        """All of them."""
        return self._nodes.values()

    def get_nodecount(self) -> int:
        """How many there are."""
        return len(self._nodes)


def _classes(said: dict[str, Any]) -> tuple[openlr.FRC, openlr.FOW]:
    """Functional class and form of way; where the view shows no class, the least of both."""
    kind = said.get("class")
    frc = FRC.get(kind or "", openlr.FRC.FRC7)
    if kind == "motorway":
        return frc, openlr.FOW.MOTORWAY
    if said.get("subclass") == "link":
        return frc, openlr.FOW.SLIPROAD
    if kind in DIVIDED and said.get("one_way") in ("forward", "backward"):
        return frc, openlr.FOW.MULTIPLE_CARRIAGEWAY
    return frc, openlr.FOW.SINGLE_CARRIAGEWAY if kind else openlr.FOW.UNDEFINED
