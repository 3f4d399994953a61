"""Who asks, and by which credential: another kind of caller is one more line in ``PRINCIPALS``."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from affine import Affine
from werkzeug.test import TestResponse

from geoshare.access.credentials import Part
from geoshare.app import create_app
from geoshare.model.clock import RandomIds
from geoshare.services import build_services
from geoshare.services.keeping import make_keeper, make_worker
from geoshare.services.keys import Wanted
from geoshare.services.local import Local
from geoshare.services.written import Author
from geoshare.settings import Settings
from tests.matrix.judge import STAFF_ONLY, Rights
from tests.matrix.world import NOW_US, THIRD, Feature, at, features, tiers_toml

DAY_US = 86_400_000_000
SCENE_M = 10.0
_TO_METRES = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:32654", always_xy=True)


@dataclass
class Clock:
    """Stands still until somebody moves it."""

    us: int

    def now_us(self) -> int:
        return self.us


@dataclass(frozen=True)
class Ask:
    """A request."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    body: object = None
    headers: tuple[tuple[str, str], ...] = ()


class World:
    """One geoshare with all features, all principals' credentials, and an application to ask."""

    def __init__(self, folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "tiers.toml").write_text(tiers_toml(), "utf-8")
        self.clock = Clock(NOW_US - 3 * DAY_US)
        settings = Settings(data=folder / "data", tile_cache_bytes=40_000_000, grace_s=0)
        self.services = build_services(settings, self.clock, RandomIds())
        self.local = Local(self.services)
        self.features: list[Feature] = features()
        self.keys: dict[str, str] = {}
        self._agreements_and_keys()
        self.clock.us = NOW_US
        self._contents(folder)
        worker = make_worker(self.services)
        self.services.extracts.pause = lambda _: worker.run_one()
        self.client = create_app(settings, self.services).test_client(use_cookies=False)
        self.ids = self._ids()

    def ask(self, who: Principal, ask: Ask) -> TestResponse:
        """The answer of the application to this principal."""
        ask = who.credential(self, ask)
        return self.client.open(
            ask.path, method=ask.method, query_string=ask.query, headers=ask.headers, json=ask.body
        )

    def _agreements_and_keys(self) -> None:
        for name, (tiers, area, days, key_days) in ORGANISATIONS.items():
            said = None if area is None else json.loads(shapely.to_geojson(area))
            self.local.agree(name, tiers, days=days, reason="the matrix", area=said, operator=True)
            self.keys[name] = self.local.create_key(name, (), days=key_days)
        offer = {"title": "Roads", "title_ja": "道路", "tiers": ["alpha"]}
        self.services.agreements.offer("roads", offer, Author("the matrix", "what may be had"))
        self.keys["narrow"] = self.local.create_key("both", ("alpha",), days=30)
        self.keys["revoked"] = self.local.create_key("both", (), days=30)
        self.services.keys.revoke(self.keys["revoked"].split("_")[1])
        maker = self.local.create_key("both", (), days=30)
        self.keys["part of a revoked"] = self._shared(maker, None)
        self.services.keys.revoke(maker.split("_")[1])

    def _shared(self, maker: str, collections: tuple[str, ...] | None) -> str:
        """A key that another key makes."""
        wanted = Wanted(Part(collections=collections), "part", 30)
        return self.services.keys.share(self.services.principal(maker), wanted)[1]

    def _scoped(self, name: str, scope: str) -> str:
        """An access token for fewer collections than its key is for, as clients get one."""
        _, key_id, secret, _ = self.keys[name].split("_")
        said = {"grant_type": "client_credentials", "scope": scope}
        said |= {"client_id": key_id, "client_secret": secret}
        client = create_app(self.services.settings, self.services).test_client(use_cookies=False)
        return str(client.post("/oauth/token", data=said).json["access_token"])

    def _session(self, organisation: str, *roles: str) -> str:
        """A session of one of its persons, who uses an invite up."""
        people = self.services.people
        person = people.add(organisation, {"name": "山田 花子", "roles": roles})["id"]
        return people.accept(people.invite(people.person(person), 1)[0])[0]

    def _contents(self, folder: Path) -> None:
        for collection in dict.fromkeys(feature.collection for feature in self.features):
            path = folder / f"{collection}.geojson"
            made = [item for item in self.features if item.collection == collection]
            for name in dict.fromkeys(item.release_class for item in made):
                found = [item.geojson() for item in made if item.release_class == name]
                path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), "utf-8")
                self._take(path, collection, name)
        _write_scene(folder / "scene.tif")
        self._take(folder / "scene.tif", "satellite")
        self.keys["part"] = self._shared(self.keys["both"], ("segments", "places"))
        both = self.services.principal(self.keys["both"])
        self.keys["token"] = self.services.tokens.issue(both, None).text
        self.keys["scoped token"] = self._scoped("both", "segments places")
        self.keys["session"] = self._session("a", "viewer")
        self.keys["editor"] = self._session("a", "viewer", "editor:events")
        keeper = make_keeper(self.services)
        with keeper.lock():
            keeper.publish(everything=True)

    def _take(self, path: Path, collection: str, release_class: str = "open") -> None:
        report = self.local.contribute(
            path,
            "maker",
            progress=lambda done, text="": None,
            collection=collection,
            release_class=release_class,
        )
        assert report.taken, report
        assert not report.refused, report
        self.local.wait_until_visible()

    def _ids(self) -> dict[tuple[str, str], str]:
        """Identifiers that the product gave to features, by collection and key."""
        staff = next(who for who in PRINCIPALS if who.name == "operator staff")
        found = {}
        for collection in {feature.collection for feature in self.features}:
            ask = Ask(f"/collections/{collection}/items", (("limit", "1000"),))
            for feature in self.ask(staff, ask).json["features"]:
                found[collection, feature["properties"]["name"]] = feature["id"]
        return found


Credential = Callable[[World, Ask], Ask]


def by_nothing(world: World, ask: Ask) -> Ask:
    return ask


def by_key(name: str, header: str = "X-API-Key") -> Credential:
    def carry(world: World, ask: Ask) -> Ask:
        text = world.keys[name] if header == "X-API-Key" else f"Bearer {world.keys[name]}"
        return replace(ask, headers=(*ask.headers, (header, text)))

    return carry


def by_session(name: str) -> Credential:
    """As a page of this server asks, with the token that only such a page can have read."""

    def carry(world: World, ask: Ask) -> Ask:
        said = [("Cookie", f"geoshare-session={world.keys[name]}"), ("Sec-Fetch-Site", "same-origin")]
        if ask.method != "GET":
            token = world.client.get("/me", headers=said).json["csrf_token"]
            said += [("Origin", "http://localhost"), ("X-CSRF-Token", token)]
        return replace(ask, headers=(*ask.headers, *said))

    return carry


def by_text(text: str) -> Credential:
    return lambda world, ask: replace(ask, headers=(*ask.headers, ("X-API-Key", text)))


def by_link(name: str) -> Credential:
    """A link of its own to whatever is asked for."""

    def carry(world: World, ask: Ask) -> Ask:
        address = f"http://localhost{ask.path}" + (f"?{urlencode(ask.query)}" if ask.query else "")
        key_id = world.keys[name].split("_")[1]
        signed = urlsplit(world.services.links.sign(key_id, world.clock.us // 1_000_000 + 600, address))
        pairs = tuple(pair.partition("=")[::2] for pair in signed.query.split("&"))
        mark = tuple(pair for pair in pairs if pair[0] == "sig")
        return replace(ask, query=(*ask.query, *mark))

    return carry


@dataclass(frozen=True)
class Principal:
    """Somebody who asks: what they hold by the documents, and how they say who they are."""

    name: str
    credential: Credential
    rights: Rights = field(default_factory=Rights)
    refused: bool = False  # the credential is not valid: 401, whatever is asked
    reads_only: bool = False  # a link: GET alone
    edits: tuple[str, ...] | None = ()  # collections that the credential may edit; None: all it holds


ORGANISATIONS = {  # tiers, area of the agreement, its days, days of the key; three days before now
    "a": (("alpha",), None, 30, 30),
    "b": (("beta",), None, 30, 30),
    "both": (("alpha", "beta"), None, 30, 30),
    "tenant": (("beta",), THIRD, 30, 30),
    "ended": (("alpha",), None, 1, 30),
    "late": (("alpha",), None, 30, 1),
    "staff": (("operator",), None, 30, 30),
}
ALPHA, BETA = ("alpha", None), ("beta", None)
PRINCIPALS = (
    Principal("nobody in particular", by_nothing),
    Principal("holder of A", by_key("a"), Rights((ALPHA,)), edits=None),
    Principal("holder of B", by_key("b", "Authorization"), Rights((BETA,)), edits=None),
    Principal("holder of both", by_key("both"), Rights((ALPHA, BETA)), edits=None),
    Principal("another tenant, fenced", by_key("tenant"), Rights((("beta", THIRD),)), edits=None),
    Principal("ended agreement", by_key("ended"), Rights(), edits=None),
    Principal("narrowed key", by_key("narrow"), Rights((ALPHA,)), edits=None),
    Principal("key of a key", by_key("part"), Rights((ALPHA, BETA), frozenset({"segments", "places"}))),
    Principal("signed link", by_link("both"), Rights((ALPHA, BETA)), reads_only=True),
    Principal("access token", by_key("token", "Authorization"), Rights((ALPHA, BETA)), edits=None),
    Principal(
        "token for some collections",
        by_key("scoped token", "Authorization"),
        Rights((ALPHA, BETA), scope=frozenset({"segments", "places"})),
    ),
    Principal("session of a person", by_session("session"), Rights((ALPHA,))),
    Principal("session of an editor", by_session("editor"), Rights((ALPHA,)), edits=("events",)),
    Principal("operator staff", by_key("staff"), Rights((("operator", None),)), edits=None),
    Principal("expired key", by_key("late"), refused=True),
    Principal("revoked key", by_key("revoked"), refused=True),
    Principal("key of a revoked key", by_key("part of a revoked"), refused=True),
    Principal("key that never was", by_text("gs_0000000000000000_" + "0" * 64), refused=True),
)
assert STAFF_ONLY not in Rights((ALPHA, BETA)).collections("read")


FOR_ALL = pytest.mark.parametrize("who", PRINCIPALS, ids=lambda who: who.name)


def refused(who: Principal, status: int) -> bool:
    """Whether the credential alone decides; then it is 401, whatever is asked."""
    assert (status == 401) == who.refused
    return who.refused


def _write_scene(path: Path) -> None:
    """Four bands of pixels of 10 m over the whole world of the test; none is without data."""
    west, south = _TO_METRES.transform(*at(-3, -2))
    east, north = _TO_METRES.transform(*at(4, 3))
    columns, rows = int((east - west) / SCENE_M), int((north - south) / SCENE_M)
    pixels = np.random.default_rng(3).integers(1, 3000, (4, rows, columns), dtype=np.uint16)
    place = Affine(SCENE_M, 0, round(west, -1), 0, -SCENE_M, round(north, -1))
    with rasterio.open(
        path, "w", "GTiff", columns, rows, 4, "EPSG:32654", place, "uint16", nodata=0
    ) as dataset:
        dataset.write(pixels)
        dataset.update_tags(TIFFTAG_DATETIME="2026:05:03 01:02:03")
        dataset.descriptions = [f"B{number:02d}" for number in range(1, 5)]
