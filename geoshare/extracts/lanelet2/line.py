"""One line of a Lanelet2 map on its way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.road_rows import Row

Array = NDArray[np.float64]
_FEWEST: Final = 5  # vertices of a line that is led on


@dataclass
class Line:
    """One boundary: its feature (None where it was made here), its vertices, the ids of its nodes."""

    feature: str | None
    name: str
    places: Array  # (n, 3) longitude, latitude, height
    nodes: list[str | None]  # as they were called in a Lanelet2 map
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # of these nodes
    like: str | None = None  # the feature that it is a stretch of

    def densify(self) -> None:
        """Give a line of few vertices more: who looks at its middle vertex must find its middle."""
        while len(self.places) < _FEWEST:
            middles = (self.places[:-1] + self.places[1:]) / 2
            self.places = np.insert(self.places, np.arange(1, len(self.places)), middles, axis=0)
            nodes: list[str | None] = [self.nodes[0]]
            for node in self.nodes[1:]:
                nodes += [None, node]
            self.nodes = nodes


def line_of(row: Row) -> Line:
    """The line of a feature, with the names of its nodes where they were kept and still fit."""
    places = shapely.get_coordinates(row.geometry, include_z=True)
    kept = row.object("lanelet2")
    nodes = kept.get("nodes")
    fits = isinstance(nodes, list) and len(nodes) == len(places)
    tags = kept.get("node_tags")
    return Line(
        row.id,
        row.id,
        places,
        [str(node) for node in nodes] if isinstance(nodes, list) and fits else [None] * len(places),
        texts_of_texts(tags) if fits else {},
    )


def texts_of_texts(said: object) -> dict[str, dict[str, str]]:
    """Tags by node, as they were kept."""
    if not isinstance(said, Mapping):
        return {}
    return {str(node): texts(tags) for node, tags in said.items()}


def texts(said: object) -> dict[str, str]:
    """Tags, as they were kept."""
    if not isinstance(said, Mapping):
        return {}
    return {str(key): value for key, value in said.items() if isinstance(value, str)}
