"""Signed links: taken out of the query before anything reads it, made on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import Field
from werkzeug.exceptions import HTTPException

from geoshare.access.credentials.links import MAX_S, example, take
from geoshare.api import reply
from geoshare.api.admit import LINKS, Environ
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.errors import BadRequest
from geoshare.services.links import make_link

blueprint = Blueprint("links", __name__)

CLOSED = (  # to links, whoever makes them: for operators, for people, and of what a key gives away
    *("/admin/", "/audit/checkpoint", "/audit/tile/", "/desk/", "/warnings/"),
    *("/me/departments", "/me/keys", "/me/organisation/", "/me/persons", "/me/sessions"),
)
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


class LinkBody(Body):
    """A link to make."""

    path: str = Field(
        max_length=1_000,
        pattern=r"^/[^#\s\\]*$",
        description="Path and query, e.g. /tiles/lanes/{z}/{x}/{y}.mvt; {name} is any one part",
    )
    seconds: int = Field(3_600, ge=1, le=MAX_S, description=f"How long, 1 to {MAX_S}; rounded up")


def address(body: LinkBody) -> str:
    """The address that a link is for. Raises BadRequest for one that no link ever opens."""
    path, _, query = body.path.partition("?")
    if "sig=" in query:
        raise BadRequest("The path has a link in it", parameter="path", allowed="a path without sig")
    asked = example(path)
    if asked.startswith(CLOSED) or {".", ".."} & {*asked.split("/")} or not _is_read(asked):
        raise BadRequest(
            "No link opens this path",
            message_ja="このパスはリンクで開けません",
            parameter="path",
            allowed="a path of /openapi.json that is read by GET with a key; {name} is any one part",
        )
    return base_url() + body.path


def _is_read(path: str) -> bool:
    """Whether anything of this server answers a GET of the path."""
    if "{" in path or "}" in path:
        return False  # no hole: its name has other marks than letters
    try:
        current_app.url_map.bind("localhost").match(path, method="GET")
    except HTTPException:
        return False
    return True


@blueprint.post("/me/links")
@describes(
    "Make a link that needs no key",
    answers={201: ("application/json", "The link and its end")},
    body=LinkBody,
    tags=("start",),
)
def make(params: NoParams) -> Response:
    """It GETs this path with this query, as far as your key may then; it ends with your key."""
    body = read_body(LinkBody)
    made = make_link(services(), caller(), address(body), body.seconds)
    response = reply.json(made, status=201)
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response
