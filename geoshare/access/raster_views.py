"""Views of raster collections: which assets a policy shows, and what is left of their pixels."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely

from geoshare.access.compile import area_of, treatments, visible_columns
from geoshare.access.digest import token
from geoshare.access.manifest import ViewManifest
from geoshare.access.pictures import said_of, stripped
from geoshare.access.summary import visible_schema
from geoshare.filter import fields_of
from geoshare.filter.literals import instant_us
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from geoshare.model.policy import OPEN_CLASS, Grant
from geoshare.model.rasters import RasterAsset, RasterLimits
from tiles.arrays import Kind
from tiles.geometry.convert import from_shapely
from tiles.pack import Part, open_part, write_part


def raster_manifest(
    collection: Collection,
    grants: Sequence[Grant],
    version: str,
    assets: Sequence[RasterAsset],
    tick_us: int | None = None,
) -> ViewManifest:
    """Say which assets these grants show, each with the limits of one grant that shows it.

    An asset that several grants show gets the limits of the finest of them. Limits of two grants are
    never mixed: bands of one at the resolution of another would be a right that nobody granted. A
    property is shown where some grant leaves it as it is. ``tick_us`` is the keeper's tick, by which
    delays and windows move.
    """
    columns = tuple(
        name
        for name in visible_columns(grants, collection)
        if any(grant.lists(name) and grant.transform(name).kind == "keep" for grant in grants)
    )
    kinds = fields_of(collection)
    shown = _shown(collection, grants, list(assets), tick_us)
    visible = [_strip(asset, columns, limits) for asset, limits in shown]
    said = [
        {"asset": asset.as_dict(), "limits": _plain(limits)}
        for asset, (_, limits) in zip(visible, shown, strict=True)
    ]
    told = [
        said_of(asset, limits) | {"limits": _plain(limits)}
        for asset, (_, limits) in zip(visible, shown, strict=True)
    ]
    moments = [asset.datetime_us for asset in visible]
    schema = visible_schema(collection, columns)
    return ViewManifest(
        collection=collection.name,
        kind=collection.kind,
        schema=schema,
        columns=columns,
        kinds={name: str(kinds[name]) for name in columns},
        count=len(visible),
        extent=_extent(visible),
        time_extent=(min(moments), max(moments)) if moments else None,
        token=token(collection.name, schema, columns, told),
        assets=tuple(said),
        source={"version": version},
    )


def _shown(
    collection: Collection,
    grants: Sequence[Grant],
    assets: list[RasterAsset],
    tick_us: int | None,
) -> list[tuple[RasterAsset, RasterLimits]]:
    if not assets:
        return []
    assets = sorted(assets, key=lambda asset: (asset.datetime_us, asset.id))
    part = _part(collection, assets)
    rows = part.rows_of([asset.id for asset in assets])
    found: dict[str, RasterLimits] = {}
    for grant in sorted(
        grants, key=lambda item: (item.finest_resolution_m or 0.0, item.bands != "all")
    ):
        limits = _limits(grant)
        alive = np.ones(len(part), bool)
        # of which class an asset is stands in no column of these rows: it is looked at below
        every = grant.model_copy(update={"release_classes": "all"})
        groups = treatments((every,), collection, part.table, alive, tick_us)
        hit = {row for group in groups for row in group.rows}
        for asset, row in zip(assets, rows, strict=True):
            released = grant.releases(asset.release_class)
            if released and row in hit and limits.band_indexes(asset):
                found.setdefault(asset.id, limits)
    return [(asset, found[asset.id]) for asset in assets if asset.id in found]


def _limits(grant: Grant) -> RasterLimits:
    fence = area_of(grant) if grant.area is not None else None
    return RasterLimits(
        bands=None if grant.bands == "all" else tuple(grant.bands),
        finest_m=max(grant.finest_resolution_m or 0.0, grant.snap_m),
        area_wkb=None if fence is None else shapely.to_wkb(fence),
    )


def _part(collection: Collection, assets: list[RasterAsset]) -> Part:
    """Assets as rows of the collection's own properties, their boxes as geometry."""
    kinds = fields_of(collection)
    columns = {
        name: pa.array([_value(asset, name, kind) for asset in assets]) for name, kind in kinds.items()
    }
    rows = pa.table({"id": [asset.id for asset in assets], **columns})
    shapes = np.array([shapely.box(*asset.box) for asset in assets], object)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "assets.part"
        write_part(path, rows, from_shapely(shapes), kinds)
        return open_part(path)


def _value(asset: RasterAsset, name: str, kind: Kind) -> Any:
    """Read a property of an asset; its time and its bands are its own."""
    if name == "datetime":
        return datetime.fromtimestamp(asset.datetime_us / 1e6, UTC)
    if name == "bands":
        return orjson.dumps([band.name for band in asset.bands]).decode()
    value = asset.properties.get(name)
    if value is None or kind is Kind.STRING:
        return value
    if kind is Kind.TIMESTAMP:
        return datetime.fromtimestamp(instant_us(value)[0] / 1e6, UTC)
    return orjson.dumps(value).decode() if kind is Kind.JSON else value


def _strip(asset: RasterAsset, columns: Sequence[str], limits: RasterLimits) -> RasterAsset:
    """Leave out of an asset the properties, bands and measurements that are not shown."""
    properties = {name: value for name, value in asset.properties.items() if name in columns}
    if limits.bands is not None and "bands" in properties:
        properties["bands"] = [band.name for band in asset.bands if band.name in limits.bands]
    return stripped(replace(asset, properties=properties, release_class=OPEN_CLASS), limits)


def _plain(limits: RasterLimits) -> dict[str, Any]:
    area = None if limits.area_wkb is None else limits.area_wkb.hex()
    bands = None if limits.bands is None else list(limits.bands)
    return {"bands": bands, "finest_m": limits.finest_m, "area_wkb": area}


def _extent(assets: Sequence[RasterAsset]) -> Box | None:
    if not assets:
        return None
    boxes = np.array([asset.box for asset in assets])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
