"""The audit log over HTTP: its key for all, one's own entries, its files for the operator."""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import Field

from geoshare.api import reply
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.params import Text

blueprint = Blueprint("audit", __name__)

TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"


class EntriesParams(Params):
    """Which of one's own entries."""

    limit: int = Field(100, ge=1, le=1_000, description="How many entries, 1 to 1000")
    before: Text | None = Field(None, description="Entries before this one: the id of an entry")


@blueprint.get("/audit/vkey")
@describes("The audit log's public key", answers={200: (TEXT, "A C2SP vkey")}, tags=("audit",))
def vkey(params: NoParams) -> Response:
    """Whoever holds an extract checks its record with this."""
    return reply.body(services().desk.vkey().encode(), TEXT)


@blueprint.get("/audit/checkpoint")
@describes(
    "The log's signed tree head, for the operator",
    answers={200: (TEXT, "A C2SP checkpoint")},
    tags=("audit",),
)
def checkpoint(params: NoParams) -> Response:
    """Not there for others: its size tells how busy everybody is."""
    return reply.body(services().desk.file(caller(), "checkpoint"), TEXT)


@blueprint.get("/audit/tile/<path:name>")
@describes(
    "Hashes and entries of the log, for the operator",
    answers={200: (BYTES, "A C2SP tile or bundle of entries")},
    tags=("audit",),
)
def tile(params: NoParams, name: str) -> Response:
    """Static: what is there once never changes."""
    return reply.body(services().desk.file(caller(), f"tile/{name}"), BYTES)


@blueprint.get("/me/audit")
@describes("Entries about your organisation, newest first", params=EntriesParams, tags=("audit",))
def own(params: EntriesParams) -> Response:
    """Each with the salts that open your own names in it, and no others."""
    return reply.json(services().desk.own(caller(), params.before, params.limit))


@blueprint.get("/me/audit/<entry>/proof")
@describes(
    "The proof that an entry of yours is in the log",
    answers={200: (TEXT, "A C2SP tlog-proof")},
    tags=("audit",),
)
def own_proof(params: NoParams, entry: str) -> Response:
    """It needs nothing else but the entry and the public key."""
    return reply.body(services().desk.own_proof(caller(), entry), TEXT)
