"""What a reader is asked, what it must offer, and how much of anything it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import pyarrow as pa

from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.report import Report

BATCH_ROWS = 4_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most a contribution may ask for; every one is checked while reading, not trusted."""

    file_bytes: int = 50_000_000_000
    unpacked_bytes: int = 20_000_000_000  # of an archive, counted while it is written
    unpacked_ratio: int = 250  # of an archive: unpacked to packed
    archive_members: int = 10_000
    sheet_bytes: int = 400_000_000  # of the parts of an .xlsx together
    table_rows: int = 20_000_000
    columns: int = 1_000
    xml_elements: int = 30_000_000
    raster_pixels: int = 20_000_000_000
    time_steps: int = 5_000


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One file to be read.

    Parameters
    ----------
    provider
        Who sent it.
    work_dir
        A folder for unpacked and converted files; the caller removes it.
    now_us
        Microseconds since 1970; stands in where a scene states no time.
    collection
        The collection the caller says it is; None: found out.
    mapping
        Name of a mapping profile, or {source column: property}; None: found by the columns.
    crs, epoch, vertical
        Horizontal CRS, decimal year, and vertical datum, where the file does not say or says wrongly.
    offset
        x, y, z in metres and heading in radians of a road map's own frame in its CRS, where its header
        does not say or says wrongly.
    accuracy_m
        Metres within which positions are stated to be right; None: not stated.
    encoding
        Text encoding, where detection is not wanted.
    grids_dir
        Folder of geoid and correction grids.
    part
        Stands before row numbers where several files of one archive are read.
    watch
        Is shown the rows as they come, before anything is done to them.
    """

    provider: str
    work_dir: Path
    now_us: int
    collection: str | None = None
    mapping: str | Mapping[str, str] | None = None
    crs: str | None = None
    epoch: float | None = None
    vertical: str | None = None
    offset: tuple[float, float, float, float] | None = None
    accuracy_m: float | None = None
    encoding: str | None = None
    grids_dir: Path | None = None
    bounds: Bounds = Bounds()
    part: str = ""
    watch: Callable[[pa.RecordBatch], None] | None = None


@runtime_checkable
class SourceReader(Protocol):
    """Reads one incoming format. Built-ins stand in READERS; others come by the entry-point group."""

    name: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the file, whose first bytes are ``head``, is this reader's."""
        ...

    def read(
        self, path: Path, request: ReadRequest, report: Report
    ) -> Iterator[FeatureBatch | RasterItem]:
        """Hand over batches and rasters; note repairs and refused rows; BadData refuses the file."""
        ...
