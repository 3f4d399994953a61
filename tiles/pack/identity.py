"""Ids as 64-bit numbers, and the index that finds rows by them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from tiles.pack.blake2b import first_words


def id_hashes(ids: Sequence[str]) -> NDArray[np.uint64]:
    """First 8 bytes (little endian) of the 64-byte BLAKE2b of each id."""
    blake2b = hashlib.blake2b
    joined = b"".join([blake2b(text.encode()).digest()[:8] for text in ids])
    return np.frombuffer(joined, dtype="<u8").astype(np.uint64, copy=False)


def text_hashes(ids: pa.StringArray) -> NDArray[np.uint64]:
    """``id_hashes`` of an array of texts without nulls."""
    hashes: NDArray[np.uint64] = first_words(*_text_arrays(ids))
    return hashes


def rows_digest(id_hash: NDArray[np.uint64]) -> str:
    """Digest of which rows there are, in which order."""
    return hashlib.blake2b(np.ascontiguousarray(id_hash).tobytes(), digest_size=16).hexdigest()


def utf8_arrays(ids: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Offsets (k + 1,) and bytes of texts."""
    return _text_arrays(pa.array(list(ids), type=pa.utf8()))


def _text_arrays(array: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    _, offsets, data = array.buffers()
    starts = np.frombuffer(bytes(4), dtype=np.int32)
    if len(array):
        starts = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    if data is None:
        return starts, np.frombuffer(b"", dtype=np.uint8)
    return starts, np.frombuffer(data, dtype=np.uint8, count=int(starts[-1]))


@njit(nogil=True, cache=True)
def _first_at(id_hash: NDArray[np.uint64], id_order: NDArray[np.int32], wanted: np.uint64) -> int:
    """Place in ``id_order`` of the first hash that is not below the wanted one."""
    low, high = 0, id_order.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if id_hash[id_order[middle]] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def _same(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> bool:
    if left.shape[0] != right.shape[0]:
        return False
    different = 0
    for i in range(left.shape[0]):
        different += left[i] != right[i]
    return different == 0


@njit(nogil=True, cache=True)
def find_rows(
    id_hash: NDArray[np.uint64],
    id_order: NDArray[np.int32],
    id_starts: NDArray[np.int32],
    id_bytes: NDArray[np.uint8],
    wanted_hash: NDArray[np.uint64],
    wanted_starts: NDArray[np.int32],
    wanted_bytes: NDArray[np.uint8],
) -> NDArray[np.int32]:
    """Row number of each wanted id, -1 where there is none.

    Two ids may share a hash, so the ids themselves are compared too.
    """
    rows = np.full(wanted_hash.shape[0], -1, dtype=np.int32)
    for i in range(wanted_hash.shape[0]):
        wanted = wanted_bytes[wanted_starts[i] : wanted_starts[i + 1]]
        at = _first_at(id_hash, id_order, wanted_hash[i])
        while at < id_order.shape[0] and id_hash[id_order[at]] == wanted_hash[i]:
            row = id_order[at]
            if _same(id_bytes[id_starts[row] : id_starts[row + 1]], wanted):
                rows[i] = row
                break
            at += 1
    return rows


@njit(nogil=True, cache=True)
def mark_present(
    id_hash: NDArray[np.uint64],
    id_order: NDArray[np.int32],
    bits: NDArray[np.uint8],
    wanted: NDArray[np.uint64],
    out: NDArray[np.bool_],
) -> None:
    """Set ``out[i]`` where a row that counts (``bits``; without any all do) has the hash ``wanted[i]``.

    Quickest where the wanted ones are in order.
    """
    for i in range(wanted.shape[0]):
        if out[i]:
            continue
        at = _first_at(id_hash, id_order, wanted[i])
        while at < id_order.shape[0] and id_hash[id_order[at]] == wanted[i]:
            row = id_order[at]
            if bits.shape[0] == 0 or (bits[row >> 3] >> (row & 7)) & 1:
                out[i] = True
                break
            at += 1
