"""Tiers decide by the size of a mesh square what may be seen, so its code says it, not the sender."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_every_square_has_the_size_its_code_says(
    read: Callable[..., Any], table: Callable[..., Path]
) -> None:
    codes = {"53394547": 1000.0, "533945471": 500.0, "5339454712": 250.0, "53394547123": 125.0}
    rows = [["mesh_code", "indicator", "value"], *([code, "population", 10] for code in codes)]
    found = read(table(rows), collection="statistics").rows("statistics")
    assert {row["mesh_code"]: row["mesh_size_m"] for row in found.values()} == codes


def test_a_fine_square_cannot_be_sent_as_a_coarse_one(
    read: Callable[..., Any], table: Callable[..., Path]
) -> None:
    rows = [["mesh_code", "mesh_size_m", "indicator", "value"], ["53394547123", 1000, "population", 3]]
    found = read(table(rows), collection="statistics").rows("statistics")
    assert [row["mesh_size_m"] for row in found.values()] == [125.0]
