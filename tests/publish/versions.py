"""Packs made by hand, version by version, without a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from geoshare.publish import Packs
from geoshare.publish.build import Piece, cut, write_piece
from geoshare.publish.manifest import Manifest, write_manifest
from tiles.arrays import Kind
from tiles.geometry.convert import from_shapely
from tiles.pack import Pack, PartInfo, materialise, scan

KINDS = {"rank": Kind.INT}
Said = tuple[int, float, float]  # rank, longitude, latitude


class Versions:
    """The versions of one collection of points."""

    def __init__(self, packs_dir: Path, part_rows: int) -> None:
        self.packs = Packs(packs_dir)
        self.folder = packs_dir / "places"
        self.folder.mkdir(parents=True)
        self._part_rows = part_rows

    @property
    def manifest(self) -> Manifest:
        """The current version."""
        found = self.packs.manifest("places")
        assert found is not None
        return found

    def base(self, rows: Mapping[int, Said]) -> None:
        """Begin with these rows, cut into parts."""
        parts = [
            write_piece(self.folder, "base", piece, KINDS)
            for piece in cut(_piece(rows), self._part_rows)
        ]
        self._put(tuple(parts), 1)

    def delta(self, change: Mapping[int, Said | None]) -> None:
        """Add a delta: rows that are new or changed, and None for those that go."""
        there = {number: said for number, said in change.items() if said is not None}
        gone = sorted(_id(number) for number in change.keys() - there.keys())
        info = write_piece(self.folder, "delta", _piece(there), KINDS, tombstones=gone)
        published = self.packs.source("places")
        assert published is not None
        self._put((*published.infos, info), published.manifest.sequence + 1)

    def _put(self, parts: tuple[PartInfo, ...], sequence: int) -> None:
        published = self.packs.source("places")
        version = 1 if published is None else published.manifest.version + 1
        manifest = Manifest("places", version, sequence, 1, {}, KINDS, parts, 0, None)
        write_manifest(self.packs.folder, manifest)
        published = self.packs.source("places")
        assert published is not None
        write_manifest(self.packs.folder, replace(manifest, count=len(published.pack)))


def _id(number: int) -> str:
    return f"f{number:02d}"


def _piece(rows: Mapping[int, Said]) -> Piece:
    table = pa.table(
        {
            "id": pa.array([_id(number) for number in rows], pa.utf8()),
            "rank": pa.array([said[0] for said in rows.values()], pa.int64()),
        }
    )
    points = [shapely.Point(lon, lat) for _, lon, lat in rows.values()]
    return Piece(table, from_shapely(np.array([*points, None], dtype=object)[:-1]))


def content(pack: Pack) -> dict[int, Said]:
    """What a pack holds, by number; every id once."""
    table = materialise(scan(pack, None), ["id", "rank"])
    found: dict[int, Said] = {}
    for row in table.to_pylist():
        number, point = int(row["id"][1:]), shapely.from_wkb(row["geometry"])
        assert number not in found
        found[number] = (row["rank"], point.x, point.y)
    return found
