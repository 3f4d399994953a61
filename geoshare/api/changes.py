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
    page = services().feed.page(view, FeedQuery(params.since, limit, params.cursor), holder(caller()))
    members = orjson.dumps(_members(page, params, collection))
    features = view.geojson(page.rows)
    content = b'{"type":"FeatureCollection","features":[' + features + b"]," + members[1:]
    return reply.body(content, GEOJSON)


def _members(page: FeedPage, params: ChangesParams, collection: str) -> dict[str, Any]:
    path = ("collections", collection)
    asked = {"since": params.since, "limit": str(params.limit)}
    links = [{"rel": "self", "type": GEOJSON, "href": href(*path, "changes", **asked)}]
    said: dict[str, Any] = {
        "created": page.created,
        "updated": page.updated,
        "deleted": page.deleted,
        "numberReturned": page.count,
        "links": links,
    }
    if page.next_cursor is not None:
        following = followed(href(*path, "changes", **asked, cursor=page.next_cursor))
        links.append({"rel": "next", "type": GEOJSON, "href": following})
    else:
        said["token"] = page.token
        later = href(*path, "changes", since=page.token)
        links.append({"rel": "changes", "type": GEOJSON, "href": later})
    links.append({"rel": "items", "type": GEOJSON, "href": href(*path, "items")})
    return said
