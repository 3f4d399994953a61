"""CQL2's abstract tests (OGC 21-065r2, annex A), asked of the items of a running application."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import cql2
import pytest

from geoshare.filter import parse_json, parse_text
from tests.api.conftest import Own

# opengeospatial/ogcapi-features#1011: the data's places that begin with Ch are Chișinău, Chicago and
# Chengdu, and one of them begins with Chis; the annex says 2 each time.
CORRECTED = {
    "ACCENTI(name) LIKE accenti('Ch%')": 3,
    "ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))": 1,
    "ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))": 1,
}
PLACES = "ne_110m_populated_places_simple"
EXAMPLES = {"text": 120, "json": 109}


@pytest.fixture(scope="module")
def standard(real_data: Path, tmp_path_factory) -> Own:
    """A geoshare with the layers of the standard's data.

    Its times lack the Z that GeoPackage demands; times without a zone would be taken as Japanese.
    """
    folder = tmp_path_factory.mktemp("cql2")
    path = folder / "ne110m4cql2.gpkg"
    shutil.copyfile(real_data / "cql2" / path.name, path)
    with closing(sqlite3.connect(path)) as file, file:
        # the triggers of its R-tree call functions that SQLite itself has not
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        for column in ("start", "end"):
            file.execute(f'UPDATE {PLACES} SET "{column}" = "{column}" || \'Z\'')
    own = Own(folder / "data")
    own.contribute(path)
    return own


@pytest.fixture(scope="module")
def predicates(real_data: Path) -> list[dict]:
    """The predicates of the annex, by the names that the queryables have here."""
    found = json.loads((real_data / "cql2" / "predicates.json").read_text("utf-8"))
    for item in found:
        item["expected"] = CORRECTED.get(item["filter"], item["expected"])
        item["filter"] = re.sub(r"\bgeom\b", "geometry", item["filter"])
    return found


def ask(own: Own, collection: str, text: str, more: str = "&limit=1") -> dict:
    answer = own.get(f"/collections/{collection}/items?filter={quote(text)}{more}")
    assert answer.status_code == 200, (text, answer.data)
    return json.loads(answer.data)


def ids(own: Own, collection: str, text: str) -> set[str]:
    found = ask(own, collection, text, "&limit=1000")
    return {feature["id"] for feature in found["features"]}


@pytest.mark.parametrize("language", ["cql2-text", "cql2-json"])
def test_every_predicate_of_the_annex_finds_as_many_as_it_says(standard, predicates, language):
    assert len(predicates) == 351
    wrong = []
    for item in predicates:
        text = item["filter"]
        if language == "cql2-json":
            text = json.dumps(cql2.parse_text(text).to_json())
        more = f"&limit=1&filter-lang={language}"
        found = ask(standard, item["collection"], text, more)["numberMatched"]
        if found != item["expected"]:
            wrong.append((item["conformance_class"], item["filter"], item["expected"], found))
    assert wrong == []


@pytest.mark.parametrize(("language", "parse"), [("text", parse_text), ("json", parse_json)])
def test_every_example_of_the_standard_is_read(real_data, language, parse):
    paths = sorted((real_data / "cql2" / "examples" / language).glob("*.[jt]*"))
    assert len(paths) == EXAMPLES[language]
    for path in paths:
        assert parse(path.read_text("utf-8")), path.name


def test_filters_obey_the_laws_of_three_valued_logic(standard, predicates):
    collection = PLACES
    simple = [item["filter"] for item in predicates if item["collection"] == collection]
    simple = [text for text in dict.fromkeys(simple) if len(text) < 90][::9]
    known = {text: ids(standard, collection, text) for text in simple}
    for p, q in itertools.pairwise(simple):
        assert ids(standard, collection, f"NOT (NOT ({p}))") == known[p]
        not_p, not_q = (ids(standard, collection, f"NOT ({text})") for text in (p, q))
        assert not not_p & known[p]
        assert ids(standard, collection, f"({p}) AND ({q})") == known[p] & known[q]
        assert ids(standard, collection, f"({p}) OR ({q})") == known[p] | known[q]
        assert ids(standard, collection, f"NOT (({p}) AND ({q}))") == not_p | not_q
        assert ids(standard, collection, f"NOT (({p}) OR ({q}))") == not_p & not_q


@pytest.mark.parametrize(
    "box", ["0,40,10,50", "150,-90,-150,90", "-180,-90,180,90", "7.02,49.92,7.02,49.92"]
)
def test_a_bbox_and_an_intersection_with_it_find_the_same(standard, box):
    collection = "ne_110m_admin_0_countries"
    by_filter = ids(standard, collection, f"S_INTERSECTS(geometry, BBOX({box}))")
    answer = standard.get(f"/collections/{collection}/items?bbox={box}&limit=1000")
    assert {feature["id"] for feature in json.loads(answer.data)["features"]} == by_filter
    both = ids(standard, collection, f"NOT (S_DISJOINT(geometry, BBOX({box})))")
    assert both == by_filter
