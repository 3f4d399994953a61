"""The rain of the day: a band that comes from the south-west and stays over the catchment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from sample_data.town.curves import fractal_noise
from sample_data.town.frame import Array, from_lon_lat, random_numbers

STEP_DEG = 0.01
WEST, EAST, SOUTH, NORTH = 140.60, 141.20, 36.00, 36.50
HOURS = 24
CATCHMENT_XY = (100.0, 2400.0)


@dataclass(frozen=True)
class Rain:
    """Rain of each hour in mm, (hour, latitude north first, longitude), at cell centres."""

    amount_mm: Array
    latitude: Array
    longitude: Array


def make_rain() -> Rain:
    """Twenty-four hours: drizzle, the band, and showers behind it."""
    longitude = np.round(np.arange(WEST + STEP_DEG / 2, EAST, STEP_DEG), 4)
    latitude = np.round(np.arange(NORTH - STEP_DEG / 2, SOUTH, -STEP_DEG), 4)
    lon, lat = np.meshgrid(longitude, latitude)
    xy = from_lon_lat(np.column_stack([lon.ravel(), lat.ravel()]))
    x, y = xy[:, 0].reshape(lon.shape) / 1000, xy[:, 1].reshape(lon.shape) / 1000
    rng = random_numbers("rain")
    large = fractal_noise(rng, (140, 220), 12)
    hours = [_hour(hour, x, y, large, fractal_noise(rng, lon.shape, 2.6)) for hour in range(HOURS)]
    return Rain(np.round(np.stack(hours), 1), latitude, longitude)


def _hour(hour: int, x: Array, y: Array, large: Array, small: Array) -> Array:
    """One hour, ending at ``hour + 1``: the band's axis runs from south-west to north-east."""
    drift = [
        -46,
        -40,
        -34,
        -28,
        -22,
        -17,
        -13,
        -9.5,
        -6.5,
        -4,
        -2,
        -0.8,
        0,
        0.6,
        1.4,
        3,
        6,
        10,
        15,
        21,
        27,
        33,
        39,
        45,
    ]
    strength = [2, 4, 7, 10, 14, 18, 24, 30, 37, 45, 54, 63, 71, 66, 55, 42, 30, 22, 15, 10, 7, 5, 3, 2]
    cx, cy = CATCHMENT_XY[0] / 1000, CATCHMENT_XY[1] / 1000
    along, across = np.array([0.78, 0.62]), np.array([0.62, -0.78])
    u = (x - cx) * along[0] + (y - cy) * along[1]
    v = (x - cx) * across[0] + (y - cy) * across[1]
    bend = 0.012 * u**2 + 1.3 * np.sin(u / 9 + hour / 3)
    width = 6.2 + 0.05 * abs(u)
    band = np.exp(-(((v - bend + drift[hour] * 0.55) / width) ** 2))
    cores = 1 + 0.55 * np.sin(u / 4.2 - hour * 1.35 + 0.7) * np.exp(-((v / 9) ** 2))
    orographic = 1 + 0.5 * np.exp(-(((x - cx) / 4.5) ** 2) - ((y - cy) / 4) ** 2)
    shift = hour * 5
    patch = large[20 : 20 + x.shape[0], 150 - shift : 150 - shift + x.shape[1]]
    rain = (
        strength[hour]
        * band
        * cores
        * orographic
        * np.clip(1 + 0.22 * patch + 0.18 * small, 0.15, None)
    )
    veil = (
        np.clip(0.9 + 1.1 * patch + 0.5 * small, 0, None)
        * np.exp(-(((v + drift[hour] * 0.55) / 26) ** 2))
        * 2.4
    )
    total = gaussian_filter(rain + veil, 0.7)
    return np.where(total < 0.25, 0.0, total)
