"""Reports as JSON text, as the record and the jobs keep them."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson

from geoshare.model.batch import Datum
from geoshare.model.findings import Finding
from geoshare.model.report import Message, Refusal, Repair, Report


def report_json(report: Report) -> str:
    """A report as JSON text; values that JSON has no form for as text."""
    return orjson.dumps(
        dataclasses.asdict(report),
        default=str,
        option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS,
    ).decode()


def report_from_json(text: str) -> Report:
    """A report from its JSON text."""
    said: dict[str, Any] = orjson.loads(text)
    datum = said.get("datum", {})
    said["datum"] = Datum(**datum | {"applied": tuple(datum.get("applied", ()))})
    said["repairs"] = {
        code: Repair(Message(**item["message"]), item["count"], item["examples"])
        for code, item in said.get("repairs", {}).items()
    }
    said["refusals"] = [
        Refusal(item["row"], Message(**item["message"]), item["values"])
        for item in said.get("refusals", [])
    ]
    said["findings"] = [
        Finding(**item | {"lon_lat": tuple(item["lon_lat"]) if item["lon_lat"] else None})
        for item in said.get("findings", [])
    ]
    said["notes"] = [Message(**item) for item in said.get("notes", [])]
    return Report(**{"file": "", **said})
