"""A copy that follows the changes of a view is the view, whatever happens; and learns nothing more."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.build import build_views
from geoshare.access.journal import Journals, State
from geoshare.access.memory import Memory
from geoshare.access.past import Past
from geoshare.access.view import View
from geoshare.errors import BadRequest, Gone
from geoshare.model.policy import Policy
from geoshare.query.cursors import Cursors
from geoshare.query.feed import Feed, FeedPage, FeedQuery, Tokens
from tests.access.town import Row, Town, policy

HOUR_US = 3_600_000_000
NOW_US = 1_790_000_000_000_000
NAME = "events"
AREA = json.loads(shapely.to_geojson(shapely.box(139.705, 35.605, 139.72, 35.62)))
COLUMNS = ["kind", "name", "valid_from"]
CLOSED = {"op": "=", "args": [{"property": "kind"}, "closure"]}
GRANTS: dict[str, list[dict[str, Any]]] = {
    "all": [{"columns": COLUMNS}],
    "closures": [{"columns": COLUMNS, "rows": CLOSED}],
    "fence": [{"columns": COLUMNS, "area": AREA}],
    "closures and fence": [{"columns": COLUMNS, "rows": CLOSED}, {"columns": COLUMNS, "area": AREA}],
    "late": [{"columns": COLUMNS, "delay": "PT3H"}],
    "names": [{"columns": ["name"]}],
    "coarse": [{"columns": COLUMNS, "precision_m": 300}],
}


def held(kind: str) -> Policy:
    found = policy(*({"collections": [NAME], **grant} for grant in GRANTS[kind]))
    return Policy(tuple(grant.bound("agreement 1") for grant in found.grants))


@dataclass
class World:
    """A town whose views somebody reads through feeds."""

    folder: Path
    kind: str = "all"
    tick_us: int = NOW_US

    def __post_init__(self) -> None:
        self.town = Town(self.folder)
        past = Past(self.town.views, Journals(self.town.views_dir))
        self.feed = Feed(past, Tokens(b"secret"), Cursors(b"secret"))

    def build(self, *kinds: str) -> None:
        build_views(
            [held(kind) for kind in kinds or (self.kind,)],
            self.town.packs,
            self.town.views_dir,
            memory=self.town.memory,
            tick_us=self.tick_us,
        )

    @property
    def view(self) -> View:
        found = self.town.views.get(held(self.kind), NAME)
        assert isinstance(found, View)
        return found

    def ask(self, since: str | None = None, limit: int = 100, cursor: str | None = None) -> FeedPage:
        return self.feed.page(self.view, FeedQuery(since, limit, cursor), "who")

    def start(self, rows: list[Row]) -> str:
        self.town.packs.publish(NAME, rows)
        self.build()
        token = self.ask().token
        assert token is not None
        return token


def features(content: bytes) -> dict[str, str]:
    """Texts of comma-joined GeoJSON features, by id."""
    text, at, found = content.decode(), 0, {}
    while at < len(text):
        said, end = json.JSONDecoder().raw_decode(text, at)
        found[said["id"]] = text[at:end]
        at = end + 1
    return found


def shown(view: View) -> dict[str, str]:
    return features(view.geojson(view.scan()))


@dataclass
class Client:
    """Copies once, then follows; a batch of pages is taken over when its last page has come."""

    world: World
    copy: dict[str, str] = field(default_factory=dict)
    token: str = ""
    staged: dict[str, str] | None = None
    cursor: str | None = None

    def begin(self) -> None:
        self.token = self.world.ask().token or ""
        self.copy = shown(self.world.view)

    def page(self, limit: int, seen: set[str]) -> bool:
        """Take one page; tells whether it was the last one."""
        staged = dict(self.copy) if self.staged is None else self.staged
        try:
            page = self.world.ask(self.token, limit, self.cursor)
        except BadRequest:  # the policy is another one, and the cursor is not of this request
            self.staged = self.cursor = None
            return False
        assert page.count <= limit
        assert set(page.deleted) <= seen
        for key in page.deleted:
            staged.pop(key, None)
        said = features(page.view.geojson(page.rows))
        assert set(said) == {*page.created, *page.updated}
        staged |= said
        if page.token is None:
            self.staged, self.cursor = staged, page.next_cursor
            return False
        self.copy, self.token, self.staged, self.cursor = staged, page.token, None, None
        return True


TIME = st.integers(-9, 8).map(
    lambda hours: datetime.fromtimestamp((NOW_US + hours * HOUR_US) / 1e6, UTC)
)
IDS = [f"e{number}" for number in range(7)]
PLACE = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
    lambda xy: (139.7 + xy[0] / 400, 35.6 + xy[1] / 400)
)
ROW = st.tuples(
    st.sampled_from(IDS),
    st.lists(PLACE, min_size=2, max_size=3, unique=True).map(shapely.LineString),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["closure", "flood"]),
            "name": st.sampled_from(["本通り", "x", None]),
            "valid_from": TIME,
            "reason": st.sampled_from(["p", "q"]),
        }
    ),
)
ROWS = st.lists(ROW, max_size=6, unique_by=lambda row: row[0])
ACTION = st.one_of(
    st.tuples(st.just("change"), ROWS, st.lists(st.sampled_from(IDS), unique=True, max_size=3)),
    st.tuples(st.just("change"), ROWS, st.lists(st.sampled_from(IDS), unique=True, max_size=3)),
    st.tuples(st.just("anew"), ROWS),
    st.tuples(st.just("policy"), st.sampled_from(sorted(GRANTS))),
    st.tuples(st.just("tick"), st.integers(1, 4)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("page"), st.integers(1, 3)),
    st.tuples(st.just("page"), st.integers(1, 3)),
)


@settings(max_examples=50, deadline=None)
@given(
    kind=st.sampled_from(sorted(GRANTS)),
    first=ROWS,
    actions=st.lists(ACTION, min_size=3, max_size=9),
    others=st.sampled_from([(), tuple(GRANTS)]),
)
def test_copy_plus_changes_is_items_always(tmp_path_factory, kind, first, actions, others):
    world = World(tmp_path_factory.mktemp("world"), kind)
    world.town.packs.publish(NAME, first)
    world.build(kind, *others)
    client, seen = Client(world), set(shown(world.view))
    client.begin()
    for action, *said in actions:
        if action == "page":
            client.page(said[0], seen)
            continue
        if action == "change":
            rows, gone = said
            world.town.packs.change(NAME, rows, [key for key in gone if key not in dict_of(rows)])
        elif action == "anew":
            world.town.packs.publish(NAME, said[0])
        elif action == "policy":
            world.kind = said[0]
        elif action == "tick":
            world.tick_us += said[0] * HOUR_US
        else:
            world.town.memory = Memory()
        world.build(world.kind, *others)
        seen |= set(shown(world.view))
    while not client.page(2, seen):
        pass
    if client.copy != shown(world.view):  # it began to read before the last change
        while not client.page(2, seen):
            pass
    assert client.copy == shown(world.view)
    last = world.ask(client.token)
    assert (last.count, last.token) == (0, client.token)


def dict_of(rows: list[Row]) -> dict[str, Any]:
    return {key: said for key, _, said in rows}


def event(number: int, kind: str = "closure", **said: Any) -> Row:
    place = shapely.Point(139.7 + number / 400, 35.6)
    return f"e{number}", place, {"kind": kind, "name": f"event {number}", **said}


def test_changes_are_told_as_created_updated_and_deleted(tmp_path):
    world = World(tmp_path)
    token = world.start([event(1), event(2), event(3)])
    world.town.packs.change(NAME, [event(2, "flood"), event(4)], ["e3"])
    world.build()
    page = world.ask(token)
    assert (page.created, page.updated, page.deleted) == (("e4",), ("e2",), ("e3",))
    assert features(page.view.geojson(page.rows)) == {
        key: text for key, text in shown(world.view).items() if key in ("e2", "e4")
    }
    assert world.ask(page.token).count == 0


def test_a_hidden_row_or_column_and_a_row_that_says_the_same_move_nothing(tmp_path):
    world = World(tmp_path, "closures")
    token = world.start([event(1), event(2, "flood"), event(3)])
    world.town.packs.change(NAME, [event(1, reason="x"), event(2, "flood", name="y"), event(3)], ["e9"])
    world.build()
    assert world.ask().token == token
    assert (world.ask(token).count, world.ask(token).token) == (0, token)


def test_what_leaves_and_enters_a_view_is_deleted_and_created(tmp_path):
    world = World(tmp_path, "closures")
    token = world.start([event(1), event(2, "flood")])
    world.town.packs.change(NAME, [event(1, "flood"), event(2)])
    world.build()
    page = world.ask(token)
    assert (page.created, page.updated, page.deleted) == (("e2",), (), ("e1",))
    assert b"e1" not in page.view.geojson(page.rows)


def test_a_copy_goes_on_under_another_policy_and_back(tmp_path):
    world = World(tmp_path)
    first = world.start([event(1), event(2, "flood"), event(3)])
    world.kind = "closures"
    world.build()
    page = world.ask(first)
    assert (page.created, page.updated, page.deleted) == ((), (), ("e2",))
    world.kind = "all"
    world.build()
    assert world.ask(page.token).created == ("e2",)
    assert world.ask(first).count == 0


def test_under_other_columns_every_feature_is_told(tmp_path):
    world = World(tmp_path)
    token = world.start([event(1), event(2, "flood")])
    world.kind = "names"
    world.build()
    assert world.ask(token).updated == ("e1", "e2")


def test_what_happens_under_a_former_policy_is_not_told(tmp_path):
    """Two worlds whose difference began after the client had left the policy that shows it."""
    answers = []
    for number, more in enumerate(([], [event(2, "flood", name="later"), event(8, "flood")])):
        world = World(tmp_path / str(number))
        token = world.start([event(1), event(2, "flood"), event(3)])
        world.kind = "closures"
        world.build("all", "closures")
        world.town.packs.change(NAME, [event(3, name="z"), *more], [])
        world.build("all", "closures")
        page = world.ask(token)
        said = page.created, page.updated, page.deleted, page.token
        answers.append((said, page.view.geojson(page.rows)))
    assert answers[0] == answers[1]
    assert answers[0][0][:3] == ((), ("e3",), ("e2",))


def test_a_token_of_another_policy_is_taken_from_its_holder_alone(tmp_path):
    world = World(tmp_path)
    token = world.start([event(1), event(2, "flood")])
    world.kind = "closures"
    world.build()
    with pytest.raises(Gone):
        world.feed.page(world.view, FeedQuery(token), "somebody else")


def test_a_token_is_worth_nothing_elsewhere_or_changed():
    tokens = Tokens(b"secret")
    state = State(7, "0123456789abcdef01234567")
    token = tokens.seal("events", state, "policy", "who")
    assert tokens.open("events", token).state == state
    assert tokens.seal("events", state, "policy", "who") == token
    other = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for collection, text in (("shelters", token), ("events", other), ("events", ""), ("events", "é!")):
        with pytest.raises(ValueError, match="this is"):
            tokens.open(collection, text)
    with pytest.raises(ValueError, match="this is"):
        Tokens(b"other").open("events", token)


def test_tokens_of_states_that_follow_have_nothing_in_common():
    tokens = Tokens(b"secret")
    one, other = (tokens.seal("events", State(n, "00" * 12), "p", "w") for n in (1, 2))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 12


def test_who_asks_for_too_long_ago_is_told_to_take_a_new_copy(tmp_path, monkeypatch):
    monkeypatch.setattr("geoshare.access.journal.MAX_ENTRIES", 16)
    world = World(tmp_path)
    first = world.start([event(0)])
    tokens = []
    for number in range(1, 30):
        world.town.packs.change(NAME, [event(number)])
        world.build()
        tokens.append(world.ask().token)
    with pytest.raises(Gone) as told:
        world.ask(first)
    assert told.value.parameter == "since"
    assert told.value.message_ja
    assert world.ask(tokens[-10]).count == 9


def test_a_change_of_too_many_rows_ends_what_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr("geoshare.access.difference.difference.__defaults__", (3,))
    world = World(tmp_path)
    token = world.start([event(0)])
    world.town.packs.change(NAME, [event(number) for number in range(1, 9)])
    world.build()
    with pytest.raises(Gone):
        world.ask(token)
    assert world.ask(world.ask().token).count == 0
