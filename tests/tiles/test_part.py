from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiles.packs import KINDS, VALUES, features, ids_of, point_pack, point_rows, table_of, write
from tiles.arrays import Kind
from tiles.errors import (
    BadColumn,
    BadGeometry,
    ForeignFile,
    PartError,
    PartMissing,
    TileError,
    TornPart,
    WrongChecksum,
)
from tiles.geometry.convert import from_shapely, from_wkb, to_wkb
from tiles.pack import Pack, PartInfo, materialise, open_part, row_order, scan, verify_part, write_part

once = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
id_lists = st.lists(st.text(min_size=1, max_size=6), max_size=12, unique=True)


def wkb_of(shape):
    return to_wkb(from_shapely([shape]))[0]


@once
@given(ids=id_lists, data=st.data())
def test_every_value_and_geometry_comes_back_under_its_id(tmp_path, ids, data):
    rows = [data.draw(features) for _ in ids]
    write(tmp_path / "part", ids, rows)
    table = materialise(scan(Pack([open_part(tmp_path / "part")]), None), ["id", *VALUES])
    got = {row.pop("id"): row for row in table.to_pylist()}
    assert list(got) == table.column("id").to_pylist()
    want = {
        key: {**row, "geometry": wkb_of(row["geometry"])} for key, row in zip(ids, rows, strict=True)
    }
    assert got == want


@once
@given(ids=id_lists, data=st.data())
def test_rows_lie_in_the_order_of_group_key_and_id_whatever_order_they_came_in(tmp_path, ids, data):
    place = st.sampled_from([(0.0, 0.0), (0.000001, 0.0), (10.0, 10.0), (-170.0, 80.0)])
    rows = point_rows([data.draw(place) for _ in ids])
    groups = np.array([data.draw(st.sampled_from([0, 3, 255])) for _ in ids], dtype=np.int64)
    write(tmp_path / "part", ids, rows, detail_group=groups)
    part = open_part(tmp_path / "part")
    order = list(zip(part.order_key.tolist(), ids_of(scan(Pack([part]), None)), strict=True))
    assert order == sorted(order, key=lambda pair: (pair[0], pair[1].encode()))
    assert [key >> 56 for key, _ in order] == sorted(groups.tolist())

    other = data.draw(st.permutations(range(len(ids))))
    other_rows = [rows[i] for i in other]
    other_groups = groups[np.array(other, dtype=int)]
    again = write(tmp_path / "again", [ids[i] for i in other], other_rows, detail_group=other_groups)
    assert again.rows_digest == part.rows_digest


def test_a_row_keeps_its_neighbours_when_another_is_added(tmp_path):
    rng = np.random.default_rng(3)
    ids = [f"i{i}" for i in range(200)]
    rows = point_rows(rng.normal([139, 35], 0.1, (200, 2)))
    write(tmp_path / "few", ids, rows)
    write(tmp_path / "more", [*ids, "far"], [*rows, {"geometry": shapely.Point(-70, -50)}])
    few, more = (ids_of(scan(Pack([open_part(tmp_path / name)]), None)) for name in ("few", "more"))
    assert [name for name in more if name != "far"] == few


def test_id_hashes_are_the_first_bytes_of_blake2b(tmp_path):
    part = point_pack(tmp_path, 20).parts[0]
    for name, value in zip(ids_of(scan(Pack([part]), None)), part.table.id_hash.tolist(), strict=True):
        assert value == int.from_bytes(hashlib.blake2b(name.encode()).digest()[:8], "little")


def test_the_same_features_give_the_same_bytes(tmp_path):
    rows = point_rows([(1, 2), (3, 4)])
    first, second = (write(tmp_path / name, ["a", "b"], rows) for name in ("one", "two"))
    assert first.checksum == second.checksum


def test_an_empty_part_keeps_its_columns(tmp_path):
    info = write(tmp_path / "part", [], [])
    part = open_part(tmp_path / "part", info)
    assert part.kinds == KINDS
    assert info.box is None
    assert materialise(scan(Pack([part]), None), ["id", *KINDS]).num_rows == 0


def test_arrays_lie_in_the_mapped_file_and_no_descriptor_stays_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    table = point_pack(tmp_path, 100, parts=3).parts[0].table
    assert len(os.listdir("/proc/self/fd")) == before
    maps = [line for line in Path("/proc/self/maps").read_text().splitlines() if "p0.arrow" in line]
    assert len(maps) == 1
    begin, end = (int(text, 16) for text in maps[0].split()[0].split("-"))
    arrays = [
        table.world_xy,
        table.geometries.lon_lat_z,
        table.geometries.types,
        table.boxes,
        table.id_hash,
    ]
    arrays += [column.values for column in table.columns]
    for array in arrays:
        assert begin <= array.ctypes.data < end
        assert not array.flags.writeable


def test_text_is_stored_once_however_many_rows_hold_it(tmp_path):
    rows = [{"geometry": None, "text": "道路" if i % 2 else "川"} for i in range(50)]
    write(tmp_path / "part", [str(i) for i in range(50)], rows)
    column = open_part(tmp_path / "part").table.column("text")
    assert len(column.dictionary_offsets) == 3
    assert column.valid is None


def test_slots_of_nulls_hold_zero(tmp_path):
    rows = [{"geometry": None}, {"geometry": None, **dict.fromkeys(KINDS)}]
    write(tmp_path / "part", ["a", "b"], rows)
    for column in open_part(tmp_path / "part").table.columns:
        assert not column.values.any()
        assert column.valid.tolist() == [0, 0]


def test_a_missing_property_is_null_and_whole_numbers_may_stand_for_decimals(tmp_path):
    table = pa.table(
        {"id": ["a"], "number": pa.array([3], pa.int32()), "moment": pa.array([5], pa.timestamp("ms"))}
    )
    write_part(tmp_path / "part", table, from_shapely([None]), KINDS)
    row = materialise(scan(Pack([open_part(tmp_path / "part")]), None), list(KINDS)).to_pylist()[0]
    assert row["number"] == 3.0
    assert row["moment"].timestamp() == 0.005
    assert row["text"] is None


def test_numbers_that_are_not_finite_are_null(tmp_path):
    rows = [{"geometry": None, "number": value} for value in (float("inf"), float("nan"), 1.5)]
    write(tmp_path / "part", ["a", "b", "c"], rows)
    table = materialise(scan(Pack([open_part(tmp_path / "part")]), None), ["number"], geometry=None)
    assert table.column("number").to_pylist() == [None, None, 1.5]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"id": ["a", None]}, BadColumn, "null"),
        ({"id": ["a", "a"]}, BadColumn, "twice"),
        ({"whole": ["x", "y"]}, BadColumn, "whole"),
        ({"other": ["x", "y"]}, BadColumn, "without a kind: other"),
        ({"whole": pa.array([1, 2**63], pa.uint64())}, BadColumn, "whole"),
    ],
)
def test_columns_that_do_not_fit_are_refused_by_name(tmp_path, change, error, message):
    table = pa.table({"id": ["a", "b"], **change})
    with pytest.raises(error, match=message):
        write_part(tmp_path / "part", table, from_shapely([None, None]), KINDS)
    assert list(tmp_path.iterdir()) == []


def test_positions_that_are_no_numbers_are_refused(tmp_path):
    flat = from_wkb([shapely.to_wkb(shapely.Point(1, 2))])
    flat.lon_lat_z[0, 1] = np.inf
    with pytest.raises(BadGeometry):
        write_part(tmp_path / "part", table_of(["a"], [{}]), flat, KINDS)


def test_groups_and_geometries_must_be_as_many_as_rows(tmp_path):
    table, none = table_of(["a"], [{}]), from_shapely([None])
    with pytest.raises(BadColumn, match="2 geometries for 1 rows"):
        write_part(tmp_path / "part", table, from_shapely([None, None]), KINDS)
    for groups in ([1, 2], [256], [-1]):
        with pytest.raises(BadColumn, match="detail groups"):
            write_part(tmp_path / "part", table, none, KINDS, detail_group=np.array(groups))


def test_a_folder_that_is_not_there_is_told_and_nothing_is_left(tmp_path):
    with pytest.raises(PartError, match="cannot be written"):
        write(tmp_path / "absent" / "part", ["a"], [{}])
    assert list(tmp_path.iterdir()) == []


def test_the_description_survives_json(tmp_path):
    info = write(tmp_path / "part", ["a"], point_rows([(139.5, 35.5)]))
    assert PartInfo.from_json(info.to_json()) == info
    assert info.box == (139.5, 35.5, 139.5, 35.5)


def test_a_file_that_is_not_there_or_is_something_else_is_refused(tmp_path):
    with pytest.raises(PartMissing):
        open_part(tmp_path / "absent")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("id,name\n1,a\n" * 50)
    with pa.ipc.new_file(tmp_path / "arrow", pa.schema([("a", pa.int8())])) as sink:
        sink.write_table(pa.table({"a": pa.array([1], pa.int8())}))
    (tmp_path / "folder").mkdir()
    for name in ("empty", "text", "arrow"):
        with pytest.raises(ForeignFile):
            open_part(tmp_path / name)
    with pytest.raises(PartError):
        open_part(tmp_path / "folder")


def test_a_part_cut_short_anywhere_is_refused(tmp_path):
    info = write(tmp_path / "part", ["a", "b"], point_rows([(1, 2), (3, 4)]))
    whole = (tmp_path / "part").read_bytes()
    for length in range(0, len(whole), 97):
        (tmp_path / "torn").write_bytes(whole[:length])
        with pytest.raises(PartError):
            open_part(tmp_path / "torn")
        (tmp_path / "torn").write_bytes(whole[:length] + bytes(len(whole) - length))
        with pytest.raises(PartError):
            open_part(tmp_path / "torn", info)


def test_another_part_under_the_same_name_is_refused(tmp_path):
    info = write(tmp_path / "part", ["a"], point_rows([(1, 2)]))
    write(tmp_path / "part", ["b"], point_rows([(1, 2)]))
    with pytest.raises(TornPart, match="manifest"):
        open_part(tmp_path / "part", info)


def test_one_changed_byte_is_found_by_the_checksum(tmp_path):
    info = write(tmp_path / "part", ["a", "b"], point_rows([(1, 2), (3, 4)]))
    verify_part(tmp_path / "part", info)
    damaged = bytearray((tmp_path / "part").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "part").write_bytes(damaged)
    with pytest.raises(WrongChecksum):
        verify_part(tmp_path / "part", info)


def test_a_damaged_header_is_refused_before_arrow_follows_it(tmp_path):
    """Arrow trusts the lengths in its headers: some wrong ones end the process."""
    rows = [{"geometry": shapely.Point(1, 2), "text": "x"}, {"geometry": None}]
    write(tmp_path / "part", ["a", "b"], rows, tombstones=["c"])
    whole = (tmp_path / "part").read_bytes()
    ends = [*range(0, 2000, 7), *range(len(whole) - 1500, len(whole), 7)]
    for at in ends:
        damaged = bytearray(whole)
        damaged[at] ^= 0x81
        (tmp_path / "damaged").unlink(missing_ok=True)
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(PartError):
            open_part(tmp_path / "damaged")


@once
@given(seed=st.integers(0, 2**32 - 1))
def test_a_part_damaged_anywhere_is_refused_or_opens_with_the_right_lengths(tmp_path, seed):
    rows = [{"geometry": shapely.Point(1, 2), "text": "x"}, {"geometry": None}]
    write(tmp_path / "part", ["a", "b"], rows, tombstones=["c"])
    damaged = bytearray((tmp_path / "part").read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(damaged), 3):
        damaged[at] = rng.integers(256)
    (tmp_path / "damaged").unlink(missing_ok=True)
    (tmp_path / "damaged").write_bytes(damaged)
    try:
        part = open_part(tmp_path / "damaged")
    except TileError:
        return
    assert len(part.boxes) == len(part) == len(part.table.column("text")) == 2


def test_other_tools_read_a_part_as_an_arrow_file(tmp_path):
    write(tmp_path / "part", ["a", "b"], point_rows([(1, 2), (3, 4)]))
    with pa.memory_map(str(tmp_path / "part")) as source, pa.ipc.open_file(source) as reader:
        assert reader.read_all().column("id").to_pylist() == ["a", "b"]


def test_more_rows_than_a_part_takes_can_be_cut_in_the_same_order(tmp_path):
    rng = np.random.default_rng(4)
    ids, rows = [f"i{i}" for i in range(50)], point_rows(rng.normal(0, 1, (50, 2)))
    write(tmp_path / "part", ids, rows)
    order = row_order(table_of(ids, rows), from_shapely([row["geometry"] for row in rows]))
    assert [ids[i] for i in order] == ids_of(scan(Pack([open_part(tmp_path / "part")]), None))


def test_kinds_are_what_the_header_says(tmp_path):
    write(tmp_path / "part", ["a"], [{}])
    assert open_part(tmp_path / "part").kinds["moment"] is Kind.TIMESTAMP
