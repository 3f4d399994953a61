"""Logging in and out, and one's own sessions.

An invite is used up by a POST of an own page alone. Its link carries it behind the ``#``, which
browsers send nowhere: no preview of the link uses it, no log of addresses has it, and no other site is
told of it.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from pydantic import Field

from geoshare.api import cookies, reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes

blueprint = Blueprint("login", __name__)

ATTEMPTS_PER_MINUTE: Final = 30  # of one address
JSON: Final = "application/json"


class LoginBody(Body):
    """An invite, to be looked at or used up."""

    invite: str = Field(max_length=200, description="The invite, as it stands in its link behind #")
    look: bool = Field(False, description="Only say whom it is for; it stays as it is")


@blueprint.post("/login/invite")
@describes(
    "Log in with an invite, from a page of this server",
    answers={200: (JSON, "Who is logged in; the browser keeps the session as a cookie")},
    body=LoginBody,
    tags=("people",),
)
def accept(params: NoParams) -> Response:
    """It works once. A session that the browser had before ends."""
    found, environ = services(), request.environ
    cookies.check_own_page(found, environ)
    limit_attempts(environ.get("REMOTE_ADDR", ""))
    body = read_body(LoginBody)
    if body.look:
        return fresh(reply.json(found.people.whose(body.invite)))
    text, person = found.people.accept(body.invite)
    return let_in(reply.json({"person": person.id, "name": person.name}), text)


@blueprint.post("/logout")
@describes("Log out", answers={204: ("", "Logged out")}, tags=("people",))
def logout(params: NoParams) -> Response:
    """The session ends, not only its cookie."""
    who = caller()
    services().people.end_session(who, who.session)
    response = reply.finish(Response(status=204), cache="no-store")
    is_secure = cookies.secure(services(), request.environ)
    cookies.drop(response, cookies.session_name(is_secure), is_secure=is_secure)
    return response


@blueprint.get("/me/sessions")
@describes("Where you are logged in", tags=("people",))
def sessions(params: NoParams) -> Response:
    """Your own sessions that are not over, newest first."""
    return fresh(reply.json({"sessions": services().people.sessions(caller())}))


@blueprint.delete("/me/sessions/<session>")
@describes("Log out elsewhere", answers={204: ("", "Ended")}, tags=("people",))
def end(params: NoParams, session: str) -> Response:
    """Every worker refuses it within a second."""
    services().people.end_session(caller(), session)
    return reply.finish(Response(status=204), cache="no-store")


def let_in(response: Response, text: str) -> Response:
    """Give the browser a session; the one it had ends, so that nobody's earlier one is taken over."""
    found, environ = services(), request.environ
    before = cookies.session(found, environ)
    if before is not None:
        found.people.end_by_text(before)
    is_secure = cookies.secure(found, environ)
    name = cookies.session_name(is_secure)
    seconds = found.sessions.life.whole_us // 1_000_000
    cookies.keep(found, response, name, text, seconds=seconds, is_secure=is_secure)
    return fresh(response)


def limit_attempts(address: str) -> None:
    """Count an attempt to log in; TooMany above the rate of an address."""
    services().quotas.attempt("login", address, ATTEMPTS_PER_MINUTE)


def fresh(response: Response) -> Response:
    """What is said about people is kept by nobody on the way."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response
