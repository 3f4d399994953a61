"""Raster collections: a manifest that lists their files."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Connection

from geoshare.model.batch import Band
from geoshare.model.collections import Collection
from geoshare.model.rasters import RasterAsset
from geoshare.publish.manifest import (
    RASTER,
    RasterManifest,
    is_of_another_format,
    read_raster_manifest,
    write_raster_manifest,
)
from geoshare.store import reading
from geoshare.store.files import Files
from geoshare.store.rows import StoredRaster

log = logging.getLogger(__name__)


def publish_rasters(
    connection: Connection, collection: Collection, packs_dir: Path, sequence: int
) -> bool:
    """Bring the manifest of a raster collection up to ``sequence``; tells whether it was behind."""
    objects_dir = packs_dir.parent / "objects"
    current = _current(packs_dir, collection.name, objects_dir)
    if current is not None and current.sequence >= sequence:
        return False
    files = Files(packs_dir.parent)
    assets = [
        _asset(collection.name, row, files.object(row.object_sha256).relative_to(objects_dir))
        for row in reading.rasters(connection, collection.name)
    ]
    write_raster_manifest(
        packs_dir,
        RasterManifest(
            collection=collection.name,
            version=1 if current is None else current.version + 1,
            sequence=sequence,
            schema=collection.schema,
            assets=tuple(assets),
        ),
    )
    return True


def _current(packs_dir: Path, name: str, objects_dir: Path) -> RasterManifest | None:
    """What is published, if it can be read; else it is published anew, and the log says why."""
    try:
        if is_of_another_format(packs_dir, name, RASTER):
            log.warning("%s: the manifest is of another format and is written anew", name)
        return read_raster_manifest(packs_dir, name, objects_dir)
    except (ValueError, KeyError, TypeError) as error:
        log.warning("%s: the manifest is damaged and written anew: %r", name, error)
        return None


def _asset(collection: str, row: StoredRaster, path: Path) -> RasterAsset:
    said = row.content
    return RasterAsset(
        id=row.id,
        collection=collection,
        path=str(path),
        kind=row.kind,
        datetime_us=row.datetime_us,
        box=row.box,
        crs=said["crs"],
        width=said["width"],
        height=said["height"],
        resolution_m=said["resolution_m"],
        bands=tuple(Band(**band) for band in said["bands"]),
        properties=said["properties"],
        release_class=row.release_class,
    )
