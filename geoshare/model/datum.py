"""From the coordinates of a contribution to the foundation's: longitude, latitude, height (CRS84h).

No transformation here is a ballpark one. PROJ leaves heights unchanged, without a word, where the
geoid grid is not installed (JGD2011 heights come out about 37 m wrong in Tokyo); such a
transformation is refused and the grid is named. A file that does not say what its heights refer to
keeps them as they are, and the datum says that it is unknown.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyproj
import pyproj.datadir
import pyproj.network
from numpy.typing import NDArray
from pyproj.crs import CompoundCRS
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from geoshare.errors import BadData
from geoshare.model.batch import Datum
from geoshare.model.box import Box
from geoshare.model.crs import forget
from geoshare.model.reduction import JGD2011, Step, Watch, epoch_step, geoid_step

ELLIPSOIDAL = "ellipsoidal"
_TARGET_2D = "EPSG:4326"
_TARGET_3D = "EPSG:4979"


@dataclass(frozen=True, slots=True)
class Transform:
    """One way from a file's coordinates to CRS84h.

    ``accuracy_m`` is what PROJ states for the operation (None: not stated); ``area`` is where the
    source CRS may be used, ``projected`` whether its coordinates are lengths and not degrees.
    """

    operation: pyproj.Transformer | None
    datum: Datum
    accuracy_m: float | None
    description: str
    area: Box
    projected: bool
    uses_height: bool
    steps: tuple[Step, ...] = ()  # corrections by the operator's grids, after the operation

    def apply(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Longitude, latitude (degrees) and height (metres) of x, y, z (n, 3); x is to the east.

        Coordinates that cannot be transformed become infinite, as in PROJ.
        """
        out = self._operated(xyz)
        for step in self.steps if len(xyz) else ():
            out = step.apply(out)
        return out

    def _operated(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.operation is None or not len(xyz):
            return xyz
        out = xyz.copy()
        if self.uses_height:
            out[:, 0], out[:, 1], out[:, 2] = self.operation.transform(xyz[:, 0], xyz[:, 1], xyz[:, 2])
            unknown = np.isnan(xyz[:, 2])
            if unknown.any():
                flat = self.operation.transform(
                    xyz[unknown, 0], xyz[unknown, 1], np.zeros(unknown.sum())
                )
                out[unknown, 0], out[unknown, 1] = flat[0], flat[1]
                out[unknown, 2] = np.nan
        else:
            out[:, 0], out[:, 1] = self.operation.transform(xyz[:, 0], xyz[:, 1])
        return out


def parse_crs(text: str) -> pyproj.CRS:
    """The coordinate reference system a user or a file names.

    Raises
    ------
    BadData
        ``unknown-crs`` where PROJ does not know it.
    """
    try:
        return pyproj.CRS.from_user_input(text)
    except (CRSError, ValueError, TypeError) as error:
        shown = text if len(text) < 60 else text[:60] + "..."
        raise BadData(
            f"The coordinate reference system '{shown}' is not known.",
            code="unknown-crs",
            parameter="crs",
            allowed="an EPSG code such as EPSG:6668 or EPSG:6677, or WKT",
            message_ja=f"座標参照系「{shown}」が分かりません。",
        ) from error


def use_grids(folder: Path | None) -> None:
    """Let PROJ look for geoid and correction grids in a folder of the operator's own as well."""
    if folder is not None and folder.is_dir():
        known = pyproj.datadir.get_data_dir().split(
            ";" if ";" in pyproj.datadir.get_data_dir() else ":"
        )
        if str(folder) not in known:
            pyproj.datadir.append_data_dir(str(folder))
            _operation.cache_clear()
            forget()


def to_foundation(
    crs: str,
    *,
    has_height: bool,
    vertical: str | None = None,
    epoch: float | None = None,
    source: str = "file",
    grids_dir: Path | None = None,
    watch: Watch | None = None,
) -> Transform:
    """The best transformation from ``crs`` to CRS84h, or a refusal that names what is missing.

    Parameters
    ----------
    crs
        Authority code, WKT or PROJ string of the file's coordinates; may be compound.
    has_height
        Whether the coordinates have a third dimension that matters.
    vertical
        ``ellipsoidal``, ``jgd2011``, ``jgd2024`` or a vertical CRS; overrides what the file says. None
        with a file that says nothing: unknown; heights stay as they are.
    epoch
        Decimal year of the coordinates, kept with the datum; where a semi-dynamic correction of that
        year is among the grids, it is taken off.
    source
        Where the datum was learnt: declared, file, profile or assumed.

    Raises
    ------
    BadData
        ``unknown-crs``, ``grid-missing`` (with the grid's file name), ``no-transformation``.
    """
    use_grids(grids_dir)
    parsed = parse_crs(crs)
    horizontal, found = _split(parsed)
    height = vertical or found
    flat = horizontal.to_2d()
    steps = _steps(flat, height if has_height else None, epoch, grids_dir, watch)
    applied = tuple(step.name for step in steps)
    datum = Datum(_name(flat), epoch, height if has_height else None, source, applied)
    if not has_height or height is None:
        return _transform(flat, pyproj.CRS(_TARGET_2D), datum, steps, uses_height=False)
    if height == ELLIPSOIDAL or any(step.kind == "geoid" for step in steps):
        return _transform(flat.to_3d(), pyproj.CRS(_TARGET_3D), datum, steps, uses_height=True)
    height = JGD2011[1] if height.lower() == JGD2011[0] else height
    upright = parse_crs(height)
    if not upright.is_vertical:
        raise BadData(
            f"'{height}' is not a vertical datum.",
            code="unknown-vertical",
            parameter="vertical",
            allowed="ellipsoidal, jgd2011, jgd2024, or a vertical CRS such as EPSG:6695",
            message_ja=f"「{height}」は鉛直の基準ではありません。",
        )
    compound = CompoundCRS(name=f"{_name(flat)} + {_name(upright)}", components=[flat, upright])
    return _transform(compound, pyproj.CRS(_TARGET_3D), datum, steps, uses_height=True)


def _steps(
    flat: pyproj.CRS,
    height: str | None,
    epoch: float | None,
    folder: Path | None,
    watch: Watch | None,
) -> tuple[Step, ...]:
    """Corrections by the operator's own grids; heights first, they are of the day of the places."""
    geoid = geoid_step(height, folder) if height is not None and height != ELLIPSOIDAL else None
    japanese = any(mark in flat.name.upper() for mark in ("JGD2000", "JGD2011", "JAPAN PLANE"))
    day = epoch_step(epoch, japanese=japanese, folder=folder, watch=watch)
    return tuple(step for step in (geoid, day) if step is not None)


def _split(crs: pyproj.CRS) -> tuple[pyproj.CRS, str | None]:
    """Horizontal part and vertical datum (None: two-dimensional, says nothing about heights)."""
    if crs.is_compound:
        horizontal, upright = crs.sub_crs_list[0], crs.sub_crs_list[1]
        return horizontal, _name(upright)
    if crs.is_bound and crs.source_crs is not None:
        crs = crs.source_crs
    if not (crs.is_geographic or crs.is_projected):
        raise BadData(
            f"'{crs.name}' has no place on the earth: it is neither geographic nor projected.",
            code="unknown-crs",
            parameter="crs",
            allowed="a geographic or projected CRS",
            message_ja=f"座標参照系「{crs.name}」では地球上の位置が決まりません。",
        )
    return crs, ELLIPSOIDAL if len(crs.axis_info) == 3 else None


def _name(crs: pyproj.CRS) -> str:
    found = crs.to_authority(min_confidence=70)
    return f"{found[0]}:{found[1]}" if found else crs.name


def _transform(
    source: pyproj.CRS,
    target: pyproj.CRS,
    datum: Datum,
    steps: tuple[Step, ...],
    *,
    uses_height: bool,
) -> Transform:
    flat = source.sub_crs_list[0] if source.is_compound else source
    operation, accuracy_m, description = _operation(source.to_wkt(), target.to_wkt())
    area = flat.area_of_use
    box = Box(area.west, area.south, area.east, area.north) if area else Box(-180.0, -90.0, 180.0, 90.0)
    return Transform(
        operation, datum, accuracy_m, description, box, bool(flat.is_projected), uses_height, steps
    )


@lru_cache(maxsize=64)
def _operation(source_wkt: str, target_wkt: str) -> tuple[pyproj.Transformer | None, float | None, str]:
    source, target = pyproj.CRS(source_wkt), pyproj.CRS(target_wkt)
    if source.equals(target, ignore_axis_order=True):
        return None, 0.0, "identity"
    pyproj.network.set_network_enabled(False)  # type: ignore[attr-defined]
    try:
        with (
            warnings.catch_warnings()
        ):  # "best transformation is not available": said below, as a refusal
            warnings.simplefilter("ignore")
            group = TransformerGroup(source, target, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise _none(source) from error
    if not group.best_available:
        raise _missing(source, group)
    if not group.transformers:
        raise _none(source)
    chosen = group.transformers[0]
    accuracy = chosen.accuracy if chosen.accuracy is not None and chosen.accuracy >= 0 else None
    return chosen, accuracy, chosen.description


def _missing(source: pyproj.CRS, group: TransformerGroup) -> BadData:
    grids = {grid.short_name for item in group.unavailable_operations[:1] for grid in item.grids}
    names = ", ".join(sorted(grids))
    if not names:
        return _none(source)
    return BadData(
        f"The way from {_name(source)} to WGS 84 needs the grid {names}, which is not installed; "
        "put it into the grids folder.",
        code="grid-missing",
        parameter="vertical" if source.is_compound else "crs",
        allowed="a datum whose grids are installed",
        message_ja=f"{_name(source)} から WGS 84 への変換に必要な格子ファイル {names} がありません。"
        "格子フォルダに置いてください。",
    )


def _none(source: pyproj.CRS) -> BadData:
    return BadData(
        f"There is no sound transformation from {_name(source)} to WGS 84.",
        code="no-transformation",
        parameter="crs",
        allowed="a CRS with a known relation to WGS 84",
        message_ja=f"{_name(source)} から WGS 84 への確かな変換がありません。",
    )
