"""What a request costs, and which collections it is about, from the request alone.

It is known before anything is read, so it says nothing of what is there: a tile costs the same whether
it is drawn, kept, empty or known to the client, and a collection that is hidden the same as one that
does not exist. The table is in docs/quotas.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from geoshare.api.describe import names as names_of
from geoshare.api.params import ItemsParams
from geoshare.model.policy import Action
from geoshare.services.quotas import EVERY, ONE, Asked

PAGE_FEATURES: Final = 100  # of a page for one unit
DEFAULT_LIMITS: Final = {"items": 100, "changes": 1_000}
EXTRACT: Final = 10
PRINT: Final = 10
PRINT_ESTIMATE: Final = 2
EXTRACT_ESTIMATE: Final = 2
EXTRACT_FEATURES: Final = 1_000  # of an extract for one unit more
RESULT: Final = 10
CONTRIBUTION: Final = 5
SHEET: Final = 5  # a list of the desk as a file, either way
RASTER: Final = 2
DATASET: Final = 8  # a tile of all collections at once
FILTERED: Final = 2  # times a page without a filter or an order of its own
SEARCH: Final = 2
PROCESSES: Final[dict[str, tuple[int, tuple[str, ...], Action]]] = {
    "area-summary": (20, ("statistics", "buildings"), "aggregate"),
    "road-exposure": (3, ("segments", "hazard_zones", "events"), "read"),
}
HORIZON: Final = 5
CLASSIC: Final = ("/wms", "/wmts")
PICTURES: Final = (".png", ".webp", ".jpg")
PICTURE_PX: Final = 512 * 512  # of a map of any box for the price of a drawn tile
_REST_PARTS: Final = 4  # of "/wmts/1.0.0/WMTSCapabilities.xml"
MAX_COLLECTIONS: Final = 32
WATCHED: Final = "/changes"  # asked again and again, and counted apart
MAX_PATH, MAX_QUERY = 1_000, 4_000  # letters
_DIGITS: Final = 7
_PAGE_PARTS, _TILE_PARTS = 3, 3  # slashes in "/collections/c/items" and before a tile's row

_NAMES: Final = frozenset(names_of(ItemsParams))  # any other name filters by a queryable


def asked_of(method: str, path: str, query: str, max_limit: int) -> Asked:
    """Cost and collections of a request, its path decoded and its query as it came."""
    if path.startswith("/collections/") and path.count("/") == _PAGE_PARTS:
        name, page = path.split("/")[2:]
        if page in DEFAULT_LIMITS:
            return _page(name, page, query, max_limit)
    if len(path) > MAX_PATH:
        return ONE
    if path.startswith("/tiles/") and not path.endswith((".mvt", ".json", *PICTURES)):
        return _of_dataset(path, query)
    if path.startswith("/map/tiles/"):
        return _of_dataset(path.removeprefix("/map"), query, RASTER)
    if path.startswith(CLASSIC):
        return _classic(path, query)
    return _by_path(method, path)


def extract_asked(collections: tuple[str, ...], features: int) -> Asked:
    """What an extract asks for beside its request, with so many features at most."""
    return Asked(-(-features // EXTRACT_FEATURES), collections, "download")


def _page(names: str, page: str, query: str, max_limit: int) -> Asked:
    limit, names_values = DEFAULT_LIMITS[page], page == "items"
    filtered = False
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name == "limit" and len(value) <= _DIGITS and value.isascii() and value.isdecimal():
            limit = min(int(value), max_limit)
        filtered = filtered or name in ("filter", "sortby") or (names_values and name not in _NAMES)
    cost = max(1, -(-limit // PAGE_FEATURES)) * (FILTERED if filtered else 1)
    return Asked(cost, _names(names), "read")


def _of_dataset(path: str, query: str, times: int = 1) -> Asked:
    """A tile, or a description of tiles, of the collections that the query names; of all else.

    ``times`` is how much more a tile costs that is drawn.
    """
    said = dict(parse_qsl(query[:MAX_QUERY])).get("collections")
    names = _names(",".join(part.rpartition("/")[2] for part in said.split(","))) if said else EVERY
    cost = times * (len(names) if said else DATASET)
    return Asked(cost if path.count("/") > _TILE_PARTS else 1, names, "tile")


def _classic(path: str, query: str) -> Asked:
    """A request of WMS or WMTS: by its layers, and of WMS by how large a picture it is."""
    said = {name.lower(): value for name, value in parse_qsl(query[:MAX_QUERY])}
    parts = path.split("/")
    layers = said.get("layers") or said.get("layer") or said.get("query_layers") or ""
    if len(parts) > _REST_PARTS:
        layers = parts[3]
    if not layers:
        return ONE
    names = _names(layers)
    sides = [int(side) for side in (said.get("width", ""), said.get("height", "")) if _is_size(side)]
    large = -(-sides[0] * sides[1] // PICTURE_PX) if len(sides) == 2 else 1
    collections = EVERY if any("-" in name for name in names) else names
    cost = sum(DATASET if "-" in name else 1 for name in names)
    return Asked(RASTER * cost * max(1, large), collections, "tile")


def _is_size(text: str) -> bool:
    return len(text) <= _DIGITS and text.isascii() and text.isdecimal()


_ACTIONS: Final[dict[str, Action]] = {
    "map": "tile",
    "tiles": "tile",
    "styles": "tile",
    "changes": "stream",
}


@lru_cache(maxsize=4_096)
def _by_path(method: str, path: str) -> Asked:
    parts = path.split("/")
    first, rest = parts[1], parts[2:]
    if first == "desk" and (rest[:1] == ["sheets"] or rest[2:] == ["sheet"]):
        return Asked(SHEET)
    if method == "POST":
        costs = {"extracts": EXTRACT, "prints": PRINT, "contributions": CONTRIBUTION}
        if rest == ["estimate"]:
            costs |= {"prints": PRINT_ESTIMATE, "extracts": EXTRACT_ESTIMATE}
        if first == "processes" and rest:
            return Asked(*PROCESSES.get(rest[0], (1,)))
        return Asked(costs[first]) if first in costs else ONE
    if first == "raster" and rest:
        return Asked(RASTER if len(rest) > 1 else 1, _names(rest[0].removesuffix(".json")), "tile")
    if first == "tiles" and rest:
        names = _names(rest[0].removesuffix(".json"))
        times = RASTER if path.endswith(PICTURES) else 1
        return Asked(times * max(1, len(names)) if len(rest) > 1 else 1, names, "tile")
    if first == "styles":
        names = _names(rest[0]) if rest and "-" not in rest[0] else EVERY  # of many: with a hyphen
        return Asked(1, names, "tile")
    if first == "collections" and rest:
        drawn = "map" in rest[1:2]
        far = rest[1:] in (["horizon"], ["openlr"])
        cost = RASTER if drawn and len(rest) > 4 else HORIZON if far else 1
        return Asked(cost, _names(rest[0]), _ACTIONS.get(rest[1] if rest[1:] else "", "read"))
    if first == "jobs" and parts[-1] == "result":
        return Asked(RESULT)
    return Asked(SEARCH, EVERY) if first == "search" else ONE


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split(",")[:MAX_COLLECTIONS]))
