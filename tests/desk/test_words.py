"""Whoever works in Japanese is refused in Japanese: what is wrong, and what is allowed."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.conftest import Town, point

ROOT = Path(__file__).resolve().parents[2] / "geoshare"
READ = (  # whatever an officer's questions pass through
    "api/desk*.py",
    "api/warnings.py",
    "api/shares.py",
    "api/describe.py",
    "api/bodies.py",
    "api/admit.py",
    "services/desk*.py",
    "services/sheet*.py",
    "services/evacuation_proposals.py",
    "services/warning*.py",
    "services/share*.py",
    "services/once.py",
    "services/contribution_area.py",
    "sources/sheets/*.py",
    "ingest/photos.py",
    "ingest/edits.py",
    "model/checking.py",
    "model/times.py",
)
ERRORS = {
    "BadRequest", "BadData", "Denied", "TooLarge", "Conflict", "Stale", "Unseen", "Unauthenticated",
}  # fmt: skip


def _refusals(path: Path) -> Iterator[tuple[int, set[str]]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            yield node.lineno, {str(keyword.arg) for keyword in node.keywords}


def test_every_refusal_of_the_desk_has_japanese_words_for_all_that_it_says_in_english() -> None:
    files = [path for pattern in READ for path in ROOT.glob(pattern)]
    found = [(path, line, said) for path in files for line, said in _refusals(path)]
    assert len(found) > 60
    bare = [
        f"{path.relative_to(ROOT)}:{line}"
        for path, line, said in found
        if "message_ja" not in said or ("allowed" in said and "allowed_ja" not in said)
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/desk/edits?before=nothing", None),
        ("GET", "/desk/edits?limit=1000", None),
        ("GET", "/desk/edits?what=1", None),
        ("POST", "/desk/edits", {"edits": []}),
        ("POST", "/desk/edits", b"{"),
        ("POST", "/collections/shelters/items", {"properties": {"name": "公民館"}}),
        ("POST", "/collections/shelters/items", {"properties": {"colour": "red"}}),
        ("POST", "/collections/shelters/items", {"properties": {"people_count": -1}}),
        ("POST", "/collections/shelters/items", {"properties": {"name": "館"}, "geometry": {}}),
        ("POST", "/collections/shelters/items", {"colour": "red"}),
        ("POST", "/desk/photos", b"no picture"),
        ("POST", "/desk/sheets?collection=shelters", b""),
        ("POST", "/desk/sheets?collection=segments", b"a,b"),
        ("POST", "/shares", {"title": ""}),
    ],
)
def test_a_refusal_as_it_comes_has_japanese_letters(
    town: Town, method: str, path: str, body: object
) -> None:
    answer = town.ask(method, path, body)
    assert 400 <= answer.status_code < 500
    if answer.status_code != 404:  # what is hidden is told from what is not there by nobody
        assert any(letter > "\u3000" for letter in answer.json["detail_ja"]), answer.json


def test_a_polygon_in_the_wrong_units_is_no_error_of_ours(town: Town) -> None:
    body = {"properties": {"name": "館"}, "geometry": point([float(10**300), 35.0])}
    answer = town.ask("POST", "/collections/shelters/items", body)
    assert (answer.status_code, answer.json["parameter"]) == (400, "geometry")


@pytest.mark.parametrize("path", ["/desk/photos", "/desk/sheets?collection=shelters"])
def test_a_body_that_is_too_large_is_read_on_so_that_the_sender_reads_why(
    town: Town, path: str
) -> None:
    body = io.BytesIO(bytes(13_000_000))
    answer = town.client.post(
        path, input_stream=body, content_length=13_000_000, headers={"X-API-Key": town.keys["town"]}
    )
    assert answer.status_code == 413
    assert "まで" in answer.json["allowed_ja"]
    assert body.tell() == 13_000_000
