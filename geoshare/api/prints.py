"""Maps on paper: what a print would be, and the job that makes it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from geoshare.api import reply
from geoshare.api.admit import charge
from geoshare.api.bodies import read_body
from geoshare.api.context import caller, href, services
from geoshare.api.costs import extract_asked
from geoshare.api.describe import NoParams, describes
from geoshare.api.extracts import PDF, download, job_of
from geoshare.extracts.maps.request import PrintRequest

blueprint = Blueprint("prints", __name__)

MAX_BODY = 500_000


@blueprint.post("/prints")
@describes(
    "A map on A4 or A3 sheets at true scale, as a PDF",
    answers={200: (PDF, "The sheets"), 202: ("application/json", "A job that makes them")},
    body=PrintRequest,
    tags=("extracts",),
)
def make_print(params: NoParams) -> Response:
    """A few pages are answered at once, many by a job."""
    wanted, environ = read_body(PrintRequest, MAX_BODY), request.environ
    found = services().prints.ask(
        caller(),
        wanted,
        href("map"),
        lambda features, names: charge(environ, extract_asked(names, features)),
    )
    if found.file is not None:
        return download(found.file)
    return job_of(found)


@blueprint.post("/prints/estimate")
@describes(
    "What a print would be: its scale, its sheets and what they show, its pages",
    body=PrintRequest,
    tags=("extracts",),
)
def estimate_print(params: NoParams) -> Response:
    """Nothing is made, and nothing is kept."""
    return reply.json(services().prints.estimate(caller(), read_body(PrintRequest, MAX_BODY)))
