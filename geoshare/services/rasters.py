"""Raster collections: which of their assets a request means, and what a map client must know."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import RasterView
from geoshare.drawing import Frame
from geoshare.errors import NotFound
from geoshare.imagery import Pixels
from geoshare.model.rasters import RasterAsset, choose_scenes
from geoshare.model.times import iso, parse_interval
from geoshare.query.tiles import Place
from geoshare.weather import Steps, StepValue, position
from tiles import image
from tiles.matrices import WEB_MERCATOR_QUAD
from tiles.raster import box_grid

MAX_TIMES = 1_000
TILE_PX = 256


class Rasters:
    """Draws what a raster view holds."""

    def __init__(self) -> None:
        self._pixels = Pixels()

    def tile(
        self,
        view: RasterView,
        place: Place,
        when: str | None,
        style: str | None,
        image_format: str,
    ) -> bytes | None:
        """A tile of the newest scenes, or of one step of a series; None where nothing is."""
        chosen, matrices = _choose(view, when), place.matrices
        tile = (place.z, place.x, place.y)
        if matrices is WEB_MERCATOR_QUAD:
            return self._pixels.tile(
                chosen, *tile, style=style, image_format=image_format, limits=view.limits
            )
        grid = box_grid(matrices.box(*tile), matrices.crs, TILE_PX, TILE_PX)
        degrees = matrices.degrees(*tile)
        drawn = self._pixels.draw(chosen, grid, degrees, style=style, limits=view.limits)
        return None if drawn is None else image.encode(drawn, image_format)

    def value(
        self, view: RasterView, lon_lat: tuple[float, float], when: str | None
    ) -> StepValue | None:
        """The first band's value at a place: of the newest step, or of the last one of a time."""
        interval = parse_interval(when) if when else None
        steps = Steps(view.assets).within(interval)
        if not steps:
            return None
        found = position(self._pixels.pool, steps[-1:], lon_lat, view.limits)
        return found[0] if found else None

    def zooms(self, view: RasterView) -> tuple[int, int]:
        """First and last zoom of WebMercatorQuad that are worth asking for."""
        return self._pixels.zooms(list(view.assets), view.limits)

    def styles(self, view: RasterView) -> list[dict[str, str]]:
        """Name and titles of each style, the default one first."""
        return self._pixels.styles(list(view.assets), view.limits)

    def legend(self, view: RasterView, style: str | None) -> list[dict[str, Any]]:
        """Value, colour and labels of a style; empty for a picture in natural colours."""
        return self._pixels.legend(list(view.assets), style, view.limits)

    def times(self, view: RasterView) -> list[str]:
        """The last instants of which there is something, ascending."""
        times = sorted({asset.datetime_us for asset in view.assets})[-MAX_TIMES:]
        return [iso(moment) for moment in times]

    def picture(
        self,
        view: RasterView,
        frame: Frame,
        when: str | None,
        style: str | None,
    ) -> NDArray[np.uint8] | None:
        """A map of any box (height, width, 4), as ``tile`` draws it; None where nothing is."""
        grid = box_grid(frame.box, frame.matrices.crs, frame.width, frame.height)
        return self._pixels.draw(
            _choose(view, when), grid, frame.degrees, style=style, limits=view.limits
        )

    def describe(self, view: RasterView) -> dict[str, Any]:
        """Bounds, times, styles and legend."""
        assets = list(view.assets)
        if not assets:
            raise NotFound("Nothing there")
        zooms = self._pixels.zooms(assets, view.limits)
        styles = self._pixels.styles(assets, view.limits)
        boxes = [asset.box for asset in assets]
        return {
            "name": view.collection.name,
            "minzoom": zooms[0],
            "maxzoom": zooms[1],
            "bounds": [
                min(box.west for box in boxes),
                min(box.south for box in boxes),
                max(box.east for box in boxes),
                max(box.north for box in boxes),
            ],
            "times": self.times(view),
            "styles": [
                style | {"legend": self._pixels.legend(assets, style["name"], view.limits)}
                for style in styles
            ],
            "legend": self._pixels.legend(assets, None, view.limits),
        }


def _choose(view: RasterView, when: str | None) -> list[RasterAsset]:
    interval = parse_interval(when) if when else None
    if view.collection.kind == "cube":
        step = Steps(view.assets).choose(interval)
        return [step] if step is not None else []
    return choose_scenes(list(view.assets), interval)
