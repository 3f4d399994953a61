"""What two car makers' vehicles have seen beside the town's main streets.

The same things as the map company's, each with its own errors and gaps, and one sign that is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from sample_data.formats.files import write_geojson
from sample_data.formats.maps import roadside
from sample_data.town.frame import ORIGIN_PLANE, random_numbers
from sample_data.town.town import Town

CENTRE_M, REACH_M = (100.0, 100.0), 420.0


@dataclass(frozen=True)
class Fleet:
    """How one maker's vehicles see: what they miss, how far off they are, what they read wrongly."""

    name: str
    misses: Callable[[int], bool]
    off_m: tuple[float, float]  # east, north: of every position
    noise_m: float
    heights: bool
    misreads: int  # of so many signs one


MAKER_A = Fleet("A", lambda number: number % 3 == 0, (0.25, -0.15), 0.08, True, 1_000)
MAKER_B = Fleet("B", lambda number: number % 4 == 1, (-0.30, 0.20), 0.12, False, 3)


def write_maker_a(town: Town, path: Path) -> None:
    """Seen by maker A, with a new sign."""
    x, y = CENTRE_M
    new = {"class": "sign", "subtype": "jp329", "height_m": 2.4}
    _write(town, path, MAKER_A, [(new, shapely.Point(x + 61.0, y - 37.0))])


def write_maker_b(town: Town, path: Path) -> None:
    """Seen by maker B."""
    _write(town, path, MAKER_B, [])


def _write(
    town: Town, path: Path, fleet: Fleet, more: list[tuple[dict[str, Any], shapely.Geometry]]
) -> None:
    rng = random_numbers(f"fleet {fleet.name}")
    seen, signs = [], 0
    for number, row in enumerate(roadside(town)):
        place = np.array(row["geometry"].coords[0][:2]) - ORIGIN_PLANE
        if np.hypot(*(place - CENTRE_M)) > REACH_M:
            continue
        at = place + fleet.off_m + rng.normal(0.0, fleet.noise_m, 2)
        if fleet.misses(number):
            continue
        said = {"class": row["class"], "subtype": row["subtype"]}
        if row["class"] == "sign":
            signs += 1
            if signs % fleet.misreads == 0:
                said["subtype"] = "jp325"
        if fleet.heights:
            said["height_m"] = round(row["height_m"] + float(rng.normal(0.0, 0.1)), 1)
        seen.append((said, shapely.Point(at)))
    numbered = [
        ({"id": f"{fleet.name}-{number:04d}", **said}, shape)
        for number, (said, shape) in enumerate([*seen, *more], 1)
    ]
    write_geojson(path, f"roadside_{fleet.name.lower()}", numbered)
