"""The catalogue as DCAT 3 in JSON-LD, as portals of open data harvest it.

Terms are those of W3C's Data Catalog Vocabulary (DCAT) version 3; access rights are from the vocabulary
of the Publications Office of the European Union that DCAT-AP names. The context is in the document:
nothing has to be fetched to read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from geoshare.model.box import Box
from geoshare.model.times import iso
from geoshare.query.catalogue import Entry

MEDIA_TYPE: Final = "application/ld+json"
_IANA: Final = "https://www.iana.org/assignments/media-types/"
_ACCESS: Final = "http://publications.europa.eu/resource/authority/access-right/"
_SPDX: Final = "https://spdx.org/licenses/"
_RIGHTS: Final = {"open": "PUBLIC", "restricted": "RESTRICTED"}
_CONTEXT: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to have a collection: a title, its address and the media type that is had there."""

    title: str
    address: str
    media_type: str


def catalog(
    title: str, base: str, service: str, described: Sequence[tuple[Entry, str, Sequence[Way]]]
) -> dict[str, Any]:
    """The document.

    Parameters
    ----------
    title
        Of the catalogue, in English.
    base
        Address of the catalogue itself.
    service
        Address of the service's description.
    described
        Each record with the address of its collection and the ways to have it.
    """
    return {
        "@context": _CONTEXT,
        "@id": base,
        "@type": "dcat:Catalog",
        "dct:title": [{"@value": title, "@language": "en"}],
        "dcat:service": {
            "@id": service,
            "@type": "dcat:DataService",
            "dct:title": [{"@value": title, "@language": "en"}],
            "dcat:endpointDescription": {"@id": service},
        },
        "dcat:dataset": [_dataset(item, address, ways) for item, address, ways in described],
    }


def _dataset(item: Entry, address: str, ways: Sequence[Way]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:identifier": item.id,
        "dct:title": _both(item.title, item.title_ja),
        "dct:description": _both(item.description, item.description_ja),
        "dcat:keyword": list(item.keywords),
        "dct:accessRights": {
            "@id": _ACCESS + _RIGHTS[item.access],
            "@type": "dct:RightsStatement",
        },
        "dcat:landingPage": {"@id": address},
        "dcat:distribution": [_distribution(item, way) for way in ways],
    }
    if item.box is not None:
        said["dct:spatial"] = {
            "@type": "dct:Location",
            "dcat:bbox": {"@type": "gsp:wktLiteral", "@value": _wkt(item.box)},
        }
    if item.interval is not None and item.interval != (None, None):
        ends = zip(("dcat:startDate", "dcat:endDate"), item.interval, strict=True)
        said["dct:temporal"] = {"@type": "dct:PeriodOfTime"} | {
            name: {"@type": "xsd:dateTime", "@value": iso(moment)}
            for name, moment in ends
            if moment is not None
        }
    return said


def _distribution(item: Entry, way: Way) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@type": "dcat:Distribution",
        "dct:title": way.title,
        "dcat:accessURL": {"@id": way.address},
        "dcat:mediaType": {"@id": _IANA + way.media_type},
    }
    if item.licences:
        said["dct:license"] = [_licence(name) for name in item.licences]
    return said


def _licence(name: str) -> dict[str, Any]:
    """One of SPDX's list by its address; another by its name alone."""
    if name.startswith("LicenseRef-"):
        return {"@type": "dct:LicenseDocument", "dct:title": name}
    return {"@id": _SPDX + name, "@type": "dct:LicenseDocument"}


def _both(english: str, japanese: str) -> list[dict[str, str]]:
    said = (("en", english), ("ja", japanese))
    return [{"@value": text, "@language": code} for code, text in said if text]


def _wkt(box: Box) -> str:
    """Longitude and latitude, as GeoSPARQL's literal without a reference system has them (CRS84)."""
    west, south, east, north = box
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return f"POLYGON(({', '.join(f'{x:.7g} {y:.7g}' for x, y in ring)}))"
