"""Evacuation sites and shelters as places of a list: what lies at one place is one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from geoshare.extracts.maps.frame import Frame
from geoshare.extracts.maps.plane import Plane
from geoshare.model.box import Box
from geoshare.query import View
from geoshare.query.select import in_box
from tiles.arrays import Rows

SITES, SHELTERS = "evacuation_sites", "shelters"
SAME_PLACE_M: Final = 150.0
MOST_PLACES: Final = 3_000
SITE_COLUMNS: Final = (
    "common_id", "name", "name_en", "address", "max_capacity", "notes",
    "hazard_flood", "hazard_landslide", "hazard_storm_surge", "hazard_earthquake", "hazard_tsunami",
    "hazard_great_fire", "hazard_inland_flood", "hazard_eruption",
)  # fmt: skip
SHELTER_COLUMNS: Final = (
    "common_id", "name", "name_en", "address", "max_capacity", "notes", "status", "status_updated_at",
    "people_count", "pets_accepted", "is_welfare_shelter",
)  # fmt: skip
_HAZARDS: Final = tuple(name for name in SITE_COLUMNS if name.startswith("hazard_"))


@dataclass(frozen=True)
class Place:
    """A place with what a site and a shelter there say, as far as it is shown; numbered from 1."""

    east_north: tuple[float, float]  # metres
    site: dict[str, Any] | None
    shelter: dict[str, Any] | None
    number: int = 0
    sheets: tuple[int, ...] = ()

    def says(self, name: str) -> Any:
        """What is said of it: by the shelter first, whose state is kept."""
        for side in (self.shelter, self.site):
            if side is not None and side.get(name) is not None:
                return side[name]
        return None

    @property
    def hazards(self) -> dict[str, bool | None]:
        """What the site is designated for; None where nothing is said."""
        site = self.site or {}
        return {name.removeprefix("hazard_"): site.get(name) for name in _HAZARDS}

    @property
    def state(self) -> str:
        """The shelter's state; ``unknown`` where none is said."""
        return str((self.shelter or {}).get("status") or "unknown")


def collect(
    sites: View | None,
    shelters: View | None,
    plane: Plane,
    frames: Sequence[Frame],
    areas: Sequence[Box],
) -> list[Place]:
    """Places on the frames, numbered in the order of the sheets, from north to south on each."""
    found = _read(sites, SITE_COLUMNS, plane, areas)
    joined = _join(found, _read(shelters, SHELTER_COLUMNS, plane, areas))
    placed = []
    for place in joined:
        on = tuple(frame.number for frame in frames if _is_on(frame, place))
        if on:
            placed.append(replace(place, sheets=on))
    placed.sort(
        key=lambda place: (
            place.sheets[0],
            -place.east_north[1],
            place.east_north[0],
            str(place.says("name")),
        )
    )
    return [replace(place, number=at) for at, place in enumerate(placed[:MOST_PLACES], start=1)]


def _read(
    view: View | None, columns: tuple[str, ...], plane: Plane, areas: Sequence[Box]
) -> list[tuple[tuple[float, float], dict[str, Any]]]:
    if view is None:
        return []
    visible = [name for name in columns if view.has_column(name)]
    found: dict[str, tuple[tuple[float, float], dict[str, Any]]] = {}
    for area in areas:
        rows = view.search(area)
        exact = Rows(rows.tables, tuple(in_box(table, at, area) for table, at in rows.pairs))
        table = view.materialise(exact, visible, "wkb")
        shapes = shapely.from_wkb(table.column("geometry").to_numpy())
        points = shapely.get_coordinates(shapely.point_on_surface(shapes))
        metres = plane.forward(points) if len(points) == table.num_rows else np.zeros((0, 2))
        for said, (east, north) in zip(table.drop(["geometry"]).to_pylist(), metres, strict=False):
            found[said["id"]] = ((float(east), float(north)), said)
    return [found[name] for name in sorted(found)]


def _join(
    sites: list[tuple[tuple[float, float], dict[str, Any]]],
    shelters: list[tuple[tuple[float, float], dict[str, Any]]],
) -> list[Place]:
    """One place for a site and a shelter of one name (or national id) close together."""
    free: dict[str, list[tuple[tuple[float, float], dict[str, Any]]]] = {}
    for at, said in shelters:
        for key in _keys(said):
            free.setdefault(key, []).append((at, said))
    taken: set[str] = set()
    places = []
    for at, said in sites:
        partner = next(
            (
                (there, other)
                for key in _keys(said)
                for there, other in free.get(key, ())
                if other["id"] not in taken
                and np.hypot(there[0] - at[0], there[1] - at[1]) <= SAME_PLACE_M
            ),
            None,
        )
        if partner is not None:
            taken.add(partner[1]["id"])
        places.append(Place(at, said, partner[1] if partner else None))
    places += [Place(at, None, said) for at, said in shelters if said["id"] not in taken]
    return places


def _keys(said: dict[str, Any]) -> list[str]:
    keys = []
    if said.get("common_id"):
        keys.append(f"id {said['common_id']}")
    if said.get("name"):
        plain = unicodedata.normalize("NFKC", said["name"])
        keys.append("name " + "".join(plain.split()))
    return keys


def _is_on(frame: Frame, place: Place) -> bool:
    east, north = place.east_north
    return (
        frame.west_m <= east <= frame.west_m + frame.width_m
        and frame.south_m <= north <= frame.south_m + frame.height_m
    )
