"""Who asks, for what, how and where: everything that comes out is what an independent judge says."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.matrix.asking import FOR_ALL, PRINCIPALS, Ask, Principal, World, refused
from tests.matrix.judge import PUBLISHED, STAFF_ONLY, Shown, columns_of
from tests.matrix.reading import (
    ROUNDING,
    Found,
    buffered,
    check_shape,
    check_whole,
    drawn,
    of_extract,
    of_geojson,
    of_tile,
    reach,
    unit,
)
from tests.matrix.world import FORMATS, PLACES, TILES, tile_box

VECTORS = tuple(name for name in PUBLISHED if name != "satellite")
ASKED = (*PUBLISHED, "nowhere_at_all")
METRE = 1 / 90_000  # degrees, at least a metre


def expected(world: World, who: Principal, action: str, collection: str) -> dict[str, Shown]:
    """What is shown by id, references by id too."""
    found = {}
    for key, shown in who.rights.shown(action, collection, world.features).items():
        for column in ("start_connector_id", "end_connector_id"):
            if shown.values.get(column) is not None:
                shown.values[column] = world.ids["connectors", shown.values[column]]
        found[world.ids[collection, key]] = shown
    return found


def check_ids(
    found: Any,
    shown: dict[str, Shown],
    box: shapely.Geometry,
    inner: shapely.Geometry | None = None,
) -> None:
    """What surely lies in a box (or its inner part) is there, what surely lies beyond it is not."""
    for key in found:
        assert key in shown
        assert shown[key].geometry.buffer(reach(shown[key]) + ROUNDING).intersects(box)
    for key, said in shown.items():
        margin = reach(said) + ROUNDING
        surely = shapely.intersects(said.geometry, (box if inner is None else inner).buffer(-margin))
        if surely and (not said.snap_m or said.geometry.length > 4 * margin):
            assert key in found


def check_features(
    found: dict[str, Found],
    shown: dict[str, Shown],
    box: shapely.Geometry,
    inner: shapely.Geometry | None = None,
) -> None:
    check_ids(found, shown, box, inner)
    for key, item in found.items():
        assert item.values == shown[key].values
        check_shape(item.geometry, shown[key])
        check_whole(item.geometry, shown[key])


@FOR_ALL
def test_discovery_names_what_may_be_known_and_nothing_else(world: World, who: Principal) -> None:
    listed = world.ask(who, Ask("/collections"))
    if refused(who, listed.status_code):
        return
    granted = who.rights.collections("discover")
    assert {item["id"] for item in listed.json["collections"]} == granted | {"catalogue"}
    described = world.ask(who, Ask("/collections/catalogue/items"))
    assert {item["id"] for item in described.json["features"]} == granted
    for collection, page in itertools.product(ASKED, ("", "/schema", "/queryables")):
        answer = world.ask(who, Ask(f"/collections/{collection}{page}"))
        assert answer.status_code == (200 if collection in granted else 404), (collection, page)
        if collection not in granted:
            continue
        if page:
            columns = who.rights.columns("discover", collection)
            assert set(answer.json["properties"]) - {"id", "geometry"} == set(columns)
            assert not set(columns_of(collection)) - set(columns) & set(_words(answer.json))
        elif collection in VECTORS:
            check_extent(answer.json["extent"], expected(world, who, "discover", collection))


def _words(said: Any) -> list[str]:
    """Every name and text of a document."""
    if isinstance(said, dict):
        return [*said, *(word for value in said.values() for word in _words(value))]
    if isinstance(said, list):
        return [word for value in said for word in _words(value)]
    return [said] if isinstance(said, str) else []


def check_extent(said: dict[str, Any], shown: dict[str, Shown]) -> None:
    """Bounds are those of what is shown, and no wider."""
    if not shown:
        assert "spatial" not in said
        return
    [box] = said["spatial"]["bbox"]
    margin = max(reach(item) for item in shown.values()) + 10 * ROUNDING
    bounds = shapely.total_bounds([item.geometry for item in shown.values()])
    assert abs(box - bounds).max() <= margin


@FOR_ALL
def test_pages_and_items_hold_what_the_judge_shows(world: World, who: Principal) -> None:
    for collection, (_, place), form in itertools.product(ASKED, PLACES.items(), ("json", "geojson")):
        box = ",".join(map(str, place))
        query = (("limit", "1000"), ("bbox", box), ("f", form))
        answer = world.ask(who, Ask(f"/collections/{collection}/items", query))
        if refused(who, answer.status_code):
            return
        assert answer.status_code == who.rights.status("read", collection), collection
        if answer.status_code == 200:
            shown = expected(world, who, "read", collection)
            found = of_geojson(answer.json)
            check_features(found, shown, shapely.box(*place))
            assert answer.json["numberMatched"] == len(found)


@FOR_ALL
def test_a_feature_by_its_id_is_there_or_as_if_it_were_not(world: World, who: Principal) -> None:
    missing = world.ask(who, Ask("/collections/places/items/nothing"))
    if refused(who, missing.status_code):
        return
    for collection in VECTORS:
        shown = expected(world, who, "read", collection)
        for (name, _), number in world.ids.items():
            if name != collection:
                continue
            answer = world.ask(who, Ask(f"/collections/{collection}/items/{number}"))
            known = who.rights.status("read", collection)
            assert answer.status_code == (known if number in shown or known == 403 else 404)
            if number in shown:
                assert answer.json["properties"] == shown[number].values
            elif known != 403:
                assert answer.data == world.ask(who, Ask("/collections/x/items/x")).data


@FOR_ALL
def test_filters_see_the_columns_and_values_that_are_shown(world: World, who: Principal) -> None:
    if refused(who, world.ask(who, Ask("/conformance")).status_code):
        return
    for collection in VECTORS:
        if not who.rights.grants("read", collection):
            continue
        shown = expected(world, who, "read", collection)
        visible = who.rights.columns("read", collection)
        for column in columns_of(collection):
            said = {_text(item.values.get(column)) for item in shown.values()} - {None}
            value = next(iter(sorted(said, key=str)), "'hidden 1'")
            rule = f"{column} = {value}" if said else f"{column} IS NOT NULL"
            query = (("limit", "1000"), ("filter", rule))
            answer = world.ask(who, Ask(f"/collections/{collection}/items", query))
            if column not in visible:
                assert answer.status_code == 400
                continue
            if answer.status_code == 400:  # instants are not compared with texts
                assert column in ("valid_from", "valid_to")
                continue
            equal = {key for key, item in shown.items() if said and _text(item.values[column]) == value}
            assert {item["id"] for item in answer.json["features"]} == equal, (collection, column)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, list | dict):
        return None
    return f"'{value}'" if isinstance(value, str) else str(value).upper()


@FOR_ALL
def test_search_finds_names_that_are_shown(world: World, who: Principal) -> None:
    for text in ("p1", "s2", "b3", "c1", "h0", "hidden"):
        answer = world.ask(who, Ask("/search", (("q", text), ("limit", "50"))))
        if refused(who, answer.status_code):
            return
        readable = [
            shown
            for collection in set(VECTORS) - {STAFF_ONLY}  # which has no names to look for
            if who.rights.grants("discover", collection)
            for shown in expected(world, who, "read", collection).values()
        ]
        named = {
            shown.values["name"]
            for shown in readable
            if any(text in (shown.values.get(name) or "") for name in ("name", "name_en"))
        }
        found = {item["name"] for item in answer.json["results"]}
        assert found <= named
        assert found or not named


WAYS = ("/tiles/{c}/{z}/{x}/{y}.mvt", "/collections/{c}/tiles/WebMercatorQuad/{z}/{y}/{x}")


@FOR_ALL
def test_tiles_hold_what_the_judge_shows_in_them_and_in_their_buffer(
    world: World, who: Principal
) -> None:
    for collection, tile, way in itertools.product(ASKED, TILES.values(), WAYS):
        z, x, y = tile
        answer = world.ask(who, Ask(way.format(c=collection, z=z, x=x, y=y)))
        if refused(who, answer.status_code):
            return
        if not who.rights.grants("tile", collection) or collection == "satellite":
            assert answer.status_code == who.rights.status("tile", collection), collection
            continue
        assert answer.status_code in (200, 204)
        check_tile(answer.data, expected(world, who, "tile", collection), collection, tile)


def check_tile(
    content: bytes, shown: dict[str, Shown], collection: str, tile: tuple[int, int, int]
) -> None:
    """No more than what is shown in a tile and its buffer, and in the tile no less."""
    found = of_tile(content, tile).get(collection, {})
    slack, inner = 1.6 * unit(tile), shapely.box(*tile_box(*tile))
    for key, item in found.items():
        assert key in shown
        told = {name: value for name, value in shown[key].values.items() if value is not None}
        assert item.values == told
        check_shape(item.geometry, shown[key], slack)
        assert item.geometry.difference(buffered(tile).buffer(slack)).is_empty
    for key, said in shown.items():
        here = shapely.intersection(said.geometry, inner)
        wide = max(here.bounds[2] - here.bounds[0], here.bounds[3] - here.bounds[1]) if here else 0.0
        point = said.geometry.geom_type == "Point" and inner.contains(said.geometry)
        if point or wide > 12 * unit(tile) + 4 * reach(said):
            assert key in found
            check_whole(found[key].geometry.intersection(buffered(tile)), _only(said, here), 2 * slack)


def _only(said: Shown, here: shapely.Geometry) -> Shown:
    return Shown(said.values, here, said.snap_m, said.fence)


@FOR_ALL
def test_tile_metadata_is_of_what_is_shown(world: World, who: Principal) -> None:
    for collection in ASKED:
        answer = world.ask(who, Ask(f"/tiles/{collection}.json"))
        if refused(who, answer.status_code):
            return
        if not who.rights.grants("tile", collection) or collection == "satellite":
            assert answer.status_code == who.rights.status("tile", collection)
            continue
        [layer] = answer.json["vector_layers"]
        assert set(layer["fields"]) - {"id"} == set(who.rights.columns("tile", collection))
        shown = expected(world, who, "tile", collection)
        if shown:
            check_extent({"spatial": {"bbox": [answer.json["bounds"]]}}, shown)


@FOR_ALL
def test_pictures_are_drawn_where_a_grant_allows_it_and_of_its_bands(
    world: World, who: Principal
) -> None:
    held = who.rights.grants("tile", "satellite")
    told = world.ask(who, Ask("/raster/satellite.json"))
    if refused(who, told.status_code):
        return
    assert told.status_code == (200 if held else 404)
    hidden = {f"b{number:02d}" for number in range(1, 5)} - {
        band.lower() for band in who.rights.bands("tile")
    }
    text = re.sub(r"sig=\w+", "", told.text).lower()  # which may hold any letters
    assert not any(band in text for band in hidden)
    for tile in TILES.values():
        answer = world.ask(who, Ask("/raster/satellite/{}/{}/{}.png".format(*tile)))
        assert answer.status_code in ((200, 204) if held else (404,))
        if answer.status_code == 200:
            places, there = drawn(answer.data, tile)
            dots = shapely.points(places)
            fences = [grant.fence for grant in held]
            for allowed in [shapely.union_all(fences)] if None not in fences else []:
                assert not (there & ~shapely.covers(allowed.buffer(1e-9), dots)).any()
            for fence in fences if len(fences) == 1 else []:
                inner = shapely.box(-180, -85, 180, 85) if fence is None else fence.buffer(-80 * METRE)
                assert there[shapely.covers(inner, dots)].all()
        elif held and None in [grant.fence for grant in held] and len(held) == 1:
            pytest.fail(f"nothing is drawn in {tile}")


@FOR_ALL
def test_extracts_hold_what_the_judge_shows(world: World, who: Principal, tmp_path: Path) -> None:
    for collection in (*VECTORS, "nowhere_at_all"):
        for form in FORMATS:
            place = PLACES["across" if form == "geojson" else "everywhere"]
            said = {"collections": [collection], "format": form, "bbox": list(place)}
            if form == "pmtiles":
                said |= {"min_zoom": 12, "max_zoom": 12}
            answer = world.ask(who, Ask("/extracts", (), "POST", said))
            if who.reads_only:
                assert answer.status_code == 401
                return
            if refused(who, answer.status_code):
                return
            if not who.rights.grants("download", collection):
                assert answer.status_code == who.rights.status("download", collection), collection
                break
            granted = form in who.rights.formats(collection)
            assert answer.status_code == (200 if granted else 400), (collection, form, answer.data)
            if granted and form != "pmtiles":
                folder = tmp_path / f"{collection}-{form}"
                shown = expected(world, who, "download", collection)
                found = of_extract(answer.data, collection, form, folder)
                check_features(found, shown, shapely.box(*place))


@FOR_ALL
def test_what_the_organisation_does_not_hold_is_in_nothing_it_is_told_of_itself(
    world: World, who: Principal
) -> None:
    answer = world.ask(who, Ask("/me"))
    if refused(who, answer.status_code):
        return
    known = set(answer.json["collections"])
    assert known == who.rights.collections("discover")
    assert (STAFF_ONLY in answer.text) == (who.name == "operator staff")
    assert world.ask(who, Ask("/admin/tiers")).status_code == (
        200 if who.name == "operator staff" else 404
    )


def test_the_matrix_asks_every_kind_of_thing_the_judge_can_tell_apart(world: World) -> None:
    """Whole and cut, snapped and exact, hidden by row, by place, by time and by reference."""
    seen = [
        shown
        for who in PRINCIPALS
        for collection in VECTORS
        for shown in expected(world, who, "read", collection).values()
    ]
    assert any(shown.fence is None for shown in seen)
    assert any(shown.fence is not None for shown in seen)
    assert any(shown.snap_m for shown in seen)
    fenced = expected(world, PRINCIPALS[1], "read", "segments")
    starts = [shown.values["start_connector_id"] for shown in fenced.values()]
    assert None in starts
    assert set(starts) != {None}
    late = expected(world, PRINCIPALS[2], "read", "events")
    assert 0 < len(late) < 16
