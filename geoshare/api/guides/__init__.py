"""``/docs/guides``: how the programs that people have read this server, with pictures of them.

The texts lie beside this file, one for each language; the same files are read in the repository. Here
addresses are those of the server that is asked, and what leads out of the guides is a text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

from flask import Blueprint, Response, render_template
from markdown_it import MarkdownIt
from markupsafe import Markup
from pydantic import Field

from geoshare.api import reply
from geoshare.api.context import base_url
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.html import HTML
from geoshare.errors import NotFound

blueprint = Blueprint("guides", __name__, template_folder="../templates")

GUIDES: Final = {
    "qgis": "QGIS",
    "gdal": "GDAL",
    "geopandas": "GeoPandas",
    "excel": "Excel",
    "autoware": "Autoware",
}
PICTURES: Final = ("qgis", "geopandas", "excel", "autoware")
A_DAY: Final = "public, max-age=86400"
_WRITTEN: Final = "http://127.0.0.1:8080"  # the server in the texts
_KEY: Final = re.compile(r"\$\(KEY \w+\)")
_AWAY: Final = re.compile(r"(?<!!)\[([^\]]+)\]\((?!http)[^)]*\)")  # a link to another document
_FOLDER: Final = files("geoshare.api.guides")


class GuideParams(Params):
    """In which language."""

    lang: Literal["ja", "en"] = Field("ja", description="ja or en")


@blueprint.get("/docs/guides/<guide>")
@describes(
    "How a program reads this server: qgis, gdal, geopandas, excel or autoware",
    params=GuideParams,
    answers={200: ("text/html", "A page")},
    tags=("start",),
)
def page(params: GuideParams, guide: str) -> Response:
    """A guide as a page of its own."""
    if guide not in GUIDES:
        raise NotFound("No such guide")
    base = base_url()
    text = render_template(
        "guide.html",
        base=base,
        guide=guide,
        guides=GUIDES,
        lang=params.lang,
        body=Markup(_made(guide, params.lang, base)),  # noqa: S704 -- our own texts, without HTML in them
    )
    response = reply.body(text.encode(), HTML)
    response.headers["Content-Language"] = params.lang
    return response


@blueprint.get("/docs/guides/images/<picture>.png")
@describes(
    "The picture of a guide",
    answers={200: ("image/png", "The picture")},
    tags=("start",),
)
def picture(params: NoParams, picture: str) -> Response:
    """As it was taken of the program."""
    if picture not in PICTURES:
        raise NotFound("No such picture")
    response = reply.body((_FOLDER / "images" / f"{picture}.png").read_bytes(), "image/png")
    response.headers["Cache-Control"] = A_DAY
    return response


@lru_cache(maxsize=64)
def _made(guide: str, lang: str, base: str) -> str:
    """The text of a guide as HTML, for a server's address."""
    name = f"{guide}.ja.md" if lang == "ja" else f"{guide}.md"
    text = (_FOLDER / name).read_text("utf-8").replace(_WRITTEN, base)
    text = _AWAY.sub(r"\1", _KEY.sub("KEY", text))
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    if lang == "ja":  # Japanese is written without spaces between words, so a line goes on at once
        markdown.add_render_rule("softbreak", lambda *_: "")
    made: str = markdown.render(text)
    return made
