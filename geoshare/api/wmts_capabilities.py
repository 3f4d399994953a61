"""The capabilities document of WMTS 1.0.0 (OGC 07-057r7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from geoshare.api.ows import OWS, XLINK, element, xml
from geoshare.api.ows_layers import OwsLayer
from geoshare.api.raster import MEDIA
from geoshare.query.tiles import max_zoom
from tiles.matrices import MATRIX_SETS, WEB_MERCATOR_QUAD, MatrixSet, definition

WMTS: Final = "http://www.opengis.net/wmts/1.0"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA: Final = "http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd"
GOOGLE: Final = "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible"
TITLE: Final = "geoshare"


def capabilities(layers: Sequence[OwsLayer], address: dict[str, str], attribution: str) -> bytes:
    """The document for a caller.

    Parameters
    ----------
    layers
        Those of the caller.
    address
        ``kvp`` is where requests with parameters go (it ends with ``?`` or ``&``), ``rest`` the
        document itself, ``tile`` a tile's address with ``{Layer}`` and so on.
    attribution
        What must be said beside the map.
    """
    root = etree.Element(
        f"{{{WMTS}}}Capabilities",
        nsmap={None: WMTS, "ows": OWS, "xlink": XLINK, "xsi": _XSI},  # type: ignore[dict-item]
    )
    root.set("version", "1.0.0")
    root.set(f"{{{_XSI}}}schemaLocation", f"{WMTS} {_SCHEMA}")
    _about(root, attribution)
    _operations(root, address["kvp"])
    contents = element(root, f"{{{WMTS}}}Contents")
    for layer in layers:
        _layer(contents, layer, address["tile"])
    for matrices in MATRIX_SETS.values():
        _matrix_set(contents, matrices)
    element(root, f"{{{WMTS}}}ServiceMetadataURL", **{f"{{{XLINK}}}href": address["rest"]})
    return xml(root)


def _about(root: etree._Element, attribution: str) -> None:
    about = element(root, f"{{{OWS}}}ServiceIdentification")
    element(about, f"{{{OWS}}}Title", TITLE)
    element(about, f"{{{OWS}}}Abstract", attribution)
    element(about, f"{{{OWS}}}ServiceType", "OGC WMTS")
    element(about, f"{{{OWS}}}ServiceTypeVersion", "1.0.0")
    element(about, f"{{{OWS}}}Fees", "none")
    element(about, f"{{{OWS}}}AccessConstraints", attribution or "none")


def _operations(root: etree._Element, address: str) -> None:
    metadata = element(root, f"{{{OWS}}}OperationsMetadata")
    for name in ("GetCapabilities", "GetTile"):
        operation = element(metadata, f"{{{OWS}}}Operation", name=name)
        http = element(element(operation, f"{{{OWS}}}DCP"), f"{{{OWS}}}HTTP")
        way = element(http, f"{{{OWS}}}Get", **{f"{{{XLINK}}}href": address})
        constraint = element(way, f"{{{OWS}}}Constraint", name="GetEncoding")
        element(element(constraint, f"{{{OWS}}}AllowedValues"), f"{{{OWS}}}Value", "KVP")


def _layer(contents: etree._Element, layer: OwsLayer, template: str) -> None:
    made = element(contents, f"{{{WMTS}}}Layer")
    element(made, f"{{{OWS}}}Title", layer.title)
    if layer.abstract:
        element(made, f"{{{OWS}}}Abstract", layer.abstract)
    box = layer.extent
    if box is not None:
        bounds = element(made, f"{{{OWS}}}WGS84BoundingBox")
        element(bounds, f"{{{OWS}}}LowerCorner", f"{box.west} {box.south}")
        element(bounds, f"{{{OWS}}}UpperCorner", f"{box.east} {box.north}")
    element(made, f"{{{OWS}}}Identifier", layer.name)
    for number, (name, title) in enumerate(layer.styles()):
        style = element(made, f"{{{WMTS}}}Style", isDefault="true" if number == 0 else "false")
        element(style, f"{{{OWS}}}Title", title)
        element(style, f"{{{OWS}}}Identifier", name)
    for name in MEDIA:
        element(made, f"{{{WMTS}}}Format", MEDIA[name])
    for matrices in MATRIX_SETS.values():
        if box is None or matrices.covering(0, box) is not None:
            link = element(made, f"{{{WMTS}}}TileMatrixSetLink")
            element(link, f"{{{WMTS}}}TileMatrixSet", matrices.id)
    for name in MEDIA:
        element(
            made,
            f"{{{WMTS}}}ResourceURL",
            format=MEDIA[name],
            resourceType="tile",
            template=template.replace("{Layer}", layer.name).replace("{Format}", name),
        )


def _matrix_set(contents: etree._Element, matrices: MatrixSet) -> None:
    """As OGC 17-083r4 has it, in the words of WMTS: corners in the axis order of the CRS."""
    said: dict[str, Any] = definition(matrices)
    made = element(contents, f"{{{WMTS}}}TileMatrixSet")
    element(made, f"{{{OWS}}}Title", matrices.title)
    element(made, f"{{{OWS}}}Identifier", matrices.id)
    element(made, f"{{{OWS}}}SupportedCRS", urn(matrices.crs))
    if matrices is WEB_MERCATOR_QUAD:
        element(made, f"{{{WMTS}}}WellKnownScaleSet", GOOGLE)
    for level in said["tileMatrices"][: max_zoom(matrices) + 1]:
        matrix = element(made, f"{{{WMTS}}}TileMatrix")
        element(matrix, f"{{{OWS}}}Identifier", level["id"])
        element(matrix, f"{{{WMTS}}}ScaleDenominator", repr(level["scaleDenominator"]))
        x, y = level["pointOfOrigin"]
        element(matrix, f"{{{WMTS}}}TopLeftCorner", f"{x!r} {y!r}")
        for name, key in (
            ("TileWidth", "tileWidth"),
            ("TileHeight", "tileHeight"),
            ("MatrixWidth", "matrixWidth"),
            ("MatrixHeight", "matrixHeight"),
        ):
            element(matrix, f"{{{WMTS}}}{name}", str(level[key]))


def urn(crs: str) -> str:
    """The URN of ``EPSG:n`` or ``OGC:CRS84``."""
    authority, _, code = crs.partition(":")
    version = "1.3" if authority == "OGC" else ""
    return f"urn:ogc:def:crs:{authority}:{version}:{code}"
