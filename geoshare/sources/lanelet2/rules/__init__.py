"""The rules of Lanelet2 and of Autoware by which a map is checked while it is read.

Lanelet2's own validators are asked of every map. Autoware's requirements (TIER IV's ``vm-*``) hold for
maps made for it alone: those whose nodes have local coordinates or an MGRS square, or that say so in
their ``MetaInfo``.
"""

from __future__ import annotations

import numpy as np

from geoshare.model.findings import Finding
from geoshare.sources.lanelet2.elements import Elements
from geoshare.sources.lanelet2.rules import (
    areas,
    lanes,
    regulations,
    tagging,
    upstream,
    virtual_lights,
)
from geoshare.sources.lanelet2.rules.facts import Array, MapFacts

AUTOWARE = (
    *tagging.RULES,
    *regulations.RULES,
    *areas.RULES,
    *lanes.RULES,
    *virtual_lights.RULES,
)


def for_autoware(elements: Elements) -> bool:
    """Whether a map was made for Autoware."""
    return bool(elements.mgrs or elements.meta or np.isfinite(elements.local_xy).any())


def check(elements: Elements, lon_lat_z: Array | None) -> list[Finding]:
    """What breaks the rules that apply to a map, each breach once.

    ``lon_lat_z`` (n, 3) are the places of its nodes, None where it could not be placed.
    """
    facts = MapFacts(elements, lon_lat_z)
    rules = (*upstream.RULES, *(AUTOWARE if for_autoware(elements) else ()))
    return list(dict.fromkeys(finding for rule in rules for finding in rule(facts)))
