"""Raster items of one contribution: rows of the record, and files under their own checksum."""

from __future__ import annotations

import dataclasses

import orjson

from geoshare.errors import BadData
from geoshare.merge import Identities
from geoshare.model.batch import RasterItem
from geoshare.model.collections import check_name
from geoshare.store import Record
from geoshare.store.changeset import ChangeSet
from geoshare.store.chunk import Chunk
from geoshare.store.files import Files, digest
from geoshare.store.rows import Contribution, StoredRaster


class RasterWriter:
    """Writes raster items under one change set."""

    def __init__(self, record: Record, changeset: ChangeSet, row: Contribution, files: Files) -> None:
        self.taken = 0
        self.said = False  # whether anything changes by what was written
        self._changeset = changeset
        self._row = row
        self._files = files
        self._collections = record.collections()
        self._identities = Identities(record.secret, self._collections, row.release_class)

    def write(self, item: RasterItem) -> None:
        """Write one item and move its file into the store; an unchanged one changes nothing.

        Raises BadData where the collection is none of rasters: nothing could show it.
        """
        self._check(item.collection)
        sha256, size = digest(item.path)
        content = {
            "footprint": item.footprint_wkb.hex(),
            "crs": item.crs,
            "width": item.width,
            "height": item.height,
            "resolution_m": item.resolution_m,
            "bands": [dataclasses.asdict(band) for band in item.bands],
            "properties": item.properties,
        }
        provider = self._row.provider
        row = StoredRaster(
            id=self._identities.of_records(item.collection, provider, [item.record_id])[0],
            provider=provider,
            record_id=item.record_id,
            contribution=self._row.id,
            object_sha256=sha256,
            object_bytes=size,
            kind=item.kind,
            datetime_us=item.datetime_us,
            box=item.box,
            content=content,
        )
        text = orjson.dumps(content, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()

        def put(chunk: Chunk) -> None:
            before = chunk.raster(item.collection, row.id)
            if before is None or (before.object_sha256, before.datetime_us, before.content) != (
                sha256,
                item.datetime_us,
                text,
            ):
                self.said = True
                chunk.put_raster(item.collection, row, text, None if before is None else before.version)

        self._changeset.apply(put)
        self._files.keep_object(item.path, sha256)
        self.taken += 1

    def _check(self, name: str) -> None:
        found = self._collections.get(check_name(name))
        if found is None or found.kind == "vector":
            kinds = sorted(key for key, item in self._collections.items() if item.kind != "vector")
            raise BadData(
                f"{name} is no collection of rasters, and the file holds rasters",
                parameter="collection",
                allowed=", ".join(kinds),
            )
