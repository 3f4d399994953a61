"""Built files from memory: the right coding, for a year, and nothing beyond their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoshare.web.assets import MAX_KEPT, Assets

BODY = b"export const a = 1;"


@pytest.fixture
def files(tmp_path: Path) -> Assets:
    folder = tmp_path / "assets"
    folder.mkdir()
    (folder / "share-abc.js").write_bytes(BODY)
    (folder / "share-abc.js.br").write_bytes(b"brotli")
    (folder / "share-abc.js.gz").write_bytes(b"gzip")
    (folder / "plain.css").write_bytes(b"a{}")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return Assets(handed_on, folder)


def handed_on(environ, start):
    start("404 NOT FOUND", [])
    return [b"handed on"]


def ask(files: Assets, path: str, accepts: str = "", method: str = "GET", **more):
    said: dict = {}

    def start(status, headers):
        said.update(dict(headers), status=status)

    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "HTTP_ACCEPT_ENCODING": accepts} | more
    return said, b"".join(files(environ, start))


@pytest.mark.parametrize(
    ("accepts", "coding", "body"),
    [
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip", "gzip", b"gzip"),
        ("br;q=0.2, gzip;q=0.9", "gzip", b"gzip"),
        ("br;q=0", None, BODY),
        ("", None, BODY),
    ],
)
def test_a_file_comes_in_the_coding_that_is_liked_best(files, accepts, coding, body):
    for _ in range(2):  # from the folder, and from memory
        said, content = ask(files, "/map/assets/share-abc.js", accepts)
        assert (content, said.get("Content-Encoding")) == (body, coding)
        assert said["Cache-Control"] == "public, max-age=31536000, immutable"
        assert said["Vary"] == "Accept-Encoding"
        assert said["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    "path",
    [
        "/map/assets/../secret.txt",
        "/map/assets/..%2fsecret.txt",
        "/map/assets/share-abc.js.br",
        "/map/assets/nothing.js",
        "/map/assets/",
        "/map/assets/a/b.js",
        "/map/icon.svg",
    ],
)
def test_all_else_is_handed_on(files, path):
    assert ask(files, path, "br")[1] == b"handed on"


def test_ranges_and_other_methods_are_handed_on(files):
    path = "/map/assets/plain.css"
    assert ask(files, path)[1] == b"a{}"
    assert ask(files, path, method="HEAD")[1] == b"handed on"
    assert ask(files, path, HTTP_RANGE="bytes=0-1")[1] == b"handed on"


def test_what_is_kept_stays_within_its_budget(files, tmp_path):
    for number in range(12):
        (tmp_path / "assets" / f"font-{number}.woff2").write_bytes(b"x" * 1_900_000)
        assert len(ask(files, f"/map/assets/font-{number}.woff2")[1]) == 1_900_000
    assert sum(len(content) for _, content in files._kept.values()) <= MAX_KEPT
