"""Signed links: taken out of the query before anything reads it, made on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geoshare.access.credentials.links import MAX_S, take
from geoshare.api import reply
from geoshare.api.admit import LINKS, Environ
from geoshare.api.bodies import validated
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes, from_validation
from geoshare.errors import BadRequest
from geoshare.services.links import make_link

blueprint = Blueprint("links", __name__)

MAX_BODY = 20_000
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Signed:
    """WSGI in front of everything: a link's mark is not a parameter, and no log of queries has it."""

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Move the link out of the query."""
        query = environ.get("QUERY_STRING", "")
        if "sig=" in query:
            found, rest = take(query)
            if found:
                environ[LINKS], environ["QUERY_STRING"] = found, rest
                for name in ("REQUEST_URI", "RAW_URI"):
                    environ.pop(name, None)
        return self._app(environ, start_response)


class LinkBody(BaseModel):
    """A link to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        max_length=1_000,
        pattern=r"^/[^#\s\\]*$",
        description="Path and query, e.g. /tiles/lanes/{z}/{x}/{y}.mvt; {name} is any one part",
    )
    seconds: int = Field(3_600, ge=1, le=MAX_S, description=f"How long, 1 to {MAX_S}; rounded up")


@blueprint.post("/me/links")
@describes(
    "Make a link that needs no key",
    answers={201: ("application/json", "The link and its end")},
    body=LinkBody,
    tags=("start",),
)
def make(params: NoParams) -> Response:
    """It GETs this path with this query, as far as your key may then; it ends with your key."""
    body = _body()
    if "sig=" in body.path:
        raise BadRequest("The path has a link in it", parameter="path", allowed="a path without sig")
    made = make_link(services(), caller(), base_url() + body.path, body.seconds)
    response = reply.json(made, status=201)
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response


def _body() -> LinkBody:
    if (request.content_length or 0) > MAX_BODY:
        raise BadRequest("The request body is too large", parameter="body", allowed=f"{MAX_BODY} bytes")
    try:
        return validated(LinkBody, request.get_data(cache=False))
    except ValidationError as error:
        raise from_validation(error, LinkBody) from error
