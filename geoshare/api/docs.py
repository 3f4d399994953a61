"""``/docs``: how programs are connected, and the OpenAPI document as a page of our own.

The page is made here from the caller's document. It needs no script and nothing from elsewhere.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, render_template

from geoshare import __version__
from geoshare.api import openapi, reply
from geoshare.api.cells import kind_of
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.guides import GUIDES
from geoshare.api.html import HTML

blueprint = Blueprint("docs", __name__, template_folder="templates")

_TAGS: Final = {
    "start": ("はじめに", "Start"),
    "catalogue": ("カタログ", "Catalogue"),
    "collections": ("データ一覧", "Collections"),
    "features": ("地物", "Features"),
    "lanes": ("車線", "Lanes"),
    "tiles": ("タイル", "Tiles"),
    "styles": ("地図の描き方", "Styles"),
    "classic": ("WMS・WMTS", "WMS and WMTS"),
    "rasters": ("画像・格子", "Rasters"),
    "processes": ("処理", "Processes"),
    "extracts": ("抽出", "Extracts"),
    "contributing": ("提供・編集", "Contributing"),
    "desk": ("いまの状況", "Desk"),
    "share": ("共有", "Sharing"),
    "people": ("利用者と鍵", "People and keys"),
    "audit": ("監査", "Audit"),
    "admin": ("管理", "Administration"),
    "operation": ("運用", "Operation"),
}


@blueprint.get("/docs")
@describes(
    "How to connect programs, and this API as a page",
    answers={200: ("text/html", "A page")},
    tags=("start",),
)
def page(params: NoParams) -> Response:
    """The OpenAPI document for the caller, to be read by people."""
    names, most = list(services().visible(caller())), services().settings.max_limit
    found = openapi.document(__version__, base_url(), names, most)
    some = next((name for name in ("shelters", "segments") if name in names), next(iter(names), "NAME"))
    groups = [(*_TAGS.get(tag, (tag, tag)), tag, items) for tag, items in _by_tag(found).items()]
    text = render_template(
        "docs.html",
        base=base_url(),
        groups=groups,
        guides=GUIDES,
        some=some,
        schemas=found["components"]["schemas"],
    )
    return reply.body(text.encode(), HTML)


def _by_tag(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What each operation takes and answers, by the first word it is filed under."""
    groups: dict[str, list[dict[str, Any]]] = {tag: [] for tag in _TAGS}
    for path, methods in found["paths"].items():
        for method, about in methods.items():
            groups.setdefault((about["tags"] or ["operation"])[0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "id": about["operationId"],
                    "summary": about["summary"],
                    "parameters": [_row(item) for item in about["parameters"]],
                    "body": _members(about.get("requestBody")),
                    "answers": [
                        (status, answer["description"], ", ".join(answer.get("content", {})))
                        for status, answer in about["responses"].items()
                        if "description" in answer
                    ],
                }
            )
    return {tag: items for tag, items in groups.items() if items}


def _row(item: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name, where it stands, what it may be and what it means."""
    return item["name"], item["in"], kind_of(item.get("schema", {})), item.get("description", "")


def _members(body: dict[str, Any] | None) -> list[tuple[str, str, str, str]]:
    """Members of a JSON body, or its media types."""
    if body is None:
        return []
    rows = []
    for media, said in body["content"].items():
        schema = said.get("schema", {})
        needed = schema.get("required", [])
        members = schema.get("properties", {})
        rows += [
            (
                name,
                "必須 / required" if name in needed else "",
                kind_of(part),
                part.get("description", ""),
            )
            for name, part in members.items()
        ]
        if not members:
            rows.append((media, "", kind_of(schema), ""))
    return rows
