"""Logging in at an OpenID Connect issuer: what is sent there, and what of its answer counts.

Authorisation code with PKCE (RFC 7636), after OpenID Connect Core 1.0, 3.1. What binds a login under
way to the browser is a sealed cookie; what the issuer says is its ID token, of pinned algorithms alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from geoshare.access.credentials.authenticator import refuse
from geoshare.errors import Unauthenticated

ALGORITHMS: Final = ("RS256", "ES256")
FLOW_S: Final = 600  # a login at the issuer is done within ten minutes
LEEWAY_S: Final = 60
MAX_TOKEN: Final = 20_000
MAX_SUBJECT: Final = 255
_OWN_KEYS: Final = ("jwk", "jku", "x5u", "x5c")  # a token never says by which key it is checked


@dataclass(frozen=True, slots=True)
class Flow:
    """A login under way. ``connects`` is the person to whom the account will belong; empty: its own."""

    state: str
    nonce: str
    verifier: str
    until_s: int
    connects: str = ""


def new_flow(now_us: int, connects: str = "") -> Flow:
    """Begin a login."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Flow(state, nonce, verifier, now_us // 1_000_000 + FLOW_S, connects)


def sealed(flow: Flow, secret: bytes) -> str:
    """Return a login as the browser keeps it: nobody else can have written it."""
    said = base64.urlsafe_b64encode(orjson.dumps(asdict(flow))).decode()
    return f"{said}.{_seal(said, secret)}"


def unsealed(text: str, secret: bytes, now_us: int) -> Flow:
    """Return the login that a browser brings back. Raises Unauthenticated."""
    said, _, seal = text.partition(".")
    if not hmac.compare_digest(_seal(said, secret).encode(), seal.encode()):
        refuse()
    try:
        flow = Flow(**orjson.loads(base64.urlsafe_b64decode(said)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise Unauthenticated("The credential is not valid.") from error
    if now_us // 1_000_000 >= flow.until_s:
        refuse()
    return flow


def authorisation(flow: Flow, endpoint: str, client_id: str, redirect_uri: str) -> str:
    """Return where the browser is to go."""
    challenge = hashlib.sha256(flow.verifier.encode()).digest()
    said = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "openid",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(said)}"


def subject(token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now_us: int) -> str:
    """Return whom an ID token is about.

    Raises
    ------
    Unauthenticated
        for a token of another algorithm, key, issuer, audience, login or time, or that brings its key.
    """
    if len(token) > MAX_TOKEN:
        refuse()
    now_s = now_us // 1_000_000
    try:
        found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        registry = jwt.JWTClaimsRegistry(
            now=now_s,
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        registry.validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unauthenticated("The credential is not valid.") from error
    if any(name in found.header for name in _OWN_KEYS):
        refuse()
    _check_audience(found.claims, client_id)
    who = found.claims["sub"]
    if not isinstance(who, str) or not 0 < len(who) <= MAX_SUBJECT:
        refuse()
    return who


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    """A token for several is for us only where it was given to us (OpenID Connect Core, 3.1.3.7)."""
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    party = claims.get("azp")
    if party not in (None, client_id) or (several and party is None):
        refuse()


def _seal(said: str, secret: bytes) -> str:
    return hmac.digest(secret, f"login:{said}".encode(), hashlib.sha256).hex()
