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
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson

from geoshare.access.credentials import Principal
from geoshare.access.facts import Facts, box_around
from geoshare.access.journal import State
from geoshare.access.past import Past, Touched
from geoshare.access.view import View
from geoshare.errors import BadRequest, Gone
from geoshare.model.box import Box
from geoshare.query.cursors import Cursors
from tiles.arrays import Rows

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
    """Which changes: those since a token (None: none, the token of now is asked for)."""

    since: str | None = None
    limit: int = 1_000
    cursor: str | None = None


@dataclass(frozen=True)
class FeedPage:
    """Changes in the order of their ids; features are as they are shown now.

    Either more is to come (``next_cursor``), or ``token`` is what to go on with.
    """

    view: View
    rows: Rows
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    next_cursor: str | None = None
    token: str | None = None

    @property
    def extent(self) -> Box | None:
        """Box in degrees around the features of the page; None where there are none."""
        boxes = [table.boxes[numbers] for table, numbers in self.rows.pairs if table.boxes is not None]
        return Facts(box=box_around(np.concatenate([np.zeros((0, 4), np.int32), *boxes]))).extent

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
            return FeedPage(view, view.lookup([]), token=self._sealed(view, until, holder))
        last = ""
        if query.cursor is not None:
            until, last = self._place(view, query)
        touched = self._touched(view, query.since, until, holder)
        ids = sorted(id_ for id_ in touched if id_ > last)
        more = len(ids) > query.limit
        ids = ids[: query.limit]
        rows = view.lookup(ids)
        here = set(view.materialise(rows, [], None).column("id").to_pylist())
        return FeedPage(
            view,
            rows,
            tuple(id_ for id_ in ids if id_ in here and not touched[id_]),
            tuple(id_ for id_ in ids if id_ in here and touched[id_]),
            tuple(id_ for id_ in ids if id_ not in here),
            self._following(view, query, until, ids[-1]) if more else None,
            None if more else self._sealed(view, until, holder),
        )

    def _touched(self, view: View, since: str, until: State, holder: str) -> Touched:
        try:
            said = self._tokens.open(view.collection.name, since)
        except ValueError as error:
            raise BadRequest(
                "The token is not of this collection",
                parameter="since",
                allowed="the token of an earlier answer",
                message_ja="このコレクションのトークンではありません",
            ) from error
        found = None
        if said.policy == self._tokens.mark(view.policy_hash):
            found = self._past.touched(view, said.state, until)
        elif hmac.compare_digest(said.holder, self._tokens.mark(holder)):
            held = self._past.policies()
            former = next((name for name in held if self._tokens.mark(name) == said.policy), None)
            found = None if former is None else self._past.across(former, view, said.state)
        if found is None:
            raise Gone(
                "What has changed since is not known any more: take a new copy",
                parameter="since",
                allowed=COPY_AGAIN,
                message_ja="変更履歴の保存期間を過ぎています。全件を取得し直してください",
            )
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


def _digest(view: View, query: FeedQuery) -> str:
    said = orjson.dumps(["changes", view.policy_hash, view.collection.name, query.since])
    return hashlib.blake2b(said, digest_size=8).hexdigest()
