"""The capabilities documents of WMS 1.3.0 (OGC 06-042) and 1.1.1 (OGC 01-068r3)."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

import numpy as np
from lxml import etree

from geoshare.api.ows import XLINK, element, written, xml
from geoshare.api.ows_layers import OwsLayer
from geoshare.api.raster import MEDIA
from geoshare.api.wms_systems import MAX_SIDE, SYSTEMS, System
from geoshare.model.box import Box
from geoshare.query.tilesets import bounds
from tiles.matrices import MATRIX_SETS

WMS: Final = "http://www.opengis.net/wms"
MAX_LAYERS: Final = 32
TITLE: Final = "geoshare"
INFO_FORMATS: Final = ("application/json", "text/plain", "text/html")
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA: Final = "http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
_DTD: Final = "http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd"
_WORLD: Final = Box(-180.0, -90.0, 180.0, 90.0)
_ALONG: Final = 9  # places along each side of a box, to see how far it reaches elsewhere


class Document:
    """Writes one of the two documents, which differ in names and in what they leave out."""

    def __init__(self, *, is_old: bool) -> None:
        self.is_old = is_old
        self._space = "" if is_old else f"{{{WMS}}}"
        spaces = {} if is_old else {None: WMS, "xlink": XLINK, "xsi": _XSI}
        name = "WMT_MS_Capabilities" if is_old else "WMS_Capabilities"
        self.root = etree.Element(f"{self._space}{name}", nsmap=spaces)  # type: ignore[arg-type]
        self.root.set("version", "1.1.1" if is_old else "1.3.0")
        if not is_old:
            self.root.set(f"{{{_XSI}}}schemaLocation", f"{WMS} {_SCHEMA}")

    def add(
        self, parent: etree._Element, name: str, text: str | None = None, /, **attributes: str
    ) -> etree._Element:
        """Add an element of WMS."""
        return element(parent, f"{self._space}{name}", text, **attributes)

    def link(self, parent: etree._Element, address: str) -> None:
        """Add an address. The DTD of 1.1.1 knows the namespace of links at each of them alone."""
        made = etree.SubElement(parent, f"{self._space}OnlineResource", nsmap={"xlink": XLINK})
        made.set(f"{{{XLINK}}}type", "simple")
        made.set(f"{{{XLINK}}}href", written(address))

    def body(self) -> bytes:
        """The document."""
        if not self.is_old:
            return xml(self.root)
        found: bytes = etree.tostring(
            self.root,
            xml_declaration=True,
            encoding="UTF-8",
            doctype=f'<!DOCTYPE WMT_MS_Capabilities SYSTEM "{_DTD}">',
        )
        return found


def capabilities(
    layers: list[OwsLayer], readable: Set[str], address: str, attribution: str, *, is_old: bool
) -> bytes:
    """The document for a caller.

    Parameters
    ----------
    layers
        Those of the caller.
    readable
        Names of layers whose features may be asked for.
    address
        Where requests go; it ends with ``?`` or ``&``.
    attribution
        What must be said beside the map.
    is_old
        1.1.1 instead of 1.3.0.
    """
    document = Document(is_old=is_old)
    service = document.add(document.root, "Service")
    document.add(service, "Name", "OGC:WMS" if is_old else "WMS")
    document.add(service, "Title", TITLE)
    document.add(service, "Abstract", attribution)
    document.link(service, address)
    document.add(service, "Fees", "none")
    document.add(service, "AccessConstraints", attribution or "none")
    if not is_old:
        document.add(service, "LayerLimit", str(MAX_LAYERS))
        document.add(service, "MaxWidth", str(MAX_SIDE))
        document.add(service, "MaxHeight", str(MAX_SIDE))
    capability = document.add(document.root, "Capability")
    _requests(document, capability, address)
    exceptions = document.add(capability, "Exception")
    document.add(exceptions, "Format", "application/vnd.ogc.se_xml" if is_old else "XML")
    top = document.add(capability, "Layer")
    document.add(top, "Title", TITLE)
    for name in SYSTEMS:
        if not (is_old and name == "CRS:84"):
            document.add(top, "SRS" if is_old else "CRS", name)
    shown = [view for layer in layers for view in layer.sources]
    _box(document, top, bounds(shown) or _WORLD, [])
    if attribution:
        document.add(document.add(top, "Attribution"), "Title", attribution)
    for layer in layers:
        _layer(document, top, layer, address, queryable=layer.name in readable)
    return document.body()


def _requests(document: Document, capability: etree._Element, address: str) -> None:
    request = document.add(capability, "Request")
    about = "application/vnd.ogc.wms_xml" if document.is_old else "text/xml"
    for name, formats in (
        ("GetCapabilities", (about,)),
        ("GetMap", tuple(MEDIA.values())),
        ("GetFeatureInfo", INFO_FORMATS),
    ):
        operation = document.add(request, name)
        for media in formats:
            document.add(operation, "Format", media)
        http = document.add(document.add(operation, "DCPType"), "HTTP")
        document.link(document.add(http, "Get"), address)


def _layer(
    document: Document,
    parent: etree._Element,
    layer: OwsLayer,
    address: str,
    *,
    queryable: bool,
) -> None:
    made = document.add(parent, "Layer", queryable="1" if queryable else "0", opaque="0")
    document.add(made, "Name", layer.name)
    document.add(made, "Title", layer.title)
    if layer.abstract:
        document.add(made, "Abstract", layer.abstract)
    if layer.extent is not None:
        _box(document, made, layer.extent, list(SYSTEMS.values()))
    times = layer.times()
    if times:
        _time(document, made, times)
    for name, title in layer.styles():
        style = document.add(made, "Style")
        document.add(style, "Name", name)
        document.add(style, "Title", title)
        legend = document.add(style, "LegendURL", width="240", height="120")
        document.add(legend, "Format", "image/png")
        said = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetLegendGraphic&FORMAT=image/png"
        document.link(legend, f"{address}{said}&LAYER={layer.name}&STYLE={name}")


def _time(document: Document, made: etree._Element, times: list[str]) -> None:
    if document.is_old:
        document.add(made, "Dimension", name="time", units="ISO8601")
        document.add(made, "Extent", ",".join(times), name="time", default=times[-1])
        return
    said = {"name": "time", "units": "ISO8601", "default": times[-1]}
    document.add(made, "Dimension", ",".join(times), **said, multipleValues="0", nearestValue="0")


def _box(document: Document, made: etree._Element, box: Box, systems: list[System]) -> None:
    """Where a layer lies: in degrees, and in each system whose world it is in."""
    west, east = (box.west, box.east) if box.west <= box.east else (-180.0, 180.0)
    sides = dict(zip(("minx", "miny", "maxx", "maxy"), (west, box.south, east, box.north), strict=True))
    if document.is_old:
        document.add(made, "LatLonBoundingBox", **{name: repr(side) for name, side in sides.items()})
    else:
        place = document.add(made, "EX_GeographicBoundingBox")
        for name, side in (
            ("westBoundLongitude", west),
            ("eastBoundLongitude", east),
            ("southBoundLatitude", box.south),
            ("northBoundLatitude", box.north),
        ):
            document.add(place, name, repr(side))
    for system in systems:
        found = _in_system(system, (west, box.south, east, box.north))
        if found is None or (document.is_old and system.name == "CRS:84"):
            continue
        if system.north_first and not document.is_old:
            found = (found[1], found[0], found[3], found[2])
        named = {"SRS" if document.is_old else "CRS": system.name}
        document.add(
            made,
            "BoundingBox",
            **named,
            **{name: repr(side) for name, side in zip(sides, found, strict=True)},
        )


def _in_system(
    system: System, box: tuple[float, float, float, float]
) -> tuple[float, float, float, float] | None:
    """A box in degrees as west, south, east, north of a system; None where that does not hold it."""
    matrices = MATRIX_SETS[system.matrix_set]
    west, south, east, north = box
    lowest, least = matrices.domain[0], matrices.domain[1]
    if matrices.bends and not (
        lowest < west and east < matrices.domain[2] and least < south and north < matrices.domain[3]
    ):
        return None
    lon, lat = np.linspace(west, east, _ALONG), np.linspace(south, north, _ALONG)
    xy = matrices.to_crs(np.array([(x, y) for x in lon for y in lat], np.float64))
    (left, low), (right, high) = xy.min(axis=0).tolist(), xy.max(axis=0).tolist()
    return round(left, 9), round(low, 9), round(right, 9), round(high, 9)
