"""The sample town, built once, and its committed files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sample_data.town.town import Town, make_town  # noqa: E402


@pytest.fixture(scope="session")
def town() -> Town:
    return make_town()


@pytest.fixture(scope="session")
def files() -> Path:
    return ROOT / "sample_data" / "town_data"
