"""BLAKE2b of many short texts at once (RFC 7693), for those that lie in one buffer.

``hashlib`` wants an object for each text, which costs more than the hash. Only the first eight bytes
of the 64-byte digest are kept, which is all that is made of ids.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_BLOCK = 128
_ROUNDS = 12
_PARAMETERS = np.uint64(0x01010040)  # no key, 64 bytes out, one leaf
_START = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    dtype=np.uint64,
)
_ORDER = np.array(  # of the words of a block, round by round
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    dtype=np.uint8,
)


@njit(nogil=True, cache=True, inline="always")
def _turned(word: np.uint64, bits: int) -> np.uint64:
    return (word >> np.uint64(bits)) | (word << np.uint64(64 - bits))


@njit(nogil=True, cache=True, inline="always")
def _mix(
    v: NDArray[np.uint64], a: int, b: int, c: int, d: int, first: np.uint64, second: np.uint64
) -> None:
    v[a] += v[b] + first
    v[d] = _turned(v[d] ^ v[a], 32)
    v[c] += v[d]
    v[b] = _turned(v[b] ^ v[c], 24)
    v[a] += v[b] + second
    v[d] = _turned(v[d] ^ v[a], 16)
    v[c] += v[d]
    v[b] = _turned(v[b] ^ v[c], 63)


@njit(nogil=True, cache=True)
def _compress(
    h: NDArray[np.uint64], v: NDArray[np.uint64], m: NDArray[np.uint64], count: int, last: bool
) -> None:
    for i in range(8):
        v[i] = h[i]
        v[i + 8] = _START[i]
    v[12] ^= np.uint64(count)
    if last:
        v[14] = ~v[14]
    for turn in range(_ROUNDS):
        s = _ORDER[turn % 10]
        _mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]])
        _mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]])
        _mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]])
        _mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]])
        _mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]])
        _mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]])
        _mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]])
        _mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]])
    for i in range(8):
        h[i] ^= v[i] ^ v[i + 8]


@njit(nogil=True, cache=True)
def first_words(starts: NDArray[np.int32], data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """First 8 bytes (little endian) of the 64-byte BLAKE2b of each of n texts.

    Parameters
    ----------
    starts
        (n + 1,) offsets into ``data``.
    """
    h, v, m = np.empty(8, np.uint64), np.empty(16, np.uint64), np.empty(16, np.uint64)
    block = m.view(np.uint8)
    out = np.empty(starts.shape[0] - 1, np.uint64)
    for i in range(out.shape[0]):
        h[:] = _START
        h[0] ^= _PARAMETERS
        done, length = 0, starts[i + 1] - starts[i]
        while True:
            here = min(_BLOCK, length - done)
            for k in range(here):
                block[k] = data[starts[i] + done + k]
            block[here:] = 0
            done += here
            _compress(h, v, m, done, done >= length)
            if done >= length:
                break
        out[i] = h[0]
    return out
