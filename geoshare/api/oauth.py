"""OAuth 2 client credentials: a key's id and secret for an access token (RFC 6749, 4.4)."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from geoshare.api import reply
from geoshare.api.context import services
from geoshare.api.describe import NoParams, describes
from geoshare.errors import TooMany, Unauthenticated
from geoshare.services.tokens import BadScope, exchange, issuer_of

blueprint = Blueprint("oauth", __name__)

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
TOKEN: Final = "/oauth/token"  # noqa: S105 - an address
GRANT: Final = "client_credentials"
MAX_BODY, MAX_FIELDS = 16_384, 20


class TokenBody(BaseModel):
    """A form; the client's id and secret may stand in ``Authorization: Basic`` instead."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    grant_type: str = Field(description=GRANT)
    client_id: str | None = Field(None, description="The id of your key")
    client_secret: str | None = Field(None, description="Your key, or the secret in it")
    scope: str | None = Field(None, description="Names of collections, blanks between")


class Refused(Exception):
    """An error of RFC 6749, 5.2."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.description, self.status = code, description, status


@blueprint.post(TOKEN)
@describes(
    "Exchange a key for an access token",
    answers={200: (JSON, "The token, for ten minutes"), 400: (JSON, "An error of RFC 6749, 5.2")},
    body=TokenBody,
    tags=("start",),
)
def token(params: NoParams) -> Response:
    """Send it as ``Authorization: Bearer``; it ends within a second with its key."""
    try:
        said = _form()
        found = exchange(
            services(), request.environ.get("REMOTE_ADDR", ""), _client(said), said.get("scope")
        )
    except Refused as error:
        return _error(error)
    except BadScope:
        return _error(Refused("invalid_scope", "A scope names collections that your key may read"))
    except Unauthenticated:
        return _error(Refused("invalid_client", "The id or the secret is not valid", 401))
    except TooMany as error:
        response = _error(Refused("temporarily_unavailable", error.message, 429))
        response.headers["Retry-After"] = str(error.retry_after_s)
        return response
    return _answer(found, 200)


@blueprint.get("/.well-known/oauth-authorization-server")
@describes("Where access tokens are to be had (RFC 8414)", tags=("start",), for_people=False)
def metadata(params: NoParams) -> Response:
    """Keys are not published: this server alone checks its tokens."""
    issuer = issuer_of(services().settings)
    return reply.json(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}{TOKEN}",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
        }
    )


def _form() -> dict[str, str]:
    """The form of a request, each field once."""
    if request.mimetype != FORM or (request.content_length or 0) > MAX_BODY:
        raise Refused("invalid_request", f"Send a form ({FORM}) of at most {MAX_BODY} bytes")
    try:
        text = request.get_data(cache=False).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "The form cannot be read") from None
    said = {name: value for name, value in pairs if value}
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused("invalid_request", "A field is given more than once")
    if "grant_type" not in said:
        raise Refused("invalid_request", f"grant_type is missing; it must be {GRANT}")
    if said["grant_type"] != GRANT:
        raise Refused("unsupported_grant_type", f"grant_type must be {GRANT}")
    return said


def _client(said: dict[str, str]) -> tuple[str, str]:
    """Id and secret of the client, in one way of two."""
    header = request.headers.get("Authorization")
    if header is None:
        if "client_id" in said and "client_secret" in said:
            return said["client_id"], said["client_secret"]
        raise Refused("invalid_client", "Send client_id and client_secret", 401)
    if "client_secret" in said or "X-API-Key" in request.headers:
        raise Refused("invalid_request", "Authenticate in one way alone")
    scheme, _, coded = header.partition(" ")
    try:
        client, mark, secret = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client, mark, secret = "", "", ""
    if scheme.lower() != "basic" or not mark:
        raise Refused("invalid_client", "Use Authorization: Basic", 401)
    client = unquote_plus(client)
    if said.get("client_id", client) != client:
        raise Refused("invalid_request", "client_id is not that of Authorization")
    return client, unquote_plus(secret)


def _error(error: Refused) -> Response:
    response = _answer({"error": error.code, "error_description": error.description}, error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="geoshare"'
    return response


def _answer(content: dict[str, Any], status: int) -> Response:
    response = Response(orjson.dumps(content), status, content_type=JSON)
    response.headers["Pragma"] = "no-cache"
    return reply.finish(response, cache="no-store")
