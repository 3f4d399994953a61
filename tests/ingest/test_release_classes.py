"""What is contributed under a release class is, to who does not read it, as if it had never come."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoshare.access.areas import coded_area
from geoshare.access.build import build_views
from geoshare.access.journal import Journals
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.errors import BadData, BadRequest
from geoshare.ingest.complete import Complete
from geoshare.ingest.edits import Author, Change, NewSaying, feature_id, write_edit
from geoshare.ingest.withdraw import withdraw
from geoshare.merge import Identities
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import RELEASE, known
from geoshare.model.foundation import parse
from geoshare.model.policy import Grant, Policy
from geoshare.publish import Packs, Publisher
from geoshare.store import open_record
from geoshare.store.edit_rows import own_claims
from geoshare.store.rows import DESK
from tests.access.town import features
from tests.ingest.bench import Workbench, batch
from tests.ingest.test_foundation import line, signs

COLLECTIONS = ("roadside_features", "segments", "shelters", "claims")
COLUMNS = {
    "roadside_features": ("class", "subtype", "height_m"),
    "segments": ("name", "class", "start_connector_id"),
    "shelters": ("common_id", "name"),
    "claims": ("ranking", "chosen", "providers", "claimed", "supersedes"),
}


def reader(*classes: str) -> Policy:
    """A policy that shows everything of some release classes."""
    return Policy(
        tuple(
            Grant(collections=(name,), columns=COLUMNS[name], release_classes=classes)
            for name in COLLECTIONS
        )
    )


OPEN, CLOSED, BOTH = reader("open"), reader("partners"), reader("open", "partners")


class World:
    """A record, its packs, and the views of three readers."""

    def __init__(self, folder: Path) -> None:
        self.bench = Workbench(open_record(folder / "record.db"), folder)
        self.packs = Packs(self.bench.data / "packs")
        self.views_dir = self.bench.data / "views"
        self.views = Views(self.views_dir, self.packs.folder)

    def publish(self) -> None:
        Publisher(self.bench.record, self.packs.folder).publish()
        build_views([OPEN, CLOSED, BOTH], self.packs, self.views_dir)

    def view(self, policy: Policy, collection: str) -> View:
        view = self.views.get(policy, collection)
        assert isinstance(view, View)
        return view

    def told(self, policy: Policy, collection: str) -> tuple[Any, ...]:
        """All that a view knows, and the journal of what has changed in it."""
        view = self.view(policy, collection)
        journal = Journals(self.views_dir).get(policy.hash, collection)
        steps = [] if journal is None else [(it.state, it.gone, it.come) for it in journal.steps]
        return view.token, view.count, view.extent, view.schema(), features(view), steps


@dataclass(frozen=True)
class Step:
    """Something that is done to a record, under a release class."""

    kind: str  # signs, streets, shelters, desk, withdraw
    provider: str
    release_class: str
    rows: tuple[int, ...]
    shift_m: float
    complete: bool

    def do(self, world: World, number: int) -> None:
        getattr(self, f"_{self.kind}")(world, number)

    def _contribute(self, world: World, items: Any, number: int, accuracy_m: float | None) -> None:
        world.bench.contribute(
            [items],
            self.provider,
            name=f"{self.kind}.bin",
            content=str(number),
            accuracy_m=accuracy_m,
            release_class=self.release_class,
            complete=Complete(dataset=True, remove_most=True) if self.complete else None,
        )

    def _signs(self, world: World, number: int) -> None:
        rows = {
            f"s{row}": (row * 30.0 + self.shift_m, 0.0, {"class": "sign", "subtype": f"{number % 3}"})
            for row in self.rows
        }
        self._contribute(world, signs(rows), number, 1.0)

    def _streets(self, world: World, number: int) -> None:
        rows = {
            f"s{row}": (
                [(row * 40, self.shift_m), (row * 40 + 20, self.shift_m)],
                {"name": f"n{number % 2}", "start_connector_id": "c0"},
            )
            for row in self.rows
        }
        self._contribute(world, line("segments", rows), number, 1.0)

    def _shelters(self, world: World, number: int) -> None:
        rows = {
            f"{self.provider}{row}": {"common_id": f"id{row}", "name": f"{self.provider} {number % 2}"}
            for row in self.rows
        }
        self._contribute(world, batch("shelters", rows), number, None)

    def _desk(self, world: World, number: int) -> None:
        """Say something of the shelters of this class that there are, and make one."""
        record, changes = world.bench.record, []
        identities = Identities(record.secret, known(), self.release_class)
        ids = identities.of_values("shelters", [f"id{row}" for row in self.rows])
        new = feature_id(record, "shelters", self.provider, f"new{self.rows}", self.release_class)
        there = world.bench.visible("shelters")
        with record.snapshot() as connection:
            own = own_claims(connection, self.provider, [("shelters", id_) for id_ in (*ids, new)])
        for feature in (*(id_ for id_ in ids if id_ in there), new):
            mine = [claim for claim in own if claim.feature == feature]
            ends = tuple(claim.version for claim in mine if claim.property == DESK)
            shape = shapely.to_wkb(shapely.Point(139, 35.1)) if feature == new else None
            saying = NewSaying(DESK, "desk:", shape, {"name": f"desk {number}"})
            seen = tuple(claim.version for claim in mine)
            changes.append(Change("shelters", feature, seen, ends, (saying,), self.release_class))
        write_edit(
            record, world.bench.counting, f"edit{number}", "several", Author(self.provider), changes
        )

    def _withdraw(self, world: World, number: int) -> None:
        bench = world.bench
        withdraw(
            bench.record,
            self.provider,
            clock=bench.counting,
            data_dir=bench.data,
            release_class=self.release_class,
        )


STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["signs", "signs", "streets", "shelters", "shelters", "desk", "withdraw"]),
        provider=st.sampled_from(["maker-a", "maker-b", "mapco"]),
        release_class=st.sampled_from(["open", "partners"]),
        rows=st.sets(st.integers(0, 3), min_size=1).map(lambda rows: tuple(sorted(rows))),
        shift_m=st.sampled_from([0.0, 0.4, 1.2, 8.0]),
        complete=st.booleans(),
    ),
    min_size=2,
    max_size=7,
)


def ask(step: Step, world: World, number: int) -> None:
    """Do a step at a time of its own, whatever has been done before."""
    world.bench.counting.now = 1_700_000_000_000_000 + number * 1_000_000_000
    step.do(world, number)


@pytest.fixture
def born(tmp_path: Path) -> Path:
    """A record with nothing in it, so that others have its secret."""
    folder = tmp_path / "born"
    folder.mkdir()
    open_record(folder / "record.db").close()
    return folder


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_reader_of_the_open_class_sees_what_would_be_there_without_the_others(
    born: Path, tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Step]
) -> None:
    folder = tmp_path_factory.mktemp("worlds")
    worlds = []
    for name in ("plain", "full", "closed"):
        shutil.copytree(born, folder / name)
        worlds.append(World(folder / name))
    plain, full, closed = worlds
    for number, step in enumerate(steps):
        for world in worlds:
            if world is full or (step.release_class == "open") == (world is plain):
                ask(step, world, number)
            world.publish()
    for name in COLLECTIONS:
        assert full.told(OPEN, name) == plain.told(OPEN, name)
        assert full.told(CLOSED, name)[:5] == closed.told(CLOSED, name)[:5]
        open_rows, closed_rows, both = (
            features(full.view(policy, name)) for policy in (OPEN, CLOSED, BOTH)
        )
        assert not open_rows.keys() & closed_rows.keys()
        assert both.keys() == open_rows.keys() | closed_rows.keys()
        if name != "segments":  # whose references lead on where more is shown
            assert both == open_rows | closed_rows
    for world in worlds:
        world.bench.record.close()


@pytest.fixture
def world(born: Path) -> World:
    return World(born)


def contribute(world: World, content: str, release_class: str, **options: Any) -> None:
    rows = {"a": {"name": content, "common_id": "F1"}}
    options = {"release_class": release_class, "content": content, **options}
    world.bench.contribute([batch("shelters", rows)], "city", **options)
    world.publish()


def test_packs_have_a_column_of_classes_only_where_something_is_not_open(world: World) -> None:
    contribute(world, "for all", "open")
    published = world.packs.source("shelters")
    assert published is not None
    assert RELEASE not in published.pack.kinds
    contribute(world, "for partners", "partners")
    published = world.packs.source("shelters")
    assert published is not None
    assert RELEASE in published.pack.kinds
    for policy in (OPEN, BOTH):
        view = world.view(policy, "shelters")
        assert not view.has_column(RELEASE)
        assert RELEASE not in view.schema()["properties"]
        assert RELEASE not in view.materialise(view.scan()).column_names
    told = [
        sorted(row["name"] for row in features(world.view(policy, "shelters")).values())
        for policy in (OPEN, CLOSED, BOTH)
    ]
    assert told == [["for all"], ["for partners"], ["for all", "for partners"]]


def test_parts_that_are_cut_along_the_curve_keep_classes(world: World) -> None:
    rows = {f"r{number}": {"name": f"open {number}"} for number in range(40)}
    world.bench.contribute([batch("shelters", rows)], "city", content="1")
    world.bench.contribute([batch("shelters", rows)], "city", content="2", release_class="partners")
    Publisher(world.bench.record, world.packs.folder, part_rows=16).publish()
    build_views([OPEN, CLOSED, BOTH], world.packs, world.views_dir)
    published = world.packs.source("shelters")
    assert published is not None
    assert len(published.pack.parts) > 3
    counts = [world.view(policy, "shelters").count for policy in (OPEN, CLOSED, BOTH)]
    assert counts == [40, 40, 80]


def test_what_one_class_takes_back_stays_under_the_other(world: World) -> None:
    contribute(world, "for all", "open")
    contribute(world, "for partners", "partners")
    everything = Complete(dataset=True, remove_most=True)
    other = {"b": {"name": "another", "common_id": "F2"}}
    world.bench.contribute(
        [batch("shelters", other)], "city", content="3", release_class="partners", complete=everything
    )
    world.publish()
    assert [row["name"] for row in features(world.view(OPEN, "shelters")).values()] == ["for all"]
    assert [row["name"] for row in features(world.view(CLOSED, "shelters")).values()] == ["another"]


def test_areas_that_are_named_by_code_are_those_of_the_open_class(world: World) -> None:
    def send(box: shapely.Geometry, release_class: str) -> None:
        table = pa.table({"code": ["13101"], "name": ["x"]})
        areas = FeatureBatch("admin_areas", ["a"], np.array([box], object), table)
        world.bench.contribute([areas], "city", content=box.wkt, release_class=release_class)
        Publisher(world.bench.record, world.packs.folder).publish()

    send(shapely.box(139, 35, 140, 36), "partners")
    with pytest.raises(BadRequest):
        coded_area(world.packs, "13101")
    send(shapely.box(138, 34, 139, 35), "open")
    assert coded_area(world.packs, "13101").equals(shapely.box(138, 34, 139, 35))


def test_a_layer_of_no_schema_of_ours_is_refused_whole_under_a_class(world: World) -> None:
    with pytest.raises(BadData, match="open release class"):
        world.bench.contribute([batch("own_layer", {"a": {"x": 1}})], release_class="partners")
    assert world.bench.visible("own_layer") == {}


def test_what_is_told_of_claims_of_a_class_stays_hidden_whoever_has_it_told_anew(world: World) -> None:
    apart = parse('[default]\nkind = ["subtype"]')
    for provider, east_m in (("maker-a", 0.0), ("maker-b", 0.3)):
        world.bench.contribute(
            [signs({"s": (east_m, 0.0, {"class": "sign", "subtype": provider})})],
            provider,
            content=provider,
            accuracy_m=1.0,
            release_class="partners",
            foundation=apart,
        )
    world.publish()
    assert counts(world, CLOSED) == (2, 0)
    near = signs({"m": (8.0, 0.0, {"class": "sign"})})  # what lies around is decided anew, as one now
    world.bench.contribute([near], "mapco", content="m", accuracy_m=1.0)
    world.publish()
    assert (counts(world, CLOSED), counts(world, OPEN)) == ((1, 1), (1, 0))


def counts(world: World, policy: Policy) -> tuple[int, int]:
    """Signs that are shown, and those of which is told whose claims they rest on."""
    return world.view(policy, "roadside_features").count, world.view(policy, "claims").count
