"""A few packs of known collections for tests of what a policy shows, without a record behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geoshare.access.build import build_views
from geoshare.access.memory import Memory
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.filter import fields_of
from geoshare.model.collections import Collection, known
from geoshare.model.policy import Grant, Policy
from geoshare.model.rasters import RasterAsset
from tiles.geometry.convert import from_shapely
from tiles.pack import Pack, Part, PartInfo, open_part, write_part

Row = tuple[str, Any, dict[str, Any]]  # id, shapely geometry, properties


@dataclass(frozen=True)
class Source:
    version: str
    pack: Pack
    infos: tuple[PartInfo, ...]
    paths: tuple[str, ...]


class Packs:
    """Published packs in a folder, made of rows that a test hands over."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions: dict[str, int] = {}
        self._parts: dict[str, list[PartInfo]] = {}
        self._rasters: dict[str, list[RasterAsset]] = {}
        self._extra: dict[str, Collection] = {}
        self._opened: dict[str, Part] = {}
        self._packs: dict[str, Pack] = {}

    def collections(self) -> dict[str, Collection]:
        return {**known(), **self._extra}

    def publish(self, collection: str, *batches: Sequence[Row]) -> None:
        """Replace a collection by one part for each batch of rows."""
        self._parts[collection] = []
        for rows in batches:
            self._add(collection, rows, None)

    def change(self, collection: str, rows: Sequence[Row], removed: Sequence[str] = ()) -> None:
        """Add a delta part."""
        self._add(collection, rows, removed)

    def _add(self, collection: str, rows: Sequence[Row], tombstones: Sequence[str] | None) -> None:
        kinds = fields_of(self.collections()[collection])
        version = self._versions[collection] = self._versions.get(collection, 0) + 1
        path = self.folder / collection / f"{version}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {
            name: pa.array([properties.get(name) for _, _, properties in rows])
            for name in sorted({key for _, _, properties in rows for key in properties})
        }
        table = pa.table({"id": pa.array([row[0] for row in rows], pa.utf8()), **columns})
        shapes = np.array([row[1] for row in rows] + [None], object)[:-1]
        info = write_part(path, table, from_shapely(shapes), kinds, tombstones=tombstones)
        self._parts[collection].append(info)

    def publish_rasters(self, collection: str, assets: Sequence[RasterAsset]) -> None:
        self._versions[collection] = self._versions.get(collection, 0) + 1
        self._rasters[collection] = list(assets)

    def source(self, collection: str) -> Source | None:
        infos = self._parts.get(collection)
        if not infos:
            return None
        paths = [f"{collection}/{info.name}" for info in infos]
        for path, info in zip(paths, infos, strict=True):
            if path not in self._opened:
                self._opened[path] = open_part(self.folder / path, info)
        parts = [self._opened[path] for path in paths]
        pack = self._packs[collection] = Pack(parts, previous=self._packs.get(collection))
        return Source(str(self._versions[collection]), pack, tuple(infos), tuple(paths))

    def rasters(self, collection: str) -> tuple[str, Sequence[RasterAsset]]:
        return str(self._versions.get(collection, 0)), self._rasters.get(collection, [])


class Town:
    """Packs and the views built from them."""

    def __init__(self, folder: Path) -> None:
        self.packs = Packs(folder / "packs")
        self.views_dir = folder / "views"
        self.views = Views(self.views_dir, self.packs.folder)
        self.memory = Memory()

    def view(self, policy: Policy, collection: str, tick_us: int | None = None) -> View:
        """Bring all views of a policy up to date and open one."""
        build_views(
            [policy],
            self.packs,
            self.views_dir,
            memory=self.memory,
            tick_us=tick_us,
            hash_key=lambda agreement: agreement.encode().ljust(32, b"-"),
        )
        view = self.views.get(policy, collection)
        assert isinstance(view, View)
        return view


def policy(*grants: Mapping[str, Any]) -> Policy:
    return Policy(tuple(Grant.model_validate_json(json.dumps(dict(grant))) for grant in grants))


def features(view: View) -> dict[str, dict[str, Any]]:
    """Every feature of a view by id: its properties, and its geometry as WKT."""
    found = view.materialise(view.scan()).to_pylist()
    shapes = {row["id"]: row.pop("geometry") for row in found}
    return {
        row["id"]: row | {"geometry": None if wkb is None else shapely.from_wkb(wkb).wkt}
        for row, wkb in zip(found, shapes.values(), strict=True)
    }
