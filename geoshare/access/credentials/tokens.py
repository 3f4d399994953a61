"""Access tokens: what a key is exchanged for, for ten minutes (RFC 9068, signed by HMAC-SHA256).

Workers verify what workers have signed, so there is no public key: nothing to publish, and nothing that
a token could be made to be checked with in its place. A token's header must be, letter by letter, the
one that this server writes for a signing key in use, so nothing in a header is ever read: no algorithm,
no address, no key. Signing keys are random, one a day, and forgotten when no token of theirs can be
valid.

A token names its key, and a mark of the key's secret: it ends with the key within a second, and with
the secret it was made under when the overlap of a rotation ends.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from geoshare.access.credentials.authenticator import Authenticator, refuse
from geoshare.access.credentials.principal import Principal
from geoshare.model.clock import Clock, Ids

ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
LIFE_S: Final = 600
DAY_S: Final = 86_400
MAX_KNOWN: Final = 4_096  # tokens whose signature need not be checked again
MAX_LENGTH: Final = 8_192  # letters of a token: a scope of many collections fits
NAME: Final = "access-tokens "  # of signing keys among the secrets, and the day
_FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CLAIMS: Final = {
    "iss": str,
    "aud": str,
    "sub": str,
    "client_id": str,
    "jti": str,
    "iat": int,
    "exp": int,
    "secret": str,
}


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was made: its text, its id, and how long it lasts."""

    text: str
    id: str
    expires_s: int


class AccessTokens:
    """Makes and checks access tokens.

    ``secret`` gives the random bytes of a name, made when first asked for; ``forget`` drops those whose
    names begin so, but for some.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        issuer: str,
        secret: Callable[[str], bytes],
        forget: Callable[[str, Collection[str]], None],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._authenticator = authenticator
        self._secret, self._forget = secret, forget
        self._clock, self._ids = clock, ids
        self.issuer = issuer
        self._day = -1
        self._keys: dict[str, OctKey] = {}  # by the header that names them
        self._signed: dict[str, dict[str, Any]] = {}  # claims of tokens whose signature is right
        self._lock = threading.Lock()

    def issue(self, who: Principal, scope: tuple[str, ...] | None) -> Issued:
        """Make a token of the caller's key, for some collections or all that it is for.

        Raises
        ------
        Unauthenticated
            where the key is not valid.
        """
        found = self._authenticator.valid_secrets(who.key_id)
        if found is None:
            refuse()
        now_s = self._clock.now_us() // 1_000_000
        header, key = list(self._current(now_s).items())[-1]
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": who.key_id,
            "client_id": who.key_id,
            "jti": self._ids.new(),
            "iat": now_s,
            "exp": now_s + LIFE_S,
            "secret": _bound(key, found[1][-1 if who.replaced else 0]),
        }
        if scope is not None:
            claims["scope"] = " ".join(scope)
        text = _encoded(claims, key)
        assert text.startswith(f"{header}.")
        return Issued(text, claims["jti"], LIFE_S)

    def open(self, text: str) -> Principal:
        """Return who a token speaks for.

        Raises
        ------
        Unauthenticated
            the same for a token that is malformed, altered, signed otherwise, over, for somebody else,
            or whose key has been revoked, has expired or has another secret.
        """
        now_s = self._clock.now_us() // 1_000_000
        match = _FORM.fullmatch(text) if len(text) <= MAX_LENGTH else None
        key = self._current(now_s).get(match[1]) if match is not None else None
        if key is None:
            refuse()
        claims = self._signed.get(text)
        if claims is None:
            try:
                claims = jwt.decode(text, key, algorithms=[ALGORITHM], decoder_cls=_Strict).claims
            except (JoseError, ValueError):
                refuse()
        if not self._right(claims, now_s):
            refuse()
        if len(self._signed) >= MAX_KNOWN:
            self._signed = {}
        self._signed[text] = claims
        found = self._authenticator.valid_secrets(claims["sub"])
        if found is None:
            refuse()
        given = claims["secret"].encode()
        if not any(hmac.compare_digest(_bound(key, mark).encode(), given) for mark in found[1]):
            refuse()
        scope = tuple(claims["scope"].split(" ")) if "scope" in claims else None
        who = replace(found[0], via="token", scope=scope)
        return who if scope is None else replace(who, role="consumer")

    def _right(self, claims: dict[str, Any], now_s: int) -> bool:
        """Whether claims are of the kind this server makes, about itself, and of now."""
        scope = claims.get("scope")
        known = {**_CLAIMS, "scope": str} if scope is not None else _CLAIMS
        if claims.keys() != known.keys():
            return False
        if any(type(claims[name]) is not kind for name, kind in known.items()):
            return False
        begun: int = claims["iat"]
        ends: int = claims["exp"]
        return bool(
            claims["iss"] == claims["aud"] == self.issuer
            and claims["client_id"] == claims["sub"]
            and begun <= now_s < ends <= begun + LIFE_S
        )

    def _current(self, now_s: int) -> dict[str, OctKey]:
        """Signing keys in use by the header that names them, today's last; Unavailable for none."""
        day = now_s // DAY_S
        if day == self._day:
            return self._keys
        with self._lock:
            names = [f"{NAME}{number}" for number in (day - 1, day)]
            found = {}
            for name in names:
                key = OctKey.import_key(self._secret(name), {"kid": name.removeprefix(NAME)})
                found[_encoded({}, key).partition(".")[0]] = key
            self._forget(NAME, names)
            self._keys, self._signed, self._day = found, {}, day
            return found


class _Strict(json.JSONDecoder):
    """Refuses members that are named twice: two readers could take different ones."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is named twice")
    return found


def _encoded(claims: dict[str, Any], key: OctKey) -> str:
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def _bound(key: OctKey, mark: bytes) -> str:
    """What ties a token to the secret it was made under, and tells nothing of it."""
    return hmac.digest(key.raw_value, mark, hashlib.sha256).hex()[:32]
