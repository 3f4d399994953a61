"""Views brought up to date are, file by file, the views that would be built from nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.build import build_views
from geoshare.access.manifest import ViewManifest, manifest_path, read_manifest
from geoshare.access.memory import Memory
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.model.policy import Policy
from tests.access.town import Row, Town, features, policy

COLLECTIONS = ("segments", "connectors", "events")
HOUR_US = 3_600_000_000
NOW_US = 1_790_000_000_000_000
KEY = b"k" * 32

PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda xy: (139.7 + xy[0] / 400, 35.6 + xy[1] / 400)
)
CONNECTORS = [f"c{number}" for number in range(5)]
EVENT_TIME = st.integers(-9, 8).map(
    lambda hours: datetime.fromtimestamp((NOW_US + hours * HOUR_US) / 1e6, UTC) if hours < 8 else None
)
ROWS = {
    "segments": st.tuples(
        st.sampled_from([f"s{number}" for number in range(8)]),
        st.lists(PLACE, min_size=2, max_size=4, unique=True).map(shapely.LineString),
        st.fixed_dictionaries(
            {
                "class": st.sampled_from(["primary", "minor"]),
                "name": st.sampled_from(["本通り", "x", None]),
                "width_m": st.sampled_from([4.0, 5.5, None]),
                "start_connector_id": st.sampled_from([*CONNECTORS, "gone", None]),
                "surface": st.sampled_from(["p", "q"]),
            }
        ),
    ),
    "connectors": st.tuples(
        st.sampled_from(CONNECTORS),
        PLACE.map(shapely.Point),
        st.fixed_dictionaries({"name": st.sampled_from(["a", "b"]), "subtype": st.sampled_from("uv")}),
    ),
    "events": st.tuples(
        st.sampled_from([f"e{number}" for number in range(6)]),
        PLACE.map(shapely.Point),
        st.fixed_dictionaries(
            {"name": st.sampled_from(["a", "b"]), "valid_from": EVENT_TIME, "valid_to": EVENT_TIME}
        ),
    ),
}


IDS = {
    "segments": [f"s{number}" for number in range(8)],
    "connectors": CONNECTORS,
    "events": [f"e{number}" for number in range(6)],
}
# Rows in the middle that never change, so that a change of a few rows is a small one.
MIDDLE = shapely.Point(139.715, 35.615)
MOMENT = datetime.fromtimestamp(NOW_US / 1e6 - 5 * 3600, UTC)
FILL = {
    "segments": [
        (
            f"fill{number}",
            shapely.LineString([MIDDLE, (139.7155, 35.6155)]),
            {"class": "primary", "name": "x", "start_connector_id": f"c{number % 3}"},
        )
        for number in range(60)
    ],
    "connectors": [(f"fill{number}", MIDDLE, {"subtype": "u"}) for number in range(60)],
    "events": [
        (f"fill{number}", MIDDLE, dict.fromkeys(("valid_from", "valid_to"), MOMENT))
        for number in range(60)
    ],
}


def rows_of(name: str, most: int) -> st.SearchStrategy[list[Row]]:
    return st.lists(ROWS[name], max_size=most, unique_by=lambda row: row[0])


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, bool, list[Row], list[str]]:
    """A collection, whether it is written anew, rows, and ids that go."""
    name = draw(st.sampled_from(COLLECTIONS))
    rows = draw(rows_of(name, 3))
    kept = {row[0] for row in rows}
    gone = draw(st.lists(st.sampled_from(IDS[name]), max_size=3, unique=True))
    return name, draw(st.integers(0, 9)) == 0, rows, [key for key in gone if key not in kept]


AREA = json.loads(shapely.to_geojson(shapely.box(139.705, 35.605, 139.72, 35.62)))
PRIMARY = {"op": "=", "args": [{"property": "class"}, "primary"]}
SHOWN = {"op": "=", "args": [{"property": "subtype"}, "u"]}
COLUMNS = ["class", "name", "width_m", "start_connector_id"]
POLICIES: dict[str, list[dict[str, Any]]] = {
    "all": [
        {"collections": ["segments"], "columns": [*COLUMNS, "surface"]},
        {"collections": ["connectors"], "columns": ["name", "subtype"]},
        {"collections": ["events"], "columns": ["name", "valid_from", "valid_to"]},
    ],
    "some rows and columns": [
        {"collections": ["segments"], "columns": COLUMNS, "rows": PRIMARY},
        {"collections": ["connectors"], "columns": ["name"], "rows": SHOWN},
        {"collections": ["events"], "columns": ["name", "valid_from", "valid_to"], "delay": "PT3H"},
    ],
    "fenced and coarse": [
        {"collections": ["segments"], "columns": COLUMNS, "area": AREA},
        {"collections": ["segments"], "columns": ["class"], "precision_m": 30},
        {"collections": ["connectors"], "columns": ["name"], "area": AREA, "area_mode": "whole"},
        {"collections": ["events"], "columns": ["name", "valid_from"], "window": "PT5H"},
    ],
    "changed values": [
        {
            "collections": ["segments"],
            "columns": COLUMNS,
            "transforms": {"width_m": {"kind": "round", "step": 5}, "name": {"kind": "hash"}},
        },
        {"collections": ["connectors"], "columns": ["name"], "transforms": {"name": {"kind": "null"}}},
        {"collections": ["events"], "columns": ["valid_to"]},
    ],
}


def held(kind: str) -> Policy:
    found = policy(*POLICIES[kind])
    return Policy(tuple(grant.bound("agreement 1") for grant in found.grants))


def built(town: Town, holds: Policy, views_dir: Path, memory: Memory, tick_us: int) -> None:
    build_views(
        [holds], town.packs, views_dir, memory=memory, tick_us=tick_us, hash_key=lambda name: KEY
    )


def said(views_dir: Path, holds: Policy, name: str) -> tuple[ViewManifest, bytes]:
    manifest = read_manifest(manifest_path(views_dir, holds.hash, name))
    bits = (views_dir / holds.hash / name / manifest.selection).read_bytes()
    return replace(manifest, steps=()), bits


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(sorted(POLICIES)),
    first=st.fixed_dictionaries({name: rows_of(name, 8) for name in COLLECTIONS}),
    series=st.lists(changes(), min_size=2, max_size=5),
    hours=st.lists(st.integers(0, 3), min_size=5, max_size=5),
    budget=st.sampled_from([1, 200_000_000, 200_000_000]),
)
def test_what_is_brought_up_to_date_is_what_is_built_from_nothing(
    tmp_path_factory, kind, first, series, hours, budget
):
    folder = tmp_path_factory.mktemp("town")
    town, holds, memory = Town(folder), held(kind), Memory(budget)
    tick_us = NOW_US - 4 * HOUR_US
    for name, rows in first.items():
        town.packs.publish(name, [*FILL[name], *rows])
    built(town, holds, town.views_dir, memory, tick_us)
    for step, (name, anew, rows, gone) in enumerate(series):
        if anew:
            town.packs.publish(name, [*FILL[name], *rows])
        else:
            town.packs.change(name, rows, gone)
        tick_us += hours[step] * HOUR_US
        fresh = folder / f"fresh{step}"
        built(town, holds, town.views_dir, memory, tick_us)
        built(town, holds, fresh, Memory(), tick_us)
        for collection in COLLECTIONS:
            assert said(town.views_dir, holds, collection) == said(fresh, holds, collection)
            one = town.views.get(holds, collection)
            other = Views(fresh, town.packs.folder).get(holds, collection)
            assert isinstance(one, View)
            assert isinstance(other, View)
            assert features(one) == features(other)
            check_summary(one)


def check_summary(view: View) -> None:
    """Count and extents against the features that come out."""
    found = features(view)
    assert view.count == len(found) == len(view.scan())
    shapes = [shapely.from_wkt(row["geometry"]) for row in found.values() if row["geometry"]]
    assert (view.extent is None) == (not shapes)
    if view.extent is not None:
        bounds = shapely.total_bounds(shapes)
        assert all(abs(a - b) < 3e-7 for a, b in zip(view.extent, bounds, strict=True))
    times = view.collection.time
    if len(times) == 2 and all(view.has_column(name) for name in times) and found:
        starts = [row[times[0]] for row in found.values()]
        ends = [row[times[1]] for row in found.values()]
        first = None if None in starts else min(starts)
        last = None if None in ends else max(ends)
        assert view.time_extent == (micros(first), micros(last))
    else:
        assert view.time_extent is None or len(times) == 1


def micros(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1e6)


def test_a_small_change_looks_at_the_rows_it_changes_and_no_others(tmp_path, monkeypatch):
    town, holds = Town(tmp_path), held("some rows and columns")
    line = shapely.LineString([(139.7, 35.6), (139.71, 35.61)])
    edge = shapely.LineString([(139, 35), (140, 36)])
    town.packs.publish(
        "segments",
        [(f"s{number}", line, {"class": "primary"}) for number in range(2000)]
        + [("edge", edge, {"class": "primary"})],
    )
    built(town, holds, town.views_dir, town.memory, NOW_US)
    looked: list[int] = []
    for module in ("geoshare.access.draft.treatments", "geoshare.access.facts.sums_of"):
        monkeypatch.setattr(module, counting(module, looked))
    town.packs.change("segments", [("s7", line, {"class": "minor"})], removed=["s9"])
    built(town, holds, town.views_dir, town.memory, NOW_US)
    view = town.views.get(holds, "segments")
    assert view.count == 1999
    assert 0 < sum(looked) < 10


def counting(name: str, looked: list[int]) -> Any:
    module, _, function = name.rpartition(".")
    real = getattr(__import__(module, fromlist=[function]), function)

    def counted(*args: Any) -> Any:
        looked.append(len(args[3]) if function == "treatments" else len(args[2]))
        return real(*args)

    return counted
