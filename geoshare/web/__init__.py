"""The browser app: the built pages, their assets and the few settings they need."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, jsonify, make_response, request, send_from_directory
from werkzeug.security import safe_join

from geoshare.web.shared import gone_page, shared_headers, shared_page

__all__ = ["blueprint", "gone_page", "shared_headers", "shared_page"]

DIST = Path(__file__).parent / "dist"
A_YEAR_S = 31_536_000
WORKER = "worker.js"  # keeps the app for when there is no network; asked for anew each time

blueprint = Blueprint("web", __name__)

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>geoshare</title>
<h1>The browser app is not built yet</h1>
<p>Run <code>make web</code> in the project folder and load this page again.
The HTTP interface works without it.</p>
<p lang="ja">ブラウザー用の画面がまだ作成されていません。プロジェクトのフォルダーで
<code>make web</code> を実行してから再読み込みしてください。</p>
</html>
"""


@blueprint.get("/map")
def map_page() -> Response:
    """Serve the map."""
    return _page("index.html")


@blueprint.get("/contribute")
def contribute_page() -> Response:
    """Serve the upload page."""
    return _page("contribute.html")


@blueprint.get("/login")
def login_page() -> Response:
    """Serve the page that lets people in."""
    return _page("login.html")


@blueprint.get("/account")
def account_page() -> Response:
    """Serve the page of one's own account."""
    return _page("account.html")


@blueprint.get("/desk")
def desk_page() -> Response:
    """Serve the desk."""
    return _page("desk.html")


@blueprint.get("/map/settings.json")
def settings() -> Response:
    """Say what the pages must know before they start: the opt-in background, and where to log in."""
    tiles, attribution = _background()
    background = {"tiles": tiles, "attribution": attribution} if tiles else None
    login_at = str(current_app.config.get("LOGIN_AT", "")) or None
    answer = jsonify({"background": background, "login": login_at})
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@blueprint.get("/map/<path:name>")
def asset(name: str) -> Response:
    """Serve a built file. Names under ``assets/`` carry a hash of the content, so they never change."""
    in_assets = name.startswith("assets/")
    coding = _coding(name) if in_assets else ""
    answer = send_from_directory(
        DIST,
        f"{name}.{coding}" if coding else name,
        mimetype=mimetypes.guess_type(name)[0],
        max_age=A_YEAR_S if in_assets else 3600,
    )
    if coding:
        answer.headers["Content-Encoding"] = {"br": "br", "gz": "gzip"}[coding]
    if in_assets:
        answer.headers["Cache-Control"] = f"public, max-age={A_YEAR_S}, immutable"
        answer.vary.add("Accept-Encoding")
    if name == WORKER:
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["Service-Worker-Allowed"] = "/"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def content_security_policy(background_tiles: str) -> str:
    """Allow the pages this server only, and the origin of the opt-in background if one is set."""
    parts = urlsplit(background_tiles)
    origin = f" {parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            f"img-src 'self' data: blob:{origin}",
            f"connect-src 'self'{origin}",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )


def _coding(name: str) -> str:
    """Ending of the compressed copy that the browser takes and the build made, or nothing."""
    takes = request.accept_encodings.quality
    for coding in sorted(("br", "gzip"), key=takes, reverse=True):
        ending = {"br": "br", "gzip": "gz"}[coding]
        copy = safe_join(str(DIST), f"{name}.{ending}")
        if copy is not None and takes(coding) > 0 and Path(copy).is_file():
            return ending
    return ""


def _background() -> tuple[str, str]:
    config = current_app.config
    return str(config.get("BACKGROUND_TILES", "")), str(config.get("BACKGROUND_ATTRIBUTION", ""))


def _page(name: str) -> Response:
    if (DIST / name).is_file():
        answer = send_from_directory(DIST, name, max_age=0)
    else:
        answer = make_response(_NOT_BUILT, 503)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Security-Policy"] = content_security_policy(_background()[0])
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
