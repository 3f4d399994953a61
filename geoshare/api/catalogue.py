"""The catalogue of collections: OGC API - Records, and DCAT for portals of open data."""

from __future__ import annotations

from typing import Annotated, Any, Final

from flask import Blueprint, Response
from pydantic import AfterValidator, BeforeValidator, Field

from geoshare.api import reply
from geoshare.api.context import base_url, caller, href, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.landing import OGC_REL
from geoshare.api.params import Text
from geoshare.errors import NotFound
from geoshare.model.collections import CATALOGUE
from geoshare.model.times import parse_interval
from geoshare.query import dcat
from geoshare.query.catalogue import DATASET, Entry, Wanted, matching, record
from geoshare.query.windows import read_window
from geoshare.services.catalogue import entries

blueprint = Blueprint("catalogue", __name__)

GEOJSON: Final = "application/geo+json"
TITLE: Final = "Catalogue of the collections"
MAX_RECORDS: Final = 1_000
MAX_IDS: Final = 100


def _window(text: Any) -> Any:
    return read_window(text) if isinstance(text, str) else text


def _few(text: str | None) -> str | None:
    if text is not None and text.count(",") >= MAX_IDS:
        raise ValueError(f"There are more than {MAX_IDS}")
    return text


class RecordsParams(Params):
    """Which records, and how many at a time."""

    q: Text = Field("", description="Words to look for; of several parted by commas one is enough")
    bbox: Annotated[Any, BeforeValidator(_window)] = Field(
        None,
        description="west,south,east,north in degrees (CRS84), or six numbers with heights",
        json_schema_extra={"type": "array", "items": {"type": "number"}},
    )
    datetime: Text | None = Field(
        None, description="An RFC 3339 instant, or an interval start/end with .. for an open end"
    )
    type: Text = Field("", description=f"Comma-separated types of resource; there is one: {DATASET}")
    ids: Annotated[Text, AfterValidator(_few)] = Field(
        "", description=f"Comma-separated names of collections, at most {MAX_IDS}"
    )
    limit: int = Field(
        100, ge=1, description="How many records at a time; above the maximum it is the maximum"
    )
    offset: int = Field(0, ge=0, le=1_000_000, description="How many records to leave out first")


@blueprint.get(f"/collections/{CATALOGUE}")
@describes("The catalogue of the collections you may know", tags=("catalogue",))
def catalogue(params: NoParams) -> Response:
    """A collection of records."""
    return reply.json(about())


@blueprint.get(f"/collections/{CATALOGUE}/items")
@describes(
    "Records of collections",
    params=RecordsParams,
    answers={200: (GEOJSON, "A page of records")},
    tags=("catalogue",),
)
def records(params: RecordsParams) -> Response:
    """Those that are asked for, by name."""
    interval = None if params.datetime is None else parse_interval(params.datetime)
    box = None if params.bbox is None else params.bbox.box
    wanted = Wanted(params.q, box, interval, _listed(params.type), _listed(params.ids))
    found = matching(entries(services(), caller()), wanted)
    limit = min(params.limit, MAX_RECORDS)
    page = found[params.offset : params.offset + limit]
    after = params.offset + limit
    return reply.json(
        {
            "type": "FeatureCollection",
            "numberMatched": len(found),
            "numberReturned": len(page),
            "features": [record(item, _links(item)) for item in page],
            "links": _page_links(params, after if after < len(found) else None),
        },
        GEOJSON,
    )


@blueprint.get(f"/collections/{CATALOGUE}/items/<record_id>")
@describes("One record", answers={200: (GEOJSON, "The record")}, tags=("catalogue",))
def one_record(params: NoParams, record_id: str) -> Response:
    """What the catalogue says of one collection."""
    found = matching(entries(services(), caller()), Wanted(ids=(record_id,)))
    if not found:
        raise NotFound("No such record")
    links = [_link("self", GEOJSON, "collections", CATALOGUE, "items", record_id)]
    links.append(_link("collection", "application/json", "collections", CATALOGUE))
    return reply.json(record(found[0], links + _links(found[0])), GEOJSON)


@blueprint.get("/dcat")
@describes(
    "The catalogue as DCAT 3 in JSON-LD",
    answers={200: (dcat.MEDIA_TYPE, "The catalogue")},
    tags=("catalogue",),
)
def as_dcat(params: NoParams) -> Response:
    """All of it: portals harvest it whole."""
    said = [
        (item, href("collections", item.id), _ways(item))
        for item in matching(entries(services(), caller()), Wanted())
    ]
    document = dcat.catalog(TITLE, href("dcat"), href("openapi.json"), said)
    return reply.json(document, dcat.MEDIA_TYPE)


def about() -> dict[str, Any]:
    """What the list of collections says of the catalogue."""
    path = ("collections", CATALOGUE)
    return {
        "id": CATALOGUE,
        "type": "Collection",
        "title": TITLE,
        "title_ja": "データの目録",
        "description": "What there is, as far as you may know: one record of each collection.",
        "kind": "catalogue",
        "itemType": "record",
        "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"],
        "extent": {},
        "links": [
            _link("self", "application/json", *path),
            _link("items", GEOJSON, *path, "items"),
            _link("alternate", dcat.MEDIA_TYPE, "dcat"),
        ],
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _page_links(params: RecordsParams, following: int | None) -> list[dict[str, str]]:
    """The page's own address, the next page's, and the catalogue's."""
    said = params.model_dump(exclude_unset=True, exclude={"offset"})
    if params.bbox is not None:
        said["bbox"] = params.bbox.text
    query = {name: str(value) for name, value in said.items()}
    path = ("collections", CATALOGUE, "items")
    links = [
        _link(
            "self", GEOJSON, *path, **query, **({"offset": str(params.offset)} if params.offset else {})
        )
    ]
    if following is not None:
        links.append(_link("next", GEOJSON, *path, **query, offset=str(following)))
    links.append(_link("collection", "application/json", "collections", CATALOGUE))
    return links


def _links(item: Entry) -> list[dict[str, str]]:
    """Where the collection that a record describes is had; who may not is told so there."""
    path = ("collections", item.id)
    links = [_link("describes", "application/json", *path)]
    for way in _ways(item):
        links.append({"rel": "item", "href": way.address, "type": way.media_type, "title": way.title})
    if item.kind == "vector":
        links.append(_link(f"{OGC_REL}tilesets-vector", "application/json", *path, "tiles"))
    else:
        links.append(_link(f"{OGC_REL}tilesets-map", "application/json", *path, "map", "tiles"))
    return links


def _ways(item: Entry) -> list[dcat.Way]:
    base = base_url()
    if item.kind == "vector":
        return [
            dcat.Way("Features", f"{base}/collections/{item.id}/items", GEOJSON),
            dcat.Way("Vector tiles", f"{base}/tiles/{item.id}.json", "application/json"),
        ]
    return [dcat.Way("Pictures", f"{base}/raster/{item.id}.json", "application/json")]


def _link(rel: str, kind: str, *path: str, **query: str) -> dict[str, str]:
    return {"rel": rel, "type": kind, "href": href(*path, **query)}
