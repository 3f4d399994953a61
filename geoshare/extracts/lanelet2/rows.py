"""Rows of the views that a Lanelet2 map is made of, completed so that no reference leads out of it."""

from __future__ import annotations

from collections.abc import Iterable

from geoshare.extracts.request import Plan
from geoshare.extracts.road_maps import LANELET2, LANES
from geoshare.extracts.road_rows import (
    MapRows,
    Row,
    by_id,
    check_size,
    check_some,
    looked_up,
    named,
)
from geoshare.query import View

RULES, BOUNDARIES, AREAS = "regulatory_elements", "lane_boundaries", "areas"


def gather(made: Plan) -> MapRows:
    """What meets the area, the rules of its lanes, all that these refer to, and all boundaries.

    Lanes that are there only because a rule refers to them do not bring their own rules along.

    Raises
    ------
    BadRequest, TooLarge
        There is no lane, or there are too many.
    """
    views = {view.collection.name: view for view in made.views if isinstance(view, View)}
    found = MapRows({name: by_id(views[name], made.select(views[name]).rows) for name in views})
    check_size(found)
    check_some(found, made.request)
    rules = {key for row in found[LANES].values() for key in row.list("regulatory_element_ids")}
    _add(found, views, [RULES], rules)
    wanted = referred(found[RULES].values()) | referred(found[LANES].values())
    _add(found, views, LANELET2, wanted - rules)
    _add(found, views, LANELET2, referred(found[AREAS].values()))
    bounds = named(found[LANES].values(), "left_boundary_id", "right_boundary_id")
    _add(found, views, [BOUNDARIES], {key for key in bounds if key})
    check_size(found)
    return found


def members(row: Row) -> dict[str, list[str]]:
    """Ids that a row refers to by role; of a rule also where only single roles are shown."""
    roles = row.roles("roles")
    for role, name in (("refers", "refers_ids"), ("ref_line", "ref_line_ids")):
        if role not in roles and row.list(name):
            roles[role] = row.list(name)
    return roles


def limits_by_sign(rows: MapRows) -> dict[str, float]:
    """Speed limits in km/h by the signs that say them."""
    found: dict[str, float] = {}
    for row in rows[RULES].values():
        limit = row.number("speed_limit_kmh")
        if limit is not None and row.text("subtype") == "speed_limit":
            found |= dict.fromkeys(members(row).get("refers", ()), limit)
    return found


def referred(rows: Iterable[Row]) -> set[str]:
    """All ids that rows refer to in some role."""
    return {key for row in rows for items in members(row).values() for key in items}


def _add(found: MapRows, views: dict[str, View], names: Iterable[str], ids: set[str]) -> None:
    for name in names:
        missing = ids - found[name].keys()
        if name in views and missing:
            found.of[name] |= looked_up(views[name], missing)
