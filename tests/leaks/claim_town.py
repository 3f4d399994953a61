"""A second provider's word on some of the town's features, and what may be told of it.

Both records have the same claims on what is visible. In the full one the claims say other things of
hidden columns, and stand under other licences; which claim won, and why, is told of all tiers.
"""

from __future__ import annotations

import json
import random
from typing import Any

ACCURATE_M, ACCURACY_M = 0.5, 2.0  # as the second provider and the first one state them
DEGREE_M = 111_319.49
ON = {"places": "p", "segments": "s"}  # collections, and how keys of visible rows begin
HIDDEN = {"places": "name_en", "segments": "surface"}
MOST = 14
COLUMNS = ("collection", "ranking", "chosen")


def grant() -> str:
    """What every tier is told of claims."""
    rows = " or ".join(f"collection = '{name}'" for name in ON)
    return "\n".join(
        [
            'collections = ["claims"]',
            'actions = ["explain"]',
            f"columns = {json.dumps(COLUMNS)}",
            f'rows = "{rows}"',
        ]
    )


def features(
    collection: str, first: list[dict[str, Any]], hidden: random.Random, *, full: bool
) -> list[dict[str, Any]]:
    """What the second provider says of some features of the first one's file."""
    keys = [f"{ON[collection]}{number}" for number in range(MOST)]
    there = {feature["id"]: feature for feature in first}
    found = []
    for number, key in enumerate(keys):
        seen = there[key]
        said = {name: seen["properties"][name] for name in ("class", "name")}
        said |= {"id": f"q{number}", "name": said["name"] if number % 3 else "測量"}
        if full:
            said[HIDDEN[collection]] = hidden.choice(("paved", "gravel"))
        shape = beside(seen["geometry"], 0.4 / DEGREE_M)
        found.append({"type": "Feature", "id": said["id"], "properties": said, "geometry": shape})
    return found


def declared(*, full: bool) -> dict[str, Any]:
    """What is stated of the file."""
    return {"accuracy_m": ACCURATE_M, "licence": f"LicenseRef-{'secret' if full else 'plain'}"}


def beside(shape: dict[str, Any], north_deg: float) -> dict[str, Any]:
    """A geometry that lies so many degrees farther north."""

    def moved(at: Any) -> Any:
        if isinstance(at[0], int | float):
            return [at[0], round(at[1] + north_deg, 8)]
        return [moved(inner) for inner in at]

    return {**shape, "coordinates": moved(shape["coordinates"])}
