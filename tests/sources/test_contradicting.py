"""Features of GeoJSON that have two ids which differ are told of, and taken all the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.sources.contradicting import RULE, contradictions, id_findings

POINT = {"type": "Point", "coordinates": [139.5, 35.25]}
NAMES = st.sampled_from(["a", "b", 'q"\\{', "道", 5, "5", None, ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "properties", "coordinates", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def features(draw: st.DrawFn) -> dict[str, Any]:
    said = {"extra": draw(VALUES)}
    if draw(st.booleans()):
        said["id"] = draw(NAMES)
    members = [("type", "Feature"), ("properties", said), ("geometry", POINT)]
    if draw(st.booleans()):
        members.append(("id", draw(NAMES)))
    return dict(draw(st.permutations(members)))


def said_twice(feature: dict[str, Any]) -> tuple[str, str] | None:
    """By a reader of JSON that has nothing in common with ours."""
    outer, inner = feature.get("id"), feature["properties"].get("id")
    told = outer not in (None, "") and inner not in (None, "") and str(outer) != str(inner)
    return (str(outer), str(inner)) if told else None


@settings(max_examples=50, deadline=None)
@given(st.lists(features(), max_size=4), st.booleans())
def test_every_contradiction_is_found_and_no_other(rows: list[dict[str, Any]], plain: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.geojson"
        whole = {"type": "FeatureCollection", "id": "x", "features": rows, "properties": None}
        path.write_text(json.dumps(whole, ensure_ascii=plain, indent=None if plain else 1))
        assert list(contradictions(path)) == [both for row in rows if (both := said_twice(row))]


def test_both_ids_are_named_and_many_are_counted(read: Callable[..., Any], tmp_path: Path) -> None:
    rows = [
        {"type": "Feature", "id": f"out-{n}", "properties": {"id": f"in-{n}"}, "geometry": POINT}
        for n in range(30)
    ]
    path = tmp_path / "rows.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    found = read(path, collection="places")
    findings = found.report.findings
    assert {finding.rule for finding in findings} == {RULE}
    assert len(findings) == 21
    assert "out-0" in findings[0].en
    assert "in-0" in findings[0].ja
    assert "10" in findings[-1].en
    assert found.batches[0].record_ids[:2] == ["in-0", "in-1"]
    assert id_findings(path) == findings
