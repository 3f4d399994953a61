"""What a policy hides changes no byte of anything its views show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.view import View
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.query.cursors import Cursors
from geoshare.query.items import ItemsQuery, items
from geoshare.query.search import search_names
from geoshare.query.tiles import vector_tile
from tests.access.town import Row, Town, features, policy

CURSORS = Cursors(b"secret")
PLACE = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda xy: (139.7 + xy[0] / 400, 35.6 + xy[1] / 400)
)
NAME = st.sampled_from(["本通り", "港通り", "x", None])
SECRET = st.none() | st.text("abcdef", max_size=4)


@st.composite
def streets(draw: st.DrawFn, prefix: str, grade: str) -> list[Row]:
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 6))):
        line = shapely.LineString(draw(st.lists(PLACE, min_size=2, max_size=4, unique=True)))
        said = {"class": grade, "name": draw(NAME), "width_m": draw(st.sampled_from([4.0, 5.5, None]))}
        said["start_connector_id"] = draw(st.sampled_from(["c0", "c1", "hidden1", None]))
        rows.append((f"{prefix}{number}", line, said))
    return rows


@st.composite
def record(draw: st.DrawFn, shown: Sequence[Row]) -> dict[str, Any]:
    """One way the visible rows could lie among hidden ones: values, rows, parts, changes."""
    hidden = draw(streets(draw(st.sampled_from(["a", "m", "z"])) + "hidden", "private"))
    rows = [(key, shape, said | {"surface": draw(SECRET)}) for key, shape, said in shown]
    mixed = draw(st.permutations(rows + hidden))
    cut = draw(st.integers(0, len(mixed)))
    late = draw(st.integers(0, len(hidden)))
    return {
        "batches": [mixed[:cut], mixed[cut:]] if draw(st.booleans()) else [mixed],
        "changes": [(key, shapely.Point(1, 2), said) for key, shape, said in hidden[:late]],
        "removed": [key for key, _, _ in hidden[late:]],
        "hidden_connectors": draw(st.lists(st.sampled_from(["hidden1", "hidden2"]), unique=True)),
    }


GRANTS = {
    "rows and columns": {"precision_m": None},
    "coarse": {"precision_m": 30},
    "fenced": {"area": json.loads(shapely.to_geojson(shapely.box(139.705, 35.605, 139.72, 35.62)))},
}


def held(kind: str) -> Policy:
    primary = {"op": "=", "args": [{"property": "class"}, "primary"]}
    seen = {"op": "<>", "args": [{"property": "subtype"}, "secret"]}
    columns = ["class", "name", "width_m", "start_connector_id"]
    return policy(
        {"collections": ["segments"], "columns": columns, "rows": primary, **GRANTS[kind]},
        {"collections": ["connectors"], "columns": ["name"], "rows": seen},
    )


def publish(folder: Path, said: dict[str, Any], holds: Policy) -> View:
    town = Town(folder)
    town.packs.publish("segments", *said["batches"])
    if said["changes"] or said["removed"]:
        town.packs.change("segments", said["changes"], said["removed"])
    here = shapely.Point(139.7, 35.6)
    connectors: list[Row] = [(key, here, {"name": key, "subtype": "plain"}) for key in ("c0", "c1")]
    connectors += [(key, here, {"name": key, "subtype": "secret"}) for key in said["hidden_connectors"]]
    town.packs.publish("connectors", connectors)
    return town.view(holds, "segments")


def answers(view: View) -> list[object]:
    """Everything this view can be asked."""
    said: list[object] = [view.count, view.extent, view.time_extent, view.token, view.schema()]
    for query in (
        ItemsQuery(limit=2),
        ItemsQuery(limit=3, bbox=Box(139.702, 35.602, 139.72, 35.62)),
        ItemsQuery(limit=1, filter="name LIKE '本%' OR width_m > 5"),
        ItemsQuery(limit=50, filter="start_connector_id IS NULL"),
    ):
        cursor: str | None = None
        while True:
            page = items(
                view,
                ItemsQuery(query.bbox, query.datetime, query.limit, cursor, None, query.filter),
                CURSORS,
            )
            said += [page.geojson(), page.number_matched, page.next_cursor]
            cursor = page.next_cursor
            if cursor is None:
                break
    said.append(search_names([view], "通り"))
    said += [vector_tile([view], 14, 14550, y) for y in range(6453, 6457)]
    said += [vector_tile([view], 9, 454, 201), vector_tile([view], 12, 3637, 1613)]
    said += [view.geojson(view.lookup([key])) for key in ("s0", "ahidden0", "zhidden1", "nothing")]
    return said


@settings(max_examples=15, deadline=None)
@given(data=st.data(), shown=streets("s", "primary"), kind=st.sampled_from(sorted(GRANTS)))
def test_records_that_differ_in_hidden_things_alone_give_the_same_bytes(
    tmp_path_factory, data, shown, kind
):
    told = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("town")
        told.append(answers(publish(folder, data.draw(record(shown)), held(kind))))
    assert told[0] == told[1]


def test_the_tiles_asked_for_above_are_not_empty(tmp_path):
    line = shapely.LineString([(139.705, 35.605), (139.715, 35.615)])
    said = {"batches": [[("s0", line, {"class": "primary"})]], "changes": [], "removed": []}
    view = publish(tmp_path, said | {"hidden_connectors": []}, held("fenced"))
    assert any(vector_tile([view], 14, 14550, y) for y in range(6453, 6457))


GRANT = st.fixed_dictionaries(
    {
        "columns": st.lists(st.sampled_from(["class", "name", "width_m"]), unique=True),
        "rows": st.sampled_from(
            [
                None,
                {"op": "=", "args": [{"property": "class"}, "primary"]},
                {"op": ">", "args": [{"property": "width_m"}, 5]},
                {"op": "isNull", "args": [{"property": "name"}]},
            ]
        ),
        "precision_m": st.sampled_from([None, 20]),
    }
)


@settings(max_examples=15, deadline=None)
@given(
    first=st.lists(GRANT, min_size=1, max_size=2),
    second=st.lists(GRANT, min_size=1, max_size=2),
    rows=st.tuples(streets("s", "primary"), streets("t", "minor")).map(
        lambda both: [*both[0], *both[1]]
    ),
)
def test_two_tiers_together_show_the_union_of_what_each_shows(tmp_path_factory, first, second, rows):
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("segments", rows)

    def shown(grants: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        holds = policy(*({"collections": ["segments"], **grant} for grant in grants))
        return features(town.view(holds, "segments"))

    one, two, both = shown(first), shown(second), shown([*first, *second])
    exact = {key: shape.wkt for key, shape, _ in rows}
    assert set(both) == set(one) | set(two)
    for key, row in both.items():
        parts = [view[key] for view in (one, two) if key in view]
        values = {name: value for part in parts for name, value in part.items() if value is not None}
        del values["geometry"]
        assert {
            name: value for name, value in row.items() if value is not None and name != "geometry"
        } == values
        exactly = any(part["geometry"] == exact[key] for part in parts)
        assert (row["geometry"] == exact[key]) or not exactly
        assert row["geometry"] in {part["geometry"] for part in parts}


AREAS = {
    name: json.loads(shapely.to_geojson(shape))
    for name, shape in {
        "west": shapely.box(139.69, 35.59, 139.71, 35.7),
        "south": shapely.box(139.69, 35.59, 139.8, 35.615),
        "all": shapely.box(139, 35, 140, 36),
    }.items()
}
FENCED = st.fixed_dictionaries(
    {
        "columns": st.lists(st.sampled_from(["class", "name", "width_m"]), unique=True),
        "area": st.sampled_from([None, *AREAS.values()]),
        "area_mode": st.sampled_from(["clip", "whole"]),
    }
)


@settings(max_examples=15, deadline=None)
@given(grants=st.lists(FENCED, min_size=1, max_size=3), rows=streets("s", "primary"))
def test_a_column_and_a_place_meet_only_where_one_grant_allows_both(tmp_path_factory, grants, rows):
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("segments", rows)
    found = features(
        town.view(policy(*({"collections": ["segments"], **grant} for grant in grants)), "segments")
    )
    for key, shape, said in rows:
        allowed = [(set(grant["columns"]), _allowed(shape, grant)) for grant in grants]
        everywhere = shapely.union_all([part for _, part in allowed])
        if everywhere.length < 1e-9:  # a street that ends on a fence may lap over it by a last digit
            assert everywhere.length > 0 or key not in found
            continue
        given_out = shapely.from_wkt(found[key]["geometry"])
        assert given_out.difference(everywhere.buffer(1e-9)).is_empty
        assert everywhere.difference(given_out.buffer(1e-9)).is_empty
        for column in ("class", "name", "width_m"):
            value = found[key].get(column)
            assert value in (None, said[column])
            if value is not None:
                places = shapely.union_all([part for columns, part in allowed if column in columns])
                assert given_out.difference(places.buffer(1e-9)).is_empty


def _allowed(shape, grant):
    if grant["area"] is None:
        return shape
    area = shapely.from_geojson(json.dumps(grant["area"]))
    inside = shape.intersection(area)
    if inside.length == 0:
        return shapely.LineString()
    return shape if grant["area_mode"] == "whole" else inside
