"""Rasters as readers see them: published assets, and what a policy leaves of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.times import Interval


@dataclass(frozen=True, slots=True)
class RasterAsset:
    """One published raster: a scene, or one time step of a grid. Its file is a COG.

    ``resolution_m`` is the ground sample distance at the centre in metres; ``box`` is in degrees.
    ``release_class`` is that of who sent it, and never told to who sees it.
    """

    id: str
    collection: str
    path: str  # absolute, or an address the reader's GDAL can open
    kind: str  # "scene" or "step"
    datetime_us: int  # UTC microseconds since 1970, the instant it shows
    box: Box
    crs: str
    width: int
    height: int
    resolution_m: float
    bands: tuple[Band, ...]
    properties: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)
    release_class: str = OPEN_CLASS

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a manifest; the opposite of :meth:`from_dict`."""
        return asdict(self) | {"box": list(self.box), "bands": [asdict(band) for band in self.bands]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RasterAsset:
        """Build an asset from a manifest's plain values.

        Raises
        ------
        TypeError
            if a field is missing or unknown.
        """
        bands = tuple(Band(**band) for band in values["bands"])
        return cls(**values | {"box": Box(*values["box"]), "bands": bands})


@dataclass(frozen=True, slots=True)
class RasterLimits:
    """What a policy leaves of a collection's rasters. The default leaves everything.

    Attributes
    ----------
    bands
        names that may be seen; None is all of them.
    finest_m
        pixels are averaged to at least this ground size in metres before anything else sees them.
    area_wkb
        polygon in CRS84 outside of which pixels are empty; None is no fence.
    """

    bands: tuple[str, ...] | None = None
    finest_m: float = 0.0
    area_wkb: bytes | None = None

    def band_indexes(self, asset: RasterAsset) -> tuple[int, ...]:
        """0-based numbers of the asset's bands that may be seen, in file order."""
        return tuple(
            number
            for number, band in enumerate(asset.bands)
            if self.bands is None or band.name in self.bands
        )

    @property
    def unlimited(self) -> bool:
        """Whether nothing is withheld."""
        return self.bands is None and self.finest_m <= 0 and self.area_wkb is None


EVERYTHING = RasterLimits()


def value_of(band: Band, stored: float) -> float | None:
    """Turn a stored number into a value in the band's unit; NaN is unknown, which is not zero.

    Said with the seven digits that a 32-bit number has, so that 0.1 does not become
    0.10000000149011612.
    """
    if math.isnan(stored):
        return None
    value = stored * band.scale + band.offset
    return float(f"{value:.7g}") if band.dtype != "float64" else value


def times(assets: Iterable[RasterAsset]) -> list[int]:
    """Every instant shown by some asset, ascending, each once: the positions of a time slider."""
    return sorted({asset.datetime_us for asset in assets})


def choose_scenes(
    assets: Sequence[RasterAsset], when: Interval | None = None, *, nearest: bool = False
) -> list[RasterAsset]:
    """Choose the assets a mosaic of that time is made of, newest first, ties by id.

    An instant picks the assets of exactly that instant, or with ``nearest`` those of the instant
    nearest to it (the earlier of two equally near); an interval picks all within it, both ends
    included; no time picks all.
    """
    if when is not None and nearest and when.start_us is not None and when.is_instant and assets:
        wanted = when.start_us
        found = min(times(assets), key=lambda moment: (abs(moment - wanted), moment))
        when = Interval(found, found)
    chosen = [asset for asset in assets if when is None or when.contains(asset.datetime_us)]
    return sorted(chosen, key=lambda asset: (-asset.datetime_us, asset.id))
