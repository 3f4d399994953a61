"""Whatever text comes in, the answer is a tree or one clear refusal, and the process lives."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest
from geoshare.filter import check, parse_json, parse_text
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


@settings(max_examples=50, deadline=None)
@given(JSON)
def test_any_json_is_an_expression_or_a_refusal(tree):
    refused = refusal(lambda: check(parse_json(json.dumps(tree)), FIELDS))
    assert refused is None or refused.parameter == "filter"


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
]
RUN = """
import json, sys
from geoshare.errors import BadRequest
from geoshare.filter import check, parse_json, parse_text
from tiles.arrays import Kind
for bomb in json.load(sys.stdin):
    for parse in (parse_text, parse_json):
        try:
            check(parse(bomb), {"name": Kind.STRING, "width_m": Kind.FLOAT})
        except BadRequest:
            pass
print("alive")
"""


def test_filters_made_to_end_the_process_do_not():
    # in a process of its own: the parser's stack overflow is no exception that could be caught
    done = subprocess.run(
        [sys.executable, "-c", RUN],
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
