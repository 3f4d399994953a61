"""OGC API Features Part 2 (18-058r1), annex A: ``/conf/crs/...``, with pyproj as the judge."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import shape

from tests.conformance.server import CRS84, CRS84H, GEOJSON, Server

CLASS = "ogcapi-features-2/1.0/conf/crs"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


@pytest.fixture
def located(served: Server) -> Server:
    served.needs(CLASS)
    return served


def systems(served: Server, collection: str) -> list[str]:
    """The systems of a collection, those of the list of collections put in place of ``#/crs``."""
    found = served.get(f"/collections/{collection}", "application/json")["crs"]
    if "#/crs" in found:
        found = served.get("/collections", "application/json")["crs"] + found
    return [name for name in found if name != "#/crs"]


def moved(name: str, lon_lat: np.ndarray) -> np.ndarray:
    """Positions (n, 2) in a system, in the axis order of its authority."""
    if not name.startswith(EPSG):
        return lon_lat
    target = pyproj.CRS.from_epsg(int(name.removeprefix(EPSG))).to_2d()
    judge = pyproj.Transformer.from_crs("EPSG:4326", target)
    return np.column_stack(judge.transform(lon_lat[:, 1], lon_lat[:, 0]))


def near(name: str) -> float:
    """How far positions may be apart: 2 mm, or as much in degrees."""
    metric = name.startswith(EPSG) and pyproj.CRS.from_epsg(int(name.removeprefix(EPSG))).is_projected
    return 0.002 if metric else 2e-7


def test_crs_uri_and_default_crs(located: Server):
    for item in located.collections:
        found = systems(located, item["id"])
        assert CRS84 in found or CRS84H in found
        assert all(name.startswith("http://www.opengis.net/def/crs/") for name in found)
        assert len(set(found)) == len(found)


def test_crs_storage_crs(located: Server):
    for item in located.collections:
        stored = located.get(f"/collections/{item['id']}").get("storageCrs")
        assert stored is None or stored in systems(located, item["id"])


def test_crs_parameter_default_is_named_in_the_header(located: Server):
    for item in located.collections:
        first = located.page(item["id"], limit=1)["features"][0]["id"]
        for path in (located.items(item["id"]), f"{located.items(item['id'])}/{first}"):
            answer = located.ask(path, GEOJSON)
            assert answer.headers["content-crs"] in (f"<{CRS84}>", f"<{CRS84H}>")


def test_crs_parameter_and_transform(located: Server):
    item = located.collections[0]["id"]
    plain = located.page(item, limit=20)["features"]
    one = plain[0]["id"]
    for name in systems(located, item):
        answer = located.ask(located.items(item), GEOJSON, crs=name, limit=20)
        assert answer.status == 200, answer.body
        assert answer.headers["content-crs"] == f"<{name}>"
        for before, after in zip(plain, answer.json["features"], strict=True):
            if before["geometry"] is None:
                continue
            expected = moved(name, shapely.get_coordinates(shape(before["geometry"])))
            found = shapely.get_coordinates(shape(after["geometry"]))
            # rings may begin the other way round where axes are swapped
            bounds = [np.concatenate([part.min(0), part.max(0)]) for part in (expected, found)]
            assert np.abs(bounds[0] - bounds[1]).max() <= near(name), name
        alone = located.ask(f"{located.items(item)}/{one}", GEOJSON, crs=name)
        assert alone.json["geometry"] == answer.json["features"][0]["geometry"]
        assert alone.headers["content-crs"] == f"<{name}>"


@pytest.mark.parametrize("value", ["EPSG:4326", f"{EPSG}1", "", "http://example.com/crs"])
def test_crs_parameter_invalid(located: Server, value):
    item = located.collections[0]["id"]
    one = located.page(item, limit=1)["features"][0]["id"]
    for path in (located.items(item), f"{located.items(item)}/{one}"):
        assert located.ask(path, crs=value).status == 400
    assert located.ask(located.items(item), bbox_crs=value, bbox="0,0,1,1").status == 400


def test_bbox_crs_parameter_and_default(located: Server):
    item = located.collections[0]["id"]
    features = [one for one in located.page(item, limit=500)["features"] if one["geometry"]]
    middle = shape(features[len(features) // 2]["geometry"]).representative_point()
    for name in systems(located, item):
        corner = moved(name, np.array([[middle.x, middle.y]]))[0]
        reach = 60.0 if near(name) > 1e-3 else 0.0005
        box = ",".join(repr(float(side)) for side in (*(corner - reach), *(corner + reach)))
        found = located.page(item, bbox=box, bbox_crs=name, limit=500)["features"]
        assert features[len(features) // 2]["id"] in {one["id"] for one in found}, name
        assert len(found) < len(features) or len(features) < 10
        if name == CRS84:
            assert located.page(item, bbox=box, limit=500)["features"] == found
