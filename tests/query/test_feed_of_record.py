"""A copy that follows the changes is the view, with providers who match, leave and are erased."""

from __future__ import annotations

import itertools
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.build import build_views
from geoshare.access.memory import Memory
from geoshare.access.purge import purge_views
from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.withdraw import withdraw
from geoshare.model.batch import FeatureBatch
from geoshare.model.foundation import Foundation, Rules
from geoshare.publish import Keeper, Packs
from geoshare.store import open_record
from geoshare.store.erase import erase
from geoshare.store.files import Files
from tests.ingest.bench import Workbench
from tests.query.test_feed import HOUR_US, NAME, NOW_US, Client, World, held, shown

KINDS = ("all", "fence", "late", "coarse")
RULES = Foundation(collections={NAME: Rules(match=True, kind=("kind",))})
OFF_M = {"a": 0.0, "b": 0.6, "c": -0.5}  # of a provider's places: within what they state
ACCURACY_M = 1.0
M = 1 / 111_319.49


class Recorded(World):
    """The same town, published from a record."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.town.packs = Packs(self.folder / "packs")


class Together:
    """A record, its keeper, and a reader of each kind who has copied once and follows."""

    def __init__(self, folder: Path, empty: Path) -> None:
        shutil.copy(empty, folder / "record.db")
        self.record = open_record(folder / "record.db")
        self.bench = Workbench(self.record, folder)
        self.bench.data = folder
        self.tick_us, self.memory = NOW_US, Memory()
        self.keeper = Keeper(self.record, folder, self.bench.counting, [self._build], grace_s=0.0)
        self.worlds = {kind: Recorded(folder, kind) for kind in KINDS}
        self.seen: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self._numbers = itertools.count()
        self.send("a", {0: (0, "closure", -5)})
        self.publish()
        self.clients = {kind: Client(world) for kind, world in self.worlds.items()}
        for client in self.clients.values():
            client.begin()

    def _build(self, names: set[str] | None) -> None:
        some = self.worlds["all"].town
        policies = [held(kind) for kind in KINDS]
        packs, views = some.packs, some.views_dir
        build_views(policies, packs, views, memory=self.memory, tick_us=self.tick_us)

    def publish(self) -> None:
        with self.keeper.lock():
            self.keeper.publish()
        self._build(None)
        for kind, world in self.worlds.items():
            self.seen[kind] |= set(shown(world.view))

    def send(self, provider: str, rows: dict[int, tuple[int, str, int]]) -> None:
        """Things by number: metres that they stand aside, their kind, and hours from now."""
        if not rows:
            return
        times = [
            datetime.fromtimestamp((NOW_US + row[2] * HOUR_US) / 1e6, UTC) for row in rows.values()
        ]
        said: dict[str, Any] = {
            "kind": [row[1] for row in rows.values()],
            "name": [f"{provider} {row[0]}" for row in rows.values()],
            "valid_from": pa.array(times, pa.timestamp("us", "UTC")),
        }
        places = [
            shapely.Point(139.7 + number / 300, 35.6 + number / 300 + (row[0] + OFF_M[provider]) * M)
            for number, row in rows.items()
        ]
        ids = [f"{provider}{number}" for number in rows]
        batch = FeatureBatch(NAME, ids, np.array(places, object), pa.table(said))
        self.bench.contribute(
            [batch], provider, content=str(next(self._numbers)), accuracy_m=ACCURACY_M, foundation=RULES
        )

    def leave(self, provider: str, *, erased: bool) -> None:
        """Take a provider's word back, and remove what it gave when everybody has been told."""
        how = {"clock": self.bench.counting, "data_dir": self.bench.data, "foundation": RULES}
        withdraw(self.record, provider, **how)  # type: ignore[arg-type]
        self.publish()
        if erased:
            erase(self.record.database, provider, Files(self.bench.data), CLAIMS)
            with self.keeper.lock():
                self.keeper.renew({NAME, CLAIMS})
            hashes = {held(kind).hash for kind in KINDS}
            purge_views(self.worlds["all"].town.views_dir, hashes, {NAME, CLAIMS}, ())


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with nothing in it, to be copied: making its tables takes a while."""
    path = tmp_path_factory.mktemp("empty") / "record.db"
    open_record(path).close()
    return path


PROVIDER = st.sampled_from(sorted(OFF_M))
KIND = st.sampled_from(["closure", "closure", "flood"])
THINGS = st.dictionaries(
    st.integers(0, 6), st.tuples(st.sampled_from([0, 0, 40]), KIND, st.integers(-8, 4)), max_size=5
)
ACTION = st.one_of(
    st.tuples(st.just("send"), PROVIDER, THINGS),
    st.tuples(st.just("send"), PROVIDER, THINGS),
    st.tuples(st.just("leave"), PROVIDER),
    st.tuples(st.just("erase"), PROVIDER),
    st.tuples(st.just("tick"), st.integers(1, 4)),
    st.tuples(st.just("page"), st.integers(1, 3)),
)


@settings(max_examples=5, deadline=None)
@given(actions=st.lists(ACTION, min_size=4, max_size=8))
def test_copy_plus_changes_is_items_when_providers_match_leave_and_are_erased(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, actions: list[tuple[Any, ...]]
) -> None:
    together = Together(tmp_path_factory.mktemp("together"), empty)
    for action, *said in actions:
        if action == "page":
            for kind, client in together.clients.items():
                client.page(said[0], together.seen[kind])
            continue
        if action == "send":
            together.send(said[0], said[1])
        elif action == "tick":
            together.tick_us += said[0] * HOUR_US
        else:
            together.leave(said[0], erased=action == "erase")
        together.publish()
    for kind, client in together.clients.items():
        for _ in range(2):  # it may have begun to read before the last change
            while not client.page(2, together.seen[kind]):
                pass
        assert client.copy == shown(together.worlds[kind].view), kind
    together.record.close()


def test_two_who_match_are_one_in_every_copy_and_two_again_when_nobody_matches(
    tmp_path: Path, empty: Path
) -> None:
    together = Together(tmp_path, empty)
    rows = {0: (0, "closure", -5), 4: (0, "closure", -6)}
    steps = (lambda: together.send("b", rows), lambda: together.leave("a", erased=True))
    counts = []
    for step in steps:
        step()
        together.publish()
        for kind, client in together.clients.items():
            while not client.page(10, together.seen[kind]):
                pass
            assert client.copy == shown(together.worlds[kind].view)
        counts.append(len(together.clients["all"].copy))
    assert counts == [2, 2]
    assert all("b 0" in text for text in together.clients["all"].copy.values())
    together.record.close()
