"""Asking about lanes: which one a position is on, what lies ahead, and measures along a line."""

from __future__ import annotations

import math
from typing import Annotated, Any

import orjson
from flask import Blueprint, Response, g
from pydantic import AfterValidator, Field

from geoshare.access.view import View
from geoshare.api import reply
from geoshare.api.context import caller, href, services
from geoshare.api.describe import Params, describes
from geoshare.api.pages import GEOJSON
from geoshare.api.params import Text
from geoshare.errors import BadRequest, NotFound
from geoshare.network.along import Measured, Place, of_feature
from geoshare.network.horizon import FARTHEST_M, Ahead, horizon
from geoshare.network.locate import Position, locate
from geoshare.network.openlr_ranges import FORMAT, MARGIN_M, SEARCHED_M, ranges

blueprint = Blueprint("lanes", __name__)

TAGS = ("lanes",)
JSON = "application/json"
BESIDE = ("neighbours", "lane_boundaries", "regulatory_elements", "structures", "events")
WAYS = ("at", "m", "position")  # to say a place on a line
WITHIN_M, FARTHEST_FROM_LINE_M = 100.0, 10_000.0
POSITION_HELP = "longitude,latitude in degrees (CRS84), or with a height in metres"


def _numbers(text: str) -> str:
    """Text that is finite numbers with commas between. Raises ValueError."""
    try:
        finite = all(math.isfinite(float(part)) for part in text.split(","))
    except ValueError:
        raise ValueError("The value is not a list of numbers") from None
    if not finite:
        raise ValueError("The numbers are not finite")
    return text


def _position(text: str) -> str:
    """Text that is a position. Raises ValueError."""
    lon, lat, *height = map(float, _numbers(text).split(",")) if text.count(",") else (999.0, 0.0)
    if abs(lon) > 180 or abs(lat) > 90 or len(height) > 1:
        raise ValueError("The position is not a longitude and a latitude in degrees")
    return text


PositionText = Annotated[Text, AfterValidator(_position)]
Heading = Annotated[float, Field(ge=0, le=360, allow_inf_nan=False)]


class LocateParams(Params):
    """A position, how well it is known, and which way it is headed."""

    position: PositionText = Field(..., description=POSITION_HELP)
    covariance: Annotated[Text, AfterValidator(_numbers)] | None = Field(
        None, description="east-east,east-north,north-north in square metres; wins over accuracy"
    )
    accuracy: float = Field(
        3.0, ge=0.01, le=100, description="Standard deviation in metres to every side, 0.01 to 100"
    )
    height_accuracy: float = Field(
        3.0, ge=0.1, le=100, description="Standard deviation of the height in metres, 0.1 to 100"
    )
    heading: Heading | None = Field(None, description="Degrees clockwise from north, 0 to 360")
    heading_accuracy: float = Field(
        10.0, ge=0.5, le=180, description="Standard deviation of the heading in degrees, 0.5 to 180"
    )
    limit: int = Field(5, ge=1, le=50, description="How many candidates at most, 1 to 50")

    def read(self) -> Position:
        """As the value that is asked with. Raises BadRequest for a covariance of other than three."""
        lon, lat, *height = map(float, self.position.split(","))
        shared = (self.accuracy**2, 0.0, self.accuracy**2)
        if self.covariance is not None:
            numbers = tuple(map(float, self.covariance.split(",")))
            if len(numbers) != len(shared):
                raise BadRequest(
                    "The covariance is not three numbers",
                    message_ja="共分散は3つの数で指定してください",
                    parameter="covariance",
                    allowed="ee,en,nn in square metres",
                )
            shared = (numbers[0], numbers[1], numbers[2])
        return Position(
            lon,
            lat,
            shared,
            height[0] if height else None,
            self.height_accuracy,
            self.heading,
            self.heading_accuracy,
        )


class HorizonParams(Params):
    """From where, how far, and what beside the lanes."""

    lane: Text = Field(..., description="Id of the lane to start on")
    at: float = Field(0.0, ge=0, le=1, description="Where on it: a fraction of its length, 0 to 1")
    distance: float = Field(
        500.0, gt=0, le=FARTHEST_M, description=f"How far ahead in metres, at most {FARTHEST_M:g}"
    )
    include: Text = Field(
        ",".join(BESIDE), description=f"Comma-separated: what beside the lanes, of {', '.join(BESIDE)}"
    )

    def beside(self) -> tuple[str, ...]:
        """What else to tell. Raises BadRequest for what there is not."""
        wanted = tuple(name for name in self.include.split(",") if name)
        if any(name not in BESIDE for name in wanted):
            raise BadRequest(
                "There is no such thing beside lanes",
                message_ja="指定できない項目です",
                parameter="include",
                allowed=", ".join(BESIDE),
            )
        return wanted


class OpenlrParams(Params):
    """A reference."""

    reference: Text = Field(..., min_length=1, description=f"A reference: {FORMAT}")
    within: float = Field(
        SEARCHED_M,
        gt=0,
        le=MARGIN_M,
        description="How far from a road a point of the reference may lie, in metres, at most"
        f" {MARGIN_M:g}",
    )


class AlongParams(Params):
    """A place on the line, said in one of three ways."""

    at: float | None = Field(None, ge=0, le=1, description="A fraction of the line's length, 0 to 1")
    m: float | None = Field(None, ge=0, le=1e8, description="Metres from the line's start")
    position: PositionText | None = Field(
        None, description=f"{POSITION_HELP}: the place on the line nearest to it"
    )
    within: float = Field(
        WITHIN_M,
        gt=0,
        le=FARTHEST_FROM_LINE_M,
        description="How far from the line a position may lie, in metres, at most"
        f" {FARTHEST_FROM_LINE_M:g}; one that is farther away is refused",
    )


@blueprint.get("/collections/<collection>/locate")
@describes(
    "The lanes a position may be on, with probabilities",
    params=LocateParams,
    answers={200: (JSON, "Candidates, most probable first, and the probability of none of them")},
    tags=TAGS,
)
def locating(params: LocateParams, collection: str) -> Response:
    """Of any collection of lines: lanes, or roads."""
    view = services().view(caller(), collection)
    candidates, none = locate(view, params.read(), params.limit)
    found = [
        {**item.said(), "href": href("collections", collection, "items", item.id)}
        for item in candidates
    ]
    return reply.json({"candidates": found, "none": round(none, 6)})


@blueprint.get("/collections/<collection>/horizon")
@describes(
    "What lies ahead of a place on a lane",
    params=HorizonParams,
    answers={200: (GEOJSON, "Lanes in the order they are reached, and what belongs to them")},
    tags=TAGS,
)
def ahead(params: HorizonParams, collection: str) -> Response:
    """Each feature says its collection (``featureType``) and its range on the way (``horizon``)."""
    _ = services().view(caller(), collection)  # says so where it is known and not held
    found = horizon(_known, collection, params.lane, params.at, params.distance, params.beside())
    features = _features(collection, {lane.id: lane for lane in found.lanes})
    for name, on in found.along.items():
        features += _features(name, on)
    g.named = ",".join(found.along)
    content = {"type": "FeatureCollection", "features": features, "complete": found.whole}
    return reply.json(content, GEOJSON)


@blueprint.get("/collections/<collection>/openlr")
@describes(
    "The ranges of roads that an OpenLR reference means",
    params=OpenlrParams,
    answers={200: (JSON, "Ranges in the order in which the reference leads along them")},
    tags=TAGS,
)
def resolving(params: OpenlrParams, collection: str) -> Response:
    """Found on the roads the caller sees."""
    view = services().view(caller(), collection)
    found = [
        {
            "id": item.id,
            "between": [round(item.start, 9), round(item.end, 9)],
            "against": item.against,
            "href": href("collections", collection, "items", item.id),
        }
        for item in ranges(view, params.reference, params.within)
    ]
    return reply.json({"ranges": found})


@blueprint.get("/collections/<collection>/items/<feature_id>/along")
@describes(
    "A place on a line: by fraction, by metres, or nearest to a position",
    params=AlongParams,
    answers={200: (JSON, "The place")},
    tags=TAGS,
)
def along(params: AlongParams, collection: str, feature_id: str) -> Response:
    """Linear referencing both ways, on the geometry the caller sees."""
    line = of_feature(services().view(caller(), collection), feature_id)
    asked = [name for name in WAYS if getattr(params, name) is not None]
    if len(asked) != 1:
        raise BadRequest(
            "A place is said in one way",
            message_ja="位置はひとつの方法で指定してください",
            parameter="at",
            allowed="one of at, m and position",
        )
    if params.position is not None:
        lon, lat = map(float, params.position.split(",")[:2])
        found = line.nearest(lon, lat)
        if found.distance_m > params.within:
            raise BadRequest(
                "The line lies farther away from the position than that",
                message_ja="位置が線から離れすぎています",
                parameter="position",
                allowed=f"a position within {params.within:g} m of the line (within)",
            )
        said = {
            "distance_m": round(found.distance_m, 3),
            "offset_m": round(found.offset_m, 3),
            "others": [round(other, 9) for other in found.others],
        }
        return reply.json(_said(line, found.place) | said)
    at = params.at if params.m is None else params.m / line.length_m
    if at is None or at > 1:
        raise BadRequest(
            "The line is shorter than that",
            message_ja="線の長さを超えています",
            parameter="m",
            allowed=f"0 to {line.length_m:.3f}",
        )
    return reply.json(_said(line, line.place(at)))


def _known(name: str) -> View | None:
    """The caller's view of a collection; None for one they may not know or read."""
    try:
        return services().view(caller(), name)
    except NotFound:
        return None


def _features(collection: str, on: dict[str, Ahead]) -> list[dict[str, Any]]:
    view = _known(collection)
    if view is None or not on:
        return []
    features = orjson.loads(b"[" + view.geojson(view.lookup(list(on))) + b"]")
    for feature in features:
        place = on[feature["id"]]
        feature["featureType"] = collection
        feature["horizon"] = {
            "from_m": round(place.from_m, 3),
            "to_m": round(place.to_m, 3),
            **({"previous": place.previous} if place.previous else {}),
            **({"beside": place.beside} if place.beside else {}),
            **({"lane": place.id} if place.id != feature["id"] else {}),
        }
    features.sort(key=lambda feature: (feature["horizon"]["from_m"], feature["id"]))
    return list(features)


def _said(line: Measured, place: Place) -> dict[str, Any]:
    height = place.lon_lat_z[2]
    lon_lat = [round(side, 9) for side in place.lon_lat_z[:2]]
    return {
        "at": round(place.at, 9),
        "m": round(place.m, 3),
        "length_m": round(line.length_m, 3),
        "point": lon_lat if math.isnan(height) else [*lon_lat, round(height, 3)],
        "bearing_deg": round(place.bearing_deg, 2),
    }
