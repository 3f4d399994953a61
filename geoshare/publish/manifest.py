"""Manifests: which files are a collection's current version, and what is in them.

``packs/{collection}/manifest.json`` names the parts of a vector collection,
``packs/{collection}/rasters.json`` the assets of a raster collection. Both are replaced atomically;
``version`` rises by one with each. It is for the inside only: consumers see tokens of their views.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geoshare.model.box import Box
from geoshare.model.collections import Collection, check_name, from_schema, is_name
from geoshare.model.rasters import RasterAsset
from geoshare.publish.files import read_json, write_json
from tiles.arrays import Kind
from tiles.pack import PartInfo

FORMAT = 2
VECTOR, RASTER = "manifest.json", "rasters.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of a vector collection.

    ``sequence`` is the newest change set in it, ``base_sequence`` the newest in the parts that are
    no deltas. ``time_extent`` is in microseconds; either end is None where nothing states it.
    """

    collection: str
    version: int
    sequence: int
    base_sequence: int
    schema: dict[str, Any]
    kinds: dict[str, Kind]
    parts: tuple[PartInfo, ...]
    count: int
    extent: Box | None
    time_extent: tuple[int | None, int | None] = (None, None)

    @property
    def deltas(self) -> tuple[PartInfo, ...]:
        """Parts that change earlier ones."""
        return tuple(part for part in self.parts if part.is_delta)

    @property
    def described(self) -> Collection:
        """The collection with the schema this version has."""
        return from_schema(self.collection, self.schema)


@dataclass(frozen=True, slots=True)
class RasterManifest:
    """One version of a raster collection. Paths of assets are names under the objects folder."""

    collection: str
    version: int
    sequence: int
    schema: dict[str, Any]
    assets: tuple[RasterAsset, ...]

    @property
    def described(self) -> Collection:
        """The collection with its schema."""
        return from_schema(self.collection, self.schema)


def pack_folder(packs_dir: Path, collection: str) -> Path:
    """Where a collection's pack lies; BadRequest for what cannot be a collection's name."""
    return packs_dir / check_name(collection)


def read_manifest(packs_dir: Path, collection: str) -> Manifest | None:
    """The current manifest of a vector collection; None where nothing is published."""
    said = _read(pack_folder(packs_dir, collection) / VECTOR)
    if said is None:
        return None
    extent, times = said["extent"], said["time_extent"]
    return Manifest(
        collection=said["collection"],
        version=said["version"],
        sequence=said["sequence"],
        base_sequence=said["base_sequence"],
        schema=said["schema"],
        kinds={name: Kind(kind) for name, kind in said["kinds"].items()},
        parts=tuple(PartInfo.from_json(part) for part in said["parts"]),
        count=said["count"],
        extent=None if extent is None else Box(*extent),
        time_extent=(times[0], times[1]),
    )


def is_of_another_format(packs_dir: Path, collection: str, file: str = VECTOR) -> bool:
    """Whether there is a manifest, written by another version of the product."""
    said = read_json(pack_folder(packs_dir, collection) / file)
    return isinstance(said, dict) and "format" in said and said["format"] != FORMAT


def write_manifest(packs_dir: Path, manifest: Manifest) -> None:
    """Make this version the current one."""
    write_json(
        pack_folder(packs_dir, manifest.collection) / VECTOR,
        {
            "format": FORMAT,
            "collection": manifest.collection,
            "version": manifest.version,
            "sequence": manifest.sequence,
            "base_sequence": manifest.base_sequence,
            "schema": manifest.schema,
            "kinds": {name: str(kind) for name, kind in manifest.kinds.items()},
            "parts": [part.to_json() for part in manifest.parts],
            "count": manifest.count,
            "extent": None if manifest.extent is None else list(manifest.extent),
            "time_extent": list(manifest.time_extent),
        },
    )


def read_raster_manifest(packs_dir: Path, collection: str, objects_dir: Path) -> RasterManifest | None:
    """The current manifest of a raster collection, with whole paths; None where there is none."""
    said = _read(pack_folder(packs_dir, collection) / RASTER)
    if said is None:
        return None
    assets = (RasterAsset.from_dict(item) for item in said["assets"])
    return RasterManifest(
        collection=said["collection"],
        version=said["version"],
        sequence=said["sequence"],
        schema=said["schema"],
        assets=tuple(replace(asset, path=str(objects_dir / asset.path)) for asset in assets),
    )


def write_raster_manifest(packs_dir: Path, manifest: RasterManifest) -> None:
    """Make this version the current one."""
    write_json(
        pack_folder(packs_dir, manifest.collection) / RASTER,
        {
            "format": FORMAT,
            "collection": manifest.collection,
            "version": manifest.version,
            "sequence": manifest.sequence,
            "schema": manifest.schema,
            "assets": [asset.as_dict() for asset in manifest.assets],
        },
    )


def published_names(packs_dir: Path, file: str) -> list[str]:
    """Collections that have a manifest of this kind."""
    names = (path.parent.name for path in packs_dir.glob(f"*/{file}"))
    return sorted(name for name in names if is_name(name))


def joined_extent(boxes: Sequence[Box | tuple[float, float, float, float] | None]) -> Box | None:
    """The box around all of these; None where there is none."""
    found = [box for box in boxes if box is not None]
    if not found:
        return None
    return Box(
        min(box[0] for box in found),
        min(box[1] for box in found),
        max(box[2] for box in found),
        max(box[3] for box in found),
    )


def _read(path: Path) -> Mapping[str, Any] | None:
    said = read_json(path)
    # A manifest of another format is as good as none: the keeper then publishes anew.
    return said if isinstance(said, dict) and said.get("format") == FORMAT else None
