"""Eight bytes at a time, in kernels: copies, and the digits of numbers.

A byte at a time takes a cycle or more for each; most of what is written as text is short pieces whose
length only the data know, so that compilers cannot do better by themselves.

Words are little-endian: the first byte of the text is the lowest. What stands behind the end of a piece
is written over by the next one, so buffers need ``SLACK`` bytes beyond what is put into them.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

SLACK = 8
HUNDRED_MILLION = 100_000_000

_WORD = ir.IntType(64)
AS_TEXT = np.uint64(0x3030303030303030)  # makes text of digits
_EVERY_BYTE = np.uint64(0x0101010101010101)
_HIGH_BITS = np.uint64(0x8080808080808080)
_BLANKS = np.uint64(0x2020202020202020)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)

if sys.byteorder != "little":
    raise ImportError("kernels that write text need a little-endian machine")


def _place(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _WORD.as_pointer())


def _store_code(typing_context: Any, out: Any, at: Any, word: Any) -> Any:
    """Store a word wherever it is; the compiler may not take its place for aligned."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store(arguments[2], place).align = 1
        return context.get_dummy_value()

    return types.void(out, types.int64, types.uint64), generate


def _load_code(typing_context: Any, text: Any, at: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.load(_place(context, builder, signature.args[0], arguments[0], arguments[1]))
        found.align = 1
        return found

    return types.uint64(text, types.int64), generate


def _zero_bytes_code(from_the_end: bool) -> Any:
    """How many bytes at the beginning or at the end of a word that is not 0 are 0."""

    def code(typing_context: Any, word: Any) -> Any:

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            count = builder.ctlz if from_the_end else builder.cttz
            return builder.lshr(count(arguments[0], ir.IntType(1)(1)), _WORD(3))

        return types.int64(types.uint64), generate

    return code


zero_bytes_first: Any = intrinsic(_zero_bytes_code(from_the_end=False))
"""How many of the first bytes of a word are 0; the word is not."""
zero_bytes_last: Any = intrinsic(_zero_bytes_code(from_the_end=True))
"""How many of the last bytes of a word are 0; the word is not."""
store: Any = intrinsic(_store_code)
"""``store(out, at, word)``: eight bytes of a contiguous uint8 array."""
load: Any = intrinsic(_load_code)
"""``load(text, at)``: eight bytes of a contiguous uint8 array as a uint64."""


@njit(nogil=True, cache=True, forceinline=True)
def put_padded(out: NDArray[np.uint8], at: int, text: NDArray[np.uint8], first: int, last: int) -> int:
    """Copy ``text[first:last]``, where ``text`` has ``SLACK`` bytes to spare; the place after."""
    for k in range(0, last - first, 8):
        store(out, at + k, load(text, first + k))
    return at + last - first


@njit(nogil=True, cache=True, forceinline=True)
def is_plain(word: np.uint64) -> bool:
    """Whether no byte is below 32, a quotation mark or a backslash."""
    quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
    found = (word - _BLANKS) & ~word
    found |= (quotes - _EVERY_BYTE) & ~quotes
    found |= (backslashes - _EVERY_BYTE) & ~backslashes
    return bool(found & _HIGH_BITS == np.uint64(0))


@njit(nogil=True, cache=True, forceinline=True)
def eight_digits(value: np.uint64) -> np.uint64:
    """The digits of a number below 10^8, with leading zeros, each 0 to 9 in a byte.

    All digits at once: halves, then pairs, then digits lie side by side in one word, and dividing by
    100 and by 10 is multiplying by a fraction that is exact for numbers as small as these.
    """
    high = value // np.uint64(10_000)
    halves = high | (value - high * np.uint64(10_000)) << np.uint64(32)
    hundreds = (halves * np.uint64(5243) >> np.uint64(19)) & np.uint64(0x0000007F_0000007F)
    pairs = hundreds | (halves - hundreds * np.uint64(100)) << np.uint64(16)
    tens = (pairs * np.uint64(103) >> np.uint64(10)) & np.uint64(0x000F_000F_000F_000F)
    return tens | (pairs - tens * np.uint64(10)) << np.uint64(8)


@njit(nogil=True, cache=True, forceinline=True)
def put_number(out: NDArray[np.uint8], at: int, value: np.uint64) -> int:
    """Write a number below 10^8; the place after. ``SLACK`` bytes are written."""
    digits = eight_digits(value)
    # at least the last one is written
    skipped = zero_bytes_first(digits | np.uint64(1 << 56))
    store(out, at, (digits | AS_TEXT) >> np.uint64(8 * skipped))
    return at + 8 - skipped
