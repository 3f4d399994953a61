"""What has changed in a collection, as far as the caller may know."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Blueprint, Response

from geoshare.api import reply
from geoshare.api.context import caller, followed, href, services
from geoshare.api.describe import describes
from geoshare.api.pages import GEOJSON
from geoshare.api.params import ChangesParams
from geoshare.errors import BadRequest
from geoshare.query.feed import FeedPage, FeedQuery, holder

blueprint = Blueprint("changes", __name__)


@blueprint.get("/collections/<collection>/changes")
@describes(
    "What has changed since a token",
    params=ChangesParams,
    answers={
        200: (GEOJSON, "Features as they are now, and ids of those that are gone"),
        410: ("application/problem+json", "It is not known any more: take a new copy"),
    },
    tags=("features",),
)
def changes(params: ChangesParams, collection: str) -> Response:
    """Computed from what the caller saw then and sees now."""
    view = services().view(caller(), collection, "stream")
    limit = min(params.limit, services().settings.max_limit)
    bbox = None if params.bbox is None else params.bbox.box
    if params.as_of is not None:
        if params.since is not None:
            raise BadRequest(
                "as_of gives a token, and since is one", parameter="as_of", allowed="without since"
            )
        then = services().view_at(caller(), collection, params.as_of, "stream")
        page = services().feed.page_then(then, bbox, holder(caller()))
        return _answer(page, params, collection)
    query = FeedQuery(params.since, limit, params.cursor, bbox)
    page = services().feed.page(view, query, holder(caller()))
    return _answer(page, params, collection)


def _answer(page: FeedPage, params: ChangesParams, collection: str) -> Response:
    members = orjson.dumps(_members(page, params, collection))
    features = page.view.geojson(page.rows)
    content = b'{"type":"FeatureCollection","features":[' + features + b"]," + members[1:]
    return reply.body(content, GEOJSON)


def _members(page: FeedPage, params: ChangesParams, collection: str) -> dict[str, Any]:
    path = ("collections", collection)
    asked = {"since": params.since, "limit": str(params.limit)}
    area = {}
    if params.bbox is not None:
        area["bbox"] = params.bbox.text
    links = [{"rel": "self", "type": GEOJSON, "href": href(*path, "changes", **asked, **area)}]
    said: dict[str, Any] = {
        "created": page.created,
        "updated": page.updated,
        "deleted": page.deleted,
        "numberReturned": page.count,
        "links": links,
    }
    if page.next_cursor is not None:
        following = followed(href(*path, "changes", **asked, **area, cursor=page.next_cursor))
        links.append({"rel": "next", "type": GEOJSON, "href": following})
    else:
        said["token"], said["numberMatched"] = page.token, page.matched
        later = href(*path, "changes", since=page.token, **area)
        links.append({"rel": "changes", "type": GEOJSON, "href": later})
    links.append({"rel": "items", "type": GEOJSON, "href": href(*path, "items")})
    return said
