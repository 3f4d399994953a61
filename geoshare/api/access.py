"""Break-glass over HTTP: operators open raw files for a time, providers read who did and why."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Blueprint, Response, request, send_file
from pydantic import Field

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.login import fresh
from geoshare.errors import NotFound

blueprint = Blueprint("access", __name__)

BYTES = "application/octet-stream"


class AccessBody(Body):
    """Why, and for how long."""

    reason: str = Field(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        description="Why, 1 to 500 letters; the provider reads it",
    )
    minutes: int = Field(60, ge=1, le=480, description="Minutes until it ends, 1 to 480")


@blueprint.before_request
def _for_operators_only() -> None:
    """For others there is nothing under ``/admin``, whatever they ask it with."""
    own = request.path.startswith("/me/") or request.method == "OPTIONS"
    if not own and caller().role != "operator":
        raise NotFound("No such resource")


@blueprint.get("/me/access")
@describes("Who of the operator opened your contributions, and why", tags=("audit",))
def of_provider(params: NoParams) -> Response:
    """Newest first; each use of it is an entry of your part of the audit log."""
    return fresh(reply.json({"access": services().break_glass.of_provider(caller())}))


@blueprint.get("/admin/access")
@describes("Accesses to raw contributions", tags=("admin",))
def listed(params: NoParams) -> Response:
    """All, newest first."""
    return fresh(reply.json({"access": services().break_glass.listed()}))


@blueprint.post("/admin/contributions/<contribution>/access")
@describes(
    "Open a contribution's raw file to yourself, for a time",
    answers={201: ("application/json", "Open; its provider is told")},
    body=AccessBody,
    tags=("admin",),
)
def open_access(params: NoParams, contribution: str) -> Response:
    """It ends by itself."""
    body = read_body(AccessBody)
    made = services().break_glass.open(caller(), contribution, body.reason, body.minutes)
    return fresh(reply.json(made, status=201))


@blueprint.delete("/admin/access/<access>")
@describes("End an access of yours", answers={204: ("", "Ended")}, tags=("admin",))
def end(params: NoParams, access: str) -> Response:
    """Before its time."""
    services().break_glass.end(caller(), access)
    return reply.finish(Response(status=204), cache="no-store")


@blueprint.get("/admin/contributions/<contribution>/original")
@describes("The file as it came", answers={200: (BYTES, "The file")}, tags=("admin",))
def original(params: NoParams, contribution: str) -> Response:
    """While you have access to it; each time is an entry of the audit log."""
    found = services()
    with tempfile.TemporaryDirectory(dir=found.scratch()) as folder:
        path, name = found.break_glass.original(caller(), contribution, Path(folder))
        response = send_file(path.resolve(), BYTES, as_attachment=True, download_name=name, etag=False)
    return reply.finish(response, cache="no-store")
