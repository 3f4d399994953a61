"""What changed between two files, or between two times of a collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import shapely

from geoshare.access.credentials import Principal
from geoshare.derive.requests import DifferenceInputs
from geoshare.errors import BadRequest, GeoshareError, TooLarge
from geoshare.extracts.maps.changes import Difference, draw_changes
from geoshare.merge.difference import ACCURACY_M, Changes, as_geojson, compare
from geoshare.model.batch import FeatureBatch
from geoshare.model.box import Box
from geoshare.model.collections import Collection, known
from geoshare.model.report import Report
from geoshare.model.things import Member, Thing
from geoshare.model.times import parse_instant, parse_interval
from geoshare.query.items import matching
from geoshare.sources import ReadRequest, read_file
from geoshare.sources.lanelet2 import read_primitives
from geoshare.sources.reading import pick
from geoshare.store.reading import scan_features, sequence_at

if TYPE_CHECKING:
    from geoshare.services import Services

MOST_SEEN: Final = 20_000
"""Features of one view that are compared while somebody waits."""
MOST: Final = 2_000_000
"""Things of one map that are compared."""
SIZE_PX: Final = (1600, 1200)


def compare_files(
    before: Path,
    after: Path,
    work_dir: Path,
    *,
    accuracy_m: float = ACCURACY_M,
    crs: str | None = None,
    offset: tuple[float, float, float, float] | None = None,
    grids_dir: Path | None = None,
) -> Changes:
    """Compare two maps in any formats that can be contributed.

    Two Lanelet2 maps are compared node by node, way by way; anything else feature by feature. ``crs``
    and ``offset`` are those of both, and mean what they mean of a contribution.

    Raises
    ------
    BadData
        where one of them cannot be read.
    BadRequest
        where they are too large, or the accuracy is none.
    """
    requests = [
        ReadRequest("", work_dir / name, 0, crs=crs, offset=offset, grids_dir=grids_dir)
        for name in ("before", "after")
    ]
    for request in requests:
        request.work_dir.mkdir(parents=True, exist_ok=True)
    paths = (before, after)
    for path in paths:
        if not path.is_file():
            raise BadRequest(f"there is no file {path}", parameter="FILE", allowed="a file's path")
    primitive = all(_is_osm(path) for path in paths)
    one, other = (
        _bounded(_things(path, request, primitive))
        for path, request in zip(paths, requests, strict=True)
    )
    return compared(one, _under_one_name(one, other), accuracy_m)


def compared(before: Iterable[Thing], after: Iterable[Thing], accuracy_m: float) -> Changes:
    """Compare things; a BadRequest for an accuracy that is none."""
    try:
        return compare(before, after, accuracy_m=accuracy_m)
    except ValueError as error:
        raise BadRequest(
            "The accuracy is out of range", parameter="accuracy_m", allowed="metres above 0"
        ) from error


def picture_of(found: Changes, size_px: tuple[int, int] = SIZE_PX, language: str = "ja") -> bytes:
    """Draw a change set as a PNG: what came, went and moved, on what stayed as it is.

    Raises
    ------
    BadRequest
        where nothing that has changed has a place.
    """
    drawn = []
    for change in found.changes:
        before, after = change.before, change.after
        moved = change.what == "changed" and bool({"moved", "height"} & set(change.aspects))
        kind = change.what if change.what != "changed" else "moved" if moved else "other"
        was = before.shape if before is not None and kind in ("moved", "removed") else None
        drawn.append(Difference(kind, was, None if after is None else after.shape))
    return draw_changes(drawn, size_px, "en" if language == "en" else "ja", _below(found))


def _below(found: Changes) -> list[shapely.Geometry]:
    """What stayed as it was, to be drawn below the changes: points only where there are no lines."""
    shapes = [thing.shape for thing in found.same if thing.shape is not None]
    flat = [shape for shape in shapes if shapely.get_dimensions(shape) > 0]
    lines = any(
        shapely.get_dimensions(change.thing.shape) > 0
        for change in found.changes
        if change.thing.shape is not None
    )
    return flat if flat or lines else shapes


def things_of(
    collection: Collection,
    ids: Iterable[str],
    shapes: Iterable[shapely.Geometry | None],
    properties: Iterable[Mapping[str, Any]],
) -> Iterator[Thing]:
    """Features as things: what refers to others is topology, measures follow from the shape."""
    references = {item.name: item.reference for item in collection.properties if item.reference}
    measures = {item.name for item in collection.properties if item.measure}
    for id_, shape, said in zip(ids, shapes, properties, strict=True):
        members: list[Member] = []
        attributes: dict[str, Any] = {}
        for name, value in said.items():
            if value is None or name in measures:
                continue
            if name in references:
                members += [Member(references[name], item, name) for item in _listed(value)]
            else:
                attributes[name] = value
        yield Thing(collection.name, id_, shape, attributes=attributes, members=tuple(members))


def _listed(value: Any) -> list[str]:
    """Ids that a reference names: one, or a JSON list of them."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return [value]
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _is_osm(path: Path) -> bool:
    try:
        return pick(path, Report(path.name)).name == "lanelet2"
    except GeoshareError:
        return False


def _things(path: Path, request: ReadRequest, primitive: bool) -> Iterator[Thing]:
    report = Report(path.name)
    if primitive:
        yield from read_primitives(path, request, report)
        return
    for item in read_file(path, request, report):
        if isinstance(item, FeatureBatch):
            about = known().get(item.collection) or Collection(item.collection, "", "")
            yield from things_of(about, item.record_ids, item.geometry, item.properties.to_pylist())


def _under_one_name(before: list[Thing], after: list[Thing]) -> list[Thing]:
    """Let one layer be compared with one layer, however the files and so the layers are called."""
    kinds, others = ({thing.kind for thing in things} for things in (before, after))
    if kinds == others or len(kinds) != 1 or len(others) != 1:
        return after
    return [replace(thing, kind=next(iter(kinds))) for thing in after]


def _bounded(things: Iterable[Thing]) -> list[Thing]:
    found = []
    for thing in things:
        found.append(thing)
        if len(found) > MOST:
            raise BadRequest(
                "The map is too large to be compared", parameter="FILE", allowed=f"{MOST} things"
            )
    return found


def compare_seen(services: Services, who: Principal, said: DifferenceInputs) -> dict[str, Any]:
    """What changed between two times in a box of a collection, as the caller saw it at both.

    Raises
    ------
    Gone
        where it is not known what was shown at one of the times.
    TooLarge
        for a box of too many features.
    BadRequest, NotFound, Withheld
        as the views do.
    """
    services.view(who, said.collection, "process")
    sides = []
    for moment, name in ((said.since, "since"), (said.until, "until")):
        if moment is not None:
            _come(services, moment, name)
        view = services.view_at(who, said.collection, moment)
        rows = matching(view, Box(*said.bbox))
        if len(rows) > MOST_SEEN:
            raise TooLarge(
                "There are too many features in the box",
                parameter="bbox",
                allowed=f"a box of at most {MOST_SEEN} features",
                message_ja="範囲内の地物が多すぎます",
            )
        table = view.materialise(rows)
        shapes = shapely.from_wkb(table.column("geometry").to_numpy())
        properties = table.drop_columns(["id", "geometry"]).to_pylist()
        ids = table.column("id").to_pylist()
        sides.append(list(things_of(view.collection, ids, shapes, map(_told, properties))))
    before, after = sides
    return as_geojson(compared(before, after, said.accuracy_m))


def picture_of_said(said: dict[str, Any]) -> bytes:
    """Draw a change set that is GeoJSON; as :func:`picture_of`."""
    drawn = []
    for item in said["features"]:
        about = item["properties"]
        kind = about["change"]
        if kind == "changed":
            kind = "moved" if {"moved", "height"} & set(about["aspects"]) else "other"
        shape, was = (_read(part) for part in (item["geometry"], about.get("was")))
        drawn.append(
            Difference(kind, shape if kind == "removed" else was, None if kind == "removed" else shape)
        )
    return draw_changes(drawn, SIZE_PX)


def _read(said: dict[str, Any] | None) -> shapely.Geometry | None:
    return None if said is None else shapely.from_geojson(orjson.dumps(said))


def _told(properties: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in properties.items()
    }


def compare_times(
    services: Services, name: str, since: str, until: str | None, accuracy_m: float = ACCURACY_M
) -> Changes:
    """Compare a collection of the record as it was known at two times; for the operator's own hand.

    Parameters
    ----------
    services, name
        Whose record, and which collection of it.
    since, until
        RFC 3339 instants; None: now.

    Raises
    ------
    BadRequest
        for a collection that is none, a text that is no instant, or a time that has not come.
    """
    about = services.record.collections().get(name)
    if about is None or about.kind != "vector":
        raise BadRequest("there is no such collection of features", parameter="COLLECTION")
    moments = [
        _come(services, since, "--from"),
        None if until is None else _come(services, until, "--to"),
    ]
    with services.record.snapshot() as connection:
        one, other = (_bounded(_recorded(connection, about, moment_us)) for moment_us in moments)
    return compared(one, other, accuracy_m)


def _come(services: Services, text: str, parameter: str) -> int:
    """A time that has come, in microseconds: of one that lies ahead nobody knows what is shown."""
    moment_us = parse_instant(text, parameter)
    if (parse_interval(text, parameter).start_us or 0) > services.clock.now_us():  # of a day its first
        raise BadRequest(
            "The time lies ahead",
            parameter=parameter,
            allowed="a time that has come",
            message_ja="未来の時刻は指定できません",
            allowed_ja="現在までの時刻",
        )
    return moment_us


def _recorded(connection: Any, about: Collection, moment_us: int | None) -> Iterator[Thing]:
    sequence = None if moment_us is None else sequence_at(connection, moment_us)
    for chunk in scan_features(connection, about.name, at_sequence=sequence):
        shapes = shapely.from_wkb(np.array(chunk.geometry, object))
        yield from things_of(about, chunk.ids, shapes, map(orjson.loads, chunk.properties))
