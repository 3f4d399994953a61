"""A page of features as a GeoJSON FeatureCollection with its links, whichever way it is asked for."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson

from geoshare.access.credentials import Principal
from geoshare.api.params import ItemsParams
from geoshare.errors import BadRequest
from geoshare.query.items import ItemsPage, ItemsQuery, items
from geoshare.services import Services

GEOJSON = "application/geo+json"
FORMATS = ("json", "geojson")
_HEAD, _BETWEEN = b'{"type":"FeatureCollection","features":[', b"],"


def page_body(
    services: Services, who: Principal, base: str, collection: str, params: ItemsParams
) -> bytes:
    """The page that the caller sees.

    ``base`` is the address that links begin with.

    Raises
    ------
    BadRequest, NotFound, Unavailable
        as ``items`` and the views do; BadRequest also for a format there is none of.
    """
    if params.f is not None and params.f not in FORMATS:
        raise BadRequest("The format is not available here", parameter="f", allowed=", ".join(FORMATS))
    view = services.view(who, collection)
    query = ItemsQuery(
        bbox=params.bbox,
        datetime=params.datetime,
        limit=min(params.limit, services.settings.max_limit),
        cursor=params.cursor,
        properties=tuple(params.properties.split(",")) if params.properties else None,
        filter=params.filter,
        filter_lang=params.filter_lang,
        filter_crs=params.filter_crs,
    )
    page = items(view, query, services.cursors)
    members = orjson.dumps(_members(services, who, base, collection, params, page))
    return b"".join((_HEAD, page.geojson(), _BETWEEN, members[1:]))


def _members(
    services: Services,
    who: Principal,
    base: str,
    collection: str,
    params: ItemsParams,
    page: ItemsPage,
) -> dict[str, Any]:
    # the collection's name is plain, or there would be no page; a cursor is made for addresses
    about = f"{base}/collections/{collection}"
    first, carried = f"{about}/items?limit={params.limit}", _carried(params)
    links = [{"rel": "self", "type": GEOJSON, "href": first + carried}]
    if page.next_cursor is not None:
        following = f"{first}&cursor={page.next_cursor}{carried}"
        links.append({"rel": "next", "type": GEOJSON, "href": services.links.carried(who, following)})
    links.append({"rel": "collection", "type": "application/json", "href": about})
    return {
        "numberReturned": len(page.rows),
        "links": links,
        "numberMatched": page.number_matched,
    }


def _carried(params: ItemsParams) -> str:
    """What links repeat of the request, beside limit and cursor."""
    found = [] if params.bbox is None else ["bbox=" + "%2C".join(f"{side:.9g}" for side in params.bbox)]
    for name in ("datetime", "properties", "filter", "filter_lang", "filter_crs", "f"):
        if name in params.model_fields_set and getattr(params, name) is not None:
            spelled = name.replace("_", "-")
            found.append(f"{spelled}={quote(getattr(params, name), safe='')}")
    return "".join("&" + pair for pair in found)
