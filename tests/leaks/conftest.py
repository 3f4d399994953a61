"""What tests of twins share."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from geoshare.access.audit import entries
from geoshare.access.credentials import keys, sessions
from geoshare.store.database import Database


@pytest.fixture
def same_secrets(monkeypatch):
    """Salts of the log and secrets of keys are random, which is no difference worth to be seen."""
    steady = SimpleNamespace(token_bytes=lambda count: b"\x07" * count, token_hex=lambda n: "07" * n)
    monkeypatch.setattr(entries, "secrets", steady)
    monkeypatch.setattr(keys, "secrets", steady)
    monkeypatch.setattr(sessions, "secrets", steady)


@pytest.fixture(autouse=True)
def unsynced(monkeypatch):
    """Nobody pulls the plug here: a third of the time went by waiting for the disk."""
    write = Database.write
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(Database, "write", lambda self, *, durable=True: write(self, durable=False))
