"""How a part lies in its file: the names of the columns and what is said of them in the header.

A part is one uncompressed Arrow IPC file with one record batch of n rows. Arrays that are not n
long are the children of nested columns, so every array of ``tiles.arrays`` is one buffer of the
file and is read where it lies:

=================  =============================================================================
column             holds
=================  =============================================================================
``id``             utf8, in the order (detail group, Hilbert key, id)
``id_hash``        uint64, ``tiles.pack.identity.id_hashes``
``id_order``       int32, row numbers in ascending order of ``id_hash``
``order_key``      uint64, detail group in the upper 8 bits, Hilbert key below
``box``            4 x int32, world west, south, east, north: the leaves of the R-tree
``nodes``          list of 4 x int32, all in row 0: the upper levels of the R-tree
``geometry_type``  uint8, ``GeometryType``
``geometry``       list of parts of rings of vertices; a vertex is ``lon_lat_z`` (without z where no
                   vertex of the part has a height), ``world_xy`` and ``zoom``, from which it matters
                   (``tiles.geometry.simplify``)
``tombstone``      dictionary whose values are the ids this part hides; no row refers to them.
                   Only there in a delta part
``=NAME``          values of the property NAME, zero where it is null; text is a dictionary
``?NAME``          uint8, 1 where the property has a value; absent where it has one in every row
=================  =============================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from tiles.arrays import Kind
from tiles.pack.sums import Sums

FORMAT_KEY = b"tiles.part"
FORMAT_VERSION = 3
MAX_ROWS = 1 << 20
MAX_GROUP = 255
VALUES = "="
VALID = "?"

BOX = pa.list_(pa.field("item", pa.int32(), nullable=False), 4)
TEXT = pa.dictionary(pa.int32(), pa.utf8())

VALUE_TYPES: Mapping[Kind, pa.DataType] = {
    Kind.STRING: TEXT,
    Kind.JSON: TEXT,
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.uint8(),
    Kind.TIMESTAMP: pa.int64(),
    Kind.DATE: pa.int32(),
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a part says of itself before any of its arrays is read."""

    rows: int
    vertices: int
    kinds: dict[str, Kind]
    nullable: tuple[str, ...]  # properties with a ``?`` column
    is_delta: bool
    rows_digest: str  # of the ids in row order: two parts that share it share their row numbers
    axes: int  # of ``lon_lat_z``: 3, or 2 where no vertex has a height
    sums: dict[str, Sums]  # over all rows, of each property and the geometry (``tiles.pack.sums``)

    def encoded(self) -> dict[bytes, bytes]:
        """The header as schema metadata."""
        text = json.dumps({"version": FORMAT_VERSION, **asdict(self)}, ensure_ascii=False)
        return {FORMAT_KEY: text.encode()}


def decode_header(metadata: Mapping[bytes, bytes] | None) -> Header | None:
    """The header in a schema's metadata; None where it is no part of this version."""
    try:
        said: dict[str, Any] = json.loads((metadata or {})[FORMAT_KEY])
        if said.pop("version") != FORMAT_VERSION:
            return None
        said["kinds"] = {name: Kind(kind) for name, kind in said["kinds"].items()}
        said["nullable"] = tuple(said["nullable"])
        said["sums"] = {
            name: (int(first), int(second)) for name, (first, second) in said["sums"].items()
        }
        return Header(**said)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def vertex_type(axes: int) -> pa.StructType:
    """What a vertex is, with so many axes in degrees and metres."""
    lon_lat_z = pa.list_(pa.field("item", pa.float64(), nullable=False), axes)
    world_xy = pa.list_(pa.field("item", pa.int32(), nullable=False), 2)
    return pa.struct(
        [
            pa.field("lon_lat_z", lon_lat_z, nullable=False),
            pa.field("world_xy", world_xy, nullable=False),
            pa.field("zoom", pa.uint8(), nullable=False),
        ]
    )


def expected_names(header: Header) -> Sequence[str]:
    """The columns a part with this header has, in order."""
    names = ["id", "id_hash", "id_order", "order_key", "box", "nodes", "geometry_type", "geometry"]
    if header.is_delta:
        names.append("tombstone")
    for name in header.kinds:
        names.append(VALUES + name)
        if name in header.nullable:
            names.append(VALID + name)
    return names
