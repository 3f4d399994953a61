"""Questions about tiles of any kind, and what describes them."""

from __future__ import annotations

from typing import Any

from tests.leaks.asking.parts import MATRICES, PLACE, SETS, Parts, Question, get
from tests.leaks.town import SOUTH, WEST
from tests.leaks.twins import Request
from tiles.matrices import MATRIX_SETS

ANY_MAP = "/collections/{collection}/map/tiles/{matrix}"
STYLES = ("grey-b01", "grey-b02", "grey-b03", "turbo-b01", "true-colour", "composite", "ndvi")


def vector_tile(asker: Parts) -> Request:
    z, x, y = asker.tile()
    query = (("datetime", asker.instant()),) if asker.rng.random() < 0.1 else ()
    return asker.get(f"/tiles/{asker.several()}/{z}/{x}/{y}.mvt", *query)


def set_tile(asker: Parts) -> tuple[str, int, int, int]:
    """Tile matrix set, tile matrix, row and column of a tile in or near the town."""
    rng = asker.rng
    name = rng.choice([*SETS, *MATRICES, *MATRICES])
    z = rng.choice((0, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 25))
    if name not in MATRIX_SETS or z > MATRIX_SETS[name].max_zoom:
        return name, z, 0, 0
    west, south = WEST + rng.uniform(0, 0.025), SOUTH + rng.uniform(0, 0.022)
    found = MATRIX_SETS[name].covering(z, (west, south, west, south))
    (column, _), (row, _) = found or ((0, 0), (0, 0))
    return name, z, max(0, row + rng.choice((0,) * 20 + (-1, 1, 2**z))), column


def drawn(asker: Parts, ratio: str) -> Request:
    z, x, y = asker.tile()
    image_format = asker.rng.choice(("png", "png", "webp", "gif"))
    query = []
    if asker.rng.random() < 0.2:
        query.append(("datetime", asker.instant()))
    if asker.rng.random() < 0.2:
        query.append(("language", asker.rng.choice(("ja", "en", "fr"))))
    if asker.rng.random() < 0.1:
        query.append(("style", asker.rng.choice(("default", asker.collection()))))
    return asker.get(f"/tiles/{asker.several()}/{z}/{x}/{y}{ratio}.{image_format}", *query)


def _layer(asker: Parts) -> str:
    return asker.rng.choice(("default-map", "hazard-map", *(asker.collection() for _ in range(4))))


def wmts_tile(asker: Parts) -> Request:
    name, z, row, column = set_tile(asker)
    style = asker.rng.choice(("default", "default", *STYLES))
    image_format = asker.rng.choice(("png", "png", "webp", "jpg", "gif"))
    return asker.get(f"/wmts/1.0.0/{_layer(asker)}/{style}/{name}/{z}/{row}/{column}.{image_format}")


def classic(asker: Parts, service: str) -> Request:
    """A request of a classic service by parameters, some of them missing or wrong."""
    rng = asker.rng
    if rng.random() < 0.2:
        return asker.get(f"/{service}", ("SERVICE", service.upper()), ("REQUEST", "GetCapabilities"))
    name, z, row, column = set_tile(asker)
    said = {
        "request": "GetTile",
        "layer": _layer(asker),
        "style": rng.choice(("", "default")),
        "TileMatrixSet": name,
        "tilematrix": z,
        "tilerow": row,
        "tilecol": column,
        "format": rng.choice(("image/png", "image/webp", "image/jpeg")),
    }
    if rng.random() < 0.1:
        said.pop(rng.choice(list(said)))
    return asker.get(f"/{service}", *said.items())


def wms(asker: Parts) -> Request:
    """A map of a box of the town, a feature in it, or a legend; now and then in the old version."""
    rng = asker.rng
    asked = rng.choice(("GetMap", "GetMap", "GetFeatureInfo", "GetCapabilities", "GetLegendGraphic"))
    names = ",".join(_layer(asker) for _ in range(rng.choice((1, 1, 2))))
    west, south, east, north = asker.box()
    said = {
        "request": asked,
        "VERSION": rng.choice(("1.3.0", "1.3.0", "1.1.1")),
        "layers": names,
        "query_layers": names,
        "layer": names,
        "crs": "CRS:84",
        "bbox": f"{west},{south},{east},{north}",
        "width": rng.choice((64, 300, 9_999)),
        "height": 200,
        "i": rng.choice((0, 31, 400)),
        "j": 100,
        "styles": rng.choice(("", "", "default", "pink")),
        "transparent": rng.choice(("TRUE", "FALSE")),
        "info_format": rng.choice(("application/json", "text/plain", "text/html")),
        "feature_count": rng.choice((1, 50)),
    }
    if rng.random() < 0.2:
        said["time"] = asker.instant()
    if rng.random() < 0.1:
        said.pop(rng.choice(list(said)))
    return asker.get("/wms", *said.items())


def _of_map(asker: Parts) -> list[tuple[str, Any]]:
    if asker.rng.random() < 0.5:
        return _of_several(asker)
    return [("style", asker.rng.choice(("default-map", "hazard-map", asker.collection())))]


def ogc_tile(asker: Parts, template: str, *query: tuple[str, Any]) -> Request:
    name, z, row, column = set_tile(asker)
    said = [*query]
    if asker.rng.random() < 0.1:
        said.append(("f", asker.rng.choice(("mvt", "png", "webp", "gif", "json"))))
    if asker.rng.random() < 0.1:
        said.append(("datetime", asker.instant()))
    path = template.format(collection=asker.collection(), matrix=name)
    return asker.get(f"{path}/{z}/{row}/{column}", *said)


def raster_tile(asker: Parts) -> Request:
    z, x, y = asker.tile()
    name = asker.collection() if asker.rng.random() < 0.2 else "satellite"
    query = []
    if asker.rng.random() < 0.4:
        query.append(("style", asker.rng.choice(STYLES)))
    if asker.rng.random() < 0.3:
        query.append(("datetime", asker.instant()))
    return asker.get(
        f"/raster/{name}/{z}/{x}/{y}.{asker.rng.choice(('png', 'webp', 'jpg', 'gif'))}", *query
    )


def _of_several(asker: Parts) -> tuple[tuple[str, str], ...]:
    return (("collections", asker.several()),) if asker.rng.random() < 0.7 else ()


ASKERS: dict[str, Question] = {
    "GET /collections/<collection>/map/tiles": get("/collections/{collection}/map/tiles"),
    "GET /collections/<collection>/map/tiles/<matrix_set_id>": get(
        "/collections/{collection}/map/tiles/{matrix}"
    ),
    f"GET /collections/<collection>/map/tiles/{PLACE}": lambda asker: ogc_tile(
        asker,
        asker.rng.choice(("/collections/satellite/map/tiles/{matrix}",) * 2 + (ANY_MAP,)),
        *((("style", asker.rng.choice(STYLES)),) if asker.rng.random() < 0.4 else ()),
    ),
    "GET /collections/<collection>/tiles": get("/collections/{collection}/tiles"),
    "GET /collections/<collection>/tiles/<matrix_set_id>": get(
        "/collections/{collection}/tiles/{matrix}"
    ),
    f"GET /collections/<collection>/tiles/{PLACE}": lambda asker: ogc_tile(
        asker, "/collections/{collection}/tiles/{matrix}"
    ),
    "GET /tileMatrixSets": get("/tileMatrixSets"),
    "GET /tileMatrixSets/<matrix_set_id>": get("/tileMatrixSets/{matrix}"),
    "GET /tiles": get("/tiles"),
    "GET /tiles/<matrix_set_id>": lambda asker: asker.get(
        f"/tiles/{asker.rng.choice([*SETS, *MATRICES])}", *_of_several(asker)
    ),
    f"GET /tiles/{PLACE}": lambda asker: ogc_tile(asker, "/tiles/{matrix}", *_of_several(asker)),
    "GET /raster/<collection>.json": get("/raster/{collection}.json"),
    "GET /raster/<collection>/<int:z>/<int:x>/<int:y>.<image_format>": raster_tile,
    "GET /tiles/<collections>.json": get("/tiles/{several}.json"),
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt": vector_tile,
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>.<image_format>": lambda asker: drawn(asker, ""),
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>@2x.<image_format>": lambda asker: drawn(
        asker, "@2x"
    ),
    "GET /wms": lambda asker: wms(asker),
    "GET /wmts": lambda asker: classic(asker, "wmts"),
    "GET /wmts/1.0.0/WMTSCapabilities.xml": get("/wmts/1.0.0/WMTSCapabilities.xml"),
    "GET /wmts/1.0.0/<layer>/<style>/<tms>/<matrix>/<row>/<column>.<image_format>": (
        lambda asker: wmts_tile(asker)
    ),
    "GET /map/tiles": get("/map/tiles"),
    "GET /map/tiles/<matrix_set_id>": lambda asker: asker.get(
        f"/map/tiles/{asker.rng.choice([*SETS, *MATRICES])}", *_of_map(asker)
    ),
    f"GET /map/tiles/{PLACE}": lambda asker: ogc_tile(asker, "/map/tiles/{matrix}", *_of_map(asker)),
}
