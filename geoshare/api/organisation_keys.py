"""Keys of an organisation for its administrators: made, replaced and revoked in a browser."""

from __future__ import annotations

from typing import Annotated, Final

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.links import LinkBody, address
from geoshare.api.login import fresh
from geoshare.services.organisation_keys import OrganisationKeys

blueprint = Blueprint("organisation_keys", __name__, url_prefix="/me/organisation/keys")

HOUR_US: Final = 3_600_000_000
MADE = {201: ("application/json", "Made; the text is shown this once")}
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class NewKeyBody(Body):
    """A key to make."""

    label: str = Field("", max_length=200, description="What it is for, up to 200 letters")
    tiers: tuple[Name, ...] = Field((), max_length=100, description="Some of your tiers; empty: all")
    days: int = Field(90, ge=1, le=1_098, description="Days until it ends, 1 to 1098")


class RotateBody(Body):
    """How a secret is replaced."""

    overlap_hours: int = Field(
        168, ge=0, le=2_160, description="Hours for which the old secret stays valid, 0 to 2160"
    )
    days: int | None = Field(
        None, ge=1, le=1_098, description="Days until the key ends; left out: as it was"
    )


@blueprint.get("")
@describes("Keys of your organisation, for its administrators", tags=("people",))
def keys(params: NoParams) -> Response:
    """Without secrets, with their end and last use."""
    return fresh(reply.json({"keys": _keys().listed()}))


@blueprint.post("")
@describes("Make a key of your organisation", answers=MADE, body=NewKeyBody, tags=("people",))
def make(params: NoParams) -> Response:
    """It reads what the organisation holds, or the tiers it is for."""
    body = read_body(NewKeyBody)
    number, text = _keys().create(body.tiers, label=body.label, days=body.days)
    return fresh(reply.json({"id": number, "key": text}, status=201))


@blueprint.post("/<key>/rotate")
@describes("Give a key another secret", answers=MADE, body=RotateBody, tags=("people",))
def rotate(params: NoParams, key: str) -> Response:
    """The old one stays valid for a while, so that nothing stops."""
    body = read_body(RotateBody)
    text = _keys().rotate(key, overlap_us=body.overlap_hours * HOUR_US, days=body.days)
    return fresh(reply.json({"id": key, "key": text}, status=201))


@blueprint.delete("/<key>")
@describes("Revoke a key of your organisation", answers={204: ("", "Revoked")}, tags=("people",))
def revoke(params: NoParams, key: str) -> Response:
    """Every worker refuses it within a second, and those it has made."""
    _keys().revoke(key)
    return reply.finish(Response(status=204), cache="no-store")


@blueprint.post("/<key>/links")
@describes("Make a link in the name of a key", answers=MADE, body=LinkBody, tags=("people",))
def link(params: NoParams, key: str) -> Response:
    """It GETs this path with this query, as far as the key may then; it ends with the key."""
    body = read_body(LinkBody)
    return fresh(reply.json(_keys().link(key, address(body), body.seconds), status=201))


def _keys() -> OrganisationKeys:
    return OrganisationKeys(services(), caller())
