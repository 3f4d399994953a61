"""Shared maps as their makers handle them: made, listed and revoked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import AwareDatetime, Field, StringConstraints

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.login import fresh
from geoshare.model.box import Box
from geoshare.services.shares import LAYERS, MAX_HOURS, MAX_NOTE, MAX_TITLE, Wanted

blueprint = Blueprint("shares", __name__)

MADE = {201: ("application/json", "The share and its address")}
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ShareBody(Body):
    """A map to share."""

    title: str = Field(
        min_length=1, max_length=MAX_TITLE, description=f"One line, 1 to {MAX_TITLE} letters"
    )
    note: str = Field("", max_length=MAX_NOTE, description=f"One line, up to {MAX_NOTE} letters")
    language: Literal["ja", "ja-easy", "en"] = Field(
        "ja", description="Language that the page opens in: ja, ja-easy or en"
    )
    layers: tuple[Name, ...] = Field(
        min_length=1, max_length=len(LAYERS), description="Some of " + ", ".join(LAYERS)
    )
    bbox: tuple[Degrees, Degrees, Degrees, Degrees] = Field(
        description="The part of the map: west, south, east, north in degrees"
    )
    drills: bool = Field(
        False, description="Whether drills and tests (訓練, 試験) are shown, too; left out: not"
    )
    hours: int | None = Field(
        None, ge=1, le=MAX_HOURS, description=f"Hours until it ends, 1 to {MAX_HOURS}; or until"
    )
    until: AwareDatetime | None = Field(
        None, description="When it ends, an RFC 3339 time with its offset; or hours"
    )


@blueprint.get("/me/shares")
@describes("Maps that your organisation shares", tags=("share",))
def shares(params: NoParams) -> Response:
    """With who made them and when, the newest first; and the layers that may be shared."""
    found, who = services().shares, caller()
    listed = [_addressed(share) for share in found.listed(who)]
    return fresh(reply.json({"shares": listed, "layers": found.layers(who)}))


@blueprint.post("/me/shares")
@describes("Share a map with anybody who has the link", answers=MADE, body=ShareBody, tags=("share",))
def make(params: NoParams) -> Response:
    """It opens without a login until it ends or is revoked, and shows what may be shown to anybody."""
    body = read_body(ShareBody)
    wanted = Wanted(
        body.title,
        body.note,
        body.language,
        body.layers,
        Box(*body.bbox),
        body.hours,
        body.until,
        body.drills,
    )
    return fresh(reply.json(_addressed(services().shares.make(caller(), wanted)), status=201))


@blueprint.delete("/me/shares/<share>")
@describes("Revoke a shared map", answers={204: ("", "Revoked")}, tags=("share",))
def revoke(params: NoParams, share: str) -> Response:
    """Within a second its link is that of a map that never was."""
    services().shares.revoke(caller(), share)
    return reply.finish(Response(status=204), cache="no-store")


def _addressed(share: dict[str, Any]) -> dict[str, Any]:
    return share | {"href": href("s", share["id"])}
