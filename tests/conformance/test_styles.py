"""OGC API Styles (20-009, a draft), annex A of its last complete text: core, with Mapbox Styles."""

from __future__ import annotations

import pytest

from tests.conformance.server import OGC_REL, SPEC, Server, rels

MAPBOX = "application/vnd.mapbox.style+json"
KINDS = {
    "background",
    "fill",
    "line",
    "circle",
    "symbol",
    "raster",
    "fill-extrusion",
    "hillshade",
    "heatmap",
}


@pytest.fixture
def styled(served: Server) -> Server:
    if not any(name.startswith(f"{SPEC}/ogcapi-styles-1/") for name in served.classes):
        pytest.skip("the server does not declare styles")
    return served


def styles_of(served: Server, base: dict) -> dict:
    [link] = [link for link in base["links"] if link["rel"] == f"{OGC_REL}styles"]
    return served.get(link["href"], "application/json")


def sheets(served: Server, said: dict) -> list[dict]:
    """The stylesheets of a list, each fetched by its link."""
    found = []
    for style in said["styles"]:
        assert {"stylesheet", "describedby"} <= rels(style["links"])
        for link in style["links"]:
            if link["rel"] == "stylesheet" and link["type"] == MAPBOX:
                assert link["href"].partition("?")[0].endswith(f"/styles/{style['id']}")
                answer = served.ask(link["href"], link["type"])
                assert (answer.status, answer.kind) == (200, MAPBOX)
                found.append(answer.json)
    return found


def test_core_1_styles_are_listed_and_can_be_fetched(styled: Server):
    said = styles_of(styled, styled.landing)
    names = [style["id"] for style in said["styles"]]
    assert len(set(names)) == len(names)
    assert said.get("default", names[0]) in names
    assert len(sheets(styled, said)) == len(names)


def test_core_1_metadata_say_what_a_style_is(styled: Server):
    for style in styles_of(styled, styled.landing)["styles"]:
        [link] = [link for link in style["links"] if link["rel"] == "describedby"]
        assert link["href"].partition("?")[0].endswith(f"/styles/{style['id']}/metadata")
        answer = styled.ask(link["href"], link["type"])
        assert (answer.status, answer.kind) == (200, "application/json")
        said = answer.json
        assert said["id"] == style["id"]
        assert said.get("scope", "style") == "style"
        assert MAPBOX in {sheet["link"]["type"] for sheet in said["stylesheets"]}
        for layer in said["layers"]:
            assert layer["dataType"] in ("vector", "map", "coverage", "model")


def test_collection_styles_apply_to_their_collection(styled: Server):
    for item in styled.collections:
        base = styled.get(f"/collections/{item['id']}", "application/json")
        for sheet in sheets(styled, styles_of(styled, base)):
            drawn = {layer["source-layer"] for layer in sheet["layers"] if "source-layer" in layer}
            assert drawn == {item["id"]}


def test_mapbox_styles_name_only_their_own_sources(styled: Server):
    for sheet in sheets(styled, styles_of(styled, styled.landing)):
        assert sheet["version"] == 8
        names = [layer["id"] for layer in sheet["layers"]]
        assert len(set(names)) == len(names)
        for layer in sheet["layers"]:
            assert layer["type"] in KINDS
            assert layer.get("source") in (None, *sheet["sources"])
            assert ("source-layer" in layer) == (
                layer["type"] != "background" and sheet["sources"][layer["source"]]["type"] == "vector"
            )


def test_mapbox_styles_name_tiles_that_are_there(styled: Server):
    said = styles_of(styled, styled.landing)
    first = next(style for style in said["styles"] if style["id"] == said.get("default"))
    [sheet] = sheets(styled, {"styles": [first]})
    for source in sheet["sources"].values():
        found = source if "tiles" in source else styled.get(source["url"], "application/json")
        for address in found["tiles"]:
            tile = address.replace("{z}", "0").replace("{x}", "0").replace("{y}", "0")
            assert styled.ask(tile).status in (200, 204)


def test_whatever_has_tiles_leads_to_its_styles(styled: Server):
    for base in (styled.landing, *styled.collections):
        for link in base["links"]:
            if link["rel"] == f"{OGC_REL}tilesets-vector":
                for tileset in styled.get(link["href"], "application/json")["tilesets"]:
                    assert styles_of(styled, tileset) == styles_of(styled, base)


def test_a_style_that_is_not_there_is_404(styled: Server):
    for path in ("/styles/nowhere", "/styles/no-where", "/styles/nowhere/metadata"):
        assert styled.ask(path).status == 404
