"""Drawn maps, WMS, WMTS and styles show where something is that the judge shows, and nothing else."""

from __future__ import annotations

import shapely
from lxml import etree

from tests.matrix.asking import FOR_ALL, PRINCIPALS, Ask, Principal, World, refused
from tests.matrix.judge import Shown
from tests.matrix.reading import buffered, drawn, of_geojson, reach
from tests.matrix.test_matrix import ASKED, VECTORS, check_features, expected
from tests.matrix.world import TILE_PX, TILES, Z, tile_box

WEB_MERCATOR_M = 20_037_508.342789244
SIGN_PX = 28.0  # no sign, line or name reaches further from its feature
UNDRAWN = {"connectors", "satellite"}  # which no map shows, or not from vectors
MAPS = {"default-map", "hazard-map"}
Tile = tuple[int, int, int]


def bounds_m(tile: Tile) -> str:
    """A tile in Web Mercator metres, as WMS is asked for it."""
    _, x, y = tile
    side = 2 * WEB_MERCATOR_M / 2**Z
    west, north = x * side - WEB_MERCATOR_M, WEB_MERCATOR_M - y * side
    return f"{west},{north - side},{west + side},{north}"


def plain(collection: str, tile: Tile) -> Ask:
    return Ask("/tiles/{}/{}/{}/{}.png".format(collection, *tile))


def of_standard(collection: str, tile: Tile) -> Ask:
    z, x, y = tile
    return Ask(f"/collections/{collection}/map/tiles/WebMercatorQuad/{z}/{y}/{x}", (("f", "png"),))


def by_wms(collection: str, tile: Tile) -> Ask:
    said = {"service": "WMS", "request": "GetMap", "version": "1.3.0", "crs": "EPSG:3857"}
    said |= {"layers": collection, "styles": "", "format": "image/png", "transparent": "TRUE"}
    said |= {"bbox": bounds_m(tile), "width": str(TILE_PX), "height": str(TILE_PX)}
    return Ask("/wms", tuple(said.items()))


def by_wmts(collection: str, tile: Tile) -> Ask:
    z, x, y = tile
    said = {"service": "WMTS", "request": "GetTile", "version": "1.0.0", "layer": collection}
    said |= {"style": "default", "tilematrixset": "WebMercatorQuad", "format": "image/png"}
    said |= {"tilematrix": str(z), "tilerow": str(y), "tilecol": str(x)}
    return Ask("/wmts", tuple(said.items()))


WAYS = (plain, of_standard, by_wms, by_wmts)


def far(content: bytes, shown: dict[str, Shown], tile: Tile) -> int:
    """How many pixels are drawn that nothing which is shown explains."""
    places, there = drawn(content, tile)
    west, _, east, _ = tile_box(*tile)
    known = shapely.union_all([item.geometry for item in shown.values()])
    shapely.prepare(known)
    slack = SIGN_PX * (east - west) / TILE_PX + max(map(reach, shown.values()), default=0.0)
    return int((~shapely.dwithin(known, shapely.points(places[there]), slack)).sum())


@FOR_ALL
def test_pixels_are_drawn_where_something_is_shown_and_nowhere_else(
    world: World, who: Principal
) -> None:
    for number, collection in enumerate(VECTORS):
        held = who.rights.grants("tile", collection)
        shown = expected(world, who, "tile", collection) if held else {}
        for turn, tile in enumerate(TILES.values()):
            way = WAYS[(number + turn) % len(WAYS)]
            answer = world.ask(who, way(collection, tile))
            if refused(who, answer.status_code):
                return
            if not held:
                hidden = who.rights.status("tile", collection) == 404
                missing = 404 if way in (plain, of_standard) else 400  # an exception report
                assert answer.status_code == (missing if hidden else 403), collection
                if hidden:
                    assert answer.data == world.ask(who, way("nowhere_at_all", tile)).data
                continue
            assert answer.status_code in (200, 204)
            if answer.data:
                assert not far(answer.data, shown, tile), (collection, tile)
            if collection not in UNDRAWN:
                check_drawn(answer.data, shown, tile)


def check_drawn(content: bytes, shown: dict[str, Shown], tile: Tile) -> None:
    """Every feature well inside a tile that is given out as it is has left its mark."""
    west, _, east, _ = tile_box(*tile)
    whole = [item.geometry for item in shown.values() if not item.snap_m]
    inner = [shape for shape in whole if buffered(tile, -256).contains(shape)]
    if inner:
        assert content
        places, there = drawn(content, tile)
        marks = shapely.multipoints(places[there])
        assert (shapely.distance(marks, inner) <= 2 * (east - west) / TILE_PX).all()


@FOR_ALL
def test_capabilities_and_styles_name_the_layers_whose_tiles_may_be_had(
    world: World, who: Principal
) -> None:
    answer = world.ask(who, Ask("/styles"))
    if refused(who, answer.status_code):
        return
    seen = {name for name in ASKED if who.rights.grants("tile", name)}
    assert {style["id"] for style in answer.json["styles"]} & {*ASKED, *MAPS} == seen | MAPS
    for path, query, names in (
        ("/wms", (("request", "GetCapabilities"),), ".//{*}Layer/{*}Layer/{*}Name"),
        ("/wms", (("request", "GetCapabilities"), ("version", "1.1.1")), ".//Layer/Layer/Name"),
        ("/wmts", (("request", "GetCapabilities"),), ".//{*}Layer/{*}Identifier"),
    ):
        root = etree.fromstring(world.ask(who, Ask(path, (("service", path[1:].upper()), *query))).data)
        listed = {element.text for element in root.iterfind(names)}
        assert listed & {*ASKED, *MAPS} == seen | MAPS, path
    for collection in ASKED:
        for path in ("/styles/{}", "/styles/{}/metadata", "/collections/{}/styles"):
            status = world.ask(who, Ask(path.format(collection))).status_code
            raster = collection == "satellite"
            assert status == who.rights.status("tile", collection, raster=raster), (path, collection)


@FOR_ALL
def test_what_lies_at_a_place_of_a_map_is_what_may_be_read_there(world: World, who: Principal) -> None:
    tile = TILES["buffer"]
    west, south, east, north = tile_box(*tile)
    for collection in VECTORS:
        for feature in world.features:
            if feature.collection != collection:
                continue
            spot = feature.geometry.representative_point()
            if not buffered(tile, 0).contains(spot):
                continue
            column = int((spot.x - west) / (east - west) * TILE_PX)
            row = int((north - spot.y) / (north - south) * TILE_PX)
            ask = by_wms(collection, tile)
            said = dict(ask.query) | {"request": "GetFeatureInfo", "query_layers": collection}
            said |= {"info_format": "application/json", "feature_count": "50"}
            said |= {"i": str(column), "j": str(row)}
            answer = world.ask(who, Ask("/wms", tuple(said.items())))
            if refused(who, answer.status_code):
                return
            if not who.rights.grants("tile", collection) or not who.rights.grants("read", collection):
                hidden = not who.rights.grants("discover", collection)
                assert answer.status_code == (400 if hidden else 403)
                break
            shown = expected(world, who, "read", collection)
            found, pixel = of_geojson(answer.json), (east - west) / TILE_PX
            surely = spot.buffer(0 if collection in UNDRAWN else 3 * pixel)
            check_features(found, shown, spot.buffer(8 * pixel), surely)


def test_a_picture_drawn_from_everything_would_be_noticed(world: World) -> None:
    """Otherwise the first test above could not fail."""
    named = {who.name: who for who in PRINCIPALS}
    for collection in ("segments", "buildings", "places"):
        shown = expected(world, named["holder of A"], "tile", collection)
        found = [
            (world.ask(named["operator staff"], plain(collection, tile)).data, tile)
            for tile in TILES.values()
        ]
        assert any(content and far(content, shown, tile) for content, tile in found), collection
