"""What all roads of one map share: its frame, its links, and the names its features go by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoshare.sources.opendrive.links import END, START, LaneKey, Network
from geoshare.sources.opendrive.places import Frame

Array = NDArray[np.float64]


@dataclass
class MapContext:
    """One map while it is read.

    ``before`` and ``after`` are the lanes that lead to and from each lane as traffic runs; ``rules``
    the regulatory elements of each lane by record id, known before the lanes are made, and ``ruled``
    the lanes of each signal.
    """

    frame: Frame
    network: Network
    version: str
    chord_m: float
    prefix: str = ""
    declared: dict[str, Any] = field(default_factory=dict)  # what the contributor said instead
    before: dict[LaneKey, list[LaneKey]] = field(default_factory=dict)
    after: dict[LaneKey, list[LaneKey]] = field(default_factory=dict)
    rules: dict[LaneKey, list[str]] = field(default_factory=dict)
    ruled: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    connectors: dict[tuple[str, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before, self.after = self.network.joined()
        self.connectors = _joints(self.network)
        for road, signal, lane in self.network.ruled():
            self.rules.setdefault(lane, []).append(self.signal(road, signal))
            self.ruled.setdefault((road, signal), []).append(self.id(*lane))

    def id(self, *parts: object) -> str:
        """The record id of a road (its id), a lane or boundary (road/section/lane), and so on."""
        return self.prefix + "/".join(map(str, parts))

    def signal(self, road: str, signal: str) -> str:
        """The record id of a signal of a road, and of the rule that it is."""
        return self.id(road, "signal", signal)

    def connector(self, road: str, end: int) -> str:
        """The record id of the place at which a road starts or ends."""
        return self.prefix + self.connectors[road, end]

    def source(self) -> dict[str, Any]:
        """What the way back needs to know of the whole map."""
        return {"version": self.version, "header": self.frame.header} | self.declared


def _joints(network: Network) -> dict[tuple[str, int], str]:
    """The ends of roads that meet, under the name of the first of them."""
    parent: dict[tuple[str, int], tuple[str, int]] = {
        (key, end): (key, end) for key in network.roads for end in (START, END)
    }

    def root(item: tuple[str, int]) -> tuple[str, int]:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for one, two in _meetings(network):
        if one in parent and two in parent:
            first, second = sorted((root(one), root(two)))
            parent[second] = first
    return {item: f"{root(item)[0]}/{('start', 'end')[root(item)[1]]}" for item in parent}


def _meetings(network: Network) -> Iterator[tuple[tuple[str, int], tuple[str, int]]]:
    for key, road in network.roads.items():
        for end in (START, END):
            target = road.at[end]
            if target is not None and not target.junction and target.contact is not None:
                yield (key, end), (target.id, target.contact)
    for junction, connections in network.junctions.items():
        for item in connections:
            if item.incoming in network.roads and item.connecting in network.roads:
                for end in network.incoming_ends(junction, item):
                    yield (item.incoming, end), (item.connecting, item.end)
