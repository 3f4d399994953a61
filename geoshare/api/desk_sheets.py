"""Lists of the desk as spreadsheets: out, and back in with a preview before anything is done."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from flask import Blueprint, Response, g, request
from pydantic import Field

from geoshare.api import reply
from geoshare.api.bodies import Body, drain
from geoshare.api.context import caller, services
from geoshare.api.contributions import XLSX
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.desk import JSON, MADE, TAGS, AboutBody, desk_body, sent
from geoshare.api.params import Text
from geoshare.errors import BadRequest, TooLarge
from geoshare.services.desk_sheets import Consent
from geoshare.services.sheet_preview import MOST
from geoshare.sources.sheets import ALLOWED_JA, MAX_BYTES

blueprint = Blueprint("desk_sheets", __name__)

CSV = "text/csv; charset=utf-8"
MARGIN = 4_096  # bytes of a form beside its file
CHOICES = 40_000


class SheetParams(Params):
    """Which file."""

    f: Literal["xlsx", "csv"] = Field("xlsx", description="xlsx or csv")
    lang: Literal["ja", "en"] = Field("ja", description="ja or en: headings and known values")


class SentParams(Params):
    """Which list a file is of."""

    collection: Text = Field(description="The collection that the sheet is of")
    filename: Text | None = Field(None, description="The file's name, for the history")


class ChoiceBody(Body):
    """Whose value stays, of a cell or of all cells of a row."""

    row: int = Field(ge=1, le=10_000_000, description="The row's number in the file")
    property: str = Field("", max_length=64, description="The cell's property; none for all of the row")
    keep: Literal["mine", "theirs"] = Field(description="mine or theirs")


class ConsentBody(AboutBody):
    """Consent to a preview, as it was shown."""

    revision: int = Field(ge=1, le=1_000_000, description="The revision of the preview you have seen")
    choices: tuple[ChoiceBody, ...] = Field(
        (), max_length=CHOICES, description="One for each conflict; theirs for a row leaves it out"
    )

    def consent(self) -> Consent:
        """As a value the service takes."""
        choices = {(item.row, item.property): item.keep for item in self.choices}
        return Consent(self.revision, choices, self.about())


@blueprint.get("/desk/collections/<collection>/sheet")
@describes(
    "A list as a spreadsheet, to be edited and sent back",
    params=SheetParams,
    answers={200: ((XLSX, CSV.partition(";")[0]), "The list: .xlsx, or CSV with f=csv")},
    tags=TAGS,
)
def sheet(params: SheetParams, collection: str) -> Response:
    """What lies in your area, as you see it."""
    content, name, title = services().sheets.written(caller(), collection, params.f, params.lang)
    response = reply.body(content, XLSX if params.f == "xlsx" else CSV)
    response.headers["Content-Disposition"] = (
        f"attachment; filename={name}; filename*=UTF-8''{quote(title)}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/desk/sheets")
@describes(
    "What a spreadsheet would change",
    params=SentParams,
    answers={201: (JSON, "A preview; nothing is changed")},
    body="application/octet-stream",
    tags=TAGS,
)
def preview(params: SentParams) -> Response:
    """The file as the body, or as ``file`` of a form. The preview is yours alone, for an hour."""
    services().live.rules.check_editor(caller())
    name, content = _file(params.filename)
    g.named = params.collection
    return sent(services().sheets.preview(caller(), params.collection, name, content), 201)


@blueprint.post("/desk/sheets/<sheet>/apply")
@describes(
    f"Do what a preview shows, up to {MOST} rows as one edit",
    answers=MADE,
    body=ConsentBody,
    tags=TAGS,
)
def apply(params: NoParams, sheet: str) -> Response:
    """All of it or nothing; 412 with the preview anew where something has changed since."""
    return sent(services().sheets.apply(caller(), sheet, desk_body(ConsentBody).consent()), 201)


def _file(given: str | None) -> tuple[str, bytes]:
    if (request.content_length or 0) > MAX_BYTES + MARGIN:
        drain()
        raise _too_large()
    if request.mimetype == "multipart/form-data":
        upload = request.files.get("file")
        if upload is None:
            raise BadRequest(
                "The form has no file",
                parameter="file",
                allowed="one file",
                message_ja="ファイルが選ばれていません",
                allowed_ja=ALLOWED_JA,
            )
        name, content = given or upload.filename or "", upload.stream.read(MAX_BYTES + 1)
    else:
        name, content = given or "", request.stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _too_large()
    if not content:
        raise BadRequest(
            "The file is empty",
            parameter="file",
            allowed=".xlsx, .csv",
            message_ja="ファイルが空です",
            allowed_ja=ALLOWED_JA,
        )
    return name, content


def _too_large() -> TooLarge:
    return TooLarge(
        "The sheet is too large",
        parameter="file",
        allowed=f"{MAX_BYTES} bytes",
        message_ja="表のファイルが大きすぎます",
        allowed_ja=f"{MAX_BYTES // 1_000_000}MBまで",
    )
