"""Resampling kernels: from a window of a source to a target grid through a net of control points."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def nearest_pixels(
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    width: int,
    height: int,
    source_width: int,
    source_height: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Column and row of the source pixel that holds each target centre; -1 outside.

    ``columns``/``rows`` are (n+1, n+1) nodes of the mapping in source pixels. Returns two
    (height, width) arrays. As in GDAL a pixel owns its upper and left edges.
    """
    n = columns.shape[0] - 1
    out_columns = np.empty((height, width), np.int32)
    out_rows = np.empty((height, width), np.int32)
    for j in range(height):
        v = (j + 0.5) / height * n
        k = min(int(v), n - 1)
        t = v - k
        for i in range(width):
            u = (i + 0.5) / width * n
            m = min(int(u), n - 1)
            s = u - m
            x = (1 - t) * ((1 - s) * columns[k, m] + s * columns[k, m + 1]) + t * (
                (1 - s) * columns[k + 1, m] + s * columns[k + 1, m + 1]
            )
            y = (1 - t) * ((1 - s) * rows[k, m] + s * rows[k, m + 1]) + t * (
                (1 - s) * rows[k + 1, m] + s * rows[k + 1, m + 1]
            )
            # 1e-10 as in GDAL: a centre on an edge must not fall to either side by rounding.
            x += 1e-10
            y += 1e-10
            if x >= 0 and y >= 0 and x < source_width and y < source_height:
                out_columns[j, i] = int(x)
                out_rows[j, i] = int(y)
            else:
                out_columns[j, i] = -1
                out_rows[j, i] = -1
    return out_columns, out_rows


@njit(nogil=True, cache=True)
def resample_linear(
    window: NDArray[np.float32],
    valid: NDArray[np.uint8],
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    ratio_x: float,
    ratio_y: float,
    out: NDArray[np.float32],
    out_valid: NDArray[np.uint8],
) -> None:
    """Triangle-weighted mean of the valid pixels around each target centre.

    ``window``/``valid`` are (bands, h, w), the nodes in pixels of that window, ``out`` and
    ``out_valid`` (bands, height, width), zeroed. The kernel is one source pixel wide, or one target
    pixel where that is wider (``ratio``: source pixels per target pixel), which is bilinear
    interpolation and GDAL's antialiased form of it. A target is valid where pixels with at least
    half of the kernel's weight are.
    """
    n = columns.shape[0] - 1
    bands, source_height, source_width = window.shape
    height, width = out.shape[1], out.shape[2]
    radius_x = max(1.0, ratio_x)
    radius_y = max(1.0, ratio_y)
    weights_x = np.empty(int(2 * radius_x) + 2, np.float32)
    for j in range(height):
        v = (j + 0.5) / height * n
        k = min(int(v), n - 1)
        t = v - k
        for i in range(width):
            u = (i + 0.5) / width * n
            m = min(int(u), n - 1)
            s = u - m
            x = (1 - t) * ((1 - s) * columns[k, m] + s * columns[k, m + 1]) + t * (
                (1 - s) * columns[k + 1, m] + s * columns[k + 1, m + 1]
            )
            y = (1 - t) * ((1 - s) * rows[k, m] + s * rows[k, m + 1]) + t * (
                (1 - s) * rows[k + 1, m] + s * rows[k + 1, m + 1]
            )
            if not (
                x > -radius_x
                and y > -radius_y
                and x < source_width + radius_x
                and y < source_height + radius_y
            ):
                continue
            x -= 0.5  # from here on pixel centres are whole numbers
            y -= 0.5
            first_x = math.ceil(x - radius_x)
            last_x = math.floor(x + radius_x)
            first_y = math.ceil(y - radius_y)
            last_y = math.floor(y + radius_y)
            all_x = np.float32(0)
            for column in range(first_x, last_x + 1):
                weight = np.float32(1 - abs(column - x) / radius_x)
                weights_x[column - first_x] = weight
                all_x += weight
            all_y = np.float32(0)
            for row in range(first_y, last_y + 1):
                all_y += np.float32(1 - abs(row - y) / radius_y)
            half = np.float32(0.49999) * all_x * all_y
            from_x = max(first_x, 0)
            to_x = min(last_x + 1, source_width)
            from_y = max(first_y, 0)
            to_y = min(last_y + 1, source_height)
            for band in range(bands):
                total = np.float32(0)
                weighed = np.float32(0)
                for row in range(from_y, to_y):
                    weight_y = np.float32(1 - abs(row - y) / radius_y)
                    for column in range(from_x, to_x):
                        if valid[band, row, column]:
                            weight = weight_y * weights_x[column - first_x]
                            total += weight * window[band, row, column]
                            weighed += weight
                if weighed > 0 and weighed >= half:
                    out[band, j, i] = total / weighed
                    out_valid[band, j, i] = 1


@njit(nogil=True, cache=True)
def halve(
    data: NDArray[np.float64], valid: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Mean of the valid pixels of each 2 x 2 square, (bands, h, w) -> (bands, ceil(h/2), ceil(w/2)).

    A square is empty if fewer than two of its four pixels are valid; pixels past the edge are not.
    """
    bands, height, width = data.shape
    out = np.zeros((bands, (height + 1) // 2, (width + 1) // 2), np.float64)
    out_valid = np.zeros(out.shape, np.uint8)
    for band in range(bands):
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                total = 0.0
                count = 0
                for y in range(2 * row, min(2 * row + 2, height)):
                    for x in range(2 * column, min(2 * column + 2, width)):
                        if valid[band, y, x]:
                            total += data[band, y, x]
                            count += 1
                if count >= 2:
                    out[band, row, column] = total / count
                    out_valid[band, row, column] = 1
    return out, out_valid
