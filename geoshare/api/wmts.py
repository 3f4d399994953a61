"""WMTS 1.0.0 (OGC 07-057r7) by parameters and by addresses, over the same tiles as everything else."""

from __future__ import annotations

from typing import Final, Literal

from flask import Blueprint, Response
from lxml import etree
from pydantic import Field

from geoshare.api import ows, reply
from geoshare.api.context import base_url, caller, followed, services
from geoshare.api.describe import Params
from geoshare.api.drawn import DEFAULT, kept_tile
from geoshare.api.ows import OWS, XML, OwsError
from geoshare.api.ows_layers import OwsLayer, layer_of, layers_for_caller, note
from geoshare.api.params import DrawnParams
from geoshare.api.raster import MEDIA
from geoshare.api.wmts_capabilities import capabilities
from geoshare.errors import GeoshareError
from geoshare.extracts.terms import attribution
from geoshare.imagery import MAX_ZOOM as MAX_MAP_ZOOM
from geoshare.query.tiles import MAX_ZOOM, Place
from geoshare.services.bodies import Kept
from geoshare.services.pictures import blank
from tiles.matrices import MATRIX_SETS

blueprint = Blueprint("wmts", __name__)

VERSION: Final = "1.0.0"
CAPABILITIES: Final = "/wmts/1.0.0/WMTSCapabilities.xml"
_TILE: Final = "/wmts/1.0.0/{layer}/{style}/{tms}/{matrix}/{row}/{column}"
_OF_MEDIA: Final = {media: name for name, media in MEDIA.items()}
_DIGITS: Final = 9


class WmtsParams(Params):
    """Parameters of WMTS, whatever the case of their names; others are passed over."""

    service: str = Field("WMTS", description="WMTS")
    request: Literal["GetCapabilities", "GetTile"] = Field(
        "GetCapabilities", description="GetCapabilities or GetTile"
    )
    version: str | None = Field(None, description="1.0.0")
    layer: str | None = Field(None, description="A layer of the capabilities")
    style: str | None = Field(None, description="A style of the layer; empty: its default")
    format: str = Field("image/png", description="image/png, image/webp or image/jpeg")
    tilematrixset: str | None = Field(None, description="A tile matrix set of the layer")
    tilematrix: str | None = Field(None, description="A tile matrix of the set")
    tilerow: str | None = Field(None, description="Row, from the top")
    tilecol: str | None = Field(None, description="Column, from the left")
    time: str | None = Field(None, description="An instant or interval; empty: the latest")


class RestParams(Params):
    """Parameters beside an address of WMTS."""

    time: str | None = Field(None, description="An instant or interval; empty: the latest")


def report(error: GeoshareError, version: str) -> tuple[bytes, str]:
    """An exception report (OGC 06-121r3)."""
    root = etree.Element(f"{{{OWS}}}ExceptionReport", nsmap={"ows": OWS})
    root.set("version", "1.1.0")
    made = ows.element(root, f"{{{OWS}}}Exception")
    made.set("exceptionCode", ows.code_of(error, "InvalidParameterValue"))
    if error.parameter is not None and ows.status_of(error)[0] == 400:
        made.set("locator", ows.written(error.parameter))
    ows.element(made, f"{{{OWS}}}ExceptionText", ows.text_of(error))
    return ows.xml(root), XML


_ANSWERS: Final = {200: (("text/xml", *MEDIA.values()), "Capabilities, or a tile")}


@blueprint.get("/wmts")
@ows.asked("WMTS 1.0.0 by parameters", WmtsParams, _ANSWERS, report)
def by_parameters(params: WmtsParams) -> Response:
    """What there is, and its tiles."""
    if params.service.upper() != "WMTS":
        raise OwsError("The service is WMTS", "InvalidParameterValue", "SERVICE")
    if params.request == "GetCapabilities":
        return _capabilities()
    needed = {
        "LAYER": params.layer,
        "TILEMATRIXSET": params.tilematrixset,
        "TILEMATRIX": params.tilematrix,
        "TILEROW": params.tilerow,
        "TILECOL": params.tilecol,
    }
    for name, value in needed.items():
        if value is None:
            raise OwsError("The parameter is missing", "MissingParameterValue", name)
    image_format = _OF_MEDIA.get(params.format.partition(";")[0].strip().lower(), "")
    layer, matrix_set, matrix, row, column = (str(value) for value in needed.values())
    return _tile(
        layer, params.style or "", (matrix_set, matrix, row, column), image_format, params.time
    )


@blueprint.get(CAPABILITIES)
@ows.asked("The capabilities of WMTS", RestParams, {200: ("text/xml", "Capabilities")}, report)
def rest_capabilities(params: RestParams) -> Response:
    """What there is."""
    return _capabilities()


@blueprint.get("/wmts/1.0.0/<layer>/<style>/<tms>/<matrix>/<row>/<column>.<image_format>")
@ows.asked("A tile of WMTS", RestParams, {200: (tuple(MEDIA.values()), "The tile")}, report)
def rest_tile(
    params: RestParams,
    layer: str,
    style: str,
    tms: str,
    matrix: str,
    row: str,
    column: str,
    image_format: str,
) -> Response:
    """By its address."""
    return _tile(layer, style, (tms, matrix, row, column), image_format, params.time)


def _capabilities() -> Response:
    layers = layers_for_caller()
    base = base_url()
    tile = _TILE.format(
        layer="{Layer}",
        style="{Style}",
        tms="{TileMatrixSet}",
        matrix="{TileMatrix}",
        row="{TileRow}",
        column="{TileCol}",
    )
    kvp = followed(f"{base}/wmts")
    address = {
        "kvp": kvp + ("&" if "?" in kvp else "?"),
        "rest": followed(f"{base}{CAPABILITIES}"),
        "tile": followed(f"{base}{tile}.{{Format}}"),
    }
    views = [view for layer in layers for view in layer.views]
    said = attribution(services().policy(caller(), "tile"), views) if views else ""
    return reply.body(capabilities(layers, address, said), XML)


def _tile(
    name: str,
    style: str,
    address: tuple[str, str, str, str],
    image_format: str,
    when: str | None,
) -> Response:
    layer = layer_of(name)
    if image_format not in MEDIA:
        said = ", ".join(MEDIA.values())
        raise OwsError(f"The format is one of {said}", "InvalidParameterValue", "FORMAT")
    if style and style not in [DEFAULT, *(known for known, _ in layer.styles())]:
        raise OwsError("There is no such style of the layer", "InvalidParameterValue", "STYLE")
    place = _place(*address, MAX_MAP_ZOOM if layer.raster is not None else MAX_ZOOM)
    note([layer])
    made, media = _made(layer, style, place, image_format, when)
    if not made.payload:
        made = reply.encoded(blank(256, 256, image_format), media, "")
    return reply.send(made, media)


def _made(
    layer: OwsLayer, style: str, place: Place, image_format: str, when: str | None
) -> tuple[Kept, str]:
    """The tile and its media type; no bytes where it is empty."""
    if layer.raster is None:
        return kept_tile(
            layer.views, place, DrawnParams.model_validate({"datetime": when}), image_format
        )
    chosen = None if style in ("", DEFAULT) else style
    content = services().rasters.tile(layer.raster, place, when, chosen, image_format)
    return reply.encoded(content or b"", MEDIA[image_format], ""), MEDIA[image_format]


def _place(matrix_set: str, matrix: str, row: str, column: str, deepest: int) -> Place:
    matrices = MATRIX_SETS.get(matrix_set)
    if matrices is None:
        raise OwsError("There is no such tile matrix set", "InvalidParameterValue", "TILEMATRIXSET")
    z = _number(matrix, "TILEMATRIX", "InvalidParameterValue")
    if z > deepest - matrices.mercator_zoom:
        raise OwsError("There is no such tile matrix", "InvalidParameterValue", "TILEMATRIX")
    y, x = _number(row, "TILEROW", "TileOutOfRange"), _number(column, "TILECOL", "TileOutOfRange")
    for name, value, count in (("TILEROW", y, matrices.rows(z)), ("TILECOL", x, matrices.columns(z))):
        if value >= count:
            raise OwsError(f"The tile is outside of 0 to {count - 1}", "TileOutOfRange", name)
    return Place(matrices.id, z, x, y)


def _number(text: str, name: str, code: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise OwsError("Not a number of the capabilities", code, name)
    return int(text)
