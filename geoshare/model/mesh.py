"""Codes of the Japanese standard mesh (JIS X 0410)."""

from __future__ import annotations

# Nominal side of a square in metres, by code length.
_SIDE_M = {4: 80_000.0, 6: 10_000.0, 7: 5_000.0, 8: 1_000.0, 9: 500.0, 10: 250.0, 11: 125.0}


def side_m(code: str) -> float | None:
    """Nominal side of a mesh square in metres; None where the code is none."""
    return _SIDE_M.get(len(code)) if south_west(code) else None


def south_west(code: str) -> tuple[float, float, float, float] | None:
    """West, south (degrees) of a mesh square and its width and height; None where the code is none.

    JIS X 0410: digits 1-2 are latitude times 1.5, digits 3-4 longitude less 100; then eighths,
    tenths, and quarters numbered 1 south-west, 2 south-east, 3 north-west, 4 north-east. A
    seven-digit code is the 5 km square (quarter of the second order).
    """
    if len(code) not in _SIDE_M or not code.isascii() or not code.isdigit():
        return None
    south, west = int(code[:2]) / 1.5, int(code[2:4]) + 100.0
    height, width = 2.0 / 3.0, 1.0
    rest = code[4:]
    if rest:
        row, column = int(rest[0]), int(rest[1])
        if row > 7 or column > 7:
            return None
        height, width = height / 8, width / 8
        south, west = south + row * height, west + column * width
        rest = rest[2:]
    if len(rest) >= 2:
        height, width = height / 10, width / 10
        south, west = south + int(rest[0]) * height, west + int(rest[1]) * width
        rest = rest[2:]
    for digit in rest:
        quarter = int(digit) - 1
        if not 0 <= quarter <= 3:
            return None
        height, width = height / 2, width / 2
        south, west = south + (quarter // 2) * height, west + (quarter % 2) * width
    return west, south, width, height
