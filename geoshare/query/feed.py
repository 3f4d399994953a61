"""What has changed in a view since a token: pages of features and tombstones, and the next token.

A token names a state of one view in a text that only this server can have made, and nobody but this
server can read: how often the view has changed, its content, under which policy it was, and for whom
the token was made. It moves only when what the view shows does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from geoshare.access.credentials import Principal
from geoshare.access.journal import State
from geoshare.access.past import Past, Touched, Within
from geoshare.access.view import View
from geoshare.errors import BadRequest, Gone, Unavailable
from geoshare.model.box import Box
from geoshare.query.cursors import Cursors
from geoshare.query.extents import extent_of
from geoshare.query.items import matching
from geoshare.query.select import in_box
from tiles.arrays import Rows
from tiles.grid import lon_lat_box_to_world

_SAID = struct.Struct(">I12s8s8s")
_SEAL_BYTES = 16
_MARK_BYTES = 8
_TOKEN_LETTERS = 24
COPY_AGAIN: Final = "take the token of now (without since), then all items, then go on with the token"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a token says: a state, and marks of the policy and of the holder."""

    state: State
    policy: bytes
    holder: bytes


class Tokens:
    """Seals states under a secret; safe to use from several threads.

    What is said is encrypted by its own keyed hash (the synthetic initialisation vector of RFC 5297,
    with BLAKE2b as the function): equal states give equal tokens, and nothing else can be told of them.
    The seal covers the collection, which is not in the text.
    """

    def __init__(self, secret: bytes) -> None:
        self._seal_key, self._stream_key, self._mark_key = (
            hashlib.blake2b(secret, digest_size=32, person=person).digest()
            for person in (b"change seal", b"change stream", b"change mark")
        )

    def seal(self, collection: str, state: State, policy_hash: str, holder: str) -> str:
        """The token of a state of a view, for one holder."""
        marks = self.mark(policy_hash), self.mark(holder)
        said = _SAID.pack(state.number, bytes.fromhex(state.token), *marks)
        seal = self._seal(collection, said)
        return base64.urlsafe_b64encode(seal + self._mixed(seal, said)).rstrip(b"=").decode()

    def open(self, collection: str, text: str) -> Opened:
        """Return what a token says; ValueError for a text that was not sealed for the collection."""
        try:
            content = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("this is no token") from error
        seal, said = content[:_SEAL_BYTES], content[_SEAL_BYTES:]
        if len(said) != _SAID.size:
            raise ValueError("this is no token")
        said = self._mixed(seal, said)
        if not hmac.compare_digest(seal, self._seal(collection, said)):
            raise ValueError("this is a token of something else")
        number, token, policy, holder = _SAID.unpack(said)
        return Opened(State(number, token.hex()), policy, holder)

    def mark(self, name: str) -> bytes:
        """A name as it stands in tokens."""
        return hashlib.blake2b(name.encode(), key=self._mark_key, digest_size=_MARK_BYTES).digest()

    def _seal(self, collection: str, said: bytes) -> bytes:
        text = collection.encode() + b"\0" + said
        return hashlib.blake2b(text, key=self._seal_key, digest_size=_SEAL_BYTES).digest()

    def _mixed(self, seal: bytes, said: bytes) -> bytes:
        stream = hashlib.blake2b(seal, key=self._stream_key, digest_size=_SAID.size).digest()
        return bytes(one ^ other for one, other in zip(said, stream, strict=True))


@dataclass(frozen=True, slots=True)
class FeedQuery:
    """Which changes: those since a token (None: none, the token of now is asked for).

    With a ``bbox`` those of features that lie in it: what has left it is deleted.
    """

    since: str | None = None
    limit: int = 1_000
    cursor: str | None = None
    bbox: Box | None = None


@dataclass(frozen=True)
class FeedPage:
    """Changes in the order of their ids; features are as they are shown now.

    Either more is to come (``next_cursor``), or ``token`` is what to go on with, and a copy that has
    all of the changes has ``matched`` features.
    """

    view: View
    rows: Rows
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    next_cursor: str | None = None
    token: str | None = None
    matched: int | None = None

    @property
    def extent(self) -> Box | None:
        """Box in degrees around the features of the page; None where there are none."""
        return extent_of(self.rows)

    @property
    def count(self) -> int:
        """How many changes there are on the page."""
        return len(self.created) + len(self.updated) + len(self.deleted)


def holder(who: Principal) -> str:
    """For whom tokens are made."""
    return f"{who.organisation}\0{who.key_id}"


class Feed:
    """Answers what has changed; safe to use from several threads."""

    def __init__(self, past: Past, tokens: Tokens, cursors: Cursors) -> None:
        self._past = past
        self._tokens = tokens
        self._cursors = cursors

    def token(self, view: View, holder: str) -> str:
        """The token of what a view shows now, for one holder."""
        return self._sealed(view, self._past.state(view), holder)

    def page(self, view: View, query: FeedQuery, holder: str) -> FeedPage:
        """Return one page of changes.

        Parameters
        ----------
        view
            What the caller sees now.
        query
            What is asked for.
        holder
            Who asks: a token of another policy is taken from those alone for whom it was made.

        Raises
        ------
        BadRequest
            naming the parameter, for a token or cursor that is none of this collection or request.
        Gone
            where what has changed since is not known any more.
        Unavailable
            where the view is just being replaced.
        """
        until = self._past.state(view)
        if query.since is None:
            token = self._sealed(view, until, holder)
            return FeedPage(view, view.lookup([]), token=token, matched=_count(view, query.bbox))
        last = ""
        if query.cursor is not None:
            until, last = self._place(view, query)
        since = self._opened(view, query.since)
        touched = self._touched(view, since, until, holder)
        ids = sorted(self._near(view, since.state, until, touched, query.bbox))
        ids = [id_ for id_ in ids if id_ > last]
        more = len(ids) > query.limit
        ids = ids[: query.limit]
        rows = _within(view.lookup(ids), query.bbox)
        here = set(_ids(view, rows))
        return FeedPage(
            view,
            rows,
            tuple(id_ for id_ in ids if id_ in here and not touched[id_]),
            tuple(id_ for id_ in ids if id_ in here and touched[id_]),
            tuple(id_ for id_ in ids if id_ not in here),
            self._following(view, query, until, ids[-1]) if more else None,
            None if more else self._sealed(view, until, holder),
            None if more else _count(view, query.bbox),
        )

    def page_then(self, then: View, bbox: Box | None, holder: str) -> FeedPage:
        """Return the page without changes that has the token of what a view showed at a time.

        Raises Gone where it is not known what has changed since.
        """
        try:
            return self.page(then, FeedQuery(bbox=bbox), holder)
        except Unavailable as error:
            raise _gone("as_of") from error

    def _near(
        self, view: View, since: State, until: State, touched: Touched, bbox: Box | None
    ) -> Collection[str]:
        """Those of the touched features that lie in a box or may have lain there."""
        if bbox is None or not touched:
            return touched
        was = self._past.was_within(view, since, until, _world(bbox))
        if was is None:
            return touched
        now = _ids(view, _within(view.lookup(sorted(touched)), bbox))
        return (was & touched.keys()).union(now)

    def _opened(self, view: View, since: str) -> Opened:
        try:
            return self._tokens.open(view.collection.name, since)
        except ValueError as error:
            raise BadRequest(
                "The token is not of this collection",
                parameter="since",
                allowed="the token of an earlier answer",
                message_ja="このコレクションのトークンではありません",
            ) from error

    def _touched(self, view: View, said: Opened, until: State, holder: str) -> Touched:
        found = None
        if said.policy == self._tokens.mark(view.policy_hash):
            found = self._past.touched(view, said.state, until)
        elif hmac.compare_digest(said.holder, self._tokens.mark(holder)):
            held = self._past.policies()
            former = next((name for name in held if self._tokens.mark(name) == said.policy), None)
            found = None if former is None else self._past.across(former, view, said.state)
        if found is None:
            raise _gone("since")
        return found

    def _sealed(self, view: View, state: State, holder: str) -> str:
        return self._tokens.seal(view.collection.name, state, view.policy_hash, holder)

    def _following(self, view: View, query: FeedQuery, until: State, last: str) -> str:
        return self._cursors.seal(_digest(view, query), until.number, until.token + last)

    def _place(self, view: View, query: FeedQuery) -> tuple[State, str]:
        """Up to which state the pages go, and the last id of the page before."""
        try:
            number, said = self._cursors.open(_digest(view, query), query.cursor or "")
        except ValueError as error:
            raise BadRequest(
                "The cursor is not of this request.",
                parameter="cursor",
                allowed="one taken from a next link",
            ) from error
        return State(number, said[:_TOKEN_LETTERS]), said[_TOKEN_LETTERS:]


def _gone(parameter: str) -> Gone:
    return Gone(
        "What has changed since is not known any more: take a new copy",
        parameter=parameter,
        allowed=COPY_AGAIN,
        message_ja="変更履歴の保存期間を過ぎています。全件を取得し直してください",
    )


def _digest(view: View, query: FeedQuery) -> str:
    box = None if query.bbox is None else list(query.bbox)
    said = orjson.dumps(["changes", view.policy_hash, view.collection.name, query.since, box])
    return hashlib.blake2b(said, digest_size=8).hexdigest()


def _count(view: View, bbox: Box | None) -> int:
    return view.count if bbox is None else len(matching(view, bbox, ordered=False))


def _within(rows: Rows, bbox: Box | None) -> Rows:
    """Those of the rows that ``items`` shows of a box."""
    if bbox is None:
        return rows
    chosen = tuple(in_box(table, numbers, bbox) for table, numbers in rows.pairs)
    return Rows(rows.tables, chosen)


def _ids(view: View, rows: Rows) -> list[str]:
    found: list[str] = view.materialise(rows, [], None).column("id").to_pylist()
    return found


def _world(bbox: Box) -> Within:
    """World boxes (k, 4) around a box: one unit wider, since places are rounded."""
    boxes = np.array(lon_lat_box_to_world(*bbox), np.int64).reshape(-1, 4)
    wider: Within = boxes + np.array([-1, -1, 1, 1])
    return wider
