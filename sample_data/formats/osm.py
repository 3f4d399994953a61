"""OSM XML as Lanelet2 maps use it: nodes by place, ways of nodes, relations of both."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from sample_data.town.frame import Array, to_lon_lat, to_utm

Member = tuple[str, str, int]  # type, role, id


class OsmMap:
    """Collects a map and writes it; one id sequence, nodes at one place are one node."""

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int, int], int] = {}
        self._places: list[tuple[float, float, float]] = []
        self._node_tags: dict[int, dict[str, str]] = {}
        self._ways: list[tuple[int, list[int], dict[str, str]]] = []
        self._relations: dict[int, tuple[list[Member], dict[str, str]]] = {}
        self._next = 1

    def _new_id(self) -> int:
        self._next += 1
        return self._next - 1

    def node(self, xyz: Array) -> int:
        """The node at local metres and height, to the millimetre."""
        key = tuple(round(float(value) * 1000) for value in xyz)
        if key not in self._nodes:
            self._nodes[key] = self._new_id()
            self._places.append(tuple(float(value) for value in xyz))
        return self._nodes[key]

    def tag(self, node: int, tags: dict[str, str]) -> int:
        """The node, with what is said of it."""
        self._node_tags[node] = tags
        return node

    def way(self, xyz: Array, tags: dict[str, str], closed: bool = False) -> int:
        """A way through points (n, 3)."""
        nodes = [self.node(point) for point in xyz]
        number = self._new_id()
        self._ways.append((number, [*nodes, nodes[0]] if closed else nodes, tags))
        return number

    def relation(self, members: list[Member], tags: dict[str, str]) -> int:
        """A relation."""
        number = self._new_id()
        self._relations[number] = (list(members), tags)
        return number

    def add_member(self, relation: int, member: Member) -> None:
        """One more member of a relation."""
        self._relations[relation][0].append(member)

    def write(self, path: Path, map_version: str) -> None:
        """Write the file; ``local_x`` and ``local_y`` are metres in the 100 km square of MGRS."""
        places = np.array(self._places)
        lon_lat, utm = to_lon_lat(places[:, :2]), to_utm(places[:, :2]) % 100_000
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<osm generator="MapMaker A">',
            f'  <MetaInfo format_version="1" map_version="{map_version}"/>',
        ]
        for number, (lon, lat), (x, y), z in zip(
            self._nodes.values(), lon_lat, utm, places[:, 2], strict=True
        ):
            lines.append(f' <node id="{number}" lat="{lat:.9f}" lon="{lon:.9f}">')
            place = {"ele": f"{z:.3f}", "local_x": f"{x:.3f}", "local_y": f"{y:.3f}"}
            lines += _tags(place | self._node_tags.get(number, {}))
            lines.append(" </node>")
        for number, nodes, tags in self._ways:
            lines.append(f' <way id="{number}">')
            lines += [f'  <nd ref="{node}"/>' for node in nodes]
            lines += _tags(tags)
            lines.append(" </way>")
        for number, (members, tags) in self._relations.items():
            lines.append(f' <relation id="{number}">')
            lines += [
                f'  <member type="{kind}" role="{role}" ref="{ref}"/>' for kind, role, ref in members
            ]
            lines += _tags(tags)
            lines.append(" </relation>")
        path.write_text("\n".join([*lines, "</osm>", ""]), "utf-8", newline="\n")


def _tags(tags: dict[str, str]) -> list[str]:
    return [f"  <tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items()]
