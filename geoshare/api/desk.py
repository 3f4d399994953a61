"""The desk: editing features one by one or many at once (OGC API Features Part 4), and photos."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import orjson
from flask import Blueprint, Response, g, request, send_file
from pydantic import Field, JsonValue

from geoshare.api import reply
from geoshare.api.bodies import Body, M, drain, read_body
from geoshare.api.context import caller, href, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.api.params import PageParams, Text
from geoshare.errors import BadRequest, TooLarge
from geoshare.ingest.photos import MAX_BYTES
from geoshare.model.times import parse_interval
from geoshare.services.desk import About
from geoshare.services.desk_plan import UNSAID, Wish
from geoshare.services.desk_reading import EDITS, MOST, PAGE

blueprint = Blueprint("desk", __name__)

JSON = "application/json"
GEOJSON = "application/geo+json"
MERGE = "application/merge-patch+json"
PHOTO = "image/jpeg"
MAX_BODY = 8_000_000
LONGEST_KEY = 128  # characters of Idempotency-Key
TAGS = ("desk",)
DONE = {200: (JSON, "Done, and in the record")}
MADE = {201: (JSON, "Made, and in the record")}
Kind = Literal["create", "update", "replace", "delete"]


class AboutBody(Body):
    """Why something is edited."""

    reason: str = Field("", max_length=500, description="Why, at most 500 letters")
    source: str = Field("", max_length=200, description="Who told it, at most 200 letters")
    at: str | None = Field(
        None, max_length=40, description="When, by the editor's own clock (RFC 3339)"
    )

    def about(self) -> About:
        """As a value the service takes. Raises BadRequest for a time that is none."""
        said_us = None if self.at is None else parse_interval(self.at, "at").start_us
        return About(self.reason, self.source, said_us)


class FeatureBody(Body):
    """A GeoJSON feature to be said, or as much of one as changes; null takes a value away."""

    type: Literal["Feature"] = Field("Feature", description="Feature")
    id: JsonValue = Field(None, description="As in the address; ignored")
    geometry: JsonValue = Field(None, description="A GeoJSON geometry in CRS84; left out: as it was")
    properties: dict[str, JsonValue] | None = Field(None, description="Values by property")
    name: str = Field(
        "",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="Your own name for a feature to be made: asking again with it makes no second one",
    )
    edit: AboutBody = Field(
        default_factory=AboutBody.model_construct,
        description="Why, who told it, when: reason, source, at",
    )


class EditBody(Body):
    """One feature's part of an edit."""

    action: Kind = Field(description="create, update, replace or delete")
    collection: str = Field(max_length=63, description="The collection's name")
    id: str = Field("", max_length=200, description="The feature's id; none where it is to be made")
    version: str | None = Field(None, max_length=100, description="The version you have seen")
    geometry: JsonValue = Field(None, description="A GeoJSON geometry in CRS84; left out: as it was")
    properties: dict[str, JsonValue] | None = Field(None, description="Values by property")
    name: str = Field(
        "", max_length=64, pattern=r"^[A-Za-z0-9_-]*$", description="Your own name for a new feature"
    )

    def wish(self) -> Wish:
        """As a value the service takes."""
        if (self.action == "create") == bool(self.id):
            raise BadRequest(
                "A new feature has no id yet, every other one has",
                parameter="id",
                allowed="none for create, else the feature's",
                message_ja="新しい地物にはIDがなく、ほかの操作にはIDが必要です",
                allowed_ja="新規は空欄、それ以外は地物のID",
            )
        return Wish(
            self.action,
            self.collection,
            self.id,
            self.version,
            self.properties,
            self.geometry if "geometry" in self.model_fields_set else UNSAID,
            self.name,
        )


class EditsBody(AboutBody):
    """Many edits at once: all are done, or none."""

    edits: tuple[EditBody, ...] = Field(
        min_length=1, max_length=MOST, description=f"1 to {MOST} edits, each feature once"
    )


class EditsParams(Params):
    """Which edits."""

    before: Text | None = Field(None, description="Only those before this one: an edit's id")
    limit: int = Field(50, ge=1, le=EDITS, description=f"How many, 1 to {EDITS}")


@blueprint.get("/desk/collections")
@describes("What you may edit, and where", tags=TAGS)
def rights(params: NoParams) -> Response:
    """Collections, what can be said in each, and the area."""
    return reply.json(services().live.rights(caller()))


@blueprint.get("/desk/collections/<collection>/items")
@describes(
    "Features with their versions and who set them",
    params=PageParams,
    answers={200: (GEOJSON, "A page of features")},
    tags=TAGS,
)
def desk_items(params: PageParams, collection: str) -> Response:
    """As you see them; the version goes into If-Match of an edit."""
    query = params.query(PAGE)
    features, following, matched = services().live.items(caller(), collection, query)
    found = {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": matched,
        "cursor": following,
    }
    return reply.json(found, GEOJSON)


@blueprint.get("/desk/collections/<collection>/items/<feature_id>")
@describes("A feature with its version and your own words", answers={200: (GEOJSON, "It")}, tags=TAGS)
def desk_item(params: NoParams, collection: str, feature_id: str) -> Response:
    """The ETag is the version."""
    return _versioned(services().live.item(caller(), collection, feature_id), GEOJSON)


@blueprint.get("/desk/collections/<collection>/items/<feature_id>/history")
@describes("What your organisation said of a feature", tags=TAGS)
def history(params: NoParams, collection: str, feature_id: str) -> Response:
    """Who, when, why, and what changed; the newest first."""
    return reply.json({"history": services().live.history(caller(), collection, feature_id)})


@blueprint.get("/desk/edits")
@describes("Your organisation's edits, the newest first", params=EditsParams, tags=TAGS)
def edits(params: EditsParams) -> Response:
    """Who, when, why, and what changed."""
    return reply.json({"edits": services().live.edits(caller(), params.before, params.limit)})


@blueprint.post("/desk/edits")
@describes("Edit many features at once", answers=MADE, body=EditsBody, tags=TAGS)
def edit_several(params: NoParams) -> Response:
    """All of it is done, or nothing."""
    body = desk_body(EditsBody)
    wishes = [edit.wish() for edit in body.edits]
    g.named = ",".join(sorted({wish.collection for wish in wishes}))
    found = services().live.edit(caller(), wishes, body.about(), "several", _key())
    return sent(found, 201)


@blueprint.get("/desk/edits/<edit>")
@describes("An edit of your organisation", tags=TAGS)
def edit_made(params: NoParams, edit: str) -> Response:
    """Who, when, why, and what changed."""
    return reply.json(services().live.edit_made(caller(), edit))


@blueprint.post("/desk/edits/<edit>/undo")
@describes("Take an edit back", answers=MADE, body=AboutBody, tags=TAGS)
def undo(params: NoParams, edit: str) -> Response:
    """A new edit that says again what was said before, unless somebody has gone on since."""
    return sent(services().live.undo(caller(), edit, desk_body(AboutBody).about()), 201)


@blueprint.post("/desk/photos")
@describes("Send a photo for a damage report", answers=MADE, body="image/*", tags=TAGS)
def send_photo(params: NoParams) -> Response:
    """JPEG, PNG or WebP; kept without what the camera noted, which is suggested back."""
    found = services()
    found.live.rules.check_editor(caller())
    if (request.content_length or 0) > MAX_BYTES:
        drain()
        raise TooLarge(
            "The photo is too large",
            parameter="body",
            allowed=f"{MAX_BYTES} bytes",
            message_ja="写真が大きすぎます",
            allowed_ja=f"{MAX_BYTES // 1_000_000}MBまで",
        )
    return sent(found.live.keep_photo(caller(), request.stream.read(MAX_BYTES + 1)), 201)


@blueprint.get("/collections/<collection>/items/<feature_id>/photo")
@describes("The photo of a feature", answers={200: (PHOTO, "The photo")}, tags=("features",))
def photo(params: NoParams, collection: str, feature_id: str) -> Response:
    """For whoever sees the feature and that it has a photo."""
    path = services().live.photo(caller(), collection, feature_id)
    # of the content alone: the file's own time would tell when somebody first sent it
    tag = Path(path).stem[:24]
    response = send_file(path, PHOTO, conditional=True, etag=tag, last_modified=0)
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return reply.finish(response, cache=reply.caching())


@blueprint.post("/collections/<collection>/items")
@describes("Make a feature", answers=MADE, body=FeatureBody, tags=TAGS)
def create(params: NoParams, collection: str) -> Response:
    """In your organisation's name, inside your area."""
    response = _one("create", collection, "")
    response.status_code = 201
    return response


@blueprint.put("/collections/<collection>/items/<feature_id>")
@describes("Say anew what you say of a feature", answers=DONE, body=FeatureBody, tags=TAGS)
def replace(params: NoParams, collection: str, feature_id: str) -> Response:
    """Needs If-Match; what others say stays."""
    return _one("replace", collection, feature_id)


@blueprint.patch("/collections/<collection>/items/<feature_id>")
@describes("Change some values of a feature", answers=DONE, body=FeatureBody, tags=TAGS)
def update(params: NoParams, collection: str, feature_id: str) -> Response:
    """A JSON merge patch; needs If-Match."""
    return _one("update", collection, feature_id)


@blueprint.delete("/collections/<collection>/items/<feature_id>")
@describes("Withdraw what your organisation says of a feature", answers=DONE, tags=TAGS)
def withdraw(params: NoParams, collection: str, feature_id: str) -> Response:
    """Needs If-Match; the feature stays where others speak of it."""
    wish = Wish("delete", collection, feature_id, _if_match())
    return _answer(services().live.edit(caller(), [wish], About(), "delete", _key()), 200)


def _one(action: Kind, collection: str, feature_id: str) -> Response:
    found = services()
    found.live.rules.check_collection(caller(), collection)
    body = desk_body(FeatureBody)
    geometry = body.geometry if "geometry" in body.model_fields_set else UNSAID
    seen = None if action == "create" else _if_match()
    wish = Wish(action, collection, feature_id, seen, body.properties, geometry, body.name)
    return _answer(found.live.edit(caller(), [wish], body.edit.about(), action, _key()), 200)


def _key() -> str | None:
    """The asker's own name for this edit: asked again under it, it is not done again."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadRequest(
            "The key cannot be used",
            parameter="Idempotency-Key",
            allowed=f"1 to {LONGEST_KEY} printable ASCII characters",
            message_ja="この再送用のキーは使えません",
            allowed_ja=f"表示できる半角英数記号1～{LONGEST_KEY}字",
        )
    return key


def _answer(found: dict[str, Any], status: int) -> Response:
    (feature,) = found["features"]
    response = _versioned({"edit": found["edit"], **feature}, JSON)
    response.status_code = status
    response.headers["Location"] = href("collections", feature["collection"], "items", feature["id"])
    return response


def sent(found: dict[str, Any], status: int) -> Response:
    """The answer to an edit; kept by nobody."""
    response = Response(orjson.dumps(found), status, content_type=JSON)
    return reply.finish(response, cache="no-store")


def _versioned(found: dict[str, Any], content_type: str) -> Response:
    response = reply.json(found, content_type)
    response.headers["ETag"] = f'"{found["version"]}"'
    return reply.finish(response, cache="no-store")


def _if_match() -> str | None:
    """The one version of an If-Match header; None where there is none, or any will do."""
    text = request.headers.get("If-Match", "").strip()
    if not text or text == "*":
        return None
    found = text.removeprefix("W/").strip('"')
    if len(found) > 100 or "," in found:
        raise BadRequest(
            "If-Match is not one version",
            parameter="If-Match",
            allowed='"VERSION"',
            message_ja="版(If-Match)は1つだけ指定してください",
            allowed_ja='"版"',
        )
    return found


def desk_body(model: type[M]) -> M:
    """The body of the request; reasons and notes may have several lines."""
    return read_body(model, MAX_BODY, ("reason", "source"))
