"""An evacuation area made of a warning: a proposal, and one confirmation."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import Field

from geoshare.api import reply
from geoshare.api.bodies import Body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.desk import MADE, TAGS, desk_body, sent
from geoshare.services.evacuation_proposals import Confirmed

blueprint = Blueprint("warnings", __name__)


class ConfirmBody(Body):
    """The proposal that was seen, and what is to be otherwise."""

    version: str = Field(max_length=100, description="The version of the proposal you have seen")
    level: int | None = Field(None, ge=3, le=5, description="3, 4 or 5; left out: as proposed")
    area_codes: tuple[str, ...] | None = Field(
        None, max_length=500, description="Codes of admin_areas; left out: as proposed"
    )
    notes: str | None = Field(None, max_length=2_000, description="Words; left out: as proposed")
    reason: str = Field("", max_length=500, description="Why, at most 500 letters")

    def confirmed(self) -> Confirmed:
        """As a value the service takes."""
        return Confirmed(self.version, self.level, self.area_codes, self.notes, self.reason)


@blueprint.get("/warnings/<warning>/evacuation-area")
@describes("The evacuation area that a warning suggests", tags=TAGS)
def propose(params: NoParams, warning: str) -> Response:
    """Nothing is made; drills, tests and what is over suggest none."""
    return reply.json(services().proposals.propose(caller(), warning))


@blueprint.post("/warnings/<warning>/evacuation-area")
@describes("Make the evacuation area", answers=MADE, body=ConfirmBody, tags=TAGS)
def confirm(params: NoParams, warning: str) -> Response:
    """One confirmation of the proposal that was seen; asked again, no second one is made."""
    said = desk_body(ConfirmBody).confirmed()
    return sent(services().proposals.confirm(caller(), warning, said), 201)
