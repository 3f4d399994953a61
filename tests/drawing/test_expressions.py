"""Expressions have the values that MapLibre's style specification says."""

from __future__ import annotations

from typing import Any

import pytest

from geoshare.drawing.colours import parse_colour
from geoshare.drawing.expressions import Feature, compiled, evaluated, used
from tiles.drawing import Colour

ROAD = {"class": "primary", "lanes": 2, "name": None, "wide": 3.5, "toll": True}


def value(said: Any, zoom: float = 12.0, **properties: Any) -> Any:
    feature = Feature(zoom, "LineString", {**ROAD, **properties}, "s1")
    return evaluated(compiled(said), feature)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["get", "class"], "primary"),
        (["get", "nothing"], None),
        (["has", "name"], False),
        (["coalesce", ["get", "name"], ["get", "class"], "x"], "primary"),
        (["match", ["get", "class"], ["primary", "trunk"], 4, "minor", 2, 1], 4),
        (["match", ["get", "nothing"], "primary", 4, 1], 1),
        (["case", ["==", ["get", "lanes"], 3], "a", ["get", "toll"], "b", "c"], "b"),
        (["step", ["zoom"], 1, 10, 2, 12, 3, 14, 4], 3),
        (["interpolate", ["linear"], ["zoom"], 10, 0, 14, 8], 4.0),
        # (2^2 - 1) / (2^4 - 1) of the way from 1 to 16
        (["interpolate", ["exponential", 2], ["zoom"], 10, 1, 14, 16], 4.0),
        (["interpolate", ["linear"], ["zoom"], 13, 5, 14, 8], 5),
        (["in", ["get", "class"], ["literal", ["primary", "x"]]], True),
        (["all", ["==", ["geometry-type"], "LineString"], ["!", ["has", "name"]]], True),
        (["any", [">", ["get", "name"], 3], [">=", ["get", "wide"], 3.5]], True),
        ([">", ["get", "class"], 3], None),  # a text and a number cannot be compared
        (["/", ["*", ["get", "wide"], 2], ["-", 4, 0.5]], 2.0),
        (["concat", "R", ["get", "lanes"], "-", ["to-string", ["get", "toll"]]], "R2-true"),
        (["to-number", ["get", "class"], 7], 7.0),
        (["max", 1, ["get", "lanes"], 1.5], 2.0),
        (["let", "w", ["get", "wide"], ["+", ["var", "w"], ["var", "w"]]], 7.0),
        (["==", ["get", "toll"], 1], False),
        ([2, 4], [2, 4]),
        (["Noto Sans JP Medium"], ["Noto Sans JP Medium"]),
    ],
)
def test_an_expression_has_its_value(said: Any, expected: Any) -> None:
    assert value(said) == expected


def test_colours_are_mixed_between_stops() -> None:
    mixed = value(["interpolate", ["linear"], ["zoom"], 10, "#000000", 14, "rgba(255, 0, 0, 0.5)"])
    assert mixed == pytest.approx(Colour(0.5, 0.0, 0.0, 0.75))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#f00", (1, 0, 0, 1)),
        ("#00ff0080", (0, 1, 0, 128 / 255)),
        ("rgb(0, 0, 255)", (0, 0, 1, 1)),
        ("hsl(120, 100%, 25%)", (0, 0.5, 0, 1)),
        ("transparent", (0, 0, 0, 0)),
    ],
)
def test_colours_are_read_as_css_writes_them(text: str, expected: tuple[float, ...]) -> None:
    assert parse_colour(text) == pytest.approx(expected)


def test_what_is_not_known_is_refused_before_anything_is_drawn() -> None:
    for wrong in (["case", ["heatmap-density"], 1, 2], ["+", 1, ["steal"]]):
        with pytest.raises(ValueError, match="not known"):
            compiled(wrong)
    deep: Any = 1
    for _ in range(200):
        deep = ["+", deep, 1]
    with pytest.raises(ValueError, match="deeply"):
        compiled(deep)


def test_which_properties_decide_is_read_off_an_expression() -> None:
    said = ["case", ["has", "a"], ["get", "b"], ["match", ["geometry-type"], "Point", ["id"], ""]]
    assert used(said) == {"a", "b", "$type", "$id"}
    assert used(["literal", ["get", "x"]]) == frozenset()
