"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("GEOSHARE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "MANIFEST.md").exists():
        pytest.skip("no real data: set GEOSHARE_TEST_DATA to the folder that holds it")
    return folder
