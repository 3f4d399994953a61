"""The sample town, built once, and its committed files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_data.town.town import Town, make_town

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def town() -> Town:
    return make_town()


@pytest.fixture(scope="session")
def files() -> Path:
    return ROOT / "sample_data" / "town_data"
