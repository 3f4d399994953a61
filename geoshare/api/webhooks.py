"""Addresses of the caller's own that are told when what the key sees has changed."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from geoshare.api import reply
from geoshare.api.bodies import validated
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes, from_validation
from geoshare.errors import BadRequest

blueprint = Blueprint("webhooks", __name__)

MAX_BODY = 20_000
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class WebhookBody(BaseModel):
    """A webhook to make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    if (request.content_length or 0) > MAX_BODY:
        raise BadRequest("The request body is too large", parameter="body", allowed=f"{MAX_BODY} bytes")
    try:
        body = validated(WebhookBody, request.get_data(cache=False))
    except ValidationError as error:
        raise from_validation(error, WebhookBody) from error
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
