"""What the caller holds, and search by name over what it sees."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, Response, request

from geoshare.api import reply
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.params import SearchParams
from geoshare.errors import Unavailable
from geoshare.query.search import search_names
from geoshare.services.explaining import describe_caller, emergencies

blueprint = Blueprint("me", __name__)


@blueprint.get("/me")
@describes("What you hold", tags=("start",))
def me(params: NoParams) -> Response:
    """Organisation, tiers, collections and what may be done with them."""
    who = caller()
    told = describe_caller(services(), who, request.environ.get("REMOTE_ADDR", ""))
    if who.session:
        told["csrf_token"] = services().sessions.token(who.session)
    return reply.json(told)


@blueprint.get("/emergency")
@describes("Emergencies that are on, for everybody to see", tags=("start",))
def emergency(params: NoParams) -> Response:
    """Where, why and until when; ``/me`` says whether you hold more for it."""
    return reply.json({"emergencies": emergencies(services())})


@blueprint.get("/offers")
@describes("What is offered, and under which terms", tags=("start",))
def offers(params: NoParams) -> Response:
    """Offers that stand."""
    return reply.json({"offers": services().agreements.offers()})


@blueprint.get("/search")
@describes("Places and named features you can see", params=SearchParams, tags=("features",))
def search(params: SearchParams) -> Response:
    """Whole names first, then beginnings, then parts."""
    found = services()
    readable = found.policy(caller(), "read")
    views = []
    for about in found.visible(caller()).values():
        if about.kind == "vector" and about.label and readable.may("read", about.name):
            with suppress(Unavailable):  # one that cannot be opened does not keep back the others
                views.append(found.view(caller(), about.name))
    return reply.json({"results": search_names(views, params.q, params.limit)})
