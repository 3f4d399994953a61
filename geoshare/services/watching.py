"""What has changed in several collections at once, for screens that look again and again.

A stream of events holds a thread, and five hundred screens cannot have one each. So they ask, a few
times a second, and mostly there is nothing to tell: that costs a look at each view. What there is to
tell is written once for all who see the same and ask from the same state. When more ask than a worker
answers with ease, it tells them to come less often; who edits comes as often as before.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare.access.credentials import Principal
from geoshare.access.credentials.principal import EDITOR
from geoshare.access.view import View
from geoshare.errors import BadRequest, Denied, GeoshareError, Gone, NotFound, Unavailable
from geoshare.query.feed import FeedPage, FeedQuery, holder
from geoshare.services.bodies import Bodies, Kept

if TYPE_CHECKING:
    from geoshare.services import Services

FEW: Final = 20  # changes that are told with their features
MANY: Final = 500  # beyond which they are not even listed
MOST: Final = 32  # collections at once
KEPT_BYTES: Final = 8_000_000
EDITOR_S: Final = 0.2  # between two questions of who edits
STEPS_S: Final = (0.3, 0.6, 1.0, 2.0, 4.0, 8.0, 15.0)  # of who does not
ASKS_PER_S: Final = 1_200  # that a worker answers with ease, in a fifth of a core
MEMORY_S: Final = 5.0


class Watching:
    """Tells who watches what has changed. Safe to use from several threads."""

    def __init__(self, services: Services, now_s: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._kept = Bodies(KEPT_BYTES)
        self.pace = Pace(now_s)

    def told(
        self, who: Principal, names: Sequence[str], since: Sequence[str], desk: str = ""
    ) -> tuple[bytes, tuple[str, ...]]:
        """What has changed in collections since a token of each; "" asks for the token of now.

        A collection in which nothing has changed is left out, like one that is hidden, does not exist,
        or is just being prepared.

        Parameters
        ----------
        desk
            The collection whose list the caller has open at the desk: features that are told of it
            come with what one edits them by (``"desk"``, by id). Ignored where the caller does not
            edit it, as if it did not exist.

        Returns
        -------
        JSON ``{"next_ms": ..., "collections": {...}}``, and the collections of which it says something
        that was not known before.

        Raises
        ------
        BadRequest
            for a token that is of something else.
        """
        known = dict(zip(names, since, strict=True))
        said = {name: text for name in known if (text := self._changed(who, name, known[name]))}
        if known.get(desk) and desk in said:
            said[desk] = self._with_versions(who, desk, said[desk])
        members = b",".join(orjson.dumps(name) + b":" + text for name, text in said.items())
        next_ms = round(1000 * self.pace.next_s(editor=self._edits(who)))
        body = b'{"next_ms":%d,"collections":{%s}}' % (next_ms, members)
        return body, tuple(name for name in said if known[name])

    def _with_versions(self, who: Principal, name: str, text: bytes) -> bytes:
        """Add what colleagues said of the features: the same for all who see and edit alike."""
        features = orjson.loads(text).get("features", {}).get("features", ())
        ids = tuple(str(feature["id"]) for feature in features)
        if not ids:
            return text
        try:
            self._services.live.rules.check_collection(who, name)
        except GeoshareError:
            return text
        head = self._services.record.head()  # read first: what is kept under it is no older
        seen, held = self._services.view(who, name), self._services.policy(who, "contribute")
        key = who.organisation, seen.policy_hash, held.hash, name, ids, head

        def written() -> Kept:
            return Kept("", "", orjson.dumps(self._services.live.standing(who, name, ids)))

        return text[:-1] + b',"desk":' + self._kept.get_or_make(key, written).payload + b"}"

    def _edits(self, who: Principal) -> bool:
        if who.anonymous or not who.may(EDITOR):
            return False
        return bool(self._services.policy(who, "contribute").grants)

    def _changed(self, who: Principal, name: str, since: str) -> bytes:
        """JSON of what has changed in one collection; nothing where nothing has."""
        try:
            view = self._services.view(who, name, "stream")
            key = view.policy_hash, name, view.token, since, holder(who)
            made = self._kept.get_or_make(key, lambda: Kept("", "", self._written(view, who, since)))
        except (NotFound, Denied, Unavailable):  # the others are told all the same
            return b""
        return made.payload

    def _written(self, view: View, who: Principal, since: str) -> bytes:
        feed = self._services.feed
        now = feed.token(view, holder(who))
        if not since:
            return orjson.dumps({"token": now})
        try:
            page = feed.page(view, FeedQuery(since, MANY), holder(who))
        except Gone:
            return orjson.dumps({"token": now, "gone": True})
        if page.token == since and not page.count:
            return b""
        return orjson.dumps({"token": page.token or now, **changes_told(page)})


class Pace:
    """How soon who has asked is to ask again, so that a worker has no more to answer than it can.

    Each answer adds the seconds that it gave; the sum over a stretch of time, divided by its length,
    is the number of those who ask (Little's law). Nothing else goes in: no data, whoever may see it.
    What others do shows in steps alone.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._sum_s = 0.0
        self._at_s = now_s()

    def next_s(self, *, editor: bool) -> float:
        """Seconds until the next question of who asks now."""
        with self._lock:
            now_s = self._now_s()
            self._sum_s *= math.exp((self._at_s - now_s) / MEMORY_S)
            self._at_s = now_s
            watching = self._sum_s / MEMORY_S
            enough = (step for step in STEPS_S if step * ASKS_PER_S >= watching)
            given_s = EDITOR_S if editor else next(enough, STEPS_S[-1])
            self._sum_s += given_s
        return given_s


def changes_told(page: FeedPage) -> dict[str, Any]:
    """What is said of changes: features where they are few, ids where they are not too many."""
    if page.token is None:
        return {"more": True}
    said: dict[str, Any] = {
        "created": page.created,
        "updated": page.updated,
        "deleted": page.deleted,
    }
    if page.extent is not None:
        said["bbox"] = list(page.extent)
    if page.count <= FEW:
        features = b'{"type":"FeatureCollection","features":[' + page.view.geojson(page.rows) + b"]}"
        said["features"] = orjson.Fragment(features)
    return said


def paired(names: Sequence[str], since: str | None) -> tuple[str, ...]:
    """A token for each of the names; "" for one that has none yet. Raises BadRequest."""
    if not 0 < len(names) <= MOST or len(set(names)) != len(names):
        raise BadRequest(
            "Too many or repeated collections",
            parameter="collections",
            allowed=f"1 to {MOST} different names",
        )
    tokens = tuple(since.split(",")) if since else ("",) * len(names)
    if len(tokens) != len(names):
        raise BadRequest(
            "There is not one token for each collection",
            parameter="since",
            allowed="tokens in the order of the collections, empty where there is none",
        )
    return tokens
