"""Numbers as JSON text, in kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.eights import AS_TEXT, HUNDRED_MILLION, eight_digits, put_number, store, zero_bytes_last

INTEGER_ROOM = 20
FLOAT_ROOM = 32

_EIGHT = np.uint64(HUNDRED_MILLION)
_DECIMALS, _DECIMAL_SCALE = 8, 1e8
_LEAST_DECIMAL, _LARGEST_DECIMAL = 1e-3, 1e7
_SMALL = 1000
# the digits in the lower three bytes, how many there are in the upper one
_SMALL_NUMBERS = np.array(
    [int.from_bytes(str(k).encode().ljust(3) + bytes([len(str(k))]), "little") for k in range(_SMALL)],
    dtype=np.uint32,
)
_POWERS_OF_TEN = np.array([10**k for k in range(9)], dtype=np.uint64)

# Grisu2 scales by a power of ten so that the binary exponent falls into this window.
_ALPHA = -60
_FIRST_POWER, _POWER_STEP = -348, 8


def _power_of_ten(exponent: int) -> tuple[int, int]:
    """10^exponent as (64-bit significand, binary exponent), rounded to nearest."""
    shift = max(0, 64 - (10**exponent).bit_length()) if exponent >= 0 else 64 + 4 * -exponent
    value = (10**exponent) << shift if exponent >= 0 else (1 << shift) // 10**-exponent
    excess = value.bit_length() - 64
    rounded = (value + (1 << excess >> 1)) >> excess
    return rounded, excess - shift


_POWERS = [_power_of_ten(k) for k in range(_FIRST_POWER, 341, _POWER_STEP)]
_SIGNIFICANDS = np.array([significand for significand, _ in _POWERS], dtype=np.uint64)
_EXPONENTS = np.array([exponent for _, exponent in _POWERS], dtype=np.int64)


class _Scaled(NamedTuple):
    """A double and its neighbours' midpoints, scaled by a power of ten."""

    low: np.uint64
    value: np.uint64
    high: np.uint64
    exponent: int  # binary, of all three
    decimal: int  # the power of ten they must be multiplied with


@njit(nogil=True, cache=True)
def put_int(out: NDArray[np.uint8], at: int, value: int) -> int:
    """Write an int64; return the place after."""
    if value < 0:
        out[at] = 45
        at += 1
    # unsigned, because the lowest int64 has no positive counterpart
    rest = np.uint64(0) - np.uint64(value) if value < 0 else np.uint64(value)
    if rest < _EIGHT:
        return put_number(out, at, rest)
    upper = rest // _EIGHT
    if upper < _EIGHT:
        at = put_number(out, at, upper)
    else:
        at = put_number(out, at, upper // _EIGHT)
        store(out, at, eight_digits(upper % _EIGHT) | AS_TEXT)
        at += 8
    store(out, at, eight_digits(rest % _EIGHT) | AS_TEXT)
    return at + 8


@njit(nogil=True, cache=True, forceinline=True)
def _whole_and_rest(scaled: np.uint64, scale: float) -> Any:
    """The quotient and the remainder of a number below 2^53 by a power of ten.

    Multiplying takes a tenth of the time of dividing, and is at most one off.
    """
    one = np.uint64(scale)
    whole = np.uint64(np.float64(scaled) * (1.0 / scale))
    if whole * one > scaled:
        whole -= np.uint64(1)
    rest = scaled - whole * one
    if rest >= one:
        return whole + np.uint64(1), rest - one
    return whole, rest


@njit(nogil=True, cache=True, forceinline=True)
def _put_fraction(out: NDArray[np.uint8], at: int, rest: np.uint64, decimals: int) -> int:
    """Write the digits behind a point, without trailing zeros; ``rest`` is not 0."""
    if decimals > 8:
        last = rest % np.uint64(10)
        rest //= np.uint64(10)
        if last != np.uint64(0):
            store(out, at, eight_digits(rest) | AS_TEXT)
            out[at + 8] = np.uint64(48) + last
            return at + 9
        decimals = 8
    digits = eight_digits(rest * _POWERS_OF_TEN[8 - decimals])
    store(out, at, digits | AS_TEXT)
    return at + 8 - zero_bytes_last(digits)


@njit(nogil=True, cache=True, forceinline=True)
def _put_whole(out: NDArray[np.uint8], at: int, whole: np.uint64) -> int:
    """Write a number below 10^8 that is mostly one of degrees."""
    if whole >= np.uint64(_SMALL):
        return put_number(out, at, whole)
    entry = np.uint64(_SMALL_NUMBERS[np.int64(whole)])
    store(out, at, entry)
    return at + int(entry >> np.uint64(24))


@njit(nogil=True, cache=True, forceinline=True)
def put_fixed(out: NDArray[np.uint8], at: int, value: float, decimals: int, scale: float) -> int:
    """Write a number rounded to ``decimals``, without trailing zeros; return the place after.

    ``scale`` is 10^decimals, ``decimals`` at most 9, ``value`` below 10^8 and ``value * scale`` below
    2^53.
    """
    scaled = np.uint64(np.rint(np.abs(value) * scale))
    if value < 0.0 and scaled != np.uint64(0):
        out[at] = 45
        at += 1
    whole, rest = _whole_and_rest(scaled, scale)
    at = _put_whole(out, at, whole)
    if rest == np.uint64(0):
        return at
    out[at] = 46
    return _put_fraction(out, at + 1, rest, decimals)


@njit(nogil=True, cache=True)
def _times(a: np.uint64, b: np.uint64) -> np.uint64:
    """The upper half of the 128-bit product, rounded."""
    half, mask = np.uint64(32), np.uint64(0xFFFFFFFF)
    a_low, a_high, b_low, b_high = a & mask, a >> half, b & mask, b >> half
    low, middle, other = a_low * b_low, a_low * b_high, a_high * b_low
    carry = (low >> half) + (middle & mask) + (other & mask) + np.uint64(0x80000000)
    return a_high * b_high + (middle >> half) + (other >> half) + (carry >> half)


@njit(nogil=True, cache=True)
def _normalised(significand: np.uint64, exponent: int) -> Any:
    while significand & np.uint64(0x8000000000000000) == np.uint64(0):
        significand <<= np.uint64(1)
        exponent -= 1
    return significand, exponent


@njit(nogil=True, cache=True)
def _scaled(bits: np.uint64) -> _Scaled:
    """The boundaries of the numbers that read back as the positive double with these bits."""
    fraction = bits & np.uint64(0xFFFFFFFFFFFFF)
    biased = np.int64(bits >> np.uint64(52)) & 0x7FF
    significand, exponent = fraction, -1074
    if biased != 0:
        significand, exponent = fraction | np.uint64(0x10000000000000), int(biased) - 1075
    high, high_exponent = _normalised((significand << np.uint64(1)) | np.uint64(1), exponent - 1)
    # below a power of two the neighbours are half as far apart
    if fraction == np.uint64(0) and biased > 1:
        low, low_exponent = (significand << np.uint64(2)) - np.uint64(1), exponent - 2
    else:
        low, low_exponent = (significand << np.uint64(1)) - np.uint64(1), exponent - 1
    low <<= np.uint64(low_exponent - high_exponent)
    value, _ = _normalised(significand, exponent)
    lacking = _ALPHA - high_exponent - 64
    power = int(np.ceil((lacking + 63) * 0.30102999566398120))
    index = (power - _FIRST_POWER + _POWER_STEP - 1) // _POWER_STEP
    factor = _SIGNIFICANDS[index]
    return _Scaled(
        _times(low, factor) + np.uint64(1),
        _times(value, factor),
        _times(high, factor) - np.uint64(1),
        high_exponent + _EXPONENTS[index] + 64,
        -(_FIRST_POWER + index * _POWER_STEP),
    )


@njit(nogil=True, cache=True)
def _nearest(
    digits: NDArray[np.uint8],
    n: int,
    distance: np.uint64,
    delta: np.uint64,
    rest: np.uint64,
    unit: np.uint64,
) -> None:
    """Lower the last digit while that brings the digits closer to the value."""
    while (
        rest < distance
        and delta - rest >= unit
        and (rest + unit < distance or distance - rest > rest + unit - distance)
    ):
        digits[n - 1] -= np.uint8(1)
        rest += unit


@njit(nogil=True, cache=True)
def _shortest(scaled: _Scaled, digits: NDArray[np.uint8]) -> Any:
    """The digits of a number between the boundaries; (how many, decimal exponent)."""
    ten = np.uint64(10)
    delta, distance = scaled.high - scaled.low, scaled.high - scaled.value
    shift = np.uint64(-scaled.exponent)
    mask = (np.uint64(1) << shift) - np.uint64(1)
    whole, part = scaled.high >> shift, scaled.high & mask
    unit, left = np.uint64(1), 1
    while whole // unit >= ten:
        unit *= ten
        left += 1
    n = 0
    while left > 0:
        digits[n] = np.uint8(whole // unit)
        whole %= unit
        n += 1
        left -= 1
        rest = (whole << shift) + part
        if rest <= delta:
            _nearest(digits, n, distance, delta, rest, unit << shift)
            return n, scaled.decimal + left
        unit //= ten
    decimal = scaled.decimal
    while True:
        part *= ten
        digits[n] = np.uint8(part >> shift)
        part &= mask
        n += 1
        decimal -= 1
        delta *= ten
        distance *= ten
        if part <= delta:
            _nearest(digits, n, distance, delta, part, mask + np.uint64(1))
            return n, decimal


@njit(nogil=True, cache=True)
def _put_plain(out: NDArray[np.uint8], at: int, digits: NDArray[np.uint8], n: int, point: int) -> int:
    """Write digits with the decimal point after the ``point``-th; zeros fill the gap."""
    if point <= 0:
        out[at], out[at + 1] = 48, 46
        at += 2
        for _ in range(-point):
            out[at] = 48
            at += 1
    for k in range(max(n, point)):
        out[at] = 48 + digits[k] if k < n else 48
        at += 1
        if k + 1 == point:
            out[at] = 46
            at += 1
    if point >= n:
        out[at] = 48
        at += 1
    return at


@njit(nogil=True, cache=True)
def _put_scientific(
    out: NDArray[np.uint8], at: int, digits: NDArray[np.uint8], n: int, point: int
) -> int:
    out[at] = 48 + digits[0]
    at += 1
    if n > 1:
        out[at] = 46
        for k in range(1, n):
            out[at + k] = 48 + digits[k]
        at += n
    out[at] = 101
    return put_int(out, at + 1, point - 1)


@njit(nogil=True, cache=True)
def _put_decimal(out: NDArray[np.uint8], at: int, value: float) -> int:
    """Write a number that has few decimals, as most measures have; nothing for any other.

    A decimal of up to 15 digits is the only one that reads back as its double, hence the shortest.
    """
    if not _LEAST_DECIMAL <= value < _LARGEST_DECIMAL:
        return at
    scaled = np.rint(value * _DECIMAL_SCALE)
    if scaled / _DECIMAL_SCALE != value:
        return at
    whole, rest = _whole_and_rest(np.uint64(scaled), _DECIMAL_SCALE)
    at = _put_whole(out, at, whole)
    out[at], out[at + 1] = 46, 48
    if rest == np.uint64(0):
        return at + 2
    return _put_fraction(out, at + 1, rest, _DECIMALS)


@njit(nogil=True, cache=True)
def put_float(out: NDArray[np.uint8], at: int, bits: int, digits: NDArray[np.uint8]) -> int:
    """Write the finite double with these bits so that it reads back the same.

    Grisu2 (Florian Loitsch, "Printing floating-point numbers quickly and accurately with integers",
    2010): the text is the shortest there is in all but one of a thousand cases.

    Parameters
    ----------
    digits
        (>= 20,) to work in.
    """
    if bits < 0:
        out[at] = 45
        at += 1
    magnitude = np.uint64(bits) & np.uint64(0x7FFFFFFFFFFFFFFF)
    if magnitude == np.uint64(0):
        out[at], out[at + 1], out[at + 2] = 48, 46, 48
        return at + 3
    end = _put_decimal(out, at, np.int64(magnitude).view(np.float64))
    if end != at:
        return end
    n, decimal = _shortest(_scaled(magnitude), digits)
    point = n + decimal
    if -5 < point <= 16:
        return _put_plain(out, at, digits, n, point)
    return _put_scientific(out, at, digits, n, point)
