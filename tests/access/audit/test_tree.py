"""The tree against RFC 6962 as its formulas say it: naive, recursive, on the entries themselves."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.audit import tree
from geoshare.access.audit.verify import ComputedNodes


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def mth(data: list[bytes]) -> bytes:
    """MTH({}) = SHA-256(); MTH({d}) = SHA-256(0 || d); MTH(D) = SHA-256(1 || left || right)."""
    if not data:
        return hashlib.sha256().digest()
    if len(data) == 1:
        return hashlib.sha256(b"\0" + data[0]).digest()
    k = largest_power_below(len(data))
    return hashlib.sha256(b"\1" + mth(data[:k]) + mth(data[k:])).digest()


def path(m: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    k = largest_power_below(len(data))
    if m < k:
        return [*path(m, data[:k]), mth(data[k:])]
    return [*path(m - k, data[k:]), mth(data[:k])]


def proof(m: int, data: list[bytes], whole: bool = True) -> list[bytes]:
    if m == len(data):
        return [] if whole else [mth(data)]
    k = largest_power_below(len(data))
    if m <= k:
        return [*proof(m, data[:k], whole), mth(data[k:])]
    return [*proof(m - k, data[k:], False), mth(data[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def nodes_of(data: list[bytes]) -> ComputedNodes:
    return ComputedNodes(map(tree.leaf_hash, data))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 255, 256, 257, 600])
def test_roots_are_those_of_the_formula(size: int) -> None:
    data = entries(size)
    assert tree.root(nodes_of(data), size) == mth(data)


def test_roots_are_those_that_other_logs_publish() -> None:
    # The leaves of Certificate Transparency's reference tests, with the root of all eight.
    hexes = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
             "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    nodes = nodes_of([bytes.fromhex(text) for text in hexes])
    assert (
        tree.root(nodes, 8).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


@settings(max_examples=50)
@given(st.integers(1, 700), st.data())
def test_inclusion_paths_are_those_of_the_formula_and_hold_for_nothing_else(size, data) -> None:
    items = entries(size)
    index = data.draw(st.integers(0, size - 1))
    found = tree.inclusion_path(nodes_of(items), index, size)
    assert found == path(index, items)
    leaf, root = tree.leaf_hash(items[index]), mth(items)
    assert tree.proves_inclusion(leaf, index, size, found, root)
    assert not tree.proves_inclusion(tree.leaf_hash(b"other"), index, size, found, root)
    assert not tree.proves_inclusion(leaf, index, size, found, bytes(32))
    assert not tree.proves_inclusion(leaf, index, size, [*found, bytes(32)], root)
    if size > 1:
        assert not tree.proves_inclusion(leaf, index, size, found[:-1], root)
        place = data.draw(st.integers(0, len(found) - 1))
        assert not tree.proves_inclusion(leaf, index, size, flipped(found, place), root)


@settings(max_examples=50)
@given(st.integers(1, 700), st.data())
def test_consistency_proofs_are_those_of_the_formula_and_hold_for_nothing_else(size, data) -> None:
    items = entries(size)
    old = data.draw(st.integers(1, size))
    found = tree.consistency_path(nodes_of(items), old, size)
    assert found == proof(old, items)
    before, after = mth(items[:old]), mth(items)
    assert tree.proves_consistency(old, size, found, before, after)
    changed = [*items]
    changed[data.draw(st.integers(0, old - 1))] = b"rewritten"
    assert not tree.proves_consistency(old, size, found, mth(changed[:old]), after)
    assert not tree.proves_consistency(old, size, proof(old, changed), before, mth(changed))
    if found:
        place = data.draw(st.integers(0, len(found) - 1))
        assert not tree.proves_consistency(old, size, flipped(found, place), before, after)


def flipped(hashes: list[bytes], place: int) -> list[bytes]:
    changed = [*hashes]
    changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
    return changed
