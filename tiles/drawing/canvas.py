"""A canvas to draw shapes on, whole arrays of them at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiles.drawing.cover import BUTT, add_areas, add_lines
from tiles.drawing.paint import fill_cover, lay_discs, lay_mask, lay_picture, settle

_NO_DASH: Final = np.zeros(0, np.float64)


class Colour(NamedTuple):
    """Red, green, blue and opacity, 0 to 1; not multiplied with each other."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def faded(self, opacity: float) -> Colour:
        """The same with less opacity."""
        return self._replace(alpha=self.alpha * min(max(opacity, 0.0), 1.0))


class Canvas:
    """Width by height pixels, at first transparent; 0, 0 is the upper left corner, y grows down."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._pixels = np.zeros((height, width, 4), np.float32)
        self._cover = np.zeros((height, width + 2), np.float32)
        self._span = np.array([height, 0], np.int64)

    def areas(
        self,
        xy: NDArray[np.float64],
        starts: NDArray[np.int64],
        outer: NDArray[np.uint8],
        colour: Colour,
    ) -> None:
        """Fill areas as one: where two overlap the colour is no stronger.

        Parameters
        ----------
        xy
            (v, 2) vertices in pixels.
        starts
            (r + 1,) where each ring begins.
        outer
            (r,) 1 for a ring that is filled, 0 for a hole.
        colour
            Of the areas.
        """
        add_areas(self._cover, self._span, xy, starts, outer)
        self._fill(colour)

    def lines(
        self,
        xy: NDArray[np.float64],
        starts: NDArray[np.int64],
        width: float,
        colour: Colour,
        dash: Sequence[float] = (),
        cap: int = BUTT,
    ) -> None:
        """Draw lines as one, with round joins; ``dash`` is strokes and gaps in turns, in pixels."""
        if width <= 0.0:
            return
        pattern = np.array([*dash, *dash] if len(dash) % 2 else dash, np.float64)
        if not (pattern > 0).any() or (pattern < 0).any():
            pattern = _NO_DASH
        add_lines(self._cover, self._span, xy, starts, float(width), pattern, cap)
        self._fill(colour)

    def discs(
        self, xy: NDArray[np.float64], radius: float, colour: Colour, edge: float, edge_colour: Colour
    ) -> None:
        """Draw discs around places, the later over the earlier, each with an edge outside of it."""
        lay_discs(self._pixels, xy, float(radius), float(edge), np.array(colour), np.array(edge_colour))

    def mask(self, mask: NDArray[np.uint8], left: int, top: int, colour: Colour) -> None:
        """Lay a colour through a mask (h, w), its upper left corner at a pixel."""
        lay_mask(self._pixels, mask, left, top, np.array(colour))

    def picture(self, picture: NDArray[np.uint8], left: int, top: int, opacity: float = 1.0) -> None:
        """Lay a picture (h, w, 4) with its upper left corner at a pixel."""
        lay_picture(self._pixels, picture, left, top, float(opacity))

    def rgba(self) -> NDArray[np.uint8]:
        """The drawing (height, width, 4), colours not multiplied with opacity."""
        out = np.zeros(self._pixels.shape, np.uint8)
        settle(self._pixels, out)
        return out

    def _fill(self, colour: Colour) -> None:
        fill_cover(self._pixels, self._cover, self._span, np.array(colour, np.float64))
