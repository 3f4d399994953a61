"""The Merkle tree of RFC 6962, section 2.1: hashes, roots and proofs, whatever they are read from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Protocol

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Root over 2**k neighbouring hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


class Nodes(Protocol):
    """Where the hashes of complete subtrees come from."""

    def node(self, level: int, index: int) -> bytes:
        """MTH of the entries from ``index * 2**level`` to ``(index + 1) * 2**level``."""
        ...


def subroot(nodes: Nodes, first: int, last: int) -> bytes:
    """MTH(D[first:last]), where ``first`` is where a subtree of that size may begin."""
    size = last - first
    if size == 0:
        return EMPTY_ROOT
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes.node(level, first >> level)
    middle = first + _split(size)
    return node_hash(subroot(nodes, first, middle), subroot(nodes, middle, last))


def root(nodes: Nodes, size: int) -> bytes:
    """MTH of the first ``size`` entries."""
    return subroot(nodes, 0, size)


def inclusion_path(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): hashes from the leaf's sibling up, RFC 6962 section 2.1.1."""
    if not 0 <= index < size:
        raise ValueError("the entry is not in a tree of that size")
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(subroot(nodes, middle, last))
            last = middle
        else:
            path.append(subroot(nodes, first, middle))
            first = middle
    return path[::-1]


def consistency_path(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]): that the first ``old`` entries are the same, RFC 6962 section 2.1.2."""
    if not 0 < old <= new:
        raise ValueError("the sizes must be in order, and the old one more than 0")
    path: list[bytes] = []
    first, last = 0, new
    whole = True  # the old tree's root is this subtree's root: the verifier has it
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append(subroot(nodes, middle, last))
            last = middle
        else:
            path.append(subroot(nodes, first, middle))
            first, whole = middle, False
    if not whole:
        path.append(subroot(nodes, first, last))
    return path[::-1]


def proves_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes
) -> bool:
    """Whether a path leads from a leaf hash to the root: RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    number, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(sibling, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and found == expected_root


def proves_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether the old tree is the beginning of the new one: RFC 9162, section 2.1.4.2."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):  # nothing to be consistent with, or the same tree
        return not path and old_root == (EMPTY_ROOT if old == 0 else new_root)
    hashes = list(path)
    if old & (old - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    number, last = old - 1, new - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    first = second = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        number, last = number >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below ``size`` (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)
