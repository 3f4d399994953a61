"""From CQL2 text or JSON to a plain tree, with its size bounded before any parser sees it.

The tree is CQL2-JSON (OGC 21-065r2, clause 8): ``{"op": ..., "args": [...]}``, ``{"property": ...}``,
literals, GeoJSON geometries, ``{"bbox": ...}``, ``{"timestamp": ...}``, ``{"date": ...}`` and
``{"interval": [...]}``.
"""

from __future__ import annotations

import re
from typing import Any, Final

import cql2
import orjson

from geoshare.errors import BadRequest
from geoshare.filter.crs import CRS84, check_crs, to_crs84

MAX_TEXT: Final = 16_384  # characters; also of JSON
MAX_DEPTH: Final = 40  # the parser of cql2 ends the process at about 1,500 nested parentheses
MAX_WORK: Final = 400_000  # letters, each counted twice for every bracket it stands in: 0.1 s
MAX_NODES: Final = 2_000  # operators, properties and literals
MAX_COORDINATES: Final = 20_000  # numbers in geometries of one filter

CQL2_TEXT: Final = "cql2-text"
CQL2_JSON: Final = "cql2-json"

_AT = re.compile(r"--> (\d+):(\d+)")
_MARKS = re.compile(r"""'[^']*'?|"[^"]*"?|[(\[{)\]}]""")  # what is quoted, and brackets
_BRACKETS = re.compile(r"[()]")
_OPENING: Final = ("(", "[", "{")
_CLOSING: Final = (")", "]", "}")


def parse(text: str, lang: str = CQL2_TEXT, crs: str = CRS84) -> Any:
    """Return the tree of a filter in either language, its geometries in CRS84.

    ``crs`` is the reference system of the geometries in the text, one of ``crs.FILTER_CRS``.

    Raises
    ------
    BadRequest
        naming ``filter``, or ``filter-crs`` for a reference system that is not supported.
    """
    known = check_crs(crs)
    tree = parse_json(text) if lang == CQL2_JSON else parse_text(text)
    return to_crs84(tree, known)


def parse_text(text: str, *, parameter: str = "filter") -> Any:
    """Return the tree of a filter in CQL2 text.

    Raises
    ------
    BadRequest
        naming ``parameter`` where the text is too long, too deep or not CQL2.
    """
    _bound_text(text, parameter)
    _bound_nesting(text, parameter)
    _bound_work(text, parameter)
    try:
        tree = cql2.parse_text(text).to_json()
    except Exception as error:  # the parser has two kinds of its own and may raise ValueError
        raise BadRequest(
            f"The filter is not CQL2 text{_place(error)}",
            code="filter-syntax",
            parameter=parameter,
            allowed="CQL2 text, e.g. class = 'primary' AND name IS NOT NULL",
        ) from error
    _bound_tree(tree, parameter)
    return tree


def parse_json(text: str | bytes, *, parameter: str = "filter") -> Any:
    """Return the tree of a filter in CQL2-JSON.

    Raises
    ------
    BadRequest
        naming ``parameter`` where the text is too long, too deep or not JSON.
    """
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    _bound_text(words, parameter)
    _bound_nesting(words, parameter)
    try:
        tree = orjson.loads(words)
    except orjson.JSONDecodeError as error:
        raise BadRequest(
            "The filter is not JSON, or a number in it is too large.",
            code="filter-syntax",
            parameter=parameter,
            allowed="CQL2-JSON",
        ) from error
    _bound_tree(tree, parameter)
    return tree


def _bound_text(text: str, parameter: str) -> None:
    if len(text) > MAX_TEXT or "\0" in text:
        raise _too_big(f"at most {MAX_TEXT} characters", parameter)
    if not text.strip():
        raise BadRequest(
            "The filter is empty.",
            code="filter-syntax",
            parameter=parameter,
            allowed="a CQL2 expression",
        )


def _bound_nesting(text: str, parameter: str) -> None:
    """Refuse deep nesting by counting brackets outside of quotes, and prefixes that nest like them."""
    depth = 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark in _OPENING:
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_big(f"at most {MAX_DEPTH} levels of nesting", parameter)
        elif mark in _CLOSING:
            depth -= 1
    words = text.lower().replace("(", " ").split()
    if words.count("not") > MAX_DEPTH * 2 or "-" * MAX_DEPTH in text.replace(" ", ""):
        raise _too_big(f"at most {MAX_DEPTH} levels of nesting", parameter)
    if max((text.count(sign) for sign in "=<>^"), default=0) > MAX_NODES // 4:
        raise _too_big(f"at most {MAX_NODES // 4} comparisons", parameter)


def _bound_work(text: str, parameter: str) -> None:
    """Refuse brackets that the parser would try again and again.

    It reads what stands in a bracket twice where the first reading fails, and so again inside: twenty
    brackets that do not close would keep it busy for minutes, and the process with it. Quotes are not
    looked at, since the parser may take them for something else than they look like.
    """
    work, doubled, read = 0, 1, 0
    for found in _BRACKETS.finditer(text):
        work += doubled * (found.start() - read)
        doubled = doubled * 2 if found[0] == "(" else max(1, doubled // 2)
        work, read = work + doubled, found.end()
        if work > MAX_WORK:
            break
    if work + doubled * (len(text) - read) > MAX_WORK:
        raise _too_big("fewer brackets inside each other", parameter)


def _bound_tree(tree: Any, parameter: str) -> None:
    """Count nodes and depth of the parsed tree without recursion."""
    nodes = numbers = 0
    stack: list[tuple[Any, int, bool]] = [(tree, 1, False)]
    while stack:
        node, depth, geometry = stack.pop()
        if depth > MAX_DEPTH * 2:
            raise _too_big(f"at most {MAX_DEPTH} levels of nesting", parameter)
        if isinstance(node, dict):
            geometry = geometry or "coordinates" in node or "geometries" in node
            stack.extend((value, depth + 1, geometry) for value in node.values())
        elif isinstance(node, list):
            stack.extend((value, depth + 1, geometry) for value in node)
        if geometry:
            numbers += 1
        else:
            nodes += 1
        if nodes > MAX_NODES * 2 or numbers > MAX_COORDINATES * 2:
            raise _too_big(f"at most {MAX_NODES} terms and {MAX_COORDINATES} coordinates", parameter)


def _too_big(allowed: str, parameter: str) -> BadRequest:
    return BadRequest(
        "The filter is too large.", code="filter-size", parameter=parameter, allowed=allowed
    )


def _place(error: Exception) -> str:
    """Where the parser could not go on; it begins its message with line and column, from 1."""
    found = _AT.search(str(error))
    return "." if found is None else f": it cannot go on at line {found[1]}, letter {found[2]}."
