"""Keys that a key makes: a part of its data, a share of its rate, never longer than itself."""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from geoshare.access.credentials import Part
from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.model.policy import RATES, Rated
from geoshare.services.keys import Wanted

blueprint = Blueprint("keys", __name__)

JSON = "application/json"
DAY_S = 86_400
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class KeyBody(Body):
    """A key to make."""

    label: str = Field("", max_length=200, description="What it is for, up to 200 letters")
    tiers: tuple[Name, ...] = Field((), max_length=100, description="Some of your tiers; empty: all")
    collections: tuple[Name, ...] | None = Field(
        None, min_length=1, max_length=500, description="Some of your collections; left out: all"
    )
    requests_per_minute: int | None = Field(
        None, ge=1, le=1_000_000, description="Its own rate; it counts against yours as well"
    )
    cost_per_minute: int | None = Field(None, ge=1, le=1_000_000_000, description="In cost units")
    requests_per_month: int | None = Field(None, ge=1, le=10**12, description="Its own quota")
    cost_per_month: int | None = Field(None, ge=1, le=10**15, description="In cost units")
    days: int = Field(ge=1, le=1_098, description="Days until it ends, 1 to 1098; never after yours")


class RotateBody(Body):
    """How a key gets another secret."""

    overlap_seconds: int = Field(
        DAY_S, ge=0, le=90 * DAY_S, description=f"How long the old secret stays, 0 to {90 * DAY_S}"
    )


@blueprint.get("/me/keys")
@describes("Your key and those it has made", tags=("start",))
def keys(params: NoParams) -> Response:
    """Without secrets, with their end and last use."""
    return _fresh(reply.json({"keys": services().keys.shared(caller())}))


@blueprint.post("/me/keys")
@describes(
    "Make a key with a part of what you hold",
    answers={201: (JSON, "The key; its text is shown this once")},
    body=KeyBody,
    tags=("start",),
)
def make(params: NoParams) -> Response:
    """It ends with yours, and what it asks counts against both."""
    body = read_body(KeyBody)
    rates = Rated(**{name: getattr(body, name) for name in RATES})
    part = Part(body.tiers, body.collections, rates)
    made, text = services().keys.share(caller(), Wanted(part, body.label, body.days))
    return _fresh(reply.json(made | {"key": text}, status=201))


@blueprint.post("/me/keys/<key>/rotate")
@describes(
    "Give your key, or one it has made, another secret",
    answers={200: (JSON, "The key; its text is shown this once")},
    body=RotateBody,
    tags=("start",),
)
def rotate(params: NoParams, key: str) -> Response:
    """The one before is valid until the overlap ends; when the key ends stays as it was."""
    body = read_body(RotateBody)
    described, text = services().keys.rotate_own(caller(), key, body.overlap_seconds)
    return _fresh(reply.json(described | {"key": text}))


@blueprint.delete("/me/keys/<key>")
@describes("Revoke a key you have made", answers={204: ("", "Revoked")}, tags=("start",))
def revoke(params: NoParams, key: str) -> Response:
    """Every worker refuses it within a second."""
    services().keys.take_back(caller(), key)
    return reply.finish(Response(status=204), cache="no-store")


def _fresh(response: Response) -> Response:
    """Secrets and what is said about keys are kept by nobody on the way."""
    response.headers["Cache-Control"] = "no-store"
    response.headers.pop("ETag", None)
    return response
