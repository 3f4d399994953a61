"""Styles: what layers may say, whom a document tells of what, official colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from geoshare.errors import NotFound
from geoshare.extracts.maps.glyphs import FONTS
from geoshare.extracts.maps.sprite import sprite
from geoshare.model.box import Box
from geoshare.model.collections import Collection, from_schema, known
from geoshare.query.styles import (
    DEFAULT_MAP,
    HAZARD_MAP,
    LETTERING,
    Addresses,
    every_style,
    style_document,
    style_layers,
    style_metadata,
    style_of,
)

OPERATORS = {
    *(
        "get",
        "has",
        "coalesce",
        "literal",
        "case",
        "match",
        "step",
        "interpolate",
        "exponential",
        "zoom",
    ),
    *("geometry-type", "==", "<", "!", "all", "any", "in", "concat", "to-string", "max", "*", "/", "-"),
}
PROPERTIES = {
    "fill": {"fill-color", "fill-opacity", "fill-pattern", "fill-sort-key"},
    "line": {
        *("line-color", "line-width", "line-opacity", "line-dasharray", "line-cap", "line-join"),
        "line-sort-key",
    },
    "circle": {"circle-color", "circle-radius", "circle-stroke-color", "circle-stroke-width"},
    "symbol": {
        *("icon-image", "icon-size", "icon-anchor", "icon-offset", "icon-rotate", "icon-padding"),
        *("icon-rotation-alignment", "icon-allow-overlap", "symbol-placement", "symbol-spacing"),
        *("symbol-sort-key", "text-field", "text-font", "text-size", "text-anchor", "text-offset"),
        *("text-max-width", "text-padding", "text-optional", "text-color", "text-halo-color"),
        "text-halo-width",
    },
    "raster": {"raster-opacity", "raster-fade-duration"},
}
ADDRESSES = Addresses(
    lambda names: f"https://x/tiles/{','.join(names)}/{{z}}/{{x}}/{{y}}.mvt",
    lambda name: f"https://x/raster/{name}.json",
    "https://x/fonts/{fontstack}/{range}.pbf",
    "https://x/sprites/map",
    most=8,
)


@dataclass
class Shown:
    """What a caller is shown of a collection: some of its columns, somewhere."""

    collection: Collection
    hidden: frozenset[str] = frozenset()
    extent: Box | None = field(default_factory=lambda: Box(139.0, 35.0, 140.0, 36.0))

    def has_column(self, name: str) -> bool:
        return name not in self.hidden and self.collection.property(name) is not None


def every() -> list[Shown]:
    """All collections of the vocabulary, and one that no design is for."""
    schema = {"title": "Parks", "x-geoshare-label": "name", "properties": {"name": {"type": "string"}}}
    return [Shown(found) for found in (*known().values(), from_schema("parks", schema))]


def one(name: str) -> Shown:
    return next(shown for shown in every() if shown.collection.name == name)


def expressions(value: Any) -> Iterator[list]:
    """Every expression of a layer, outermost first; literals and lists of labels are none."""
    if isinstance(value, dict):
        for part in value.values():
            yield from expressions(part)
    elif isinstance(value, list) and value and isinstance(value[0], str):
        yield value
        if value[0] != "literal":
            labels = value[2:-1:2] if value[0] == "match" else []
            for part in value[1:]:
                if not any(part is label for label in labels):
                    yield from expressions(part)


def test_layers_say_no_more_than_they_promise():
    for language in ("ja", "en"):
        for layer in style_layers(every(), language=language):
            said = layer.get("paint", {}) | layer.get("layout", {})
            assert set(said) <= PROPERTIES[layer["type"]], layer["id"]
            parts = {key: value for key, value in said.items() if key not in ("text-font", "hatch")}
            for expression in expressions({**parts, "filter": layer.get("filter")}):
                assert expression[0] in OPERATORS, (layer["id"], expression)


def test_every_layer_has_a_name_of_its_own_and_the_ground_comes_first():
    layers = style_layers(every())
    names = [layer["id"] for layer in layers]
    assert len(set(names)) == len(names)
    assert {name.partition(":")[0] for name in names} == {shown.collection.name for shown in every()}
    order = [names.index(name) for name in ("admin_areas:land", "hazard_zones:area", "segments:road")]
    assert order == sorted(order)
    assert names.index("segments:casing") < names.index("segments:road") < names.index("places:name")


def test_every_sign_and_letter_that_layers_name_is_served():
    signs = set(sprite(1).places)
    named = set()
    for layer in style_layers(every()):
        layout = layer.get("layout", {})
        image = layout.get("icon-image", layer.get("paint", {}).get("fill-pattern"))
        if isinstance(image, str):
            named.add(image)
        for expression in expressions([image] if isinstance(image, str) else image or []):
            if expression[0] in ("match", "case"):
                outputs = (
                    [*expression[3::2], expression[-1]]
                    if expression[0] == "match"
                    else expression[2::2]
                )
                named |= {part for part in outputs if isinstance(part, str)}
        assert set(layout.get("text-font", LETTERING)) <= set(FONTS)
    assert len(named) > 20
    assert named - signs == set()


def test_a_style_is_there_only_for_collections_that_are_shown():
    views = [one("segments"), one("shelters")]
    assert [style.id for style in every_style(views)] == [
        DEFAULT_MAP,
        HAZARD_MAP,
        "segments",
        "shelters",
    ]
    for name in ("buildings", "nothing", "no-map"):
        with pytest.raises(NotFound):
            style_of(name, views)
    document = style_document(style_of(HAZARD_MAP, [one("buildings")]), ADDRESSES)
    assert document["sources"] == {}
    assert [layer["id"] for layer in document["layers"]] == ["background"]


def test_more_collections_than_a_tile_may_hold_are_several_sources():
    document = style_document(style_of(DEFAULT_MAP, every()), ADDRESSES)
    asked: list[str] = []
    for source in document["sources"].values():
        if source["type"] == "vector":
            names = source["tiles"][0].split("/")[4].split(",")
            assert len(names) <= ADDRESSES.most
            asked += names
    vectors = [shown.collection.name for shown in every() if shown.collection.kind == "vector"]
    assert sorted(asked) == sorted(vectors)
    for layer in document["layers"][1:]:
        source = document["sources"][layer["source"]]
        if source["type"] == "vector":
            assert layer["source-layer"] in source["tiles"][0]


def test_what_covers_the_map_is_there_to_be_switched_on():
    document = style_document(style_of(DEFAULT_MAP, every()), ADDRESSES)
    off = {
        layer["id"].partition(":")[0]
        for layer in document["layers"]
        if layer.get("layout", {}).get("visibility") == "none"
    }
    assert off == {"statistics", "people_flow", "satellite", "rain"}
    alone = style_document(style_of("statistics", [one("statistics")]), ADDRESSES)
    assert "none" not in str(alone["layers"])


def test_metadata_name_visible_columns_alone():
    shown = one("hazard_zones")
    schema = {**shown.collection.schema, "properties": dict(shown.collection.schema["properties"])}
    del schema["properties"]["zone_class"]
    less = Shown(from_schema("hazard_zones", schema))
    [layer] = style_metadata(style_of("hazard_zones", [less]), [], lambda name: {"href": name})[
        "layers"
    ]
    assert "depth_min_m" in layer["propertiesSchema"]
    assert "zone_class" not in layer["propertiesSchema"]


def test_a_picture_of_which_there_is_nothing_has_no_style():
    empty = Shown(known()["satellite"], extent=None)
    assert [style.id for style in every_style([empty])] == [DEFAULT_MAP, HAZARD_MAP]


def value_of(expression: Any, row: dict[str, Any]) -> Any:
    """An expression on a row, as the style specification tells."""
    if not isinstance(expression, list):
        return expression
    name, *args = expression
    if name == "literal":
        return args[0]
    if name == "get":
        return row.get(args[0])
    if name == "coalesce":
        return next((found for arg in args if (found := value_of(arg, row)) is not None), None)
    if name == "case":
        pairs = zip(args[:-1:2], args[1:-1:2], strict=True)
        return next((value_of(then, row) for when, then in pairs if value_of(when, row)), None) or (
            value_of(args[-1], row)
        )
    if name == "match":
        found, pairs = value_of(args[0], row), zip(args[1:-1:2], args[2:-1:2], strict=True)
        hit = [
            then for label, then in pairs if found in (label if isinstance(label, list) else [label])
        ]
        return value_of(hit[0] if hit else args[-1], row)
    if name == "step":
        found, chosen = value_of(args[0], row), args[1]
        for limit, then in zip(args[2::2], args[3::2], strict=True):
            chosen = then if found >= limit else chosen
        return value_of(chosen, row)
    said = [value_of(arg, row) for arg in args]
    return {
        "==": lambda: said[0] == said[1],
        "<": lambda: said[0] < said[1],
        "in": lambda: said[0] in said[1],
        "all": lambda: all(said),
    }[name]()


@pytest.mark.parametrize(
    ("row", "colour"),
    [  # MLIT, 水害ハザードマップ作成の手引き: 浸水ランクと配色
        ({"hazard_type": "flood", "depth_min_m": 0, "depth_max_m": 0.5}, (247, 245, 169)),
        ({"hazard_type": "flood", "depth_min_m": 0.5, "depth_max_m": 3.0}, (255, 216, 192)),
        ({"hazard_type": "flood", "depth_min_m": 3, "depth_max_m": 5}, (255, 183, 183)),
        ({"hazard_type": "flood", "depth_min_m": 20}, (220, 122, 220)),
        ({"hazard_type": "tsunami", "depth_min_m": 0.3, "depth_max_m": 1}, (248, 225, 166)),
        ({"hazard_type": "flood", "depth_min_m": 7, "depth_max_m": 8}, (255, 145, 145)),
        ({"hazard_type": "landslide", "zone_class": "special_warning"}, (251, 104, 76)),
        ({"zone_class": "warning", "scenario": "debris_flow"}, (237, 216, 111)),
        ({"hazard_type": "flood"}, (201, 214, 223)),
    ],
)
def test_hazards_have_the_colours_of_the_official_legends(row, colour):
    [area] = [layer for layer in style_layers([one("hazard_zones")]) if layer["id"].endswith(":area")]
    said = value_of(area["paint"]["fill-color"], row)
    assert tuple(int(said[at : at + 2], 16) for at in (1, 3, 5)) == colour
