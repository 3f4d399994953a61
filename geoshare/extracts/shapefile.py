"""Shapefiles as Japanese GIS expects them: texts in cp932, names of ten bytes, one kind of shape each.

What the format cannot hold is said in the manifest and in the table of shortened names, never passed
over: other letters than cp932 has become ``?``, texts end at 254 bytes, truths are 1 and 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely

from geoshare.errors import TooLarge
from geoshare.extracts.layer import Layer, shape_kinds
from geoshare.extracts.tables import BOM, Columns
from tiles.arrays import GeometryType

MAX_NAME: Final = 10  # bytes
MAX_TEXT: Final = 254  # bytes
MAX_ROWS: Final = 2_000_000  # about what two GB of one file hold
NAMES: Final = "shapefile-names.csv"
_KINDS: Final = {0: ("point", "Point"), 1: ("line", "LineString"), 2: ("polygon", "Polygon")}
_DIMENSION: Final = {
    GeometryType.POINT: 0, GeometryType.MULTIPOINT: 0, GeometryType.LINESTRING: 1,
    GeometryType.MULTILINESTRING: 1, GeometryType.POLYGON: 2, GeometryType.MULTIPOLYGON: 2,
}  # fmt: skip


def write_shp(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write one shapefile, or one for points, lines and polygons each, and the table of names."""
    if len(layer.selected.rows) > MAX_ROWS:
        raise TooLarge(
            "A shapefile cannot hold so many features; ask for a smaller area.",
            parameter="format",
            allowed=f"{MAX_ROWS} features of a collection",
            message_ja="シェープファイルの上限を超えます。範囲を狭めてください。",
        )
    names = short_names(layer.schema.names[:-1])
    kinds = shape_kinds(layer.selected)
    types = {kind for kind, _ in kinds}
    high = " Z" if kinds and all(high for _, high in kinds) else ""  # a missing height would be 0
    dimensions = sorted({_DIMENSION[kind] for kind in types}) or [_usual(layer)]
    files: dict[int, _Part] = {}
    for dimension in dimensions:
        word, kind = _KINDS[dimension]
        several = {item for item in types if _DIMENSION[item] == dimension and item > 3}
        said = (f"Multi{kind}" if several and dimension == 0 else kind) + high
        stem = path.stem if len(dimensions) == 1 else f"{path.stem}_{word}"
        files[dimension] = _Part(path.with_name(f"{stem}.shp"), said, layer, list(names.values()))
    losses = {"letters_replaced": 0, "texts_shortened": 0}
    for batch in batches:
        shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
        row_kinds = shapely.get_dimensions(shapes)
        written = _written(batch, list(names.values()), losses)
        for dimension, part in files.items():
            chosen = row_kinds == dimension
            if dimension == dimensions[0]:
                chosen |= (row_kinds < 0) | (row_kinds > 2)  # without a place
            part.add(written.filter(pa.array(chosen)))
    for part in files.values():
        part.close()
    layer.said.update({name: count for name, count in losses.items() if count})
    layer.said["files"] = [part.path.name for part in files.values()]
    _note_names(path.with_name(NAMES), layer, names)


def short_names(names: list[str]) -> dict[str, str]:
    """Names of at most ten bytes, each once; those that fit stay as they are.

    >>> short_names(["id", "max_capacity_persons", "max_capacity_rooms"])
    {'id': 'id', 'max_capacity_persons': 'max_capaci', 'max_capacity_rooms': 'max_capa_2'}
    """
    taken = {name.lower() for name in names if len(name.encode("cp932", "replace")) <= MAX_NAME}
    found = {}
    for name in names:
        short, number = name, 1
        while len(short.encode("cp932", "replace")) > MAX_NAME or (
            short != name and short.lower() in taken
        ):
            ending = "" if number == 1 else f"_{number}"
            short, number = _cut(name, MAX_NAME - len(ending)) + ending, number + 1
        taken.add(short.lower())
        found[name] = short
    return found


def _cut(text: str, most: int) -> str:
    """The beginning of a text that fits so many bytes of cp932."""
    return text.encode("cp932", "replace")[:most].decode("cp932", "ignore")


class _Part:
    """One file: batches are handed to GDAL some at a time, which appends them."""

    def __init__(self, path: Path, kind: str, layer: Layer, names: list[str]) -> None:
        self.path, self._kind, self._layer, self._names = path, kind, layer, names
        self._system = layer.projection if kind.endswith(" Z") else layer.projection.without_heights()
        self._begun = False

    def add(self, batch: pa.RecordBatch) -> None:
        if batch.num_rows or not self._begun:
            self._write(batch)

    def _write(self, batch: pa.RecordBatch) -> None:
        options: dict[str, Any] = {"append": True} if self._begun else {}
        pyogrio.write_arrow(
            pa.Table.from_batches([batch]),
            self.path,
            driver="ESRI Shapefile",
            geometry_name="geometry",
            geometry_type=self._kind,
            crs=f"EPSG:{self._system.code or 4326}",
            encoding="CP932",
            **options,
        )
        self._begun = True

    def close(self) -> None:
        if not self._begun:
            fields = [pa.field(name, pa.utf8()) for name in self._names]
            empty = pa.schema([*fields, pa.field("geometry", pa.binary())]).empty_table()
            self._write(empty.to_batches()[0] if empty.to_batches() else _nothing(empty.schema))


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _written(batch: pa.RecordBatch, names: list[str], losses: dict[str, int]) -> pa.RecordBatch:
    """The batch with short names and values that the format has."""
    arrays = [_values(array, losses) for array in batch.columns[:-1]]
    return pa.RecordBatch.from_arrays([*arrays, batch.column("geometry")], names=[*names, "geometry"])


def _values(array: pa.Array, losses: dict[str, int]) -> pa.Array:
    if pa.types.is_boolean(array.type):
        return array.cast(pa.int32())
    if pa.types.is_timestamp(array.type):
        texts = pc.strftime(array, "%Y-%m-%dT%H:%M:%SZ")
        return pc.replace_substring_regex(texts, r"\.?0+Z$", "Z")
    if not pa.types.is_string(array.type):
        return array
    distinct = array.dictionary_encode()
    fitted = [_fitted(text, losses) for text in distinct.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(distinct.indices, pa.array(fitted, pa.utf8())).cast(pa.utf8())


def _fitted(text: str, losses: dict[str, int]) -> str:
    encoded = text.encode("cp932", "replace")
    losses["letters_replaced"] += encoded.decode("cp932") != text
    losses["texts_shortened"] += len(encoded) > MAX_TEXT
    return encoded[:MAX_TEXT].decode("cp932", "ignore")


def _usual(layer: Layer) -> int:
    return {"line": 1, "polygon": 2}.get(layer.about.geometry, 0)


def _note_names(path: Path, layer: Layer, names: dict[str, str]) -> None:
    """Add the collection's names to the table of names, which Excel opens."""
    headed = dict(
        zip(*(lambda c: (c.names, c.headings))(Columns(layer, layer.style, "ja")), strict=True)
    )
    lines = [] if path.exists() else ["ファイル/file,短縮名/short name,項目名/name,名称/title"]
    for name, short in names.items():
        title = headed.get(name, name).replace('"', '""')
        lines.append(f'{layer.about.name},{short},{name},"{title}"')
    with open(path, "ab") as file:
        file.write((b"" if path.stat().st_size else BOM) + ("\r\n".join(lines) + "\r\n").encode())
