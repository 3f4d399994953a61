"""Which fitted roads run through a junction: those that part from others or join them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from geoshare.extracts.opendrive.model import OutRoad


def name_junctions(roads: Mapping[str, OutRoad]) -> None:
    """Give roads that begin or end beside others the name of a junction.

    A road through a junction lies between roads that do not: where two such roads follow each other,
    the one with more neighbours is taken. Roads that share an end are in one junction.
    """
    of_lane = {lane.feature: road.id for road in roads.values() for lane in road.lanes}
    after: dict[str, set[str]] = defaultdict(set)
    before: dict[str, set[str]] = defaultdict(set)
    for road in roads.values():
        for lane in road.lanes:
            for key in lane.successors:
                other = of_lane.get(key)
                if other is not None and other != road.id:
                    after[road.id].add(other)
                    before[other].add(road.id)
    beside = {
        key: {other for back in before[key] for other in after[back]}
        | {other for on in after[key] for other in before[on]}
        for key in roads
    }
    inside: set[str] = set()
    for key in sorted(roads, key=lambda key: (-len(beside[key]), key)):
        if len(beside[key]) > 1 and not (before[key] | after[key]) & inside:
            inside.add(key)
    parent = {key: key for key in inside}

    def root(item: str) -> str:
        while parent[item] != item:
            item = parent[item]
        return item

    for key in inside:
        for other in beside[key] & inside:
            first, second = sorted((root(key), root(other)))
            parent[second] = first
    for key in inside:
        roads[key].junction = f"fitted {root(key)}"
