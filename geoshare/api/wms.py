"""WMS 1.3.0 (OGC 06-042) and 1.1.1 (OGC 01-068r3), to be read only."""

from __future__ import annotations

from typing import Final

import numpy as np
from flask import Blueprint, Response
from lxml import etree
from pydantic import Field

from geoshare.api import ows, reply
from geoshare.api.context import base_url, caller, followed, services
from geoshare.api.describe import Params
from geoshare.api.drawn import DEFAULT
from geoshare.api.ows import XML, OwsError
from geoshare.api.ows_layers import OwsLayer, layer_of, layers_for_caller, note
from geoshare.api.raster import MEDIA
from geoshare.api.wms_capabilities import MAX_LAYERS, capabilities
from geoshare.api.wms_features import answered
from geoshare.api.wms_legend import legend
from geoshare.api.wms_map import Wanted, drawn
from geoshare.api.wms_systems import box_of, size_of, system_of
from geoshare.drawing import Frame
from geoshare.drawing.colours import parse_colour
from geoshare.errors import BadRequest, GeoshareError
from geoshare.extracts.terms import attribution
from geoshare.model.times import parse_interval
from geoshare.services.pictures import blank
from tiles import image
from tiles.drawing import Colour

blueprint = Blueprint("wms", __name__)

OLD: Final = "1.1.1"
NEW: Final = "1.3.0"
OGC: Final = "http://www.opengis.net/ogc"
MAX_WORK: Final = 2**28  # pixels of a map times its collections: sixteen of them at 4096 x 4096
_OF_MEDIA: Final = {media: name for name, media in MEDIA.items()}
_CODES: Final = {"InvalidParameterValue": "", "MissingParameterValue": "", "NoApplicableCode": ""}


class WmsParams(Params):
    """Parameters of WMS, whatever the case of their names; others are passed over."""

    service: str = Field("WMS", description="WMS")
    request: str = Field(
        "GetCapabilities",
        description="GetCapabilities, GetMap, GetFeatureInfo or GetLegendGraphic",
    )
    version: str = Field(NEW, description="1.3.0 or 1.1.1")
    layers: str | None = Field(None, description="Comma-separated layers, the lowest first")
    styles: str | None = Field(None, description="A style for each layer; empty: the default")
    crs: str | None = Field(
        None, description="1.3.0: CRS:84, EPSG:4326, 3857, 6668, 6669 to 6687, 6697"
    )
    srs: str | None = Field(None, description="1.1.1: the same")
    bbox: str | None = Field(None, description="Four numbers, in the CRS's axis order in 1.3.0")
    width: str | None = Field(None, description="Pixels, 1 to 4096")
    height: str | None = Field(None, description="Pixels, 1 to 4096")
    format: str | None = Field(None, description="image/png, image/webp or image/jpeg")
    transparent: str = Field("FALSE", description="TRUE or FALSE")
    bgcolor: str = Field("0xFFFFFF", description="0xRRGGBB")
    time: str | None = Field(None, description="An instant or interval; empty: the latest")
    exceptions: str | None = Field(None, description="XML")
    query_layers: str | None = Field(None, description="Layers whose features are asked for")
    info_format: str | None = Field(None, description="application/json, text/plain or text/html")
    feature_count: str = Field("1", description="At most so many features of each layer, 1 to 50")
    i: str | None = Field(None, description="1.3.0: pixel column")
    j: str | None = Field(None, description="1.3.0: pixel row")
    x: str | None = Field(None, description="1.1.1: pixel column")
    y: str | None = Field(None, description="1.1.1: pixel row")
    layer: str | None = Field(None, description="GetLegendGraphic: the layer")
    style: str | None = Field(None, description="GetLegendGraphic: its style")
    language: str = Field("ja", description="Of names on the map: ja or en")

    @property
    def is_old(self) -> bool:
        """Whether the answer is one of WMS 1.1.1."""
        return self.version.startswith("1.1") or self.version.startswith("1.0")


def report(error: GeoshareError, version: str) -> tuple[bytes, str]:
    """An exception report of the version asked for."""
    is_old = version.startswith(("1.1", "1.0"))
    space = "" if is_old else f"{{{OGC}}}"
    root = etree.Element(f"{space}ServiceExceptionReport", nsmap=None if is_old else {None: OGC})  # type: ignore[dict-item]
    root.set("version", OLD if is_old else NEW)
    made = ows.element(root, f"{space}ServiceException", ows.text_of(error))
    code = _code(error)
    if code:
        made.set("code", code)
    return ows.xml(root), "application/vnd.ogc.se_xml" if is_old else XML


def _code(error: GeoshareError) -> str:
    code = ows.code_of(error, "LayerNotDefined")
    if code == "InvalidParameterValue" and isinstance(error, BadRequest):
        if error.parameter == "datetime":
            return "InvalidDimensionValue"
        if error.parameter == "style":
            return "StyleNotDefined"
    return _CODES.get(code, code)


_ANSWERS: Final = {
    200: (("text/xml", *MEDIA.values(), "application/json", "text/plain", "text/html"), "What is asked")
}


@blueprint.get("/wms")
@ows.asked("WMS 1.3.0 and 1.1.1", WmsParams, _ANSWERS, report)
def wms(params: WmsParams) -> Response:
    """What there is, maps of it, what lies at a place, and legends."""
    if params.service.upper() != "WMS":
        raise OwsError("The service is WMS", "InvalidParameterValue", "SERVICE")
    answers = {
        "getcapabilities": _capabilities,
        "capabilities": _capabilities,
        "getmap": _map,
        "map": _map,
        "getfeatureinfo": _features,
        "getlegendgraphic": _legend,
    }
    answer = answers.get(params.request.lower())
    if answer is None:
        raise OwsError(
            "There are GetCapabilities, GetMap, GetFeatureInfo and GetLegendGraphic",
            "OperationNotSupported",
            "REQUEST",
        )
    return answer(params)


def _capabilities(params: WmsParams) -> Response:
    layers = layers_for_caller()
    address = followed(f"{base_url()}/wms")
    address += "&" if "?" in address else "?"
    views = [view for layer in layers for view in layer.views]
    said = attribution(services().policy(caller(), "tile"), views) if views else ""
    readable = services().policy(caller(), "read")
    asked = {layer.name for layer in layers if all(readable.allows(name) for name in layer.names)}
    body = capabilities(layers, asked, address, said, is_old=params.is_old)
    media = "application/vnd.ogc.wms_xml" if params.is_old else XML
    return reply.body(body, media)


def _wanted(params: WmsParams) -> Wanted:
    """What a map is to show. Raises OwsError, and NotFound for a layer there is not."""
    system = system_of(params.srs or params.crs, is_old=params.is_old)
    names = (params.layers or "").split(",")
    if names == [""] or len(names) > MAX_LAYERS or len(set(names)) < len(names):
        raise OwsError(f"Give 1 to {MAX_LAYERS} different layers", "LayerNotDefined", "LAYERS")
    styles = params.styles.split(",") if params.styles else [""] * len(names)
    if len(styles) != len(names):
        raise OwsError("Give a style for each layer, or none", "StyleNotDefined", "STYLES")
    width, height = size_of(params.width, params.height)
    box = box_of(params.bbox, system, is_old=params.is_old)
    when = None if params.time in (None, "", "current", "default") else params.time
    if when is not None:
        parse_interval(when)
    layers = [layer_of(name) for name in names]
    if width * height * sum(len(layer.names) for layer in layers) > MAX_WORK:
        raise OwsError("Too much for one map: ask for fewer pixels or layers", "", "WIDTH")
    for layer, style in zip(layers, styles, strict=True):
        if style and style not in [DEFAULT, *(known for known, _ in layer.styles())]:
            raise OwsError("There is no such style of the layer", "StyleNotDefined", "STYLES")
    return Wanted(
        Frame(system.matrix_set, box, width, height),
        tuple(zip(layers, styles, strict=True)),
        when,
        "en" if params.language == "en" else "ja",
    )


def _map(params: WmsParams) -> Response:
    media = (params.format or "image/png").partition(";")[0].strip().lower()
    image_format = _OF_MEDIA.get(media)
    if image_format is None:
        raise OwsError(f"The format is one of {', '.join(_OF_MEDIA)}", "InvalidFormat", "FORMAT")
    wanted = _wanted(params)
    note([layer for layer, _ in wanted.layers])
    found = drawn(wanted)
    if params.transparent.upper() != "TRUE" or image_format == "jpg":
        found = _on(found, _ground(params.bgcolor))
    is_map = all(layer.raster is None for layer, _ in wanted.layers)
    body = image.encode(found, image_format, is_map=is_map)
    frame = wanted.frame
    return reply.body(body or blank(frame.width, frame.height, image_format), media)


def _ground(text: str) -> Colour:
    digits = text.lower().removeprefix("0x").removeprefix("#")
    try:
        return parse_colour(f"#{digits}")._replace(alpha=1.0)
    except ValueError:
        raise OwsError("The colour is 0xRRGGBB", "InvalidParameterValue", "BGCOLOR") from None


def _on(found: np.ndarray, ground: Colour) -> np.ndarray:
    """A picture on a ground of one colour."""
    alpha = found[..., 3:].astype(np.uint16)
    colour = np.array([round(part * 255) for part in ground[:3]], np.uint16)
    mixed = np.empty_like(found)
    mixed[..., :3] = (found[..., :3] * alpha + colour * (255 - alpha) + 127) // 255
    mixed[..., 3] = 255
    return mixed


def _features(params: WmsParams) -> Response:
    wanted = _wanted(params)
    asked = (params.query_layers or "").split(",")
    known: dict[str, OwsLayer] = {layer.name: layer for layer, _ in wanted.layers}
    if not asked or any(name not in known for name in asked):
        raise OwsError("QUERY_LAYERS are some of LAYERS", "LayerNotDefined", "QUERY_LAYERS")
    column, row = (params.x, params.y) if params.is_old else (params.i, params.j)
    column, row = column or params.i or params.x, row or params.j or params.y
    place = []
    for name, text, most in (("I", column, wanted.frame.width), ("J", row, wanted.frame.height)):
        is_number = text is not None and text.isascii() and text.isdecimal() and len(text) < 6
        if not is_number or int(text or "0") >= most:
            raise OwsError(f"The pixel is 0 to {most - 1}", "InvalidPoint", name)
        place.append(int(text or "0"))
    count = params.feature_count
    most = int(count) if count.isascii() and count.isdecimal() and len(count) < 6 else 1
    note([known[name] for name in asked])
    body, media = answered(
        [known[name] for name in asked],
        wanted,
        (place[0], place[1]),
        min(max(most, 1), 50),
        (params.info_format or "text/plain").lower(),
    )
    return reply.body(body, media)


def _legend(params: WmsParams) -> Response:
    name = params.layer or params.layers or ""
    layer = layer_of(name)
    note([layer])
    return reply.body(legend(layer, params.style or params.styles or "", params.language), "image/png")
