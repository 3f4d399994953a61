"""Why a feature is as it is, as far as the caller may know."""

from __future__ import annotations

from flask import Blueprint, Response

from geoshare.api import reply
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.services.why import explain

blueprint = Blueprint("explain", __name__)


@blueprint.get("/collections/<collection>/items/<feature_id>/explain")
@describes(
    "Which claim won, and why",
    answers={200: ("application/json", "The claims on a feature, and what was taken from which")},
    tags=("features",),
)
def explaining(params: NoParams, collection: str, feature_id: str) -> Response:
    """For the geometry and each visible property, in English and Japanese."""
    return reply.json(explain(services(), caller(), collection, feature_id))
