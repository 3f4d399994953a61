"""What the road network is made of."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
from shapely.geometry import LineString, Polygon

from sample_data.town.routes import Route


@dataclass(frozen=True)
class Link:
    """One road between two nodes.

    ``line`` runs from ``start`` to ``end``; ``quarter`` names the quarter of a local street.
    """

    id: str
    line: LineString
    route: Route
    start: str = ""
    end: str = ""
    quarter: str = ""
    bridge: str = ""
    tunnel: str = ""
    one_way: str = "no"

    @property
    def half_width_m(self) -> float:
        """From the centre line to the back of the pavement."""
        return (self.route.width_m + self.route.kerb_m) / 2


@dataclass(frozen=True)
class Structure:
    """A bridge, tunnel, breakwater or gate: the line it stands on and what may pass."""

    id: str
    kind: str
    name: str
    kana: str
    name_en: str
    line: LineString
    width_m: float
    clearance_m: float | None = None
    load_t: float | None = None
    link: str = ""


@dataclass(frozen=True)
class Streets:
    """The road network, its nodes by id, structures on it, the railway and the faces between routes."""

    links: list[Link]
    nodes: dict[str, tuple[float, float]]
    structures: list[Structure]
    railway: list[tuple[LineString, str]]
    faces: dict[str, Polygon]
    ground: list[Polygon]

    def named(self, name: str) -> list[Link]:
        """The links of one route."""
        return [link for link in self.links if link.route.name == name]

    @property
    def surface(self) -> shapely.Geometry:
        """All carriageways and pavements above ground as one geometry."""
        open_air = [link for link in self.links if not link.tunnel]
        return shapely.union_all(
            [link.line.buffer(link.half_width_m, quad_segs=4) for link in open_air]
        )
