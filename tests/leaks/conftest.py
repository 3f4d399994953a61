"""What tests of twins share."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from geoshare.access.audit import entries
from geoshare.access.credentials import keys


@pytest.fixture
def same_secrets(monkeypatch):
    """Salts of the log and secrets of keys are random, which is no difference worth to be seen."""
    steady = SimpleNamespace(token_bytes=lambda count: b"\x07" * count, token_hex=lambda n: "07" * n)
    monkeypatch.setattr(entries, "secrets", steady)
    monkeypatch.setattr(keys, "secrets", steady)
