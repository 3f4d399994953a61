"""Features as GeoJSON or JSON-FG with their links, whichever way they are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.api.describe import MAX_NAME, names
from geoshare.api.params import ItemParams, ItemsParams
from geoshare.api.profiles import PROFILE, PROFILES, REFERENCES, header
from geoshare.api.wording import Caller, choose, worded
from geoshare.errors import BadRequest, NotFound
from geoshare.model.crs import is_native
from geoshare.model.times import iso
from geoshare.query import jsonfg
from geoshare.query.equal import simple
from geoshare.query.items import ItemsPage, chosen_columns, items
from geoshare.query.projected import geojson_in
from geoshare.services import Services
from geoshare.services.external import lookup

GEOJSON = "application/geo+json"
JSON = "application/json"
FORMATS = ("json", "geojson", "html")
_HEAD, _BETWEEN = b'{"type":"FeatureCollection","features":[', b"],"
_SECOND_US = 1_000_000
MAX_VALUE: Final = 512  # characters of a value that features must have
_CHOOSING = frozenset({"bbox", "datetime", "filter", "sortby", "cursor"})


class Made(NamedTuple):
    """An answer: its bytes, how many at their end tell when it was made, its system and profiles."""

    content: bytes
    stamp: int
    crs: str
    profiles: tuple[str, ...]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Header lines that go with it."""
        return [("Content-Crs", f"<{self.crs}>"), header(self.profiles)]


def page_body(
    services: Services, who: Principal, base: str, collection: str, params: ItemsParams
) -> Made:
    """The page that the caller sees.

    ``base`` is the address that links begin with.

    Raises
    ------
    BadRequest, NotFound, Unavailable
        as ``items`` and the views do; BadRequest also for a format there is none of.
    """
    _check_format(params)
    view = services.view_at(who, collection, params.as_of)
    page = page_of(services, who, view, params)
    profiles = choose(params)
    said_profiles = (params.chosen_profile, *profiles.names(view, page.columns))
    members = members_of(services, who, base, collection, params, page, said_profiles)
    rows = worded(Caller(services, who, base), view, page.rows, page.columns, params, profiles)
    page = page if rows is page.rows else replace(page, rows=rows)
    stamp = orjson.dumps(iso(services.clock.now_us() // _SECOND_US * _SECOND_US))
    profile = params.chosen_profile
    if profile == PROFILES[0]:
        opening, features = _HEAD, page.geojson(params.crs)
    else:
        opening, features = _as_jsonfg(page, params, f"{base}/collections/{collection}/schema")
    said = orjson.dumps(members)[1:-1]
    last = b',"timeStamp":' + stamp + b"}"
    content = b"".join((opening, features, _BETWEEN, said, last))
    return Made(content, len(last), params.crs, said_profiles)


def page_of(services: Services, who: Principal, view: View, params: ItemsParams) -> ItemsPage:
    """Features that meet the request, or the one of an id from outside."""
    _check_others(view, params)
    query = params.query(services.settings.max_limit)
    if params.external_id is None:
        return items(view, query, services.cursors)
    others = {*(params.model_fields_set & _CHOOSING), *dict(params.others)}
    if others:
        raise BadRequest(
            "An id is looked up alone",
            message_ja="IDによる検索は、ほかの条件と組み合わせられません",
            parameter=min(others).replace("_", "-"),
            allowed="external_id without it",
        )
    rows = lookup(services, who, view, params.external_id)
    return ItemsPage(view, rows, len(rows), None, chosen_columns(view, query.properties))


def _check_others(view: View, params: ItemsParams) -> None:
    """Refuse what is neither a parameter nor a queryable. Raises BadRequest."""
    known = simple(view) if params.others else []
    for name, value in params.others:
        if name not in known:
            allowed = ", ".join((*names(ItemsParams), *known))
            raise BadRequest("Unknown parameter", parameter=name[:MAX_NAME], allowed=allowed)
        if len(value) > MAX_VALUE:
            raise BadRequest(
                "The value is too long", parameter=name, allowed=f"at most {MAX_VALUE} characters"
            )


def item_body(
    services: Services,
    who: Principal,
    base: str,
    path: tuple[str, str],
    params: ItemParams,
    references: str = REFERENCES[0],
) -> Made:
    """One feature that the caller sees; ``path`` is its collection and its id.

    ``references`` is the profile of references where the request names none.

    Raises
    ------
    NotFound
        where there is none, and where it is hidden.
    """
    _check_format(params)
    collection, feature_id = path
    view = services.view_at(who, collection, params.as_of)
    rows = view.lookup([feature_id])
    if len(rows) == 0:
        raise NotFound("No such feature")
    about, profile = f"{base}/collections/{collection}", params.chosen_profile
    columns = tuple(view.fields)
    profiles = choose(params, default=references)
    stated = (profile, *profiles.names(view, columns))
    rows = worded(Caller(services, who, base), view, rows, columns, params, profiles)
    head: dict[str, Any] = {}
    if profile == PROFILES[0]:
        feature = geojson_in(view, rows, columns, params.crs)
    else:
        plus = profile == PROFILES[2]
        found = jsonfg.features(view, rows, columns, params.crs, both=plus)[0]
        feature, head = orjson.dumps(found), jsonfg.head(view, params.crs, f"{about}/schema")
    asked = f"{about}/items/{quote(feature_id, safe='')}"
    carried = _pairs(params, ("as_of", "crs", "profile", "language", "f"))
    links = [
        {"rel": "self", "type": GEOJSON, "href": asked + ("?" + "&".join(carried) if carried else "")},
        _as_page(f"{asked}?" + "".join(f"{pair}&" for pair in _pairs(params, ("as_of",)))),
        *({"rel": "profile", "href": PROFILE + name} for name in stated),
        {"rel": "collection", "type": JSON, "href": about},
    ]
    more = orjson.dumps({**head, "links": links})
    return Made(feature[:-1] + b"," + more[1:], 0, params.crs, stated)


def _check_format(params: ItemParams) -> None:
    if params.f is not None and params.f not in FORMATS:
        raise BadRequest("The format is not available here", parameter="f", allowed=", ".join(FORMATS))


def _as_jsonfg(page: ItemsPage, params: ItemsParams, schema: str) -> tuple[bytes, bytes]:
    view: View = page.view
    head = {
        "type": "FeatureCollection",
        **jsonfg.head(view, params.crs, schema),
        **jsonfg.dimension(view),
    }
    both = params.chosen_profile == PROFILES[2] or is_native(params.crs)
    found = jsonfg.features(view, page.rows, page.columns, params.crs, both=both)
    return orjson.dumps(head)[:-1] + b',"features":[', orjson.dumps(found)[1:-1]


def members_of(
    services: Services,
    who: Principal,
    base: str,
    collection: str,
    params: ItemsParams,
    page: ItemsPage,
    profiles: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What a page says beside its features: counts and links; ``profiles`` are those it follows."""
    # the collection's name is plain, or there would be no page; a cursor is made for addresses
    about = f"{base}/collections/{collection}"
    first, carried = f"{about}/items?limit={params.limit}", _carried(params)
    form = "".join(f"&{pair}" for pair in _pairs(params, ("f",)))
    asked = "" if params.cursor is None else f"&cursor={quote(params.cursor, safe='')}"
    links = [{"rel": "self", "type": GEOJSON, "href": first + asked + carried + form}]
    links.append(_as_page(f"{first}{asked}{carried}&"))
    if page.next_cursor is not None:
        following = f"{first}&cursor={page.next_cursor}{carried}{form}"
        links.append({"rel": "next", "type": GEOJSON, "href": services.links.carried(who, following)})
    links += [{"rel": "profile", "href": PROFILE + name} for name in profiles]
    links.append({"rel": "collection", "type": JSON, "href": about})
    found: dict[str, Any] = {"numberReturned": len(page.rows), "links": links}
    if page.number_matched is not None:
        found["numberMatched"] = page.number_matched
    return found


def _as_page(address: str) -> dict[str, str]:
    """The link to the page that people get of an address, which ends where a parameter begins."""
    return {"rel": "alternate", "type": "text/html", "href": f"{address}f=html"}


def _carried(params: ItemsParams) -> str:
    """What links repeat of the request, beside limit, cursor and format."""
    found = [] if params.bbox is None else ["bbox=" + quote(params.bbox.text, safe="")]
    names = ("bbox_crs", "datetime", "properties", "filter", "filter_lang", "filter_crs", "sortby")
    found += _pairs(params, (*names, "as_of", "crs", "profile", "language", "geometry_as", "bom"))
    found += [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.others]
    if params.external_id is not None:
        found.append(f"external_id={quote(params.external_id, safe='')}")
    return "".join("&" + pair for pair in found)


_SPELLED: Final = {name: name.replace("_", "-") for name in ("bbox_crs", "filter_lang", "filter_crs")}


def _pairs(params: ItemParams, names: tuple[str, ...]) -> list[str]:
    return [
        f"{_SPELLED.get(name, name)}={quote(getattr(params, name), safe='')}"
        for name in names
        if name in params.model_fields_set and getattr(params, name) is not None
    ]
