"""Lanelet2 maps contributed, shown by views and written again, as tests need it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from geoshare.access.build import build_views
from geoshare.extracts import ExtractRequest, write_extract
from geoshare.extracts.road_maps import COLLECTIONS, OF_FORMAT
from geoshare.merge.conform import Conformer
from geoshare.merge.identity import Identities
from geoshare.model.collections import known
from geoshare.model.report import Report
from geoshare.sources import ReadRequest, read_file
from tests.access.town import Town, policy

NOW_US = 1_767_225_600_000_000
PLACE = ("ele", "local_x", "local_y", "mgrs_code", "lat", "lon")
IDENTITIES = Identities(b"a secret of tests", known())


@dataclass
class Holding:
    """Features as the foundation holds them, by collection and id."""

    report: Report
    of: dict[str, dict[str, tuple[Any, dict[str, Any]]]] = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)  # collection, record -> feature


def contribute(path: Path, provider: str = "maker", **options: Any) -> Holding:
    """Read a map as a contribution is read, references and all."""
    held = Holding(Report(path.name))
    for batch in read_file(path, ReadRequest(provider, path.parent, NOW_US, **options), held.report):
        name = batch.collection
        fit = Conformer(known()[name], IDENTITIES, provider).conform(batch, held.report)
        records = [batch.record_ids[row] for row in fit.rows]
        ids = IDENTITIES.of_records(name, provider, records)
        held.ids.setdefault(name, {}).update(zip(records, ids, strict=True))
        rows = zip(ids, fit.rows, fit.properties, strict=True)
        held.of.setdefault(name, {}).update(
            {key: (batch.geometry[row], _columns(said)) for key, row, said in rows}
        )
    return held


def _columns(said: bytes) -> dict[str, Any]:
    """Properties as a pack has them: lists and objects as text."""
    return {
        key: json.dumps(value) if isinstance(value, list | dict) else value
        for key, value in json.loads(said).items()
    }


@dataclass
class Extract:
    """An extract unpacked: its folder, its report, its manifest."""

    folder: Path
    report: dict[str, Any]
    manifest: dict[str, Any]


def extract(
    held: Holding,
    folder: Path,
    form: str = "lanelet2",
    *,
    grants: Mapping[str, Mapping[str, Any]] | None = None,
    names: tuple[str, ...] | None = None,
    **request: Any,
) -> Extract:
    """Export what a consumer sees; ``grants`` add to the grant of a collection."""
    folder.mkdir(parents=True, exist_ok=True)
    town = Town(folder)
    published = [name for name in COLLECTIONS if held.of.get(name)]
    for name in published:
        rows = [(key, shape, said) for key, (shape, said) in held.of[name].items()]
        town.packs.publish(name, rows)
    shown = [name for name in published if (grants or {}).get(name, {}) is not None]
    said = [
        {"collections": [name], "columns": "all"} | dict((grants or {}).get(name, {})) for name in shown
    ]
    consumer = policy(*said)
    build_views([consumer], town.packs, town.views_dir)
    asked = tuple(name for name in names or OF_FORMAT[form] if name in shown)
    wish = ExtractRequest(collections=asked, format=form, **request)
    write_extract(wish, consumer, town.views, folder / "out.zip", now_us=NOW_US, work_dir=folder)
    with zipfile.ZipFile(folder / "out.zip") as archive:
        archive.extractall(folder / "out")
    out = folder / "out"
    report = json.loads((out / "conversion.json").read_bytes())
    return Extract(out, report, json.loads((out / "manifest.json").read_bytes()))


@dataclass
class Osm:
    """A map file by an independent parse: elements by id."""

    nodes: dict[str, tuple[float, float, float]]  # longitude, latitude, height
    local: dict[str, tuple[float, float]]
    node_tags: dict[str, dict[str, str]]
    ways: dict[str, tuple[list[str], dict[str, str]]]
    relations: dict[str, tuple[dict[str, list[tuple[str, str]]], dict[str, str]]]

    def dangling(self) -> list[str]:
        """References that lead to nothing."""
        ways = (ref for nodes, _ in self.ways.values() for ref in nodes if ref not in self.nodes)
        return [*ways, *self._members_lost()]

    def _members_lost(self) -> Iterator[str]:
        of = {"node": self.nodes, "way": self.ways, "relation": self.relations}
        for members, _ in self.relations.values():
            for items in members.values():
                yield from (ref for kind, ref in items if ref not in of[kind])

    def lanelets(self) -> dict[str, dict[str, list[tuple[str, str]]]]:
        """Members of lanelets by role."""
        return {
            key: members for key, (members, tags) in self.relations.items() if tags["type"] == "lanelet"
        }


def osm(path: Path) -> Osm:
    """Parse a map file with nothing of the product."""
    root = ET.parse(path).getroot()
    found = Osm({}, {}, {}, {}, {})
    for item in root:
        key, tags = item.get("id", ""), {str(t.get("k")): str(t.get("v")) for t in item.iter("tag")}
        if item.tag == "node":
            up = float(tags.get("ele", "nan"))
            found.nodes[key] = (float(item.get("lon", "")), float(item.get("lat", "")), up)
            if "local_x" in tags:
                found.local[key] = (float(tags["local_x"]), float(tags["local_y"]))
            found.node_tags[key] = {k: v for k, v in tags.items() if k not in PLACE and v}
        elif item.tag == "way":
            found.ways[key] = ([str(nd.get("ref")) for nd in item.iter("nd")], tags)
        elif item.tag == "relation":
            members: dict[str, list[tuple[str, str]]] = {}
            for one in item.iter("member"):
                there = (str(one.get("type")), str(one.get("ref")))
                members.setdefault(str(one.get("role")), []).append(there)
            found.relations[key] = (members, tags)
    return found


def metres_apart(one: Osm, two: Osm) -> float:
    """The largest move of a node that both have, in metres, heights included."""
    places = np.array([[one.nodes[key], two.nodes[key]] for key in one.nodes.keys() & two.nodes.keys()])
    move = np.abs(places[:, 0] - places[:, 1]) * [91_000.0, 111_000.0, 1.0]
    return float(np.nanmax(move))
