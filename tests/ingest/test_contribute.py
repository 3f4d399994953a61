"""A contribution becomes one change set, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from geoshare.errors import BadData, BadRequest
from geoshare.ingest import Complete, report_from_json
from geoshare.ingest.withdraw import withdraw
from geoshare.jobs import JobCancelled
from geoshare.merge import Identities
from geoshare.model.batch import Band, FeatureBatch, RasterItem
from geoshare.model.box import Box
from geoshare.model.collections import known
from geoshare.model.foundation import parse
from geoshare.model.report import Message, Report
from geoshare.sources import ReadRequest, read_file
from tests.ingest.bench import Workbench, batch, on_both_databases

PLACES = {"p1": {"name": "潮見", "rank": 1}, "p2": {"name": "港", "rank": 2}}


@on_both_databases
def test_what_comes_in_is_there_with_its_contribution_claims_and_raw_file(bench: Workbench) -> None:
    result = bench.contribute([batch("places", PLACES)], licence="CC-BY-4.0", release_class="partners")
    assert result.counts == {"places": (2, 0, 0)}
    assert result.sequence == 1
    identities = Identities(bench.record.secret, known(), "partners")
    ids = identities.of_records("places", "mapco", ["p1", "p2"])
    assert bench.visible("places") == {ids[0]: PLACES["p1"], ids[1]: PLACES["p2"]}
    [claim] = bench.record.claims("places", ids[0])
    assert (claim.provider, claim.record_id, claim.licence) == ("mapco", "p1", "CC-BY-4.0")
    assert claim.release_class == "partners"
    [contribution] = bench.record.contributions()
    assert contribution.id == claim.contribution == result.contribution_id
    assert report_from_json(contribution.report).taken == {"places": 2}
    assert bench.files() == {f"raw/{contribution.file_sha256[:2]}/{contribution.file_sha256}/file.bin"}


def test_the_same_file_again_is_already_here_and_changes_nothing(bench: Workbench) -> None:
    first = bench.contribute([batch("places", PLACES)])
    before = bench.record.row_counts()
    again = bench.contribute([batch("places", PLACES)])
    assert again.already_here
    assert again.contribution_id == first.contribution_id
    assert again.report.taken == {"places": 2}
    assert bench.record.row_counts() == before
    assert bench.record.head() == 1


def test_a_file_goes_back_to_what_it_was_when_the_old_one_is_sent_again(bench: Workbench) -> None:
    changed = {"p1": {"name": "潮見町"}}
    bench.contribute([batch("places", {"p1": {"name": "潮見"}})], content="old")
    bench.contribute([batch("places", changed)], content="new")
    assert list(bench.visible("places").values()) == [{"name": "潮見町"}]
    result = bench.contribute([batch("places", {"p1": {"name": "潮見"}})], content="old")
    assert not result.already_here
    assert list(bench.visible("places").values()) == [{"name": "潮見"}]


def test_a_thing_goes_back_however_the_files_are_called(bench: Workbench) -> None:
    old, new = {"p1": {"rank": 1}, "p2": {"rank": 5}}, {"p1": {"rank": 2}}
    bench.contribute([batch("places", old)], name="old.bin", content="old")
    bench.contribute([batch("places", new)], name="new.bin", content="new")
    back = bench.contribute([batch("places", old)], name="old.bin", content="old")
    assert not back.already_here
    assert back.counts == {"places": (0, 1, 0)}
    assert sorted(row["rank"] for row in bench.visible("places").values()) == [1, 5]
    before = bench.record.row_counts()
    for name, rows in (("old.bin", old), ("old.bin", old)):
        assert bench.contribute([batch("places", rows)], name=name, content="old").already_here
    assert bench.record.row_counts() == before


def test_what_another_file_says_as_well_is_read_again_and_changes_nothing(bench: Workbench) -> None:
    bench.contribute([batch("places", PLACES)], name="all.bin", content="all")
    bench.contribute([batch("places", {"p1": PLACES["p1"]})], name="one.bin", content="one")
    before, files = bench.record.row_counts(), bench.files()
    assert bench.contribute(
        [batch("places", {"p1": PLACES["p1"]})], name="one.bin", content="one"
    ).already_here
    assert (bench.record.row_counts(), bench.files()) == (before, files)


def test_who_took_its_word_back_may_give_it_again(bench: Workbench) -> None:
    bench.contribute([batch("places", PLACES)])
    withdraw(bench.record, "mapco", clock=bench.counting, data_dir=bench.data)
    assert bench.visible("places") == {}
    assert not bench.contribute([batch("places", PLACES)]).already_here
    assert len(bench.visible("places")) == 2


def test_only_rows_that_say_something_new_get_a_version(bench: Workbench) -> None:
    bench.contribute([batch("places", PLACES)], content="1")
    before = bench.record.row_counts()
    changed = PLACES | {"p2": {"name": "新港", "rank": 2}, "p3": {"name": "丘"}}
    result = bench.contribute([batch("places", changed)], content="2")
    assert result.counts == {"places": (1, 1, 0)}
    after = bench.record.row_counts()
    assert after["features"] - before["features"] == 2
    assert after["claims"] - before["claims"] == 2
    assert sorted(row["name"] for row in bench.visible("places").values()) == ["丘", "新港", "潮見"]


@on_both_databases
def test_rows_that_a_new_file_lacks_stay_unless_it_replaces_the_old(bench: Workbench) -> None:
    bench.contribute([batch("places", PLACES)], content="1")
    bench.contribute([batch("places", {"p1": PLACES["p1"]})], content="2")
    assert len(bench.visible("places")) == 2
    other = bench.contribute([batch("places", {"q": {"name": "別"}})], name="other.bin", content="3")
    assert other.counts == {"places": (1, 0, 0)}
    result = bench.contribute(
        [batch("places", {"p1": PLACES["p1"]})], content="4", complete=Complete(dataset=True)
    )
    assert result.counts == {"places": (0, 0, 1)}
    assert sorted(row["name"] for row in bench.visible("places").values()) == ["別", "潮見"]


@pytest.mark.parametrize(
    "error",
    [BadData("row 3 is torn"), RuntimeError("a bug"), KeyboardInterrupt(), JobCancelled()],
    ids=lambda error: type(error).__name__,
)
def test_a_refused_or_interrupted_file_leaves_nothing_behind(
    bench: Workbench, error: BaseException
) -> None:
    bench.contribute([batch("places", PLACES)], content="1")
    rows, files, seen = bench.record.row_counts(), bench.files(), bench.visible("places")

    def read(path, request, report):
        yield batch("places", PLACES | {"p1": {"name": "変わった"}, "p9": {"name": "新"}})
        yield batch("new_layer", {"x": {"a": 1}})
        raise error

    with pytest.raises(type(error)):
        bench.contribute([], content="2", read=read)
    assert bench.record.row_counts() == rows
    assert bench.files() == files
    assert bench.visible("places") == seen
    assert "new_layer" not in bench.record.collections()


def test_a_file_none_of_whose_rows_fit_is_refused(bench: Workbench) -> None:
    rows = bench.record.row_counts()
    with pytest.raises(BadData, match="no row"):
        bench.contribute([batch("places", {"p1": {"rank": "twelve"}})])
    assert bench.record.row_counts() == rows
    assert bench.files() == set()


def test_a_row_of_the_wrong_type_is_refused_and_the_rest_is_taken(bench: Workbench) -> None:
    result = bench.contribute([batch("places", {"a": {"rank": "12"}, "b": {"rank": "twelve"}})])
    [refusal] = result.report.refusals
    assert (refusal.row, refusal.message.code, refusal.values) == (
        "b",
        "wrong-type",
        {"rank": "twelve"},
    )
    assert result.report.taken == {"places": 1}
    assert list(bench.visible("places").values()) == [{"rank": 12}]


def test_columns_the_schema_does_not_know_are_kept_in_extra(bench: Workbench) -> None:
    bench.contribute([batch("places", {"a": {"name": "丘", "colour": "red", "size": 1.5}})])
    assert list(bench.visible("places").values()) == [
        {"extra": {"colour": "red", "size": 1.5}, "name": "丘"}
    ]


@on_both_databases
def test_an_unknown_layer_becomes_a_collection_with_an_inferred_schema_that_widens(
    bench: Workbench,
) -> None:
    bench.contribute([batch("benches", {"a": {"seats": 3, "wood": True}})], content="1")
    described = bench.record.collections()["benches"]
    assert [(item.name, item.type) for item in described.properties] == [
        ("seats", "integer"),
        ("wood", "boolean"),
    ]
    bench.contribute([batch("benches", {"b": {"seats": 2.5, "colour": "red"}})], content="2")
    described = bench.record.collections()["benches"]
    assert [(item.name, item.type) for item in described.properties] == [
        ("seats", "number"),
        ("wood", "boolean"),
        ("colour", "string"),
    ]
    assert sorted(row["seats"] for row in bench.visible("benches").values()) == [2.5, 3]


def test_references_become_ids_of_the_features_they_mean(bench: Workbench) -> None:
    lanes = {"l1": {"left_boundary_id": "w1", "successor_ids": '["l2"]'}, "l2": {"left_lane_id": "l1"}}
    bench.contribute([batch("lane_boundaries", {"w1": {"type": "curbstone"}}), batch("lanes", lanes)])
    [boundary] = bench.visible("lane_boundaries")
    found = bench.visible("lanes")
    ids = {"successor_ids" in row: id_ for id_, row in found.items()}
    assert found[ids[True]] == {"left_boundary_id": boundary, "successor_ids": [ids[False]]}
    assert found[ids[False]] == {"left_lane_id": ids[True]}


def test_row_numbers_of_files_of_different_names_are_different_features(bench: Workbench) -> None:
    bench.contribute([batch("places", {"#1": {"name": "東"}})], name="east.csv", content="1")
    bench.contribute([batch("places", {"#1": {"name": "西"}})], name="west.csv", content="2")
    bench.contribute([batch("places", {"#1": {"name": "新西"}})], name="west.csv", content="3")
    assert sorted(row["name"] for row in bench.visible("places").values()) == ["新西", "東"]


def test_rows_of_one_file_that_share_an_identity_are_all_kept(bench: Workbench) -> None:
    rows = {
        "#1": {"common_id": "S1", "name": "小学校"},
        "#2": {"common_id": "S1", "name": "体育館"},
        "#3": {"name": "公民館"},
    }
    result = bench.contribute([batch("shelters", rows)], content="1")
    assert result.report.repairs["repeated-identity"].count == 1
    assert sorted(row["name"] for row in bench.visible("shelters").values()) == [
        "体育館",
        "公民館",
        "小学校",
    ]
    changed = rows | {"#2": {"common_id": "S1", "name": "体育館(新)"}}
    result = bench.contribute([batch("shelters", changed)], content="2")
    assert result.counts == {"shelters": (0, 1, 0)}
    assert len(bench.visible("shelters")) == 3


def test_a_renumbered_row_with_the_same_identity_is_the_same_feature(bench: Workbench) -> None:
    bench.contribute([batch("shelters", {"#1": {"common_id": "S1", "name": "小学校"}})], content="1")
    moved = {"#1": {"common_id": "S0", "name": "公園"}, "#2": {"common_id": "S1", "name": "小学校"}}
    bench.contribute([batch("shelters", moved)], content="2")
    assert len(bench.visible("shelters")) == 2
    [school] = [id_ for id_, row in bench.visible("shelters").items() if row["common_id"] == "S1"]
    assert [claim.record_id for claim in bench.record.claims("shelters", school)] == ["#2"]


def test_a_record_id_that_comes_twice_is_refused_the_second_time(bench: Workbench) -> None:
    first = batch("places", {"p1": {"name": "一"}})
    result = bench.contribute([first, batch("places", {"p1": {"name": "二"}})])
    assert [row["name"] for row in bench.visible("places").values()] == ["一"]
    assert [refusal.message.code for refusal in result.report.refusals] == ["repeated-record-id"]
    assert result.report.taken == {"places": 1}


@on_both_databases
def test_two_providers_of_one_feature_are_one_feature_with_two_claims(bench: Workbench) -> None:
    mine = {"m": {"common_id": "S1", "name": "潮見小", "max_capacity": 100}}
    theirs = {"c": {"common_id": "S1", "name": "潮見小学校", "phone": "0120"}}
    bench.contribute([batch("shelters", mine)], content="1")
    bench.contribute([batch("shelters", theirs, lon=139.5)], provider="shiomi-city", content="2")
    [(id_, row)] = bench.visible("shelters").items()
    assert row == {"common_id": "S1", "max_capacity": 100, "name": "潮見小学校", "phone": "0120"}
    claims = bench.record.claims("shelters", id_)
    assert [(claim.provider, json.loads(claim.properties)["name"]) for claim in claims] == [
        ("mapco", "潮見小"),
        ("shiomi-city", "潮見小学校"),
    ]
    result = bench.contribute([batch("shelters", mine | {"x": {"common_id": "S2"}})], content="3")
    assert result.counts == {"shelters": (1, 0, 0)}


CITY_FIRST = parse('[default]\nproviders = ["shiomi-city"]')


def test_precedence_goes_before_freshness(bench: Workbench) -> None:
    city = {"c": {"common_id": "S1", "name": "正式名称"}}
    other = {"m": {"common_id": "S1", "name": "通称", "phone": "0120"}}
    bench.contribute([batch("shelters", city)], provider="shiomi-city", content="1")
    bench.contribute([batch("shelters", other)], content="2", foundation=CITY_FIRST)
    [row] = bench.visible("shelters").values()
    assert row == {"common_id": "S1", "name": "正式名称", "phone": "0120"}


@on_both_databases
def test_when_one_of_two_providers_withdraws_a_row_the_others_claim_remains(bench: Workbench) -> None:
    bench.contribute([batch("shelters", {"c": {"common_id": "S1", "name": "市"}})], "city", content="1")
    pair = {"n": {"common_id": "S2", "name": "別"}, "m": {"common_id": "S1", "name": "地図"}}
    bench.contribute([batch("shelters", pair)], content="2")
    result = bench.contribute(
        [batch("shelters", {"n": pair["n"]})], content="3", complete=Complete(dataset=True)
    )
    assert result.counts == {"shelters": (0, 1, 0)}
    assert sorted(row["name"] for row in bench.visible("shelters").values()) == ["別", "市"]


def raster(folder: Path, text: str, moment: int = 5) -> RasterItem:
    path = folder / f"{text}.tif"
    path.write_text(text)
    return RasterItem(
        collection="satellite",
        record_id="scene-1",
        path=path,
        kind="scene",
        datetime_us=moment,
        box=Box(139.0, 35.0, 139.1, 35.1),
        footprint_wkb=b"\x01\x02",
        crs="EPSG:32654",
        width=10,
        height=20,
        resolution_m=3.0,
        bands=(Band("B1", unit="1"),),
        properties={"platform": "Shiomi-1"},
    )


@on_both_databases
def test_a_raster_is_kept_by_its_checksum_and_a_new_one_takes_its_place(bench: Workbench) -> None:
    bench.contribute([raster(bench.folder, "before")], content="1")
    [first] = bench.record.rasters("satellite")
    assert (
        bench.data.joinpath(f"objects/{first.object_sha256[:2]}/{first.object_sha256}.tif").read_text()
        == "before"
    )
    assert first.content["bands"][0]["name"] == "B1"
    unchanged = bench.contribute([raster(bench.folder, "before")], content="2")
    assert unchanged.counts == {}
    bench.contribute([raster(bench.folder, "after")], content="3")
    [second] = bench.record.rasters("satellite")
    assert second.id == first.id
    assert second.object_sha256 != first.object_sha256


@on_both_databases
def test_a_refused_raster_file_leaves_no_object(bench: Workbench) -> None:
    bench.contribute([raster(bench.folder, "kept")], content="1")
    files = bench.files()
    items = [raster(bench.folder, "kept", 6), raster(bench.folder, "gone"), BadData("step 3 is torn")]
    with pytest.raises(BadData):
        bench.contribute(items, content="2")
    assert bench.files() == files
    assert len(bench.record.rasters("satellite")) == 1


def test_a_job_that_runs_again_finds_its_own_work_done(bench: Workbench) -> None:
    first = bench.contribute([batch("places", PLACES)], content="1", contribution_id="job1")
    bench.contribute([batch("places", {"p1": {"name": "later"}})], content="2")
    again = bench.contribute([batch("places", PLACES)], content="1", contribution_id="job1")
    assert again.already_here
    assert again.contribution_id == first.contribution_id == "job1"


def test_a_skipped_format_keeps_nothing_and_says_so(bench: Workbench) -> None:
    def skipped(path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        report.note(Message("later", "not yet", "未対応"))
        yield from ()

    rows = bench.record.row_counts()
    result = bench.contribute([], name="map.later", content="later", read=skipped)
    assert result.changeset is None
    assert not result.already_here
    assert result.report.notes
    assert bench.record.row_counts() == rows
    assert bench.files() == set()


def test_a_real_file_goes_all_the_way(bench: Workbench) -> None:
    features = [
        {
            "type": "Feature",
            "id": number,
            "properties": {"name": f"地点{number}", "rank": number},
            "geometry": {"type": "Point", "coordinates": [139 + number / 100, 35]},
        }
        for number in range(20)
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features})

    def read(path, request, report):
        return read_file(path, replace(request, collection="places"), report)

    result = bench.contribute([], name="places.geojson", content=content, read=read)
    assert result.counts == {"places": (20, 0, 0)}
    assert sorted(row["rank"] for row in bench.visible("places").values()) == list(range(20))


def test_values_are_converted_only_where_nothing_is_lost(bench: Workbench) -> None:
    rows = {
        "a": {"kind": "closure", "valid_from": "2026-01-02T03:04:05+09:00"},
        "b": {"kind": "closure", "valid_from": "not a time"},
    }
    result = bench.contribute([batch("events", rows)])
    assert [refusal.row for refusal in result.report.refusals] == ["b"]
    assert list(bench.visible("events").values()) == [
        {"kind": "closure", "valid_from": "2026-01-01T18:04:05Z"}
    ]
    typed = batch("events", {"c": {"kind": "closure"}})
    moments = pa.array([1_700_000_000_500_000], pa.timestamp("us", tz="UTC"))
    typed = replace(typed, properties=typed.properties.append_column("valid_from", moments))
    bench.contribute([typed], content="2")
    assert {"kind": "closure", "valid_from": "2023-11-14T22:13:20.500000Z"} in bench.visible(
        "events"
    ).values()


def test_the_reader_is_asked_with_the_request(bench: Workbench) -> None:
    asked = []

    def read(path: Path, request: ReadRequest, report):
        asked.append((path.name, request.provider))
        yield batch("places", PLACES)

    bench.contribute([], read=read)
    assert asked == [("file.bin", "mapco")]


@pytest.mark.parametrize("collection", ["places", "temperature", "../../evil", "a\0b", "/tmp/evil"])
def test_rasters_that_no_collection_could_show_are_refused_and_leave_nothing(
    bench: Workbench, collection: str
) -> None:
    item = replace(raster(bench.folder, "scene"), collection=collection)
    before = bench.record.row_counts()
    with pytest.raises((BadData, BadRequest)) as refused:
        bench.contribute([item])
    assert refused.value.parameter == "collection"
    assert refused.value.allowed
    assert bench.record.row_counts() == before
    assert bench.files() == set()
