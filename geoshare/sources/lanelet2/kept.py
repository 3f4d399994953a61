"""What is kept of the elements of a map: what they are called here, and a way back without loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from geoshare.model import lanelet2 as words
from geoshare.sources.lanelet2.elements import Element, Elements, Member

_LANE_COLUMNS = ("left", "right", "regulatory_element")  # roles that have a property of their own
OF_RELATIONS = {"lanelet": "lanes", "multipolygon": "areas"}
RULES = "regulatory_elements"  # and whatever else joins elements


def collection_of_way(way: Element, bounding: set[str]) -> str:
    """The collection that a way belongs to; every way is one feature."""
    kind = way.tags.get("type", "")
    if way.id not in bounding:
        if words.truth(way.tags.get("area")):
            return "areas"
        if kind in words.ROADSIDE:
            return "roadside_features"
        if kind in words.STRUCTURES:
            return "structures"
    return "lane_boundaries"


class Naming:
    """Names the members of relations by collection and record."""

    def __init__(self, elements: Elements, bounding: set[str]) -> None:
        self._elements, self._bounding = elements, bounding

    def of(self, member: Member) -> str | None:
        """``collection/record`` of a member; None where the file does not have it."""
        if member.type == "node":
            return f"roadside_features/node/{member.ref}"
        if member.type == "way":
            way = self._elements.ways.get(member.ref)
            return None if way is None else f"{collection_of_way(way, self._bounding)}/{way.id}"
        relation = self._elements.relations.get(member.ref)
        if relation is None:
            return None
        return f"{OF_RELATIONS.get(relation.tags.get('type', ''), RULES)}/{relation.id}"

    def roles(self, members: Iterable[Member]) -> dict[str, list[str]] | None:
        """Members by role, in their order; None where there are none."""
        found: dict[str, list[str]] = {}
        for member in members:
            name = self.of(member)
            if name is not None:
                found.setdefault(member.role, []).append(name)
        return found or None

    def roles_of_lane(self, lanelet: Element) -> dict[str, list[str]] | None:
        """Members of a lanelet in roles that no property of a lane says, such as a centre line."""
        return self.roles(member for member in lanelet.members if member.role not in _LANE_COLUMNS)

    def nodes_of_relations(self) -> set[str]:
        """Nodes that are members of a relation."""
        relations = self._elements.relations.values()
        return {item.ref for one in relations for item in one.members if item.type == "node"}


def kept_relation(relation: Element) -> dict[str, Any]:
    """Id and tags of a relation; its members are said by references."""
    return {"id": relation.id, "tags": dict(relation.tags)}


def kept_way(way: Element, elements: Elements) -> dict[str, Any]:
    """Id, tags and nodes of a way, and the tags of its nodes."""
    tagged = {node: elements.node_tags[node] for node in way.nodes if node in elements.node_tags}
    found = {"id": way.id, "tags": dict(way.tags), "nodes": list(way.nodes)}
    return found | ({"node_tags": tagged} if tagged else {})


def kept_node(node: str, tags: dict[str, str]) -> dict[str, Any]:
    """Id and tags of a node that stands alone."""
    return {"node": node, "tags": dict(tags)}
