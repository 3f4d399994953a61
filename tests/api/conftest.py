"""A geoshare of its own for a test: no server process, the same services and application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geoshare.app import create_app
from geoshare.model.report import Report
from geoshare.services import Services, build_services
from geoshare.services.local import Local
from geoshare.settings import Settings


class Own:
    """A data folder with nothing in it, its services and a client; with ``keys`` one that there is."""

    def __init__(self, data: Path, keys: dict[str, str] | None = None, **said: Any) -> None:
        self.settings = Settings(data=data, **said)
        self.services: Services = build_services(self.settings)
        self.local = Local(self.services)
        self.keys = keys or {
            tier: self.key(f"org-{tier}", tier)
            for tier in ("automaker", "municipal", "developer", "provider", "operator")
        }
        self.client = create_app(self.settings, self.services).test_client()

    def key(self, organisation: str, *tiers: str) -> str:
        """A key of an organisation that comes to hold these tiers."""
        if tiers:
            self.local.agree(organisation, tiers, days=1, reason="a test", operator="operator" in tiers)
        return self.local.create_key(organisation, (), days=1)

    def contribute(self, path: Path, **options: object) -> Report:
        """Take a file in and make it visible."""
        said = {"provider": "maker", **options}
        report = self.local.contribute(path, progress=lambda done, text="": None, **said)
        self.local.wait_until_visible()
        return report

    def get(self, path: str, key: str | None = "operator"):
        """An answer of the application."""
        return self.client.get(path, headers={"X-API-Key": self.keys[key]} if key else {})

    def items(self, collection: str, key: str | None = "operator") -> list[dict]:
        """Every feature of a collection."""
        answer = self.get(f"/collections/{collection}/items?limit=10000", key)
        assert answer.status_code == 200, answer.data
        return json.loads(answer.data)["features"]

    def state(self) -> tuple:
        """All that a refused contribution must leave as it was: rows, and files."""
        files = sorted(
            str(path.relative_to(self.settings.data))
            for path in self.settings.data.rglob("*")
            if path.is_file() and path.suffix not in (".db-wal", ".db-shm")
        )
        return self.services.record.row_counts(), files


@pytest.fixture
def own(tmp_path: Path) -> Own:
    """A geoshare with an empty record."""
    return Own(tmp_path / "data")
