"""Pages of features in the formats that other programs read, each by somebody else's library."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import geopandas
import pyarrow as pa
import pytest
import shapely

from tests.api.conftest import Own

EPSG_6677 = "http://www.opengis.net/def/crs/EPSG/0/6677"
SUFFIXES = {"fgb": "fgb", "gpkg": "gpkg", "parquet": "parquet"}
TYPES = {
    "csv": "text/csv", "geojsonseq": "application/geo+json-seq", "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet", "gpkg": "application/geopackage+sqlite3",
    "arrow": "application/vnd.apache.arrow.stream",
}  # fmt: skip


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    found = Own(folder / "data")
    features = [
        {
            "type": "Feature",
            "id": f"p{number}",
            "properties": {"id": f"p{number}", "name": f"<b>橋 {number}</b>"},
            "geometry": {"type": "Point", "coordinates": [139.7 + number / 1000, 35.6]},
        }
        for number in range(25)
    ]
    path = folder / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found.contribute(path, collection="places")
    return found


def ask(own: Own, query: str, accept: str = "") -> Any:
    headers = {"Accept": accept} if accept else {}
    return own.client.get(f"/collections/places/items?{query}", headers=headers)


def read(content: bytes, form: str, folder: Path) -> list[tuple[str, str, Any]]:
    found = _read(content, form, folder)
    return [(key, name, tuple(round(number, 7) for number in place)) for key, name, place in found]


def _read(content: bytes, form: str, folder: Path) -> list[tuple[str, str, Any]]:
    if form == "csv":
        rows = csv.DictReader(io.StringIO(content.decode()))
        return [(row["id"], row["name"], (float(row["lon"]), float(row["lat"]))) for row in rows]
    if form == "geojsonseq":
        found = [json.loads(text) for text in content.split(b"\x1e")[1:]]
        return [(i["id"], i["properties"]["name"], tuple(i["geometry"]["coordinates"])) for i in found]
    if form == "arrow":
        found = pa.ipc.open_stream(content).read_all().to_pylist()
        shapes = [shapely.from_wkb(row["geometry"]) for row in found]
        return [(r["id"], r["name"], (s.x, s.y)) for r, s in zip(found, shapes, strict=True)]
    path = folder / f"page.{SUFFIXES[form]}"
    path.write_bytes(content)
    if form == "parquet":
        frame = geopandas.read_parquet(path)
    else:
        frame = geopandas.read_file(path, layer="places")
    return [(i, n, (g.x, g.y)) for i, n, g in zip(frame.id, frame.name, frame.geometry, strict=True)]


@pytest.mark.parametrize("form", sorted(TYPES))
def test_every_page_says_what_geojson_says_and_leads_to_the_next(own, tmp_path, form):
    plain = ask(own, "limit=10&properties=name")
    expected = [
        (i["id"], i["properties"]["name"], tuple(i["geometry"]["coordinates"]))
        for i in plain.json["features"]
    ]
    answer = ask(own, f"limit=10&properties=name&f={form}")
    assert answer.status_code == 200, answer.data
    assert answer.mimetype == TYPES[form]
    by_accept = ask(own, "limit=10&properties=name", TYPES[form])
    assert by_accept.data == answer.data
    key = None if form != "fgb" else (lambda item: item[0])  # its index has an order of its own
    got = read(answer.data, form, tmp_path)
    assert sorted(got, key=key) == sorted(expected, key=key) if key else got == expected
    assert answer.headers["OGC-NumberMatched"] == "25"
    assert answer.headers["OGC-NumberReturned"] == "10"
    links = answer.headers.getlist("Link")
    following = next(link for link in links if 'rel="next"' in link)
    path = following[1:].partition(">")[0].partition("/collections")[2]
    rest = read(own.client.get(f"/collections{path}").data, form, tmp_path)
    assert not {item[0] for item in rest} & {item[0] for item in got}
    again = own.client.get(
        f"/collections/places/items?limit=10&properties=name&f={form}",
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304


def test_a_page_in_a_plane_zone_has_x_to_the_east(own, tmp_path):
    answer = ask(own, f"f=fgb&crs={EPSG_6677}")
    assert answer.headers["Content-Crs"] == f"<{EPSG_6677}>"
    path = tmp_path / "page.fgb"
    path.write_bytes(answer.data)
    frame = geopandas.read_file(path)
    assert frame.crs.to_epsg() == 6677
    back = frame.to_crs(4326).geometry
    assert back.x.min() == pytest.approx(139.7, abs=1e-8)
    assert ask(own, f"f=geojsonseq&crs={EPSG_6677}").status_code == 400


def test_a_browser_gets_a_table_in_which_nothing_is_markup(own):
    answer = ask(own, "limit=5", "text/html,application/xhtml+xml,*/*;q=0.8")
    assert answer.mimetype == "text/html"
    assert "&lt;b&gt;橋" in answer.text
    assert "<b>橋" not in answer.text
    assert 'rel="next"' in answer.text
    assert "25 件中 5 件" in answer.text


def test_excel_gets_the_mark_it_needs(own):
    assert ask(own, "f=csv&bom=true").data.startswith("\ufeff".encode())
    assert "wkt" in ask(own, "f=csv&geometry-as=wkt").text.splitlines()[0]
    assert ask(own, "f=shp").status_code == 400


def test_a_format_that_no_grant_has_is_not_available(own, monkeypatch):
    policy = own.services.policy
    monkeypatch.setattr(
        type(policy(own.services.authenticator.authenticate(own.keys["developer"]), "read")),
        "formats",
        lambda self, name: frozenset({"geojson", "csv"}),
    )
    wrong = ask(own, "f=parquet")
    assert (wrong.status_code, wrong.json["parameter"]) == (400, "f")
    assert wrong.json["allowed"] == "json, html, csv"
    assert ask(own, "f=csv").status_code == 200
