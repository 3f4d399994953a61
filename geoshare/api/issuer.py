"""Logging in at the issuer of the settings, where there is one."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, redirect, request
from pydantic import Field

from geoshare.access.credentials.oidc import FLOW_S
from geoshare.api import cookies, reply
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.login import fresh, let_in, limit_attempts
from geoshare.errors import NotFound, Unauthenticated, Unavailable

blueprint = Blueprint("issuer", __name__)

CALLBACK: Final = "/login/callback"
BEGUN = {200: ("application/json", "Where the browser goes")}


class CallbackParams(Params):
    """What an issuer adds to the address that a browser comes back to."""

    code: str = Field("", max_length=4_000, description="What the issuer gives for an ID token")
    state: str = Field("", max_length=200, description="The login that this is the end of")
    iss: str = Field("", max_length=1_000, description="The issuer")
    scope: str = Field("", max_length=1_000, description="Not used")
    session_state: str = Field("", max_length=1_000, description="Not used")
    error: str = Field("", max_length=200, description="Why there is no code")
    error_description: str = Field("", max_length=1_000, description="Not used")
    error_uri: str = Field("", max_length=1_000, description="Not used")


@blueprint.post("/login/issuer")
@describes("Begin to log in at the issuer", answers=BEGUN, tags=("people",))
def begin(params: NoParams) -> Response:
    """From a page of this server; the browser keeps what binds the login to it."""
    cookies.check_own_page(services(), request.environ)
    limit_attempts(request.environ.get("REMOTE_ADDR", ""))
    return _begun(*services().issuer.begin(base_url() + CALLBACK))


@blueprint.post("/me/issuer")
@describes("Connect your account at the issuer to you", answers=BEGUN, tags=("people",))
def connect(params: NoParams) -> Response:
    """From then on you log in by it."""
    return _begun(*services().issuer.begin(base_url() + CALLBACK, caller()))


@blueprint.get(CALLBACK)
@describes(
    "Come back from the issuer",
    params=CallbackParams,
    answers={303: ("", "To the account, or to the login page")},
    tags=("people",),
)
def end(params: CallbackParams) -> Response:
    """A login that cannot be ended says nothing of why: not whether the account is known here."""
    found, environ = services(), request.environ
    if not found.issuer.configured:
        raise NotFound("No such resource")
    limit_attempts(environ.get("REMOTE_ADDR", ""))
    is_secure = cookies.secure(found, environ)
    kept = cookies.found(environ, cookies.flow_name(is_secure))
    response = _to("/login#failed")
    try:
        if kept is None or params.error or params.iss not in ("", found.settings.oidc_issuer):
            raise Unauthenticated("The credential is not valid.")
        text, _ = found.issuer.end(kept, params.state, params.code, base_url() + CALLBACK)
        response = let_in(_to("/account"), text)
    except (Unauthenticated, Unavailable):
        pass  # said on the page
    cookies.drop(response, cookies.flow_name(is_secure), is_secure=is_secure)
    return response


def _begun(href: str, kept: str) -> Response:
    response = fresh(reply.json({"href": href}))
    is_secure = cookies.secure(services(), request.environ)
    name = cookies.flow_name(is_secure)
    # Lax: the browser comes back from another site
    cookies.keep(services(), response, name, kept, seconds=FLOW_S, is_secure=is_secure, strict=False)
    return response


def _to(path: str) -> Response:
    response = redirect(path, 303)
    return reply.finish(response, cache="no-store")  # type: ignore[arg-type]
