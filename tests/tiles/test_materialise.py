"""What leaves as columns holds nothing of rows and columns that were not asked for."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tiles.packs import ARROW_TYPES, KINDS, features, ids_of, point_pack, write
from tiles.arrays import Kind, Rows
from tiles.geometry.convert import from_shapely
from tiles.pack import Pack, Selection, lookup, materialise, open_part, scan, write_part

CANARY = "canary-5d1f"
NUMBER = 0x5D1F_C0DE_5D1F_C0DE
HIDDEN = {
    "geometry": shapely.Point(11.987654321, 47.123456789),
    "text": CANARY,
    "whole": NUMBER,
    "number": 98765.4321234,
    "extra": f'["{CANARY}"]',
}


def files_of(table):
    """The table as every kind of file Arrow writes."""
    for compression in (None, "zstd"):
        sink = io.BytesIO()
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)
        yield sink.getvalue()
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="none")
    yield sink.getvalue()


def traces():
    yield CANARY.encode()
    yield NUMBER.to_bytes(8, "little")
    for value in (HIDDEN["number"], HIDDEN["geometry"].x, HIDDEN["geometry"].y):
        yield np.float64(value).tobytes()


@pytest.fixture
def guarded(tmp_path):
    """A pack of 20 rows, 5 of them hidden and full of canaries, and the selection that hides them."""
    shown = {
        "geometry": shapely.Point(139, 35),
        "text": "shown",
        "whole": 1,
        "number": 0.5,
        "extra": "{}",
    }
    ids = [f"{CANARY}-{i}" if i % 4 == 0 else f"id{i}" for i in range(20)]
    write(tmp_path / "part", ids, [HIDDEN if i % 4 == 0 else shown for i in range(20)])
    pack = Pack([open_part(tmp_path / "part")])
    visible = np.array([not name.startswith(CANARY) for name in ids_of(scan(pack, None))])
    return pack, Selection.of_masks(pack, [visible])


def test_no_canary_of_a_hidden_row_leaves(guarded):
    pack, selection = guarded
    whole = next(iter(files_of(materialise(scan(pack, None), ["id", *KINDS]))))
    assert all(trace in whole for trace in traces())
    for data in files_of(materialise(scan(pack, selection), ["id", *KINDS])):
        assert not any(trace in data for trace in traces())


def test_no_buffer_of_what_leaves_is_longer_than_its_rows(guarded):
    pack, selection = guarded
    table = materialise(scan(pack, selection), ["id", *KINDS])
    for column in table.columns:
        for chunk in column.chunks:
            assert chunk.offset == 0
            for buffer in chunk.buffers():
                data = b"" if buffer is None else buffer.to_pybytes()
                assert not any(trace in data for trace in traces())


def test_no_canary_of_a_column_that_was_not_asked_for_leaves(guarded):
    pack, _ = guarded
    for data in files_of(materialise(scan(pack, None), ["yes"], geometry=None)):
        assert not any(trace in data for trace in traces())


def test_no_canary_left_in_the_slot_of_a_null_leaves(tmp_path):
    """A validity bitmap alone would leave the number in the values."""
    columns = {"id": pa.array(["a", "b"])}
    for name in KINDS:
        value = HIDDEN.get(name)
        array = pa.array([value, value], ARROW_TYPES[name])
        mask = pa.py_buffer(b"\x01")
        columns[name] = pa.Array.from_buffers(array.type, 2, [mask, *array.buffers()[1:]])
    table = pa.table(columns).slice(1)
    write_part(tmp_path / "part", table, from_shapely([None]), KINDS)
    assert not any(trace in (tmp_path / "part").read_bytes() for trace in traces())
    rows = scan(Pack([open_part(tmp_path / "part")]), None)
    for data in files_of(materialise(rows, ["id", *KINDS])):
        assert not any(trace in data for trace in traces())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(features, min_size=1, max_size=10), data=st.data())
def test_any_choice_of_rows_in_any_order_is_copied_value_by_value(tmp_path, rows, data):
    write(tmp_path / "part", [f"i{i}" for i in range(len(rows))], rows)
    table = open_part(tmp_path / "part").table
    numbers = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=12))
    columns = data.draw(st.permutations(["id", *KINDS]))
    chosen = Rows((table,), (np.array(numbers, dtype=np.int32),))
    got = materialise(chosen, columns)
    got.validate(full=True)
    whole = materialise(Rows((table,), (np.arange(len(rows), dtype=np.int32),)), columns).to_pylist()
    assert got.to_pylist() == [whole[number] for number in numbers]
    assert got.column_names == [*columns, "geometry"]


def test_types_do_not_depend_on_whether_there_are_rows(guarded):
    pack, selection = guarded
    some, none = (
        materialise(scan(pack, selection), list(KINDS)),
        materialise(lookup(pack, None, []), list(KINDS)),
    )
    assert some.schema == none.schema
    assert some.schema.types == [*(ARROW_TYPES[name] for name in KINDS), pa.binary()]


def test_rows_of_several_parts_come_one_after_the_other(tmp_path):
    pack = point_pack(tmp_path, 5, parts=3)
    rows = scan(pack, None)
    assert materialise(rows, ["id"], geometry=None).column("id").to_pylist() == ids_of(rows)


def test_a_column_that_is_not_there_is_an_error(guarded):
    pack, _ = guarded
    with pytest.raises(KeyError):
        materialise(scan(pack, None), ["nonsense"])


def test_json_leaves_as_its_text(tmp_path):
    write(tmp_path / "part", ["a"], [{"extra": '{"b": [1, "道"]}'}])
    rows = scan(Pack([open_part(tmp_path / "part")]), None)
    assert materialise(rows, ["extra"]).column("extra").to_pylist() == ['{"b": [1, "道"]}']
    assert rows.tables[0].column("extra").kind is Kind.JSON
