"""Keys exchanged for access tokens (OAuth 2 client credentials)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from geoshare.access.audit import Party
from geoshare.access.credentials.keys import join, split
from geoshare.errors import Unauthenticated
from geoshare.services.auditing import party_of
from geoshare.settings import Settings

if TYPE_CHECKING:
    from geoshare.services import Services

PER_ADDRESS: Final = 60  # attempts a minute
PER_CLIENT: Final = 60  # tokens a minute
MAX_SCOPE: Final = 100


class BadScope(Exception):
    """Something in a scope is not the caller's, or does not exist: the two are the same."""


def issuer_of(settings: Settings) -> str:
    """The address by which this server is known as the one that issues tokens."""
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def exchange(
    services: Services, address: str, client: tuple[str, str], scope: str | None
) -> dict[str, Any]:
    """Give a token for a key's id and secret.

    ``scope`` names collections with blanks between them; without it the token is for all that the key
    is for.

    Raises
    ------
    TooMany
        above the rate of an address, or of a key.
    Unauthenticated
        the same for an id that is unknown and a secret that is wrong.
    BadScope
        for a collection that the key may not know, or that is none.
    """
    services.quotas.attempt("token", address, PER_ADDRESS)
    who = services.authenticator.authenticate(_key(*client))
    services.quotas.attempt("token-of", who.key_id, PER_CLIENT)
    names = None if scope is None else tuple(dict.fromkeys(scope.split(" ")))
    if names is not None and not (len(names) <= MAX_SCOPE and set(names) <= set(services.visible(who))):
        raise BadScope
    issued = services.tokens.issue(who, names)
    about = Party(organisation=who.organisation, credential=who.key_id, subject=issued.id)
    said = {"expires_s": issued.expires_s, "scoped": names is not None}
    services.trail.append("token.issue", party_of(who), about, said)
    found = {"access_token": issued.text, "token_type": "Bearer", "expires_in": issued.expires_s}
    return found if names is None else found | {"scope": " ".join(names)}


def _key(client: str, secret: str) -> str:
    """The key of an id and a secret; the secret may be the whole key, as it was shown."""
    parts = split(secret)
    if parts is not None:
        if parts[0] != client:
            raise Unauthenticated("The credential is not valid.")
        return secret
    return join(client, secret)
