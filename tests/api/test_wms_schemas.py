"""What WMS and WMTS answer is valid by the schemas of the OGC, which lie beside this file."""

from __future__ import annotations

import functools
from pathlib import Path
from urllib.parse import urlencode

import pytest
from lxml import etree

from tests.api.conftest import Own
from tests.api.drawn_town import make

SCHEMAS = Path(__file__).with_name("schemas")
NEW, OLD, TILES = (
    "wms/1.3.0/capabilities_1_3_0.xsd",
    "wms/1.1.1/capabilities_1_1_1.dtd",
    "wmts/1.0/wmtsGetCapabilities_response.xsd",
)
NEW_ERROR, OLD_ERROR, TILES_ERROR = (
    "wms/1.3.0/exceptions_1_3_0.xsd",
    "wms/1.1.1/exception_1_1_1.dtd",
    "ows/1.1.0/owsAll.xsd",
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return make(tmp_path_factory.mktemp("drawn"))


@functools.cache
def schema(name: str) -> etree.XMLSchema | etree.DTD:
    path = str(SCHEMAS / name)
    if name.endswith(".dtd"):
        return etree.DTD(path)
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True)))


def faults(body: bytes, name: str) -> list[str]:
    """What a schema says against a document."""
    judge = schema(name)
    judge.validate(etree.fromstring(body))
    return [str(entry) for entry in judge.error_log]


CAPABILITIES = [
    ("/wms", "WMS", "1.3.0", NEW),
    ("/wms", "WMS", "1.1.1", OLD),
    ("/wmts", "WMTS", "1.0.0", TILES),
]


@pytest.mark.parametrize("key", [None, "operator"])
@pytest.mark.parametrize(("path", "service", "version", "name"), CAPABILITIES)
def test_capabilities_are_valid_for_who_sees_little_and_for_who_sees_all(
    town: Own, key: str | None, path: str, service: str, version: str, name: str
) -> None:
    said = urlencode({"SERVICE": service, "VERSION": version, "REQUEST": "GetCapabilities"})
    body = town.get(f"{path}?{said}", key).data
    assert b"places" in body
    assert (b"buildings" in body) == (key == "operator")
    assert faults(body, name) == []
    assert faults(body.replace(b"Title>", b"Titel>"), name) != []


@pytest.mark.parametrize(
    ("path", "said", "name"),
    [
        ("/wms", {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap"}, NEW_ERROR),
        ("/wms", {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMop"}, NEW_ERROR),
        ("/wms", {"SERVICE": "WMS", "VERSION": "1.1.1", "REQUEST": "GetMap"}, OLD_ERROR),
        ("/wmts", {"SERVICE": "WMTS", "REQUEST": "GetTile"}, TILES_ERROR),
        ("/wmts", {"SERVICE": "WMTS", "REQUEST": "GetMop"}, TILES_ERROR),
    ],
)
def test_exceptions_are_valid(town: Own, path: str, said: dict[str, str], name: str) -> None:
    answer = town.get(f"{path}?{urlencode(said)}", None)
    assert answer.status_code == 400, answer.text[:300]
    assert faults(answer.data, name) == []
