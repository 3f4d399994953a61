"""Schemas of collections, of what filters and sorting may name, and lists of known values."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from geoshare.access.view import View
from geoshare.api import html, profiles
from geoshare.api.context import caller, href, services
from geoshare.api.describe import describes
from geoshare.api.params import FormatParams, SchemaParams
from geoshare.errors import NotFound
from geoshare.query import codelists, domains, filters
from geoshare.query.sorting import sortables as sortable_names

blueprint = Blueprint("schemas", __name__)

SCHEMA = "application/schema+json"
SCHEMA_ANSWER = {200: ((SCHEMA, "text/html"), "A JSON Schema")}


@blueprint.get("/collections/<collection>/schema")
@describes(
    "The JSON Schema of a collection's features",
    params=SchemaParams,
    answers=SCHEMA_ANSWER,
    tags=("collections",),
    returns="Schema",
)
def schema(params: SchemaParams, collection: str) -> Response:
    """Only the properties the caller may see."""
    return _schema(params, collection, "schema", "属性 / Properties")


@blueprint.get("/collections/<collection>/queryables")
@describes(
    "What a filter may name",
    params=SchemaParams,
    answers=SCHEMA_ANSWER,
    tags=("collections",),
    returns="Schema",
)
def queryables(params: SchemaParams, collection: str) -> Response:
    """The visible properties again: every one of them can be filtered on."""
    return _schema(params, collection, "queryables", "絞り込める項目 / Queryables")


@blueprint.get("/collections/<collection>/sortables")
@describes(
    "What one may sort by",
    params=SchemaParams,
    answers=SCHEMA_ANSWER,
    tags=("collections",),
    returns="Schema",
)
def sortables(params: SchemaParams, collection: str) -> Response:
    """The visible properties that have an order."""
    services().view(caller(), collection)  # one that cannot be read cannot be sorted
    return _schema(params, collection, "sortables", "並べ替えられる項目 / Sortables")


@blueprint.get("/collections/<collection>/codelists/<name>")
@describes(
    "Known values of a property, with their titles",
    params=FormatParams,
    answers={200: (html.JSON_OR_HTML, "The values")},
    tags=("collections",),
    returns="Codelist",
)
def codelist(params: FormatParams, collection: str, name: str) -> Response:
    """As the schema of the visible properties has them; of a property that is hidden there is none."""
    part = services().any_view(caller(), collection).schema()["properties"].get(name, {})
    if not codelists.is_coded(part):
        raise NotFound("No such list of values")
    codes = codelists.codes(part)
    path = ("collections", collection)
    links = [
        {"rel": "self", "type": "application/json", "href": href(*path, "codelists", name)},
        {"rel": "describedby", "type": SCHEMA, "href": href(*path, "schema")},
    ]
    titles = {"title": part.get("title", name), "title_ja": part.get("x-title-ja", "")}
    said = {"id": name, **titles, "closed": "enum" in part, "codes": codes, "links": links}
    rows = [
        html.plain(str(item["code"]), item.get("title_ja", ""), item.get("title", "")) for item in codes
    ]
    page = html.Page(
        html.both(titles["title_ja"], titles["title"]),
        html.way((collection, href(*path))),
        tables=[html.Table(("コード / Code", "日本語 / Japanese", "英語 / English"), rows)],
        links=[*links],
    )
    return html.resource(said, page, params.f)


def _schema(params: SchemaParams, collection: str, last: str, title: str) -> Response:
    """The visible properties as the profiles want them; of a raster what its view says."""
    view, address = services().any_view(caller(), collection), href("collections", collection, last)
    lists = profiles.chosen(params.profiles, profiles.CODELISTS)
    domain = profiles.chosen(params.profiles, profiles.DOMAINS)
    if isinstance(view, View):
        if domain != profiles.DOMAINS[0]:
            view = services().view(caller(), collection)  # what is there is told who may read it
        found = _selected(view, last, address)
        found = domains.actual(view, found) if domain != profiles.DOMAINS[0] else found
    else:
        found, domain = {**view.schema(), "$id": address}, profiles.DOMAINS[0]
    if lists == profiles.CODELISTS[0]:
        found = codelists.referring(
            found, lambda name: href("collections", collection, "codelists", name)
        )
    else:
        found = codelists.inline(found)
    answer = html.resource(found, html.schema_page(found, collection, title), params.f, SCHEMA)
    answer.headers.add(*profiles.header((lists, domain)))
    return answer


def _selected(view: View, last: str, address: str) -> dict[str, Any]:
    """The properties of one of the three schemas."""
    known = services().views.names(services().policy(caller(), "discover"))
    about = view.schema(), view.collection.geometry, address
    if last == "sortables":
        return filters.sortables(*about, sortable_names(view), known)
    return {"schema": filters.returnables, "queryables": filters.queryables}[last](*about, known)
