"""Whatever text comes in, the answer is a tree or one clear refusal, and the process lives."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest
from geoshare.filter import check, evaluate, parse_json, parse_text
from geoshare.filter.arrays import ARRAYS
from geoshare.filter.check import ARITHMETIC
from geoshare.filter.spatial import SPATIAL
from geoshare.filter.temporal import OF_INSTANTS, TEMPORAL
from tests.filter.test_evaluate import table_of
from tiles.arrays import Kind

FIELDS = {
    "name": Kind.STRING,
    "width_m": Kind.FLOAT,
    "lanes": Kind.INT,
    "at": Kind.TIMESTAMP,
    "open": Kind.BOOL,
}
PIECES = [
    *(
        "(",
        ")",
        "[",
        "]",
        "'",
        '"',
        ",",
        " ",
        "=",
        "<>",
        "<",
        "-",
        "+",
        "*",
        "/",
        "^",
        "%",
        "name",
        "width_m",
    ),
    *(
        " AND ",
        " OR ",
        " NOT ",
        " IN ",
        " LIKE ",
        " BETWEEN ",
        " IS NULL",
        "casei(",
        "accenti(",
        "1",
        "1e999",
    ),
    *(
        "S_INTERSECTS(",
        "POINT(1 2)",
        "POLYGON((",
        "BBOX(",
        "DATE('2020-01-01')",
        "INTERVAL(",
        "T_AFTER(",
        "é",
        "日",
    ),
    *("\0", "\n", "\\", "{", "}", "--", ";", "geometry", "TRUE"),
]


def refusal(call):
    try:
        call()
    except BadRequest as error:
        return error
    return None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_a_tree_or_a_refusal(text):
    refused = refusal(lambda: check(parse_text(text), FIELDS))
    assert refused is None or refused.parameter == "filter"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(list(FIELDS)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "op",
                    "args",
                    "property",
                    "bbox",
                    "interval",
                    "date",
                    "timestamp",
                    "type",
                    "coordinates",
                ]
            ),
            inner
            | st.sampled_from(["and", "=", "in", "like", "between", "s_within", "t_after", "Point"]),
            max_size=3,
        )
    ),
    max_leaves=12,
)


def op(names, *operands):
    """An operation, each operand of a kind below."""
    return st.builds(
        lambda name, *args: {"op": name, "args": list(args)}, st.sampled_from(list(names)), *operands
    )


def prop(*names):
    return st.sampled_from([{"property": name} for name in names])


WORD = st.deferred(
    lambda: (
        prop("name", "id")
        | st.sampled_from(["a", "%a_\\", "É"])
        | op(("lower", "casei", "accenti"), WORD)
    )
)
MOMENT = prop("at") | st.sampled_from([{"date": "2026-01-01"}, {"timestamp": "2026-01-01T00:00:00Z"}])
SPAN = st.builds(lambda start, end: {"interval": [start, end]}, st.just("..") | MOMENT, MOMENT)
PLACE = prop("geometry") | st.sampled_from(
    [
        {"bbox": [0, 0, 1, 1]},
        {"bbox": [170, 0, -170, 1]},
        {"type": "Point", "coordinates": [1, 1]},
        {"type": "LineString", "coordinates": [[0, 0], [200, 2]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 1]}]},
        {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]},
    ]
)
AMOUNT = st.recursive(
    prop("width_m", "lanes") | st.sampled_from([0, 1, -3, 1.5, 2**62, 1e300]),
    lambda inner: (
        op(ARITHMETIC, inner, inner)
        | op(("-", "abs", "floor", "ceiling", "round"), inner)
        | op(("year", "month", "day"), MOMENT)
        | op(("length_m", "area_m2"), PLACE)
        | op(("char_length",), WORD)
    ),
    max_leaves=4,
)
FLAG = prop("open") | st.booleans()
ARRAY = st.lists(AMOUNT | WORD | MOMENT | SPAN | PLACE | FLAG | st.just(["a", 1]), max_size=3)
CONDITION = st.recursive(
    FLAG
    | op(("=", "<>", "<", ">", "<=", ">="), AMOUNT, AMOUNT)
    | op(("=", "<>", "<", ">", "<=", ">="), WORD, WORD)
    | op(("=", "<>", "<", ">", "<=", ">="), MOMENT, MOMENT)
    | op(("=", "<>", "<", ">", "<=", ">="), FLAG, FLAG)
    | op(("between",), AMOUNT, AMOUNT, AMOUNT)
    | op(("in",), WORD, st.lists(WORD, min_size=1, max_size=3))
    | op(("in",), MOMENT, st.lists(MOMENT, min_size=1, max_size=3))
    | op(("like",), WORD, st.sampled_from(["a", "%a_\\", "\\", ""]))
    | op(("isNull",), AMOUNT | WORD | MOMENT | PLACE | SPAN | ARRAY)
    | op(SPATIAL, PLACE, PLACE)
    | op(TEMPORAL, SPAN, SPAN)
    | op(OF_INSTANTS, MOMENT | SPAN, MOMENT | SPAN)
    | op(ARRAYS, ARRAY, ARRAY),
    lambda inner: op(("and", "or"), inner, inner) | op(("not",), inner),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def fields_table(tmp_path_factory):
    """Rows of which each column is null in one."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    full = {"name": "a", "width_m": 1.5, "lanes": 2, "at": at, "open": True}
    rows = [{**full, "geometry": shape} for shape in (*map(shapely.from_wkt, SHAPES), None)]
    rows += [{**rows[0], name: None} for name in full]
    return table_of(rows, tmp_path_factory.mktemp("rows"), FIELDS)


@settings(max_examples=50, deadline=None)
@given(tree=CONDITION)
def test_any_filter_that_passes_the_check_has_an_answer_and_an_opposite(fields_table, tree):
    refused = refusal(lambda: check(parse_json(json.dumps(tree)), FIELDS))
    if refused is not None:
        # literals may make an interval that ends before it begins
        assert "interval" in refused.message.lower() or refused.code == "filter-size"
        return
    expression = check(parse_json(json.dumps(tree)), FIELDS)
    true = evaluate(expression, fields_table)
    false, unknown = (
        evaluate(check(said, FIELDS), fields_table)
        for said in ({"op": "not", "args": [tree]}, {"op": "isNull", "args": [tree]})
    )
    assert (true.astype(int) + false + unknown == 1).all()


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_any_json_is_an_expression_or_a_refusal(tree):
    refused = refusal(lambda: check(parse_json(json.dumps(tree)), FIELDS))
    assert refused is None or refused.parameter == "filter"


SHAPES = (
    "POINT(1 1)",
    "LINESTRING(0 0, 2 2)",
    "POLYGON((0 0, 2 2, 2 0, 0 2, 0 0))",
    "MULTIPOINT(1 1, 2 2)",
)
BOMBS = [
    "(" * 100_000 + "1=1" + ")" * 100_000,
    "(" * 39 + "TRUE" + ")" * 39,
    "NOT " * 3_000 + "TRUE",
    "NOT(" * 1_500 + "TRUE" + ")" * 1_500,
    "-" * 10_000 + "width_m = 1",
    "- " * 5_000 + "width_m = 1",
    "-(" * 2_000 + "width_m" + ")" * 2_000 + " = 1",
    " AND ".join(["name = 'x'"] * 5_000),
    " AND ".join(["name = 'x'"] * 400),
    "=".join(["1"] * 5_000),
    "^".join(["2"] * 5_000),
    "+".join(["2"] * 8_000) + " = 1",
    "casei(" * 2_000 + "name" + ")" * 2_000 + " = 'x'",
    "name LIKE '" + "%a" * 5_000 + "'",
    "name IN (" + ",".join(["'a'"] * 5_000) + ")",
    "[" * 50_000,
    "'" * 9_999,
    "S_INTERSECTS(geometry, POLYGON((" + ",".join(["0 0"] * 3_000) + ")))",
    "GEOMETRYCOLLECTION(" * 1_000,
    "INTERVAL(" * 1_000,
    "a IS NOT " * 1_500 + "NULL",
    '{"op":"not","args":[' * 2_000 + "true" + "]}" * 2_000,
    '{"op":"and","args":[' + ",".join(["true"] * 5_000) + "]}",
    '{"op":"a_equals","args":[' + "[" * 60 + "1" + "]" * 60 + ",[1]]}",
    '{"op":"s_within","args":[{"property":"geometry"},{"type":"GeometryCollection","geometries":['
    + '{"type":"GeometryCollection","geometries":[' * 60
    + "]}" * 60
    + "]}]}",
    '{"op":"s_within","args":[{"property":"geometry"},{"bbox":[1e308,-1e308,1e308,1e308]}]}',
    '{"op":"s_within","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,0],[1]]]}]}',
    '{"op":"s_within","args":[{"property":"geometry"},{"type":"Point","coordinates":[null,true]}]}',
    '{"op":"=","args":[{"property":["name"]},{"property":{}}]}',
    '{"op":"=","args":[{"property":"width_m"},1e999]}',
    '{"op":"=","args":[{"property":"width_m"},' + "9" * 400 + "]}",
    '{"op":"like","args":["a",{"op":"lower","args":[{"op":"casei","args":[7]}]}]}',
    '{"op":"t_after","args":[{"date":"9999-12-31"},{"interval":["..","0000-01-01"]}]}',
    '{"op":"in","args":[{"property":"width_m"},[]]}',
    '{"op":"between","args":[1,2]}',
    '{"op":"isNull","args":[null]}',
    "S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 1), POLYGON((0 0, 1 0, 1 1, 0 0))))",
    "S_CROSSES(geometry, POLYGON((0 0, 2 2, 2 0, 0 2, 0 0)))",
    "S_EQUALS(geometry, POINT(1e308 1e308))",
    "S_INTERSECTS(geometry, POLYGON((-350 -80, 350 -80, 350 80, -350 80, -350 -80)))",
    "length_m(POINT(0 0)) + area_m2(geometry) = 0",
    "year(DATE('9999-12-31')) = 1 AND month(TIMESTAMP('0001-01-01T00:00:00Z')) = 1",
    "name LIKE 'a\\'",
    "name LIKE '%" + "_%" * 3_000 + "'",
    "width_m ^ 1000 ^ 1000 ^ 1000 > 0 AND width_m div 0 = 1 AND width_m % 0 = 1",
]
RUN = """
import json, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from geoshare.errors import BadRequest
from geoshare.filter import Meter, check, evaluate, parse
from geoshare.filter.crs import CRS84, FILTER_CRS
from tiles.arrays import Kind
from tiles.pack import open_part
FIELDS = {"name": Kind.STRING, "width_m": Kind.FLOAT}
table = open_part(Path(sys.argv[1])).table
for bomb in json.load(sys.stdin):
    for lang in ("cql2-text", "cql2-json"):
        for crs in (CRS84, FILTER_CRS[2], FILTER_CRS[-1]):
            try:
                tree = parse(bomb, lang, crs)
                evaluate(check(tree, FIELDS), table, meter=Meter())
            except BadRequest:
                pass
print("alive")
"""


def test_filters_made_to_end_the_process_do_not(tmp_path):
    # in a process of its own: the parser's stack overflow is no exception that could be caught
    kinds = {"name": Kind.STRING, "width_m": Kind.FLOAT}
    shapes = [None, *map(shapely.from_wkt, SHAPES)]
    table_of(
        [dict(zip(kinds, ("a", 1.5), strict=True)) | {"geometry": s} for s in shapes], tmp_path, kinds
    )
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(next(tmp_path.glob("*.part")))],
        input=json.dumps(BOMBS),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "alive", done.stderr[-2000:]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("hidden = 1", "id, geometry, name"),
        ("name = 1", "one type"),
        ("width_m LIKE 'a%'", "text"),
        ("name", "true or false"),
        ("at > TIMESTAMP('yesterday')", "RFC 3339"),
        ("nonsense(name) = 1", "and, or, not"),
        ("S_INTERSECTS(geometry, POINT(900 0))", "GeoJSON"),
        ("", "CQL2"),
    ],
)
def test_a_refusal_says_what_is_allowed(text, word):
    with pytest.raises(BadRequest) as caught:
        check(parse_text(text), FIELDS)
    assert word in (caught.value.allowed or "")


def test_a_hidden_field_and_an_unknown_one_are_refused_in_the_same_words():
    answers = []
    for name in ("population", "nonsense__"):
        with pytest.raises(BadRequest) as caught:
            check(parse_text(f"{name} > 1"), FIELDS)
        answers.append((caught.value.message, caught.value.allowed, caught.value.code))
    assert answers[0] == answers[1]


# Each was read again and again by the parser, twice as often for every bracket: for minutes, or days.
TRAPS = [
    "({n}",
    "a IN ({n}",
    "({n}a=1",
    "({n}a={c}",
    "NOT ({n}a=1",
    "f(({n}",
    "({n}'",
    "a=')))' AND ({n}",
]


TRY_ALL = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from geoshare.errors import BadRequest
from geoshare.filter import parse_text
for text in json.loads(sys.argv[1]):
    try:
        parse_text(text)
        print("read", text)
    except BadRequest as error:
        print(error.parameter)
"""


def test_brackets_that_would_keep_the_parser_busy_are_refused_before_it_sees_them():
    texts = [
        trap.replace("({n}", "(" * depth).replace("{c}", ")" * depth)
        for trap in TRAPS
        for depth in (12, 16, 20, 30, 39)
    ]
    command = [sys.executable, "-c", TRY_ALL, json.dumps(texts)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.split("\n")[:-1] == ["filter"] * len(texts)


def test_filters_that_programs_write_with_many_brackets_are_read():
    text = "(lanes = 1)"
    for number in range(8):
        text = f"({text} AND (lanes <> {number}))"
    assert check(parse_text(text), FIELDS).properties == {"lanes"}
    tree = parse_text("((((((((((((lanes = 1))))))))))))")
    assert tree == {"op": "=", "args": [{"property": "lanes"}, 1]}
    names = ", ".join(f"'name {number}'" for number in range(1000))
    parse_text(f"(name IN ({names}) OR lanes IN (1, 2)) AND open")


@pytest.mark.parametrize(
    ("text", "place"),
    [("name = 'a' ; DROP TABLE x", "line 1, letter 12"), ("a IN ()", "line 1, letter 7")],
)
def test_a_filter_that_cannot_be_read_says_where(text, place):
    with pytest.raises(BadRequest, match=place):
        parse_text(text)
