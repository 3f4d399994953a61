"""Layers of a style document, understood once and drawn one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geoshare.drawing.colours import parse_colour
from geoshare.drawing.expressions import Feature, Value, compiled, evaluated, used
from geoshare.drawing.shapes import Drawable
from tiles.drawing import Colour

KINDS: Final = ("fill", "line", "circle", "symbol")


@dataclass(frozen=True)
class Layer:
    """One layer: where it shows, what it shows, and how."""

    id: str
    kind: str
    source: str  # collection
    zooms: tuple[float, float]  # from, and below
    shows: Value
    said: Mapping[str, Value]  # paint and layout
    names: tuple[str, ...]  # properties that decide how a feature looks
    plain: frozenset[str]  # of paint and layout: set here

    def is_shown(self, zoom: float) -> bool:
        """Whether the layer is drawn at a zoom."""
        return self.zooms[0] <= zoom + 1e-9 and zoom < self.zooms[1]

    def looks(self, drawable: Drawable, zoom: float) -> Iterator[tuple[Look, NDArray[np.int64]]]:
        """Features that look alike, by the layer's sort key; without those it does not show."""
        found = []
        for values, numbers in drawable.combinations(self.names).items():
            asked = dict(zip(self.names, values, strict=True))
            feature = Feature(zoom, asked.get("$type", ""), asked, asked.get("$id") or "")
            if evaluated(self.shows, feature, False) is not True:
                continue
            look = Look(self, feature)
            # by what they say and not by who comes first: the next tile has them in the same order
            order = (look.number(f"{self.kind}-sort-key", 0.0), repr(values))
            found.append((order, look, numbers))
        for _, look, numbers in sorted(found, key=itemgetter(0)):
            yield look, np.array(numbers, np.int64)


@dataclass(frozen=True)
class Look:
    """How a layer shows features with the same properties."""

    layer: Layer
    feature: Feature

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Value of a paint or layout property."""
        value = self.layer.said.get(name)
        return otherwise if value is None else evaluated(value, self.feature, otherwise)

    def number(self, name: str, otherwise: float) -> float:
        """A property that is a number."""
        found = self.get(name, otherwise)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return float(found) if is_number else otherwise

    def numbers(self, name: str) -> tuple[float, ...]:
        """A property that is a list of numbers; empty where it is not."""
        found = self.get(name)
        if not isinstance(found, list | tuple) or not all(
            isinstance(one, int | float) for one in found
        ):
            return ()
        return tuple(float(one) for one in found)

    def colour(self, name: str, otherwise: str = "#000000") -> Colour:
        """A property that is a colour, faded by the layer's opacity for it."""
        found = self.get(name, otherwise)
        try:
            colour = found if isinstance(found, Colour) else parse_colour(str(found))
        except ValueError:
            colour = parse_colour(otherwise)
        return colour

    def text(self, name: str) -> str:
        """A property that is a text; empty where it is not."""
        found = self.get(name)
        return "" if found is None else str(found)


def understood(layers: Sequence[Mapping[str, Any]]) -> tuple[Layer, ...]:
    """Layers of a style document; ValueError for expressions that are not known.

    Layers of other types than ``KINDS``, and such as are not visible, are left out.
    """
    return tuple(_layer(said) for said in layers if _is_drawn(said))


def _is_drawn(said: Mapping[str, Any]) -> bool:
    return said["type"] in KINDS and said.get("layout", {}).get("visibility") != "none"


def _layer(said: Mapping[str, Any]) -> Layer:
    parts = {**said.get("layout", {}), **said.get("paint", {})}
    shows = said.get("filter", True)
    names = used(shows).union(*(used(part) for part in parts.values()))
    return Layer(
        id=said["id"],
        kind=said["type"],
        source=said.get("source-layer", ""),
        zooms=(float(said.get("minzoom", -10)), float(said.get("maxzoom", 100))),
        shows=compiled(shows),
        said={name: compiled(part) for name, part in parts.items()},
        names=tuple(sorted(names)),
        plain=frozenset(parts),
    )
