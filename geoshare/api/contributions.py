"""Contributing: a file in, a report out; large files in pieces that survive a broken line (tus 1.0)."""

from __future__ import annotations

import base64
import binascii
from email.message import Message
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import AfterValidator, Field

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, href, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.params import Text
from geoshare.errors import BadRequest
from geoshare.model.collections import NAME_RULE, check_name
from geoshare.model.findings import Refusing
from geoshare.services.contribution_options import Options

blueprint = Blueprint("contributions", __name__)

NAMED = "?filename=NAME, or Content-Disposition: attachment; filename*=UTF-8''NAME"
PIECE = "application/offset+octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ACCEPTED = {202: ("application/json", "Taken; ask the link for its progress and report")}


class ContributionParams(Params):
    """What a file is, as far as it does not say so itself."""

    provider: Text | None = Field(
        None, description="The providing organisation: your own, or any for the operator"
    )
    collection: Annotated[str, AfterValidator(check_name)] | None = Field(
        None, description=f"The collection the features belong to: {NAME_RULE}"
    )
    mapping: Text | None = Field(
        None, description="A mapping profile's name, or a JSON object {source column: property}"
    )
    crs: Text | None = Field(
        None, description="The horizontal datum, e.g. EPSG:6677, where the file has none"
    )
    offset: Text | None = Field(
        None,
        description="Where a road map's own origin lies in its CRS, if its header does not say or says "
        "wrongly: x,y[,z[,heading]] in metres and radians",
    )
    licence: Text | None = Field(None, description="The licence of the data, an SPDX expression")
    accuracy_m: float | None = Field(
        None, ge=0.001, le=10_000, description="Metres within which positions are right: 0.001 to 10000"
    )
    observed: Text | None = Field(
        None, description="When it was seen: a date, or an RFC 3339 time that is not in the future"
    )
    epoch: float | None = Field(
        None,
        ge=1900,
        le=2200,
        description="The decimal year that the coordinates are of, e.g. 2026.5: 1900 to 2200",
    )
    vertical: Text | None = Field(
        None, description="What heights refer to: ellipsoidal, or a vertical CRS such as EPSG:6695"
    )
    refuse_on: Refusing | None = Field(
        None,
        description="Findings as grave as this, or graver, refuse the file: error, warning, info or "
        "none; left out: as its provider has decided",
    )
    release_class: Text | None = Field(
        None,
        description="To whom it may be released: a class that your agreement states; left out: the "
        "first of these",
    )
    check_only: bool = Field(
        False, description="Only check the file and report what is found; nothing is recorded"
    )
    complete: bool = Field(
        False,
        description="The file is all you have to say of its collections: what you contributed before "
        "and is not in it is withdrawn. With check_only the report tells what would be",
    )
    dataset: Text | None = Field(
        None,
        description="What the file is a new state of, where that is not its name; a complete file "
        "withdraws of what earlier files of this dataset said alone",
    )
    within: Text | None = Field(
        None, description="A complete file withdraws only what lies wholly inside: W,S,E,N in degrees"
    )
    remove_most: bool = Field(
        False,
        description="Also where a complete file withdraws more than half of what you contributed",
    )
    filename: Text | None = Field(
        None, description="The file's name, where no Content-Disposition gives it"
    )

    def options(self) -> Options:
        """As a value the service takes."""
        return Options(**self.model_dump(exclude={"filename"}))


class RulesParams(Params):
    """Of whom is asked."""

    provider: Text | None = Field(
        None, description="The providing organisation: your own, or any for the operator"
    )


class RulesBody(Body):
    """What a provider decides for all of its contributions."""

    refuse_on: Refusing = Field(
        description="Findings as grave as this, or graver, refuse a file: error, warning, info, or none"
    )


@blueprint.get("/contributions/rules")
@describes("What refuses your contributions", params=RulesParams, tags=("contributing",))
def rules(params: RulesParams) -> Response:
    """What the provider has decided for all of them; none where it has not."""
    return reply.json(services().contributions.rules(caller(), params.provider))


@blueprint.put("/contributions/rules")
@describes(
    "Decide what refuses your contributions",
    params=RulesParams,
    body=RulesBody,
    tags=("contributing",),
)
def decide(params: RulesParams) -> Response:
    """Holds from the next file on; what is said with a contribution goes before it."""
    found = services().contributions
    found.decide(caller(), params.provider, read_body(RulesBody).refuse_on)
    return reply.json(found.rules(caller(), params.provider))


@blueprint.post("/contributions")
@describes(
    "Contribute a file",
    params=ContributionParams,
    answers=ACCEPTED,
    body="application/octet-stream",
    tags=("contributing",),
)
def contribute(params: ContributionParams) -> Response:
    """The body is streamed to disk, never held whole; GeoJSON without a name is a small batch."""
    key = request.headers.get("Idempotency-Key")
    named = params.filename or "Content-Disposition" in request.headers
    name, stream = _file(params.filename) if named or not _is_batch() else (None, request.stream)
    found = services().contributions.receive(caller(), name, stream, params.options(), key)
    return _accepted(found)


@blueprint.post("/contributions/preview")
@describes(
    "Look at a file before contributing it",
    params=ContributionParams,
    body="application/octet-stream",
    tags=("contributing",),
)
def preview(params: ContributionParams) -> Response:
    """Columns, the proposed mapping and some features; nothing is kept."""
    name, stream = _file(params.filename)
    return reply.json(services().contributions.preview(caller(), name, stream, params.options()))


@blueprint.get("/contributions")
@describes("Your contributions, newest first", tags=("contributing",))
def contributions(params: NoParams) -> Response:
    """Of the caller's own organisation; the operator sees all."""
    return reply.json(
        {"contributions": [_linked(item) for item in services().contributions.listed(caller())]}
    )


@blueprint.get("/contributions/<contribution>")
@describes("What became of a contribution", tags=("contributing",))
def contribution(params: NoParams, contribution: str) -> Response:
    """Status, progress and the report."""
    return reply.json(_linked(services().contributions.status(caller(), contribution)))


@blueprint.get("/contributions/<contribution>/refused.xlsx")
@describes(
    "The refused rows as a spreadsheet",
    answers={200: (XLSX, "The refused rows")},
    tags=("contributing",),
)
def refused(params: NoParams, contribution: str) -> Response:
    """With the reason beside each row, to be mended and sent again."""
    content = services().contributions.refused_xlsx(caller(), contribution)
    response = reply.body(content, XLSX)
    response.headers["Content-Disposition"] = "attachment; filename=refused.xlsx"
    return response


@blueprint.post("/contributions/uploads")
@describes(
    "Begin a resumable upload (tus 1.0)",
    params=ContributionParams,
    answers={201: ("", "Begun")},
    tags=("contributing",),
)
def begin_upload(params: ContributionParams) -> Response:
    """Answers with the address that pieces are sent to."""
    length = _whole_number("Upload-Length")
    name = params.filename or _metadata_filename()
    upload = services().contributions.begin_upload(caller(), name, length, params.options())
    return _tus(201, Location=href("contributions", "uploads", upload))


@blueprint.route("/contributions/uploads/<upload>", methods=["HEAD"])
def upload_offset(upload: str) -> Response:
    """How much has arrived."""
    offset, length = services().contributions.upload_offset(caller(), upload)
    return _tus(200, **{"Upload-Offset": str(offset), "Upload-Length": str(length)})


@blueprint.patch("/contributions/uploads/<upload>")
@describes(
    "Send a piece of a resumable upload",
    answers={204: ("", "Taken"), **ACCEPTED},
    body=PIECE,
    tags=("contributing",),
)
def upload_piece(params: NoParams, upload: str) -> Response:
    """The last piece makes the contribution, and is answered like any other."""
    if request.mimetype != PIECE:
        raise BadRequest("The piece is of another type", parameter="Content-Type", allowed=PIECE)
    offset = _whole_number("Upload-Offset")
    arrived, found = services().contributions.append(caller(), upload, offset, request.stream)
    if found is None:
        return _tus(204, **{"Upload-Offset": str(arrived)})
    response = _accepted(found)
    response.headers["Upload-Offset"] = str(arrived)
    response.headers["Tus-Resumable"] = "1.0.0"
    return response


def _is_batch() -> bool:
    return request.mimetype == "application/geo+json"


def _file(given: str | None) -> tuple[str, Any]:
    if request.mimetype == "multipart/form-data":
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            raise BadRequest("The form has no file", parameter="file", allowed="one file")
        return upload.filename, upload.stream
    disposition = request.headers.get("Content-Disposition", "")
    message = Message()
    message["Content-Disposition"] = disposition or "attachment"
    name = given or message.get_filename()
    if not name:
        # Header bytes beyond ASCII do not arrive: such names come percent-encoded, or in the query.
        raise BadRequest("The file has no name", parameter="filename", allowed=NAMED)
    return name, request.stream


def _metadata_filename() -> str:
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return base64.b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                break
    raise BadRequest(
        "The file has no name", parameter="Upload-Metadata", allowed="filename and its base64 value"
    )


def _whole_number(header: str) -> int:
    text = request.headers.get(header, "")
    if not text.isdigit() or len(text) > 15:
        raise BadRequest(
            "The header is missing or not a number", parameter=header, allowed="a number of bytes"
        )
    return int(text)


def _linked(found: dict[str, Any]) -> dict[str, Any]:
    path = ("contributions", found["id"])
    extra = {"href": href(*path)}
    if (found.get("report") or {}).get("refused"):
        extra["refused_href"] = href(*path, "refused.xlsx")
    return found | extra


def _accepted(found: dict[str, Any]) -> Response:
    response = reply.json(_linked(found), status=202)
    response.headers["Location"] = href("contributions", found["id"])
    return response


def _tus(status: int, **headers: str) -> Response:
    response = Response(status=status)
    response.headers.update(headers)
    response.headers["Tus-Resumable"] = "1.0.0"
    return reply.finish(response, cache="no-store")
