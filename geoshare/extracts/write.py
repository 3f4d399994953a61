"""Makes an extract: files, terms and a manifest in one zip, in bounded memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyogrio

from geoshare.extracts.archive import write_archive
from geoshare.extracts.block_zip import fits, pack_blocks
from geoshare.extracts.chunks import chunks, feature_chunks
from geoshare.extracts.dictionary import FILE as DICTIONARY
from geoshare.extracts.dictionary import data_dictionary
from geoshare.extracts.formats import SUFFIXES, WRITERS, write_features
from geoshare.extracts.grids import write_grids
from geoshare.extracts.lanelet2 import MAP, write_autoware, write_lanelet2
from geoshare.extracts.layer import Style, layer_of
from geoshare.extracts.opendrive import write_opendrive
from geoshare.extracts.rasters import write_rasters
from geoshare.extracts.request import ExtractRequest, Plan, Selected, plan
from geoshare.extracts.road_maps import OF_FORMAT
from geoshare.extracts.styles import stamp
from geoshare.extracts.terms import TABLE, answers, licences_of, terms, terms_table
from geoshare.extracts.zips import pack
from geoshare.model.policy import Policy, Terms
from geoshare.model.times import iso
from geoshare.query import RasterView, View, Views

MANIFEST: Final = "manifest.json"
TERMS: Final = "LICENCES.txt"
CONVERSION: Final = "conversion.json"  # what another format could not say
TOGETHER: Final = ("pmtiles", *OF_FORMAT)  # one file of all collections
FORMAT: Final = 1
MAX_TILES: Final = 400_000  # of one extract; larger archives are made from the command line
_BLOCK: Final = 1 << 20
Report = Callable[[float, str], None]
Seal = Callable[[str], dict[str, bytes]]


def write_extract(
    request: ExtractRequest,
    policy: Policy,
    views: Views,
    path: Path,
    *,
    now_us: int,
    work_dir: Path,
    progress: Report = lambda fraction, message: None,
    seal: Seal = lambda manifest_sha256: {},
    agreements: Sequence[Terms] = (),
) -> dict[str, Any]:
    """Write an extract to ``path``, which appears whole or not at all.

    Parameters
    ----------
    request, policy, views
        What is wanted, by whom, and what it is taken from.
    now_us
        Moment that is stated as its making, microseconds since 1970.
    work_dir
        Folder for files in the making.
    progress
        Told how far it is, 0 to 1, and with what; may raise to stop it.
    seal
        Told the manifest's SHA-256 before anything leaves; returns files that prove it was recorded.
    agreements
        Terms of the agreements under which the caller has what no licence covers.

    Returns
    -------
    SHA-256 and size of the zip, and features of each collection.

    Raises
    ------
    NotFound, BadRequest
        as :func:`geoshare.extracts.request.plan`.
    """
    made = plan(request, policy, views)
    with tempfile.TemporaryDirectory(dir=work_dir, prefix="extract-") as name:
        folder = Path(name)
        manifest = _write_files(made, folder, now_us, progress)
        (folder / TERMS).write_text(terms(policy, made.views), encoding="utf-8")
        manifest["terms"] = answers(policy, made.views, now_us, agreements)
        (folder / TABLE).write_bytes(terms_table(manifest["terms"]))
        (folder / DICTIONARY).write_bytes(data_dictionary(made.views, _columns(made)))
        manifest["files"] = [_entry(folder, file) for file in _files(folder)]
        (folder / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        manifest_sha256 = _sha256(folder / MANIFEST)
        for file_name, content in seal(manifest_sha256).items():
            (folder / file_name).write_bytes(content)
        aside = folder / "whole.zip"
        by_blocks = request.format in OF_FORMAT and fits(_files(folder))
        (pack_blocks if by_blocks else pack)(folder, _files(folder), aside, now_us)
        found = {
            "sha256": _sha256(aside),
            "size": aside.stat().st_size,
            "manifest_sha256": manifest_sha256,
            "features": {item["id"]: item["features"] for item in manifest["collections"]},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, path)
    progress(1.0, "")
    return found


def _write_files(made: Plan, folder: Path, now_us: int, progress: Report) -> dict[str, Any]:
    """Write a file (or layer) for each collection, and say what is in them."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp(now_us)})
    written, left_out = _write_tiles(made, folder, now_us, progress), []
    written += _write_roads(made, folder, now_us, progress)
    total = sum(view.count for view in made.views) or 1
    done = 0
    for view in made.views:
        before = done / total

        def report(rows: int, before: float = before, name: str = view.collection.name) -> None:
            progress(min(before + rows / total, 0.99), name)

        if isinstance(view, View):
            if made.request.format not in TOGETHER:
                written.append(_write_one(made, made.select(view), folder, now_us, report))
        else:
            said, reason = _write_rasters(made, view, folder, report)
            written += said
            left_out += reason
        done += view.count
    return {
        "format": FORMAT,
        "created": iso(now_us),
        "request": made.request.model_dump(mode="json", exclude_none=True, exclude={"notify"}),
        "crs": made.request.projection.name,
        "policy": made.policy.hash,
        "collections": written,
        "not_included": left_out,
    }


def _write_tiles(made: Plan, folder: Path, now_us: int, progress: Report) -> list[dict[str, Any]]:
    """Write one archive of all vector collections, where it is asked for."""
    asked = made.request
    views = [view for view in made.views if isinstance(view, View)]
    if asked.format != "pmtiles" or not views:
        return []
    name = f"geoshare{SUFFIXES['pmtiles']}"
    _, said = write_archive(
        folder / name,
        made.policy,
        views,
        now_us=now_us,
        zooms=asked.zooms,
        box=made.box,
        threads=1,  # the map has the other processor
        most_tiles=MAX_TILES,
        report=lambda fraction: progress(fraction * 0.9, "tiles"),
    )
    return [entry | {"file": name} for entry in said["collections"]]


def _write_roads(made: Plan, folder: Path, now_us: int, progress: Report) -> list[dict[str, Any]]:
    """Write one road map of all collections, and its report, where it is asked for."""
    asked = made.request.format
    if asked not in OF_FORMAT:
        return []
    progress(0.1, "roads")
    if asked == "autoware":
        name = MAP
        counts, report = write_autoware(folder, made, now_us)
    else:
        name = f"geoshare{SUFFIXES[asked]}"
        write = write_opendrive if asked == "opendrive" else write_lanelet2
        counts, report = write(folder / name, made, now_us)
    (folder / CONVERSION).write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return [
        {
            "id": view.collection.name,
            "title": view.collection.title,
            "title_ja": view.collection.title_ja,
            "file": name,
            "features": counts.get(view.collection.name, 0),
            "version": view.token,
            "licences": licences_of(made.policy, view.collection.name),
        }
        for view in made.views
        if isinstance(view, View)
    ]


def _write_one(
    made: Plan, selected: Selected, folder: Path, now_us: int, report: Callable[[int], None]
) -> dict[str, Any]:
    asked, about = made.request, selected.view.collection
    suffix = SUFFIXES[asked.format]
    name = f"geoshare{suffix}" if asked.format == "gpkg" else f"{about.name}{suffix}"
    area = made.area if selected.cut else None
    count = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal count
        for batch in chunks(selected, area, layer.projection):
            count += batch.num_rows
            yield batch
            report(count)

    def features() -> Iterator[bytes]:
        nonlocal count
        for number, piece in feature_chunks(selected):
            count += number
            yield piece
            report(count)

    style = Style(asked.geometry_as, asked.headings, asked.bom)
    layer = layer_of(selected, asked.projection, style, now_us)
    if asked.format == "geojson" and area is None:
        write_features(folder / name, features())  # by the kernels that write items, ten times faster
    else:
        WRITERS[asked.format](folder / name, layer, counted())
    return {
        "id": about.name,
        "title": about.title,
        "title_ja": about.title_ja,
        "file": name,
        "features": count,
        "crs": layer.projection.name,
        "version": selected.view.token,
        "licences": licences_of(made.policy, about.name),
        **layer.said,
    }


def _columns(made: Plan) -> dict[str, tuple[str, ...]]:
    """The properties that were asked for, by collection, where not all were."""
    names = [view.collection.name for view in made.views]
    found = {name: made.request.columns_of(name) for name in names}
    return {name: columns for name, columns in found.items() if columns is not None}


def _write_rasters(
    made: Plan, view: RasterView, folder: Path, report: Callable[[int], None]
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Write a raster collection; say what is in and what is left out."""
    about = view.collection
    files, reason = write_rasters(made, view, folder, report)
    grids, missing = write_grids(made, view, folder, report)
    files, reason = files + grids, missing or (None if grids else reason)
    said = {
        "id": about.name,
        "title": about.title,
        "title_ja": about.title_ja,
        "rasters": files,
        "features": len(files),
        "version": view.token,
        "licences": licences_of(made.policy, about.name),
    }
    left_out = []
    if reason is not None:
        left_out = [{"id": about.name, "reason": reason.en, "reason_ja": reason.ja}]
    return ([said] if files else []), left_out


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _entry(folder: Path, file: Path) -> dict[str, Any]:
    return {
        "name": file.relative_to(folder).as_posix(),
        "size": file.stat().st_size,
        "sha256": _sha256(file),
    }


def _sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
