"""Things of a map, as they are compared: what each is, where, what is said of it, what it is made of.

A map in OSM XML consists of nodes, ways and relations; any other of features. Both become things, so
that what is compared is what the file says, in its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import shapely


class Member(NamedTuple):
    """A thing that another one is made of, or refers to."""

    kind: str
    id: str
    role: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a map.

    Parameters
    ----------
    kind
        ``node``, ``way``, ``relation``, or the name of a collection.
    id
        Unique among the things of its kind.
    shape
        Longitude, latitude in degrees (CRS84) and, where it is known, height in metres; None: no place.
    placed
        Whether the shape is its own. That of a way is its nodes', and moves with them.
    type
        What it is among those of its kind: ``lanelet``; empty where it is not stated.
    attributes
        What is said of it, by name.
    members
        What it is made of or refers to, in order.
    """

    kind: str
    id: str
    shape: shapely.Geometry | None = None
    placed: bool = True
    type: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
