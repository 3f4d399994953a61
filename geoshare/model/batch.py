"""What a source reader hands over: batches of features and prepared rasters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geoshare.model.box import Box


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """At most a few thousand features of one collection, already in the vocabulary.

    ``geometry`` holds shapely geometries in CRS84h (longitude, latitude, height in metres) or None.
    ``record_ids`` are the provider's own ids, unique within the file; one that begins with ``#`` is
    only a place in the file, and means nothing in a file of another name. ``properties`` has one
    typed column per property of the collection's schema that the source fills; columns named in no
    schema are kept as they are (``extra`` in the schema's words). List- and object-valued properties
    are JSON text. ``title`` is what the source calls the layer, where the collection is made of it.
    """

    collection: str
    record_ids: list[str]
    geometry: NDArray[np.object_]
    properties: pa.Table
    title: str = ""

    def __post_init__(self) -> None:
        if not len(self.record_ids) == len(self.geometry) == self.properties.num_rows:
            raise ValueError("record ids, geometry and properties differ in length")


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a raster: what it holds, its unit, and how stored numbers become values."""

    name: str
    title: str = ""
    unit: str = ""
    dtype: str = ""
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    minimum: float | None = None  # of valid stored numbers, for a first rescale
    maximum: float | None = None
    percentile_2: float | None = None
    percentile_98: float | None = None


@dataclass(frozen=True, slots=True)
class RasterItem:
    """One raster of a collection: a COG in a working folder, to be moved into the store.

    ``kind`` is ``scene`` (satellite, aerial) or ``step`` (one time step of a gridded series).
    """

    collection: str
    record_id: str
    path: Path
    kind: str
    datetime_us: int  # microseconds since 1970, the instant it shows
    box: Box
    footprint_wkb: bytes  # CRS84 polygon
    crs: str  # authority:code or WKT of the file
    width: int
    height: int
    resolution_m: float  # ground sample distance at the centre
    bands: tuple[Band, ...]
    properties: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Datum:
    """What a contribution stands on, and where that was learnt. None is unknown, and stays so."""

    horizontal: str | None = None  # e.g. EPSG:6668
    epoch: float | None = None  # decimal year
    vertical: str | None = None  # e.g. EPSG:6695, or "ellipsoidal"
    source: str = ""  # "declared", "file", "profile", "assumed"
    applied: tuple[str, ...] = ()  # correction grids that were applied, e.g. SemiDyna2026.par


def microseconds(moment: datetime) -> int:
    """UTC microseconds since 1970 of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a datetime without time zone")
    return int(moment.timestamp() * 1_000_000)
