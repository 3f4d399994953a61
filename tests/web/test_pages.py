"""The pages' Flask side: what is served, under which policy, and what happens before the build."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from geoshare import web

TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


def client(**config: str) -> FlaskClient:
    app = Flask(__name__, static_folder=None)
    app.config.update(config)
    app.register_blueprint(web.blueprint)
    return app.test_client()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>map</title>")
    (tmp_path / "contribute.html").write_text("<title>contribute</title>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "worker-abc.mjs").write_text("export {}")
    monkeypatch.setattr(web, "DIST", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("path", "title"), [("/map", "map"), ("/contribute", "contribute")])
def test_a_page_is_served_fresh_and_may_load_only_from_this_server(
    built: Path, path: str, title: str
) -> None:
    answer = client().get(path)
    assert answer.status_code == 200
    assert f"<title>{title}</title>" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert "unsafe" not in policy


def test_the_opt_in_background_adds_its_origin_and_nothing_else(built: Path) -> None:
    opted = client(BACKGROUND_TILES=TILES, BACKGROUND_ATTRIBUTION="© Example")
    policy = opted.get("/map").headers["Content-Security-Policy"]
    assert "img-src 'self' data: blob: https://tiles.example.org;" in policy
    assert "connect-src 'self' https://tiles.example.org;" in policy
    assert "script-src 'self';" in policy
    assert opted.get("/map/settings.json").json == {
        "background": {"tiles": TILES, "attribution": "© Example"},
        "login": None,
    }


def test_there_is_no_background_unless_someone_sets_one() -> None:
    assert client().get("/map/settings.json").json == {"background": None, "login": None}


def test_assets_keep_for_a_year_because_their_names_carry_their_hash(built: Path) -> None:
    answer = client().get("/map/assets/worker-abc.mjs")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "text/javascript"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0", None), ("", None)]
)
def test_the_copy_compressed_at_build_is_sent_to_those_who_take_it(
    built: Path, accepted: str, coding: str | None
) -> None:
    content = b"export {}"
    (built / "assets" / "worker-abc.mjs.br").write_bytes(b"brotli of it")
    (built / "assets" / "worker-abc.mjs.gz").write_bytes(b"gzip of it")
    answer = client().get("/map/assets/worker-abc.mjs", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.data == {"br": b"brotli of it", "gzip": b"gzip of it", None: content}[coding]
    assert answer.mimetype == "text/javascript"
    assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "path", ["/map/assets/none.js", "/map/../pyproject.toml", "/map/%2e%2e/__init__.py"]
)
def test_nothing_outside_the_build_is_served(built: Path, path: str) -> None:
    assert client().get(path).status_code == 404


def test_without_a_build_the_page_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "DIST", tmp_path / "dist")
    answer = client().get("/map")
    assert answer.status_code == 503
    assert "make web" in answer.text
    assert answer.mimetype == "text/html"


def test_the_lock_file_names_no_download_address() -> None:
    lock = Path(web.__file__).parent / "package-lock.json"
    assert '"resolved"' not in lock.read_text("utf-8")
