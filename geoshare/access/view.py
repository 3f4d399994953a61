"""A view: what one policy leaves of one collection, and the only thing readers are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.access.changes import Boxes, touched_since
from geoshare.access.manifest import ViewManifest
from geoshare.access.order import in_order
from geoshare.model.box import Box
from geoshare.model.collections import Collection, Property, from_schema
from geoshare.model.rasters import RasterAsset, RasterLimits
from tiles.arrays import Column, FeatureTable, Geometries, Kind, Rows
from tiles.generalise import Appearance, DetailRule, appearance
from tiles.geojson import write_features
from tiles.grid import lon_lat_box_to_world
from tiles.pack import Pack, Selection, lookup, materialise, scan, search


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One visible column: its kind in the arrays, and what the schema says of it."""

    name: str
    kind: Kind
    property: Property


@dataclass(frozen=True)
class Layer:
    """Parts opened together, the rows of them that are shown, and their tables as shown.

    ``shown[i]`` is the table of part i with the visible columns and no others.
    """

    pack: Pack
    selection: Selection
    shown: dict[int, FeatureTable]  # by identity of the part's own table
    checksums: tuple[str, ...]  # of the parts' files
    columns: tuple[str, ...]  # visible ones, without those that are null in every row

    def through(self, rows: Rows) -> Rows:
        """Return the same rows, of tables that hold visible columns alone."""
        return Rows(tuple(self.shown[id(table)] for table in rows.tables), rows.numbers)

    def appearing(
        self, detail: tuple[DetailRule, int] | None
    ) -> tuple[Callable[[FeatureTable], Appearance], int] | None:
        """Tell when rows appear from their tables as shown, never from the parts' own."""
        if detail is None:
            return None
        rule, z = detail
        return lambda table: appearance(self.shown[id(table)], rule), z


class View:
    """What one policy shows of one collection. Nothing else reaches a reader.

    Rows come in an order that depends on what is visible alone: along the Hilbert curve and by id.
    Which of them are rewritten does not count: a row may be so for a reference to something hidden.

    Three functions give rows (``search``, ``scan``, ``lookup``); rows lead to columns only through
    tables that hold the visible ones, and columns leave only through ``materialise``.
    """

    def __init__(self, policy_hash: str, manifest: ViewManifest, layers: Sequence[Layer]) -> None:
        self.policy_hash = policy_hash
        self.collection: Collection = from_schema(manifest.collection, manifest.schema)
        self.count = manifest.count
        self.extent: Box | None = manifest.extent
        self.time_extent = manifest.time_extent
        self.token = manifest.token
        self.unchanged = frozenset(manifest.unchanged)  # columns that every row has as they are
        self._steps = manifest.steps
        self._schema = manifest.schema
        self._manifest = manifest
        self._layers = tuple(layers)
        self.columns: tuple[ViewColumn, ...] = tuple(
            ViewColumn(name, Kind(manifest.kinds[name]), _property(self.collection, name))
            for name in manifest.columns
        )

    @cached_property
    def _empty(self) -> FeatureTable:
        return empty_table(self.fields)

    @cached_property
    def fields(self) -> dict[str, Kind]:
        """Kind of each visible column: what a filter may name."""
        return {column.name: column.kind for column in self.columns}

    def has_column(self, name: str) -> bool:
        """Whether a column is visible."""
        return name in self.fields

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the visible properties, a copy."""
        return {**self._schema, "properties": dict(self._schema["properties"])}

    def changes_since(self, token: str) -> Boxes | None:
        """Where the view shows something else than it did under an earlier token.

        Returns
        -------
        World boxes (n, 4) int32 west, south, east, north of the rows that were added, changed (before
        and after) or removed, without any margin; no boxes where the token is the current one; None
        where everything may have changed or the token is not among the last ones.
        """
        return touched_since(self._steps, self.token, token)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The opened parts, for who builds views."""
        return self._layers

    def showing(self, layers: Sequence[Layer], token: str) -> View:
        """Return a view of the same columns that shows other rows; it has no extent and no steps."""
        manifest = replace(
            self._manifest, extent=None, time_extent=None, token=token, steps=(), unchanged=()
        )
        made = View(self.policy_hash, manifest, layers)
        made.count = len(made.scan(ordered=False))
        return made

    def search(
        self,
        box: Box | NDArray[np.int64] | Sequence[int],
        limit: int | None = None,
        detail: tuple[DetailRule, int] | None = None,
        *,
        ordered: bool = True,
    ) -> Rows:
        """Rows whose bounding boxes meet a box.

        Parameters
        ----------
        box
            Degrees, or world units as (4,) or (k, 4) west, south, east, north.
        limit
            At most so many rows, the first in the view's order.
        detail
            A rule and a zoom: only rows that appear at the zoom, by the columns that are shown.
        ordered
            Whether the order matters; where it does not, each table comes once.
        """
        world = lon_lat_box_to_world(*box) if isinstance(box, Box) else np.asarray(box, np.int64)
        found = self._join(
            [
                search(layer.pack, layer.selection, world, appearing=layer.appearing(detail))
                for layer in self._layers
            ],
            ordered=ordered or limit is not None,
        )
        # Not in the search of each pack: which rows come first there depends on hidden changes.
        return found if limit is None else found.first(limit)

    def scan(self, *, ordered: bool = True) -> Rows:
        """All rows; each table comes once where their order does not matter."""
        return self._join(
            [scan(layer.pack, layer.selection) for layer in self._layers], ordered=ordered
        )

    def lookup(self, ids: Sequence[str]) -> Rows:
        """Rows of these ids; a hidden id has none, like one that does not exist."""
        return self._join([lookup(layer.pack, layer.selection, ids) for layer in self._layers])

    def materialise(
        self, rows: Rows, columns: Sequence[str] | None = None, geometry: str | None = "wkb"
    ) -> pa.Table:
        """Copy rows out as Arrow columns: ``id``, the columns wanted (all: None) and the geometry.

        Raises
        ------
        KeyError
            for a column that is not visible.
        """
        names = [column.name for column in self.columns] if columns is None else list(columns)
        return materialise(rows, ["id", *names], geometry)

    def geojson(
        self,
        rows: Rows,
        columns: Sequence[str] | None = None,
        *,
        decimals: int | None = None,
        metres: bool = False,
    ) -> bytes:
        """Comma-joined GeoJSON features of the rows.

        ``decimals`` are the collection's where nothing is said; ``metres`` says that the rows'
        coordinates are lengths, as in a projected system.
        """
        names = [column.name for column in self.columns] if columns is None else list(columns)
        digits = self.collection.decimals if decimals is None else decimals
        written: bytes = write_features(rows, columns=names, decimals=digits, metres=metres)
        return written

    def _join(self, found: Sequence[Rows], *, ordered: bool = True) -> Rows:
        """Rows of all layers in the order of the view; one table stays to tell the columns."""
        through = [layer.through(rows) for layer, rows in zip(self._layers, found, strict=True)]
        pairs = [pair for rows in through for pair in rows.pairs if len(pair[1])]
        if not pairs:
            return Rows((self._empty,), (np.zeros(0, np.int32),))
        joined = Rows(tuple(table for table, _ in pairs), tuple(numbers for _, numbers in pairs))
        return in_order(joined) if ordered else joined


class RasterView:
    """What one policy shows of a collection of rasters."""

    def __init__(self, policy_hash: str, manifest: ViewManifest) -> None:
        self.policy_hash = policy_hash
        self.collection: Collection = from_schema(manifest.collection, manifest.schema)
        self.count = manifest.count
        self.extent: Box | None = manifest.extent
        self.time_extent = manifest.time_extent
        self.token = manifest.token
        self._steps = manifest.steps
        self._schema = manifest.schema
        found = [_asset(said) for said in manifest.assets]
        self.assets: tuple[RasterAsset, ...] = tuple(asset for asset, _ in found)
        self._limits = {asset.id: limits for asset, limits in found}
        self.columns: tuple[ViewColumn, ...] = tuple(
            ViewColumn(name, Kind(manifest.kinds[name]), _property(self.collection, name))
            for name in manifest.columns
        )

    def changes_since(self, token: str) -> Boxes | None:
        """Where the view shows something else than it did under an earlier token.

        Returns
        -------
        World boxes (n, 4) int32 west, south, east, north of the rows that were added, changed (before
        and after) or removed, without any margin; no boxes where the token is the current one; None
        where everything may have changed or the token is not among the last ones.
        """
        return touched_since(self._steps, self.token, token)

    def limits_of(self, asset: RasterAsset) -> RasterLimits:
        """Return what the policy leaves of one asset; KeyError for one that is not of this view."""
        return self._limits[asset.id]

    @cached_property
    def limits(self) -> RasterLimits:
        """Limits that hold for every asset: the strictest of each kind."""
        every = list(dict.fromkeys(self._limits.values()))
        if len(every) == 1:
            return every[0]
        banded = [set(limits.bands) for limits in every if limits.bands is not None]
        bands = tuple(sorted(set.intersection(*banded))) if banded else None
        fences = [shapely.from_wkb(limits.area_wkb) for limits in every if limits.area_wkb is not None]
        area = shapely.to_wkb(shapely.intersection_all(fences)) if fences else None
        return RasterLimits(bands, max((limits.finest_m for limits in every), default=0.0), area)

    def has_column(self, name: str) -> bool:
        """Whether a column is visible."""
        return any(column.name == name for column in self.columns)

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the visible properties, a copy."""
        return {**self._schema, "properties": dict(self._schema["properties"])}


def restrict(table: FeatureTable, kinds: dict[str, Kind], nulled: Sequence[str]) -> FeatureTable:
    """Return the table with these columns alone; null ones where it has none or they are ``nulled``."""
    own = {column.name: column for column in table.columns}
    columns = tuple(
        own[name] if name in own and name not in nulled else _null_column(name, kind, len(table))
        for name, kind in kinds.items()
    )
    return replace(table, columns=columns)


def empty_table(kinds: dict[str, Kind]) -> FeatureTable:
    """Make a table of no rows with these columns."""
    none, start = np.zeros(0, np.int32), np.zeros(1, np.int32)
    bare = FeatureTable(
        ids=Column("id", Kind.STRING, none, None, start, np.zeros(0, np.uint8)),
        id_hash=np.zeros(0, np.uint64),
        geometries=Geometries(np.zeros(0, np.uint8), start, start, start, np.zeros((0, 3))),
        world_xy=np.zeros((0, 2), np.int32),
        columns=(),
        boxes=np.zeros((0, 4), np.int32),
        order_key=np.zeros(0, np.uint64),
    )
    return restrict(bare, kinds, ())


def _null_column(name: str, kind: Kind, rows: int) -> Column:
    types = {Kind.INT: np.int64, Kind.TIMESTAMP: np.int64, Kind.FLOAT: np.float64, Kind.BOOL: np.uint8}
    values = np.zeros(rows, types.get(kind, np.int32))
    texts = kind in (Kind.STRING, Kind.JSON)
    return Column(
        name,
        kind,
        values,
        np.zeros(rows, np.uint8),
        np.zeros(2, np.int32) if texts else None,
        np.zeros(0, np.uint8) if texts else None,
    )


def _property(collection: Collection, name: str) -> Property:
    found = collection.property(name)
    if found is None:
        raise KeyError(name)
    return found


def _asset(said: dict[str, Any]) -> tuple[RasterAsset, RasterLimits]:
    limits = said["limits"]
    wkb = bytes.fromhex(limits["area_wkb"]) if limits["area_wkb"] else None
    bands = None if limits["bands"] is None else tuple(limits["bands"])
    return RasterAsset.from_dict(said["asset"]), RasterLimits(bands, limits["finest_m"], wkb)
