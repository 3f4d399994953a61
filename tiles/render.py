"""From numbers to colours: stretches, colour ramps, classed palettes and their legends.

Nothing is drawn where nothing is known: a pixel that is not valid is transparent, whatever number
stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

_SHADES = 255 * 16 + 1  # steps of a stretch: fine enough that rounding never skips one of 256

Colour = tuple[int, int, int, int]  # red, green, blue, alpha


@dataclass(frozen=True, slots=True)
class Stop:
    """A value and its colour. In a classed palette the class runs from here to the next stop."""

    value: float
    colour: Colour
    label: str = ""
    label_ja: str = ""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by value, ascending. Classed: transparent below the first stop; smooth: clamped."""

    name: str
    title: str
    title_ja: str
    unit: str
    stops: tuple[Stop, ...]
    smooth: bool


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One line of a legend; ``colour`` is #rrggbb, or #rrggbbaa where not opaque."""

    value: float
    colour: str
    label: str
    label_ja: str


def _classes(unit: str, unit_ja: str, rows: list[tuple[float, Colour]]) -> tuple[Stop, ...]:
    stops = []
    for number, (value, colour) in enumerate(rows):
        if number + 1 == len(rows):
            label, label_ja = f"{value:g} {unit} or more", f"{value:g} {unit_ja}以上"
        else:
            label = f"{value:g} - {rows[number + 1][0]:g} {unit}"
            label_ja = f"{value:g} ~ {rows[number + 1][0]:g} {unit_ja}"
        stops.append(Stop(value, colour, label, label_ja))
    return tuple(stops)


# Japan Meteorological Agency, guideline on the colours of weather information on its web site (2012):
# the eight classes of rain. Below 0.1 mm/h is no rain.
RAIN = Palette(
    name="rain",
    title="Rain (mm/h)",
    title_ja="降水量 (mm/h)",
    unit="mm/h",
    stops=_classes(
        "mm/h",
        "mm/h",
        [
            (0.1, (242, 242, 255, 255)),
            (1, (160, 210, 255, 255)),
            (5, (33, 140, 255, 255)),
            (10, (0, 65, 255, 255)),
            (20, (250, 245, 0, 255)),
            (30, (255, 153, 0, 255)),
            (50, (255, 40, 0, 255)),
            (80, (180, 0, 104, 255)),
        ],
    ),
    smooth=False,
)

# The flood-depth classes of the Ministry of Land's guideline on flood hazard maps.
DEPTH = Palette(
    name="depth",
    title="Flood depth (m)",
    title_ja="浸水深 (m)",
    unit="m",
    stops=_classes(
        "m",
        "m",
        [
            (0.01, (247, 245, 169, 255)),
            (0.5, (255, 216, 192, 255)),
            (3, (255, 183, 183, 255)),
            (5, (255, 145, 145, 255)),
            (10, (242, 133, 201, 255)),
            (20, (220, 122, 220, 255)),
        ],
    ),
    smooth=False,
)

PALETTES = {palette.name: palette for palette in (RAIN, DEPTH)}

# Evenly spaced colours from low to high. viridis and magma: matplotlib (CC0), sampled.
RAMPS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "grey": ((0, 0, 0), (255, 255, 255)),
    "viridis": (
        (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141),
        (39, 173, 129), (92, 200, 99), (170, 220, 50), (253, 231, 37),
    ),
    "magma": (
        (0, 0, 4), (28, 16, 68), (79, 18, 123), (129, 37, 129), (181, 54, 122),
        (229, 80, 100), (251, 135, 97), (254, 194, 135), (252, 253, 191),
    ),
    "blues": ((247, 251, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107)),
}  # fmt: skip


def ramp_palette(name: str, low: float, high: float, unit: str = "", steps: int = 5) -> Palette:
    """Spread a ramp from ``low`` to ``high``, with labels at ``steps`` even values.

    Raises
    ------
    KeyError
        if there is no ramp of that name.
    """
    colours = RAMPS[name]
    if not high > low:
        high = low + 1.0
    fractions = np.linspace(0.0, 1.0, max(len(colours), steps))
    places = np.linspace(0.0, 1.0, len(colours))
    channels = np.array(colours, np.float64)
    stops = []
    for fraction in fractions:
        red, green, blue = (
            round(float(np.interp(fraction, places, channels[:, channel]))) for channel in range(3)
        )
        value = low + float(fraction) * (high - low)
        label = f"{value:.4g} {unit}".strip()
        stops.append(Stop(value, (red, green, blue, 255), label, label))
    return Palette(name, name, name, unit, tuple(stops), smooth=True)


def class_palette(colours: Sequence[Colour]) -> Palette:
    """Give classes 0, 1, ... their own colours; those that are wholly transparent go unlisted."""
    stops = tuple(
        Stop(float(number), colour, str(number), str(number)) for number, colour in enumerate(colours)
    )
    return Palette("classes", "Classes", "区分", "", stops, smooth=False)


def legend(palette: Palette) -> list[LegendEntry]:
    """List the palette's stops as a map's legend shows them."""
    return [
        LegendEntry(stop.value, hex_colour(stop.colour), stop.label, stop.label_ja)
        for stop in palette.stops
        if stop.colour[3] > 0
    ]


def hex_colour(colour: Colour) -> str:
    """#rrggbb, with the alpha appended where the colour is not opaque."""
    red, green, blue, alpha = colour
    return f"#{red:02x}{green:02x}{blue:02x}" + ("" if alpha == 255 else f"{alpha:02x}")


def decibels(numbers: NDArray[np.float32], shift_db: float = 0.0) -> NDArray[np.float32]:
    """20 log10 of amplitudes plus a calibration in dB; numbers below one count as one."""
    result: NDArray[np.float32] = np.float32(20) * np.log10(np.maximum(numbers, np.float32(1)))
    result += np.float32(shift_db)
    return result


def colour_by_value(
    values: NDArray[np.float32], valid: NDArray[np.uint8], palette: Palette
) -> NDArray[np.uint8]:
    """Colour (height, width) values; returns (height, width, 4)."""
    bounds = np.array([stop.value for stop in palette.stops], np.float32)
    colours = np.array([stop.colour for stop in palette.stops], np.uint8)
    out = np.zeros((*values.shape, 4), np.uint8)
    (_smooth if palette.smooth else _classed)(values, valid, bounds, colours, out)
    return out


def compose(
    data: NDArray[np.float32],
    valid: NDArray[np.uint8],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    gamma: float = 1.0,
) -> NDArray[np.uint8]:
    """Show three bands as red, green and blue, each stretched from ``low``..``high`` to 0..255.

    ``data``/``valid`` are (height, width, 3); a pixel is shown where any band is valid, and a band
    that is not valid there adds nothing. A ``gamma`` above one brightens the dark. Returns
    (height, width, 4).
    """
    out = np.zeros((data.shape[0], data.shape[1], 4), np.uint8)
    scale = np.float32(_SHADES - 1) / np.maximum(high - low, np.float32(1e-12))
    shades = np.rint(np.linspace(0, 1, _SHADES) ** (1 / gamma) * 255).astype(np.uint8)
    _compose(data, valid, low, scale.astype(np.float32), shades, out)
    return out


def lay_under(top: NDArray[np.uint8], bottom: NDArray[np.uint8]) -> None:
    """Fill the transparent pixels of ``top`` with those of ``bottom``, in place; (h, w, 4) both."""
    empty = top[..., 3] == 0
    top[empty] = bottom[empty]


@njit(nogil=True, cache=True)
def _classed(
    values: NDArray[np.float32],
    valid: NDArray[np.uint8],
    bounds: NDArray[np.float32],
    colours: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            value = values[row, column]
            if valid[row, column] and value >= bounds[0]:
                place = 0
                while place + 1 < len(bounds) and value >= bounds[place + 1]:
                    place += 1
                for channel in range(4):
                    out[row, column, channel] = colours[place, channel]


@njit(nogil=True, cache=True)
def _smooth(
    values: NDArray[np.float32],
    valid: NDArray[np.uint8],
    bounds: NDArray[np.float32],
    colours: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    last = len(bounds) - 1
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            if not valid[row, column]:
                continue
            value = min(max(values[row, column], bounds[0]), bounds[last])
            place = 0
            while place + 1 < last and value >= bounds[place + 1]:
                place += 1
            part = (value - bounds[place]) / (bounds[place + 1] - bounds[place])
            for channel in range(4):
                start = np.float32(colours[place, channel])
                out[row, column, channel] = np.uint8(
                    start + part * (np.float32(colours[place + 1, channel]) - start) + np.float32(0.5)
                )


@njit(nogil=True, cache=True)
def _compose(
    data: NDArray[np.float32],
    valid: NDArray[np.uint8],
    low: NDArray[np.float32],
    scale: NDArray[np.float32],
    shades: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    brightest = np.float32(shades.shape[0] - 1)
    for row in range(data.shape[0]):
        for column in range(data.shape[1]):
            shown = False
            for channel in range(3):
                if valid[row, column, channel]:
                    shown = True
                    value = (data[row, column, channel] - low[channel]) * scale[channel]
                    value = min(max(value, np.float32(0)), brightest)
                    out[row, column, channel] = shades[int(value + np.float32(0.5))]
            if shown:
                out[row, column, 3] = 255
