"""The one place that knows which HTTP status an error has (RFC 9457 problem details)."""

from __future__ import annotations

import logging
import traceback
from typing import Final

import orjson
from flask import Flask, Response, has_request_context, render_template, request
from werkzeug.exceptions import HTTPException

from geoshare import errors
from geoshare.api import html, reply
from geoshare.api.costs import CLASSIC

log = logging.getLogger("geoshare.api")

DECIDING: Final = (  # whatever fails here is never an allow, and never our callers' fault
    "geoshare.access",
    "geoshare.api.admit",
    "geoshare.services",
    "geoshare.services.policies",
    "geoshare.services.quotas",
)

STATUS: dict[type[errors.GeoshareError], tuple[int, str]] = {
    errors.BadRequest: (400, "The request is not understood"),
    errors.BadData: (400, "The data cannot be read"),
    errors.Unauthenticated: (401, "The credential is not valid"),
    errors.Denied: (403, "Not part of what you hold"),
    errors.NotFound: (404, "Not found"),
    errors.Withheld: (403, "Not part of what you hold"),
    errors.Gone: (410, "Not kept any more"),
    errors.Stale: (412, "Somebody else has changed it"),
    errors.Unseen: (428, "Say which state you have seen"),
    errors.Conflict: (409, "The state has moved on"),
    errors.TooLarge: (413, "Too much for one request"),
    errors.TooMany: (429, "Too many requests"),
    errors.NotPublished: (503, "Recorded, but it cannot be shown"),
    errors.Unavailable: (503, "Cannot be answered now"),
}

IN_JAPANESE: Final = {  # on the pages for people
    400: "内容を確認してください",
    401: "認証できません",
    403: "許可されていません",
    404: "見つかりません",
    405: "この操作はできません",
    409: "状態が変わっています",
    410: "保存期間が過ぎました",
    412: "他の人が先に変更しました",
    413: "大きすぎます",
    428: "表示中の版を指定してください",
    429: "アクセスが集中しています",
    500: "問題が起きました",
    503: "いまは応答できません",
}


def problem(
    status: int,
    title: str,
    detail: str = "",
    *,
    code: str = "",
    parameter: str | None = None,
    allowed: str | None = None,
    retry_after_s: int | None = None,
    detail_ja: str = "",
    allowed_ja: str = "",
    members: dict[str, object] | None = None,
) -> Response:
    """A problem-details answer; members without a value are left out."""
    said: dict[str, object] = {
        "type": f"about:blank#{code}" if code else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "parameter": parameter,
        "allowed": allowed,
        "detail_ja": detail_ja,
        "allowed_ja": allowed_ja,
    }
    kept = {key: value for key, value in said.items() if value not in ("", None)}
    body, media = orjson.dumps(kept | (members or {})), "application/problem+json"
    if _for_people():
        body, media = _page(kept).encode(), html.HTML
    response = Response(body, status, content_type=media)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        response.headers["WWW-Authenticate"] = _challenge()
    return reply.finish(response, cache="no-store")


def _challenge() -> str:
    """How to give a key: to classic services by name and password, which is all their clients know."""
    classic = has_request_context() and request.path.startswith(CLASSIC)
    return 'Basic realm="geoshare", charset="UTF-8"' if classic else 'Bearer realm="geoshare"'


def _for_people() -> bool:
    """Whether a browser asks for a page: it names HTML, and likes it better than JSON."""
    if not has_request_context() or "text/html" not in request.headers.get("Accept", ""):
        return False
    kinds = ["application/problem+json", "application/json", "text/html"]
    return request.accept_mimetypes.best_match(kinds) == "text/html"


def _page(said: dict[str, object]) -> str:
    facts = [("パラメータ / Parameter", "parameter"), ("使える値 / Allowed", "allowed")]
    rows = [html.plain(name, str(said[key])) for name, key in facts if key in said]
    lead = html.both(said.get("detail_ja"), said.get("detail"))
    tables = [html.Table(("項目 / Item", "値 / Value"), rows)] if rows else []
    title = html.both(IN_JAPANESE.get(int(str(said["status"]))), said["title"])
    page = html.Page(f"{said['status']} {title}", html.way(), lead, tables)
    return render_template("resource.html", page=page, base=html.base_url(), same="")


def answer(error: errors.GeoshareError) -> Response:
    """The answer to one of our own errors; 404 and 5xx say nothing beyond their title."""
    status, title = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    silent = status in (404, 503)
    return problem(
        status,
        title,
        "" if silent else error.message,
        code=error.code,
        parameter=None if silent else error.parameter,
        allowed=None if silent else error.allowed,
        retry_after_s=error.retry_after_s,
        detail_ja="" if silent else error.message_ja,
        allowed_ja="" if silent else error.allowed_ja,
        members=error.members if isinstance(error, errors.Stale | errors.Withheld) else None,
    )


def _from_werkzeug(error: HTTPException) -> Response:
    status = error.code or 500
    if status in (301, 302, 307, 308) and error.response is not None:
        return error.response  # type: ignore[return-value]
    names = {404: ("Not found", "not-found"), 405: ("Method not allowed", "method-not-allowed")}
    title, code = names.get(status, (error.name, ""))
    response = problem(status, title, code=code)
    valid_methods = getattr(error, "valid_methods", None)
    if valid_methods:
        response.headers["Allow"] = ", ".join(sorted(valid_methods))
    return response


def unexpected(error: Exception) -> Response:
    """The answer to what nobody foresaw: 503 where it came up in deciding who may have what."""
    log.error("Unexpected error", exc_info=error)
    if _decides(error):
        return answer(errors.Unavailable("It cannot be decided what you may have", retry_after_s=2))
    return problem(500, "Something went wrong on our side", code="internal")


def _decides(error: BaseException) -> bool:
    """Whether an error passed through a module that decides who may have what."""
    passed = (
        frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)
    )
    return any(name in DECIDING or name.startswith(f"{DECIDING[0]}.") for name in passed)


def init_app(app: Flask) -> None:
    """Register the map from errors to answers."""
    app.register_error_handler(errors.GeoshareError, answer)
    app.register_error_handler(HTTPException, _from_werkzeug)
    app.register_error_handler(Exception, unexpected)
