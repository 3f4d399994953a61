"""What an entry says: canonical JSON in which people and organisations are salted commitments.

A commitment is HMAC-SHA256 of the name under 32 random bytes, its salt. Who has the salt can show
whose name it is; once the salt is destroyed nobody can tell, not even by trying all names, and the
entry, whose bytes have not changed, is still proved by the tree. Every entry has at least one
commitment, so nobody can guess an entry from its hash in another entry's proof.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Connection

from geoshare.errors import BadData
from geoshare.model.clock import Ids
from geoshare.store.audit_rows import AuditRows

FORMAT: Final = 1
SALT_BYTES: Final = 32
MAX_ENTRY_BYTES: Final = 60_000  # the length before an entry has 16 bits
_KIND: Final = re.compile(r"[a-z]+([.-][a-z]+)*")
Side = Literal["by", "about"]


@dataclass(frozen=True, slots=True)
class Party:
    """Who did something, or whom it concerns. Everything here is said as a commitment only."""

    organisation: str = ""
    person: str = ""
    credential: str = ""  # a key's id, or what acted by itself: "keeper", "command line"
    subject: str = ""  # id of the thing: a job, a contribution, a key

    def named(self) -> dict[str, str]:
        """Return what is stated."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name))}


NOBODY: Final = Party()


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens one commitment of one entry."""

    side: str
    what: str
    value: str
    salt: bytes

    def commitment(self) -> str:
        """Return what stands in the entry."""
        return commitment(self.side, self.what, self.value, self.salt)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An entry ready to be stored, with the salts that open it."""

    id: str
    leaf: bytes
    openings: tuple[Opening, ...]
    once: str | None = None


def prepare(
    kind: str,
    by: Party,
    about: Party = NOBODY,
    detail: Mapping[str, Any] | None = None,
    *,
    at_us: int,
    ids: Ids,
    once: str | None = None,
) -> Prepared:
    """Make an entry.

    Parameters
    ----------
    kind
        What was done, in words joined by full stops or hyphens: ``key.create``.
    by, about
        Who did it, and whom or what it concerns.
    detail
        What else is said, without any name of a person or an organisation: text, integers, booleans,
        and lists and tables of them.
    at_us
        When it was done, microseconds since 1970.
    once
        What there may be one entry of; a second one is not stored.

    Raises
    ------
    ValueError
        for what an entry cannot say.
    """
    parties: dict[str, Party] = {"by": by, "about": about}
    openings = tuple(
        Opening(side, what, value, secrets.token_bytes(SALT_BYTES))
        for side, party in parties.items()
        for what, value in party.named().items()
    )
    if not by.named():
        raise ValueError("an entry says who did it")
    if not _KIND.fullmatch(kind):
        raise ValueError(f"{kind!r} is no kind of entry")
    _check(detail or {})
    number = ids.new()
    said: dict[str, Any] = {"v": FORMAT, "id": number, "at_us": at_us, "kind": kind}
    for opening in openings:
        said.setdefault(opening.side, {})[opening.what] = opening.commitment()
    said["detail"] = dict(detail or {})
    leaf = canonical(said)
    if len(leaf) > MAX_ENTRY_BYTES:
        raise ValueError("the entry is too long")
    return Prepared(number, leaf, openings, once)


def store(rows: AuditRows, connection: Connection, entry: Prepared) -> int | None:
    """Add an entry in a transaction under way; its number, None where there is one of its ``once``."""
    openings = [(item.side, item.what, item.value, item.salt) for item in entry.openings]
    return rows.add(connection, entry.id, entry.leaf, openings, entry.once)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, of text, integers and booleans: one form of one value."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def commitment(side: str, what: str, value: str, salt: bytes) -> str:
    """HMAC-SHA256(salt, "side.what:value"), in hexadecimal."""
    return hmac.digest(salt, f"{side}.{what}:{value}".encode(), hashlib.sha256).hex()


def parse(leaf: bytes) -> dict[str, Any]:
    """Read an entry. Raises BadData where it is none, or not in its canonical form."""
    try:
        found = orjson.loads(leaf)
    except orjson.JSONDecodeError as error:
        raise BadData("An entry is no JSON") from error
    if not isinstance(found, dict) or canonical(found) != leaf:
        raise BadData("An entry is not in its canonical form")
    if found.get("v") != FORMAT or not {"id", "at_us", "kind", "by", "detail"} <= set(found):
        raise BadData("An entry lacks what every entry has")
    return found


def _check(value: Any) -> None:
    """Refuse what has more than one form in JSON."""
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("names in an entry are text")
        for item in value.values():
            _check(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item)
    elif not isinstance(value, (str, int)):
        raise ValueError(f"an entry says text, integers and booleans, not {type(value).__name__}")
