"""From coordinates of another day, and heights above a geoid, to the foundation's: by supplied grids.

Survey maps of Japan are of the reference epoch (元期: 1997.0, or 2011.4 in the east), and
satellite positions of the day they were taken (今期). The yearly SemiDyna grids say how far the ground
has moved in between; what they give is taken off. A geoid grid is added to heights above sea level.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from geoshare.errors import BadData
from geoshare.model import grids
from geoshare.model.grids import Array, Grid

REFERENCE_EPOCHS: Final = (1997.0, 2011.4)
_SAME_YEARS: Final = 0.5
_APRIL: Final = 90 / 365  # the year of the grids begins with the fiscal year
_EARTH_M: Final = 6_371_008.8
JGD2011: Final = ("jgd2011", "EPSG:6695")
JGD2024: Final = "jgd2024"
Watch = Callable[[str, Array], None]  # name of a grid, and by how many metres east, north, up (n, 3)


@dataclass(frozen=True)
class Step:
    """One correction by a grid, applied to longitude, latitude and ellipsoidal height."""

    grids: tuple[Grid, ...]
    kind: str  # geoid: added to heights; epoch: taken off
    needed: bool = True  # whether a place outside of the grid cannot be taken
    watch: Watch | None = None

    @property
    def name(self) -> str:
        """Names of the grids' files."""
        return ", ".join(grid.name for grid in self.grids)

    def apply(self, lon_lat_z: Array) -> Array:
        """Corrected places (n, 3); infinite where the grid is needed and says nothing."""
        return self._raise(lon_lat_z) if self.kind == "geoid" else self._bring_back(lon_lat_z)

    def _raise(self, places: Array) -> Array:
        out = places.copy()
        height = self.grids[0].at(places[:, :2])[:, 0]
        for other in self.grids[1:]:  # islands' own sea level; nothing is said elsewhere
            height += np.nan_to_num(other.at(places[:, :2])[:, 0])
        out[:, 2] += height
        out[np.isnan(height) & np.isfinite(places[:, 2])] = np.inf
        return out

    def _bring_back(self, places: Array) -> Array:
        """The place whose correction leads here, by iteration; shifts change little with the place."""
        grid, start = self.grids[0], places[:, :2]
        for _ in range(3):
            shift = grid.at(start)
            start = places[:, :2] - shift[:, 1::-1] / 3600.0
        out = places.copy()
        known = np.isfinite(shift).all(axis=1)
        out[known, :2] = start[known]
        out[known, 2] -= shift[known, 2]
        if self.needed:
            out[~known] = np.inf
        if self.watch is not None and known.any():
            per_deg = math.pi / 180.0 * _EARTH_M
            narrowing = np.cos(np.radians(places[known, 1]))
            metres = np.column_stack(
                [
                    -shift[known, 1] / 3600.0 * per_deg * narrowing,
                    -shift[known, 0] / 3600.0 * per_deg,
                    -shift[known, 2],
                ]
            )
            self.watch(self.name, metres)
        return out


def is_reference(epoch: float) -> bool:
    """Whether a decimal year is one of the datum's reference epochs."""
    return any(abs(epoch - reference) <= _SAME_YEARS for reference in REFERENCE_EPOCHS)


def epoch_step(
    epoch: float | None, *, japanese: bool, folder: Path | None, watch: Watch | None
) -> Step | None:
    """What brings coordinates of a decimal year to the reference epoch; None where nothing does.

    ``japanese``: the coordinates are on a Japanese datum, so they cannot be taken as they are.

    Raises
    ------
    BadData
        ``grid-missing`` with the grid's name, ``grid-broken``.
    """
    if epoch is None or is_reference(epoch):
        return None
    name = f"SemiDyna{math.floor(epoch - _APRIL)}.par"
    path = grids.find(folder, name.replace(".", r"\."))
    if path is not None:
        return Step((grids.load(path),), "epoch", needed=japanese, watch=watch)
    if not japanese:
        return None
    raise BadData(
        f"Coordinates of {epoch:g} need the semi-dynamic correction {name}, which is not there; put it "
        "into the grids folder, or state no epoch if they are of the reference epoch.",
        code="grid-missing",
        parameter="epoch",
        allowed=f"an epoch whose grid is in the grids folder ({name})",
        message_ja=f"{epoch:g}年(今期)の座標には、セミ・ダイナミック補正の{name}が必要です。"
        "格子フォルダに置くか、元期の座標なら時点(epoch)を指定しないでください。",
    )


def geoid_step(vertical: str, folder: Path | None) -> Step | None:
    """The geoid of a Japanese vertical datum from the authority's own file; None for other datums.

    For JGD2011 heights None as well where no such file is there: PROJ may have the grid.

    Raises
    ------
    BadData
        ``grid-missing`` for ``jgd2024`` without JPGEO2024.isg, ``grid-broken``.
    """
    if vertical.lower() in (JGD2011[0], JGD2011[1].lower()):
        path = grids.find(folder, r"gsigeo2011.*\.asc", r"gsigeo2011.*\.isg")
        return None if path is None else Step((grids.load(path),), "geoid")
    if vertical.lower() != JGD2024:
        return None
    path = grids.find(folder, r"JPGEO2024\.isg")
    if path is None:
        raise BadData(
            "Heights of JGD2024 need the geoid JPGEO2024.isg, which is not there; put it into the "
            "grids folder.",
            code="grid-missing",
            parameter="vertical",
            allowed="a vertical datum whose geoid is in the grids folder (JPGEO2024.isg)",
            message_ja="測地成果2024の標高には、ジオイドJPGEO2024.isgが必要です。格子フォルダに置いてください。",
        )
    islands = grids.find(folder, r"Hrefconv2024\.isg")
    return Step(tuple(grids.load(found) for found in (path, islands) if found is not None), "geoid")
