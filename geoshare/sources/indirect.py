"""Files that point to other files: never followed, since what they point to is not the sender's.

GDAL, HDF5 and SQLite all know formats of a few lines that make the library read another file or
fetch an address. A contribution is its own bytes and nothing else.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import h5py

from geoshare.model.report import Report
from geoshare.sources import messages

LOOKED_AT_BYTES = 65_536  # GDAL decides by the first 1,024
_MARKS = (
    b"<OGRVRTDataSource",
    b"<VRTDataset",
    b"gdal_streamed_alg",
    b"<GDAL_WMS",
    b"<WFSDataSource",
    b"<OGRWFS",
)
_OWN_TABLES = {"rtree", "fts3", "fts4", "fts5"}
_MAX_OBJECTS = 100_000


def refuse_pointers(path: Path, report: Report) -> None:
    """Refuse text that GDAL would take for a description of other sources."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT_BYTES)
    if any(mark in head for mark in _MARKS):
        raise messages.refuse_and_note(report, messages.points_elsewhere())


def refuse_virtual_tables(path: Path, report: Report) -> None:
    """Refuse a GeoPackage with tables that are views of other files (SQLite virtual tables)."""
    try:
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True) as base:
            rows = base.execute(
                "SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%' LIMIT 10000"
            ).fetchall()
        base.close()
    except sqlite3.DatabaseError as error:
        raise messages.refuse_and_note(report, messages.broken("a GeoPackage", "GeoPackage")) from error
    for (statement,) in rows:
        modules = re.findall(r"\bUSING\s+(\w+)", str(statement), re.IGNORECASE)
        if not modules or not {module.lower() for module in modules} <= _OWN_TABLES:
            raise messages.refuse_and_note(report, messages.points_elsewhere())


def refuse_external_arrays(path: Path, report: Report) -> None:
    """Refuse an HDF5 file whose links or arrays lie in other files."""
    try:
        with h5py.File(path, "r") as file:
            groups: list[h5py.Group] = [file]
            seen = 0
            while groups:
                group = groups.pop()
                for name in group:
                    seen += 1
                    link = group.get(name, getlink=True)
                    if isinstance(link, h5py.ExternalLink) or seen > _MAX_OBJECTS:
                        raise messages.refuse_and_note(report, messages.points_elsewhere())
                    if isinstance(link, h5py.SoftLink):
                        continue
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        groups.append(item)
                    elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                        raise messages.refuse_and_note(report, messages.points_elsewhere())
    except (OSError, RuntimeError, KeyError) as error:
        raise messages.refuse_and_note(report, messages.broken("NetCDF", "NetCDF")) from error
