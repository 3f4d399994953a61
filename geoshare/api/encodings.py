"""Pages of features in other formats than GeoJSON: for spreadsheets, GIS, data frames, and browsers.

``f`` wins over ``Accept``. The page is the one that GeoJSON would show, with the same cursor: where the
body has no room for links they are in the header ``Link``. A whole collection is an extract.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import orjson
from flask import Response, render_template, request

from geoshare.access.view import ViewColumn
from geoshare.api import html, reply
from geoshare.api.context import base_url, caller, services
from geoshare.api.pages import GEOJSON, members_of, page_of
from geoshare.api.params import ItemsParams
from geoshare.api.picture import drawn
from geoshare.api.profiles import REFERENCES
from geoshare.api.wording import PLAIN, Caller, choose, worded
from geoshare.errors import BadRequest
from geoshare.extracts.layer import Style
from geoshare.extracts.pages import page_pieces
from geoshare.model.crs import CRS84, is_native
from geoshare.query.extents import extent_of
from geoshare.query.items import ItemsPage
from geoshare.query.rewording import refers
from geoshare.services.scratch import scratch_folder
from tiles.arrays import Kind


class Encoding(NamedTuple):
    """A format of pages: its media type, and what a file of it is called."""

    media_type: str
    suffix: str


ENCODINGS: Final[dict[str, Encoding]] = {
    "csv": Encoding("text/csv", "csv"),
    "geojsonseq": Encoding("application/geo+json-seq", "geojsonl"),
    "fgb": Encoding("application/flatgeobuf", "fgb"),
    "parquet": Encoding("application/vnd.apache.parquet", "parquet"),
    "gpkg": Encoding("application/geopackage+sqlite3", "gpkg"),
    "arrow": Encoding("application/vnd.apache.arrow.stream", "arrows"),
}
HTML: Final = "text/html"
MEDIA: Final = (GEOJSON, HTML, *(encoding.media_type for encoding in ENCODINGS.values()))
DAY_US: Final = 86_400_000_000
_PLAIN: Final = (GEOJSON, "application/json")


def wanted(params: ItemsParams) -> str | None:
    """The format that is asked for, where it is one of these; None: GeoJSON."""
    if params.f is not None:
        return params.f if params.f in ENCODINGS or params.f == "html" else None
    names = {encoding.media_type: name for name, encoding in ENCODINGS.items()} | {HTML: "html"}
    best = request.accept_mimetypes.best_match([*_PLAIN, *names], default=GEOJSON)
    return names.get(best)


def answer(params: ItemsParams, collection: str, form: str) -> Response:
    """A page in a format.

    Raises
    ------
    BadRequest
        for a format that is not granted; else as the page of GeoJSON does.
    """
    found, who = services(), caller()
    view = found.view_at(who, collection, params.as_of)
    granted = found.policy(who, "read").formats(collection)
    if form in ENCODINGS and form not in granted:
        allowed = ["json", "html", *(name for name in ENCODINGS if name in granted)]
        raise BadRequest("The format is not available", parameter="f", allowed=", ".join(allowed))
    if form == "geojsonseq" and not is_native(params.crs):
        raise BadRequest("The text sequence has coordinates of CRS84", parameter="crs", allowed=CRS84)
    page = page_of(found, who, view, params)
    profiles = choose(params, default=REFERENCES[2]) if form == "html" else choose(params, PLAIN)
    members = members_of(
        found, who, base_url(), collection, params, page, profiles.names(view, page.columns)
    )
    rows = worded(Caller(found, who, base_url()), view, page.rows, page.columns, params, profiles)
    page = replace(page, rows=rows)
    if form == "html":
        response = reply.body(_table(page, members).encode(), f"{HTML}; charset=utf-8")
    else:
        response = _file(page, params, collection, form)
    response.headers["Content-Crs"] = f"<{params.crs}>"
    for link in members["links"]:
        kind = GEOJSON if form == "html" else ENCODINGS[form].media_type
        if link["rel"] in ("self", "next"):
            response.headers.add("Link", f'<{link["href"]}>; rel="{link["rel"]}"; type="{kind}"')
        if link["rel"] == "profile":
            response.headers.add("Link", f'<{link["href"]}>; rel="profile"')
    response.headers["OGC-NumberReturned"] = str(members["numberReturned"])
    if "numberMatched" in members:
        response.headers["OGC-NumberMatched"] = str(members["numberMatched"])
    return response


def _file(page: ItemsPage, params: ItemsParams, collection: str, form: str) -> Response:
    found, encoding = services(), ENCODINGS[form]
    style = Style(params.geometry_as, "names", params.bom == "true")
    now_us = found.clock.now_us() // DAY_US * DAY_US  # stated in a GeoPackage, whose tag it is part of
    with scratch_folder(found.scratch()) as folder:
        pieces = page_pieces(page, form, params.crs, style, now_us=now_us, folder=folder)
        content = b"".join(pieces)  # of a page: as bounded as its limit
    charset = "; charset=utf-8; header=present" if form == "csv" else ""
    response = reply.body(content, encoding.media_type + charset)
    name = f"{collection}.{encoding.suffix}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _table(page: ItemsPage, members: dict[str, Any]) -> str:
    """The page as a table that works without scripts."""
    about = page.view.collection
    columns = [column for column in page.view.columns if column.name in page.columns]
    copied = page.view.materialise(page.rows, page.columns, None).to_pylist()
    links = {link["rel"]: link["href"] for link in members["links"]}
    # links come as JSON texts in the columns that refer
    kinds = {item.name: item.kind for item in page.rows.tables[0].columns}
    linked = {item.name for item in columns if refers(item.property) and kinds[item.name] is Kind.JSON}
    rows = [
        (row["id"], [_cells(item, row[item.name], linked=item.name in linked) for item in columns])
        for row in copied
    ]
    crumbs = html.way(html.all_collections(), (about.name, links["collection"]), html.ITEMS)
    return render_template(
        "items.html",
        about=about,
        columns=columns,
        rows=rows,
        base=base_url(),
        crumbs=crumbs,
        following=links.get("next"),
        collection=links["collection"],
        matched=members.get("numberMatched"),
        same=html.address_of("json"),
        drawn=drawn([about.name], extent_of(page.rows)),
    )


def _cells(column: ViewColumn, value: Any, *, linked: bool) -> list[html.Cell]:
    """What a cell of the table holds: a text, or links to the features that it refers to."""
    return html.cells_of(orjson.loads(value) if linked and value else value, column.property)
