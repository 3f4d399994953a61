"""A desk of one town: two municipalities side by side, one officer of each, and a stranger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from geoshare.services.keeping import make_keeper
from tests.api.conftest import Own

TOWN, OTHER = "town", "other-town"
INSIDE, OUTSIDE = [139.5, 35.5], [141.0, 35.5]

SHELTERS = (
    {
        "name": "潮見小学校",
        "status": "not_open",
        "local_government_code": "012025",
        "phone": "0451234",
    },
    {"name": "=HYPERLINK(1)", "status": "open", "people_count": 12, "notes": "一行目\n-二行目"},
    {"name": "港公民館", "pets_accepted": True, "address": "1-2-3", "target_areas": ["東", "西"]},
)


def square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def point(at: list[float]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": at}


class Town(Own):
    """A geoshare in which two municipalities hold the municipal tier, each for its own square."""

    def __init__(self, data: Path, **said: Any) -> None:
        super().__init__(data, **said)
        for name, area in ((TOWN, square(139, 35, 1)), (OTHER, square(140, 35, 1))):
            self.local.agree(name, ("municipal",), days=1, reason="a test", area=area)
            self.keys[name] = self.local.create_key(name, (), days=1)
        self.keeper = make_keeper(self.services)
        self.publish()

    def publish(self) -> None:
        """What the keeper does within a moment of an edit."""
        with self.keeper.lock():
            self.keeper.publish(everything=True)

    def ask(
        self, method: str, path: str, body: Any = None, key: str | None = TOWN, **headers: str
    ) -> TestResponse:
        """Ask as the officer of a town; a dict is sent as JSON."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            said["X-API-Key"] = self.keys[key]
        if isinstance(body, bytes):
            return self.client.open(path, method=method, data=body, headers=said)
        return self.client.open(path, method=method, json=body, headers=said)

    def make(
        self, collection: str, properties: dict[str, Any], geometry: Any = None, **more: Any
    ) -> Any:
        """Make a feature; its answer."""
        body = {"type": "Feature", "geometry": geometry or point(INSIDE), "properties": properties}
        answer = self.ask("POST", f"/collections/{collection}/items", body, **more)
        assert answer.status_code == 201, answer.data.decode()
        return answer.json

    def change(self, made: Any, properties: dict[str, Any], **more: Any) -> TestResponse:
        """Change a feature from the version that an answer named."""
        path = f"/collections/{made['collection']}/items/{made['id']}"
        return self.ask(
            "PATCH", path, {"properties": properties}, If_Match=f'"{made["version"]}"', **more
        )

    def seen(self, collection: str, feature: str, key: str | None = TOWN) -> dict[str, Any] | None:
        """Properties as somebody's view shows them after publishing; None where it shows none."""
        self.publish()
        headers = {"X-API-Key": self.keys[key]} if key else {}
        answer = self.client.get(f"/collections/{collection}/items/{feature}", headers=headers)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.data
        return json.loads(answer.data)["properties"]

    def version(self, collection: str, feature: str, key: str = TOWN) -> str:
        """The version of a feature that an officer sees."""
        answer = self.ask("GET", f"/desk/collections/{collection}/items/{feature}", key=key)
        assert answer.status_code == 200, answer.data
        return answer.json["version"]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "data")


@pytest.fixture
def filled(town: Town) -> Town:
    """With the shelters of the sheets."""
    for properties in SHELTERS:
        town.make("shelters", properties)
    town.publish()
    return town
