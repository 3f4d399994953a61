"""Road maps read, shown by views and written again, as tests need it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from lxml import etree

from geoshare.access.build import build_views
from geoshare.extracts import ExtractRequest, write_extract
from geoshare.extracts.road_maps import COLLECTIONS
from geoshare.model.batch import FeatureBatch
from geoshare.model.report import Report
from geoshare.model.roads import Road
from geoshare.sources import ReadRequest, read_file
from geoshare.sources.opendrive.parse import parse_road
from tests.access.town import Town, policy

NOW_US = 1_767_225_600_000_000


@dataclass
class Features:
    """What a file gave: geometry and properties by collection and record id."""

    report: Report
    of: dict[str, dict[str, tuple[Any, dict[str, Any]]]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> dict[str, tuple[Any, dict[str, Any]]]:
        return self.of.get(name, {})


def read(path: Path, **options: Any) -> Features:
    found = Features(Report(path.name))
    for batch in read_file(path, ReadRequest("maker", path.parent, NOW_US, **options), found.report):
        assert isinstance(batch, FeatureBatch)
        rows = zip(batch.record_ids, batch.geometry, batch.properties.to_pylist(), strict=True)
        found.of.setdefault(batch.collection, {}).update({key: (g, p) for key, g, p in rows})
    return found


@dataclass
class Written:
    """An exported map: the file, the report that came with it, its document."""

    path: Path
    report: dict[str, Any]

    @property
    def root(self) -> etree._Element:
        return etree.parse(self.path).getroot()


def write(
    found: Features,
    folder: Path,
    without: tuple[str, ...] = (),
    names: tuple[str, ...] = COLLECTIONS,
    grants: dict[str, dict[str, Any]] | None = None,
    **request: Any,
) -> Written:
    """Export what a consumer sees of features; ``grants`` add to the grant of a collection."""
    folder.mkdir(parents=True, exist_ok=True)
    town = Town(folder)
    names = tuple(name for name in names if found[name])
    for name in names:
        rows = [
            (key, shape, {label: value for label, value in said.items() if label not in without})
            for key, (shape, said) in found[name].items()
        ]
        town.packs.publish(name, rows)
    held = policy(
        *({"collections": [name], "columns": "all"} | (grants or {}).get(name, {}) for name in names)
    )
    build_views([held], town.packs, town.views_dir)
    asked = ExtractRequest(collections=names, format="opendrive", **request)
    write_extract(asked, held, town.views, folder / "out.zip", now_us=NOW_US, work_dir=folder)
    with zipfile.ZipFile(folder / "out.zip") as archive:
        archive.extract("geoshare.xodr", folder)
        report = json.loads(archive.read("conversion.json"))
    return Written(folder / "geoshare.xodr", report)


def roads(path: Path) -> dict[str, Road]:
    """Parametric roads of a file, by id."""
    found = [parse_road(item, Report("")).road for item in etree.parse(path).getroot().iter("road")]
    return {road.id: road for road in found}


def stations(road: Road) -> np.ndarray:
    """Every metre of a road, and its end."""
    return np.append(np.arange(0.0, road.length, 1.0), road.length)


def apart(one: Road, two: Road) -> float:
    """Largest distance in metres between reference lines and borders at stations of one metre."""
    worst = float(np.abs(one.reference(stations(one)) - two.reference(stations(one))).max())
    for a, b in zip(one.bands(), two.bands(), strict=True):
        assert (a.borders, a.section.index) == (b.borders, b.section.index)
        s = np.append(np.arange(a.start, a.end, 1.0), a.end)
        worst = max(worst, float(np.abs(one.lines(a, s) - two.lines(b, s)).max()))
    return worst


def successors(found: Features) -> dict[str, set[str]]:
    return {
        key: set(json.loads(said.get("successor_ids") or "[]"))
        for key, (_, said) in found["lanes"].items()
    }


def same_places(one: Features, two: Features) -> dict[str, str]:
    """Which lane of one map is which of the other, by the middle of each."""
    keys = list(two["lanes"])
    shapes = [two["lanes"][key][0] for key in keys]
    tree = shapely.STRtree(shapely.line_interpolate_point(shapes, 0.5, normalized=True))
    return {
        key: keys[int(tree.nearest(shape.interpolate(0.5, normalized=True)))]
        for key, (shape, _) in one["lanes"].items()
    }
