"""A file that is all there is: what its provider said before and does not any more is withdrawn."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadData
from geoshare.ingest import Complete, check
from geoshare.ingest.edits import Author, Change, NewSaying, feature_id, write_edit
from geoshare.model.batch import FeatureBatch
from geoshare.model.box import Box
from geoshare.model.report import Report
from geoshare.sources import ReadRequest
from geoshare.store import open_record
from geoshare.store.rows import DESK
from tests.ingest.bench import Workbench, batch, on_both_databases
from tests.ingest.test_contribute import raster
from tests.store.databases import fresh_url

ALL = Complete()
FOUR = {name: {"name": name} for name in "abcd"}


def without(*names: str) -> dict[str, dict[str, str]]:
    return {name: said for name, said in FOUR.items() if name not in names}


def names(bench: Workbench, collection: str = "places") -> str:
    return "".join(sorted(str(said["name"]) for said in bench.visible(collection).values()))


def looked_at(
    bench: Workbench, items: list[Any], complete: Complete, provider: str = "mapco"
) -> Report:
    """What a check tells of a file that reads as these items."""
    path = bench.folder / "checked.bin"
    path.write_text("")
    report = Report("checked.bin")
    request = ReadRequest("mapco", bench.folder, bench.counting.now_us())
    before = bench.record.row_counts()
    check(bench.record, path, request, report, lambda *_: iter(items), complete=complete)
    assert bench.record.row_counts() == before
    return report


@on_both_databases
def test_what_any_earlier_file_said_and_this_one_does_not_is_withdrawn_and_told(
    bench: Workbench,
) -> None:
    bench.contribute([batch("places", without("d"))], name="one.bin")
    bench.contribute([batch("places", {"d": FOUR["d"]})], name="two.bin")
    bench.contribute([batch("places", {"x": {"name": "x"}})], provider="another")
    bench.contribute([batch("roadside_features", {"s": {"class": "sign"}})])
    changed = without("d") | {"b": {"name": "B"}}
    found = bench.contribute([batch("places", changed)], name="all.bin", complete=ALL)
    assert names(bench) == "Bacx"
    assert found.counts == {"places": (0, 1, 1)}
    assert found.report.withdrawn == {"places": 1}
    [note] = [note for note in found.report.notes if note.code == "withdrawn"]
    assert "(d)" in note.en
    assert "1件(d)" in note.ja
    assert len(bench.visible("roadside_features")) == 1


def test_the_same_file_again_says_nothing_and_takes_back_what_came_between(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])
    one = [batch("places", without("a"))]
    bench.contribute(one, name="all.bin", content="1", complete=ALL)
    assert bench.contribute(one, name="all.bin", content="1", complete=ALL).already_here
    bench.contribute([batch("places", {"y": {"name": "y"}})], name="other.bin")
    assert names(bench) == "bcdy"
    again = bench.contribute(one, name="all.bin", content="1", complete=ALL)
    assert not again.already_here
    assert names(bench) == "bcd"


def test_more_than_half_goes_only_where_that_is_said(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])
    bench.contribute([batch("places", without("a", "b"))], content="2", complete=ALL)
    assert names(bench) == "cd"
    bench.contribute([batch("places", FOUR)], content="3")
    few = [batch("places", {"d": FOUR["d"]})]
    with pytest.raises(BadData) as caught:
        bench.contribute(few, content="4", complete=ALL)
    assert (caught.value.code, caught.value.parameter) == ("removes-most", "remove_most")
    assert caught.value.message.startswith("3 of the 4 features of places")
    assert names(bench) == "abcd"
    [finding] = looked_at(bench, few, ALL).findings
    assert (finding.rule, finding.severity) == ("geoshare:file.removes-most", "error")
    bench.contribute(few, content="4", complete=Complete(remove_most=True))
    assert names(bench) == "d"


def test_a_file_of_which_rows_are_refused_withdraws_nothing_and_says_so(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])
    table = batch("places", without("a", "b"))
    unfit = batch("segments", {"n": {"width_m": "wide"}})
    found = bench.contribute([table, unfit], content="2", complete=ALL)
    assert found.report.refused
    assert {note.code for note in found.report.notes} >= {"nothing-withdrawn"}
    assert names(bench) == "abcd"
    assert "nothing-withdrawn" in {note.code for note in looked_at(bench, [table, unfit], ALL).notes}


def test_only_what_lies_inside_the_stated_area_is_withdrawn(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])  # a at 139.000, b at 139.001, c at 139.002, d at 139.003
    inside = Complete(within=Box(138.9995, 34.9, 139.0025, 35.1))
    bench.contribute([batch("places", {"a": FOUR["a"], "b": FOUR["b"]})], content="2", complete=inside)
    assert names(bench) == "abd"


def test_nothing_is_withdrawn_beyond_the_fence_of_who_sends(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])
    fence = shapely.box(138.9, 34.9, 139.0012, 35.1)
    some = [batch("places", {"b": FOUR["b"]}, lon=139.001)]
    bench.contribute(some, content="2", complete=ALL, fences=lambda collection: fence)
    assert names(bench) == "bcd"


def test_of_a_named_dataset_only_what_its_own_files_said_is_withdrawn(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)], name="2030.bin", dataset="town")
    bench.contribute([batch("places", {"x": {"name": "x"}})], name="else.bin")
    bench.contribute(
        [batch("places", without("d"))],
        name="2031.bin",
        dataset="town",
        complete=Complete(dataset=True),
    )
    assert names(bench) == "abcx"


def test_what_was_said_at_the_desk_stays(bench: Workbench) -> None:
    bench.contribute([batch("places", FOUR)])
    made = feature_id(bench.record, "places", "mapco", "new")
    saying = NewSaying(DESK, "new", shapely.Point(139, 35).wkb, {"name": "z"})
    write_edit(
        bench.record,
        bench.counting,
        "edit1",
        "create",
        Author("mapco"),
        [Change("places", made, (), (), (saying,))],
    )
    bench.contribute([batch("places", without("a"))], content="2", complete=ALL)
    assert names(bench) == "bcdz"


def test_rasters_are_refused_as_a_whole(bench: Workbench) -> None:
    with pytest.raises(BadData) as caught:
        bench.contribute([raster(bench.folder, "scene")], complete=ALL)
    assert caught.value.code == "complete-rasters"


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt()])
def test_a_file_that_is_stopped_a_moment_before_its_end_has_withdrawn_nothing(
    bench: Workbench, error: BaseException
) -> None:
    bench.contribute([batch("places", FOUR)])

    def stop(fraction: float, message: str = "") -> None:
        if fraction == 0.99:
            raise error

    with pytest.raises(type(error)):
        bench.contribute([batch("places", without("a"))], content="2", complete=ALL, progress=stop)
    assert names(bench) == "abcd"


IDS = st.sampled_from(["1", "2", "3", "4"])
ROWS = st.dictionaries(IDS, st.tuples(st.sampled_from([None, "S1", "S2"]), IDS), min_size=1, max_size=4)


def shelters(rows: dict[str, tuple[str | None, str]]) -> FeatureBatch:
    table = pa.table(
        {
            "common_id": pa.array([row[0] for row in rows.values()], pa.string()),
            "name": [row[1] for row in rows.values()],
        }
    )
    points = np.array([shapely.Point(139, 35)] * len(rows), dtype=object)
    return FeatureBatch("shelters", list(rows), points, table)


@settings(max_examples=10, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=3), ROWS)
def test_a_check_tells_what_goes_and_what_stands_then_is_what_the_file_alone_would_make(
    before: list[dict[str, tuple[str | None, str]]], last: dict[str, tuple[str | None, str]]
) -> None:
    most = Complete(remove_most=True)
    with tempfile.TemporaryDirectory() as folder:
        record = open_record(fresh_url("sqlite", Path(folder)))
        bench = Workbench(record, Path(folder))
        for number, rows in enumerate(before):
            bench.contribute([shelters(rows)], name=f"{number}.bin")
        told = looked_at(bench, [shelters(last)], most).withdrawn
        found = bench.contribute([shelters(last)], name="last.bin", complete=most)
        assert found.report.withdrawn == told
        standing = bench.visible("shelters")
        record.close()
    said = sorted([row[0] or "", row[1]] for row in last.values())
    assert sorted([row.get("common_id", ""), row["name"]] for row in standing.values()) == said
