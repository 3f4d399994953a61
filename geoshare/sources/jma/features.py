"""Announced warnings as features of the collection ``warnings``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.model.batch import FeatureBatch
from geoshare.model.drills import called
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.jma.state import Announced, Key
from geoshare.sources.jma.statements import Statement
from geoshare.sources.text import check_digit

COLLECTION = "warnings"
PlaceOf = Callable[[str], BaseGeometry | None]
_PLACES = {"municipality": re.compile(r"([0-9]{5})00"), "prefecture": re.compile(r"([0-9]{2})0000")}
_MAX_NAMED = 20
_TEXTS = (
    "name", "area_code", "area_name", "area_kind", "kind_code", "kind_name", "hazard", "severity",
    "state", "status", "info_type", "condition", "event_id", "headline", "office", "telegram",
)  # fmt: skip
_TIMES = ("reported_at", "target_at", "valid_from", "valid_to")
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in _TEXTS]
    + [("level", pa.int64()), ("serial", pa.int64()), ("municipality_codes", pa.string())]
    + [(name, pa.timestamp("us", "UTC")) for name in _TIMES]
)


def as_batch(
    stream: str, found: Mapping[Key, Announced], place_of: PlaceOf, report: Report
) -> FeatureBatch:
    """One feature for each stream, area and kind.

    ``place_of`` gives the polygon of an administrative code of six digits, or None. A code
    without one is noted, and its feature has no geometry: where the warning holds is then known by
    name alone.
    """
    keys = sorted(found)
    rows = [_row(found[key]) for key in keys]
    shapes = np.empty(len(keys), dtype=object)
    unknown: dict[str, None] = {}
    for number, key in enumerate(keys):
        codes = places(found[key].statement)
        known = {code: place_of(code) for code in codes}
        unknown.update(dict.fromkeys(code for code, shape in known.items() if shape is None))
        if not codes:
            unknown[key[0]] = None
        if codes and all(shape is not None for shape in known.values()):
            shapes[number] = shapely.union_all(list(known.values()))
    if unknown:
        named = ", ".join(list(unknown)[:_MAX_NAMED]) + (" ..." if len(unknown) > _MAX_NAMED else "")
        report.note(messages.telegram_unknown_place(named))
    ids = [f"{stream}/{area}/{kind}" for area, kind in keys]
    return FeatureBatch(COLLECTION, ids, shapes, pa.Table.from_pylist(rows, schema=_SCHEMA))


def places(statement: Statement) -> tuple[str, ...]:
    """The codes (six digits) of the area of a statement; none where it is not made of such areas.

    The agency's codes of municipalities are the five digits of 全国地方公共団体コード and ``00``; other
    last digits are parts of a municipality, whose borders no administrative area has.
    """
    five = statement.municipalities
    if not five and (found := _PLACES.get(statement.area_kind)) is not None:
        match = found.fullmatch(statement.area_code)
        five = (match.group(1).ljust(5, "0"),) if match is not None else ()
    return tuple(code + check_digit(code) for code in five)


def _row(warning: Announced) -> dict[str, Any]:
    said, telegram, end = warning.statement, warning.telegram, warning.ended_by
    last = end or telegram
    until_us = telegram.valid_to_us if end is None else max(end.reported_us, warning.since_us)
    codes = places(said)
    return {
        "name": called(f"{said.area_name} {said.kind_name}".strip(), telegram.status),
        "area_code": said.area_code,
        "area_name": said.area_name or None,
        "area_kind": said.area_kind,
        "municipality_codes": _json(codes) if codes else None,
        "kind_code": said.kind_code,
        "kind_name": said.kind_name or None,
        "hazard": said.hazard,
        "severity": said.severity,
        "level": said.level,
        "state": warning.state,
        "status": telegram.status,
        "info_type": last.info_type,
        "condition": said.condition or None,
        "event_id": telegram.event_id or None,
        "serial": last.serial,
        "headline": last.headline or None,
        "office": last.office or None,
        "telegram": last.title,
        "reported_at": _moment(last.reported_us),
        "target_at": _moment(last.target_us),
        "valid_from": _moment(warning.since_us),
        "valid_to": _moment(until_us),
    }


def _json(codes: tuple[str, ...]) -> str:
    """Codes as a JSON list: lists are text in a batch."""
    return "[" + ",".join(f'"{code}"' for code in codes) + "]"


def _moment(moment_us: int | None) -> datetime | None:
    return None if moment_us is None else datetime.fromtimestamp(moment_us / 1_000_000, UTC)
