"""Two geoshares whose records differ only in what the tiers under test hide.

Both start as copies of one folder, so that secrets, keys and organisations are the same; then each
takes in its own files. The *plain* one never had the hidden things, the *full* one has them among the
visible ones. Who asks is served by services of its own, with a clock that stands still and identifiers
that come in order, so that answers can be compared to the byte.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import rasterio
from affine import Affine
from werkzeug.test import TestResponse

from geoshare.access.audit import Audit, Party
from geoshare.access.audit.entries import NOBODY, Prepared
from geoshare.access.credentials import DAY_US
from geoshare.access.credentials.tokens import NAME
from geoshare.app import create_app
from geoshare.model.policy import Terms
from geoshare.publish import Keeper
from geoshare.services import build_services
from geoshare.services.agreements import OPERATOR
from geoshare.services.keeping import make_keeper, make_worker
from geoshare.services.local import Local
from geoshare.services.written import Author
from geoshare.settings import Settings
from tests.leaks.town import SCENE_M, SCENE_NORTH, SCENE_WEST, TIERS, Layer, tiers_toml

NOON_US = 1_780_000_000_000_000
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class StandingClock:
    """Shows the same instant until somebody moves it."""

    def __init__(self, now_us: int = NOON_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def move(self, seconds: float) -> None:
        self._now_us += int(seconds * 1_000_000)


class CountedIds:
    """Identifiers in order."""

    def __init__(self, start: int = 0) -> None:
        self._next = start

    def new(self) -> str:
        self._next += 1
        number, text = self._next, ""
        for _ in range(16):
            number, digit = divmod(number, 32)
            text = ALPHABET[digit] + text
        return text


@dataclass
class Twin:
    """One geoshare: the hand that loads it, and the application that is asked."""

    folder: Path
    clock: StandingClock
    first_id: int
    versions: dict[str, int] = field(default_factory=dict)
    keeper: Keeper | None = None  # from when it answers

    def __post_init__(self) -> None:
        self.settings = Settings(
            data=self.folder,
            tile_cache_bytes=40_000_000,
            grace_s=0,
            extract_sync_features=4,
            stream_s=0,
            webhooks=True,
        )
        self._hand = build_services(self.settings, self.clock, CountedIds(self.first_id))
        self.local = Local(self._hand)

    def open(self) -> None:
        """Start answering."""
        services = build_services(self.settings, self.clock, CountedIds())
        self.services = services
        self.keeper = make_keeper(services)
        self.client = create_app(self.settings, services).test_client(use_cookies=False)
        self.worker = make_worker(services)
        self.uses = services.uses
        for noted in (services.uses, services.session_uses, services.trail.reads):
            noted._start = lambda: None  # written when the twins work, not by the clock
        _number_entries_by_party(services.trail)
        # nobody else would run it; one that is to be tried again later is not due
        services.extracts.pause = lambda wait_s: self.worker.run_one() or time.sleep(wait_s)

    def load(self, layer: Layer) -> None:
        """Take in what a layer says, as a new file of its provider."""
        number = self.versions[layer.collection] = self.versions.get(layer.collection, 0) + 1
        inbox = self.folder.with_name(f"inbox-{self.folder.name}")
        inbox.mkdir(exist_ok=True)
        path = inbox / f"{layer.collection}-{number}"  # a scene is named after its file
        if layer.pixels is not None:
            path = path.with_suffix(".tif")
            _write_scene(path, layer.pixels)
        else:
            path = path.with_suffix(".geojson")
            path.write_text(json.dumps(layer.geojson()), "utf-8")
        report = self.local.contribute(
            path,
            layer.provider,
            progress=lambda done, text="": None,
            collection=layer.collection,
            **layer.declared,
        )
        assert not report.refused, report
        assert report.taken, report

    def show(self) -> None:
        """Publish what was taken in."""
        self.local.wait_until_visible()

    def publish(self) -> None:
        """One turn of the keeper: what was said at the desk, views of new keys, delays."""
        if self.keeper is None:
            return
        with self.keeper.lock():
            self.keeper.publish()
            for tick in self.keeper._ticks:
                tick(self.clock.now_us())

    def login(self, person: str) -> tuple[str, str]:
        """The texts of a new session, and what its pages send back."""
        text = self.services.people.begin(self.services.people.person(person), "invite")
        return text, self.services.sessions.token(text.split("_")[1])

    def ask(self, request: Request) -> TestResponse:
        """The answer to a request."""
        return self.client.open(
            request.path,
            method=request.method,
            query_string=request.query,
            headers=request.headers,
            data=request.body,
            buffered=True,  # to the end, as a server does: it then gives back what it holds for it
        )


@dataclass(frozen=True)
class Request:
    """What somebody asks."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


class Twins:
    """Both, moved in step."""

    def __init__(self, folder: Path) -> None:
        self.clock = StandingClock()
        base = folder / "base"
        base.mkdir(parents=True)
        (base / "tiers.toml").write_text(tiers_toml(), "utf-8")
        seed = Twin(base, self.clock, 1_000_000)
        self.keys = {tier: _key(seed, tier) for tier in (*TIERS, "operator")}
        offer = {"title": "All of it", "title_ja": "全部", "tiers": ["fenced"]}
        seed._hand.agreements.offer("all", offer, Author("tests", "what may be had"))
        self.persons = {tier: _person(seed, tier) for tier in TIERS}
        for day in (NOON_US // DAY_US - 1, NOON_US // DAY_US):
            seed._hand.governance.secret(f"{NAME}{day}")  # signs access tokens
        seed._hand.governance.close()
        plain, full = folder / "plain", folder / "full"
        shutil.copytree(base, plain)
        shutil.copytree(base, full)
        self.plain = Twin(plain, self.clock, 2_000_000)
        self.full = Twin(full, self.clock, 3_000_000)

    def both(self) -> tuple[Twin, Twin]:
        return self.plain, self.full

    def copied(self, folder: Path) -> Twins:
        """Others that begin where these stand; these have not been opened."""
        found = copy(self)
        found.clock = StandingClock(self.clock.now_us())
        for name, first_id in (("plain", 4_000_000), ("full", 5_000_000)):
            before: Twin = getattr(self, name)
            shutil.copytree(before.folder, folder / name)
            twin = Twin(folder / name, found.clock, first_id, dict(before.versions))
            setattr(found, name, twin)
        return found

    def load(self, plain: Sequence[Layer], full: Sequence[Layer]) -> None:
        """Take in layers; each twin has its own."""
        for twin, layers in ((self.plain, plain), (self.full, full)):
            twin.publish()  # one of them may have nothing to load
            for layer in layers:
                twin.load(layer)
            twin.show()

    def open(self) -> None:
        for twin in self.both():
            twin.open()

    def move(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.move(seconds)
        for twin in self.both():
            twin.publish()

    def login(self, tier: str) -> tuple[str, str]:
        """A session of a person who holds this tier, the same in both."""
        one, other = (twin.login(self.persons[tier]) for twin in self.both())
        assert one == other
        return one

    def work(self) -> None:
        """Run the jobs that wait, and write what is noted for later."""
        for twin in self.both():
            twin.uses.flush()
            twin.services.session_uses.flush()
            twin.services.trail.reads.flush()
            twin.publish()
            while twin.worker.run_one():
                pass


def _number_entries_by_party(trail: Audit) -> None:
    """Entries of others, of which there may be more in one twin, take no ids from the asker's."""
    real = trail.prepare
    streams: dict[tuple[str, str], CountedIds] = {}

    def prepare(
        kind: str,
        by: Party,
        about: Party = NOBODY,
        detail: Mapping[str, Any] | None = None,
        *,
        once: str | None = None,
    ) -> Prepared:
        parties = by.organisation, about.organisation
        start = crc32("\n".join(parties).encode()) << 24
        trail._ids = streams.setdefault(parties, CountedIds(start))
        return real(kind, by, about, detail, once=once)

    trail.prepare = prepare


def _key(seed: Twin, tier: str) -> str:
    """A key of an organisation that holds this tier alone; secrets are made now, to be the same."""
    organisation = f"org-{tier}"
    agreement = seed.local.agree(
        organisation, (tier,), days=30, reason="asked by the tests", operator=True
    )
    _pass_on(seed, organisation, agreement)
    seed._hand.governance.secret(f"agreement {agreement}")
    return seed.local.create_key(organisation, (tier,), days=30)


def _person(seed: Twin, tier: str) -> str:
    """Somebody of the organisation who holds this tier, and may do there what people may."""
    roles = ("viewer", "editor", "contributor", "admin")
    said = {"name": "山田 花子", "roles": roles}
    return str(seed._hand.people.add(f"org-{tier}", said)["id"])


def _pass_on(seed: Twin, organisation: str, agreement: str) -> None:
    """Let the organisation show to anybody what it holds, so that its shares show all of it."""
    agreements, by = seed._hand.agreements, Author("tests", "shares are asked, too")
    document = json.loads(agreements.row(agreement).document)
    free = Terms(onward="free").model_dump(mode="json")
    row = agreements.draw_up(document | {"version": 2, "terms": free}, by, operator=True)
    for side in (OPERATOR, organisation):
        agreements.sign(row.id, row.version, side, "tests", by)


def _write_scene(path: Path, pixels: np.ndarray) -> None:
    bands, rows, columns = pixels.shape
    place = Affine(SCENE_M, 0, SCENE_WEST, 0, -SCENE_M, SCENE_NORTH)
    with rasterio.open(
        path, "w", "GTiff", columns, rows, bands, "EPSG:32654", place, "uint16", nodata=0
    ) as dataset:
        dataset.write(pixels)
        dataset.update_tags(TIFFTAG_DATETIME="2026:05:03 01:02:03")
        dataset.descriptions = [f"B{number:02d}" for number in range(1, bands + 1)]
