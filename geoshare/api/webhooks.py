"""Addresses of the caller's own that are told when what the key sees has changed."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes

blueprint = Blueprint("webhooks", __name__)

Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class WebhookBody(Body):
    """A webhook to make."""

    url: str = Field(max_length=1_000, description="An https address, up to 1000 characters")
    collections: tuple[Name, ...] = Field(
        min_length=1, max_length=32, description="1 to 32 collections that you may read"
    )


@blueprint.get("/me/webhooks")
@describes("Your webhooks", tags=("start",))
def webhooks(params: NoParams) -> Response:
    """With how they stand; without their secrets."""
    return _fresh(reply.json({"webhooks": services().webhooks.listed(caller())}))


@blueprint.post("/me/webhooks")
@describes(
    "Make a webhook",
    answers={201: ("application/json", "The webhook; its secret is shown this once")},
    body=WebhookBody,
    tags=("start",),
)
def make_webhook(params: NoParams) -> Response:
    """It is told of every later change that the key sees, by collection and token."""
    body = read_body(WebhookBody)
    made, secret = services().webhooks.add(caller(), body.url, body.collections)
    return _fresh(reply.json(made | {"secret": secret}, status=201))


@blueprint.delete("/me/webhooks/<hook>")
@describes("Remove a webhook", answers={204: ("", "Removed")}, tags=("start",))
def remove_webhook(params: NoParams, hook: str) -> Response:
    """Nothing is sent to it any more."""
    services().webhooks.remove(caller(), hook)
    return reply.finish(Response(status=204), cache="no-store")


def _fresh(response: Response) -> Response:
    """Secrets and what is said about them are kept by nobody on the way."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response
