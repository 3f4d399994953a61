"""Raw contributions: shut to the operator, opened for a time with a reason that the provider reads."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.people import Browser

CSV = "id,name,lon,lat\ns1,第一小学校,139.7,35.6\n"


@pytest.fixture
def operator(own) -> Browser:
    return Browser(own, "org-operator", "operator", name="運用 担当").log_in()


@pytest.fixture
def sent(own, tmp_path: Path) -> str:
    """A contribution of a provider."""
    path = tmp_path / "避難所.csv"
    path.write_text(CSV, "utf-8")
    own.contribute(path, provider="org-provider", collection="shelters", crs="EPSG:4326")
    (found,) = own.services.record.contributions("org-provider")
    return found.id


def test_a_raw_file_is_shut_until_a_person_opens_it_with_a_reason(own, operator, sent):
    path = f"/admin/contributions/{sent}"
    assert operator.ask("GET", f"{path}/original").status_code == 403
    assert own.get(f"{path}/original", "operator").status_code == 403
    by_key = own.client.post(
        f"{path}/access", json={"reason": "x"}, headers={"X-API-Key": own.keys["operator"]}
    )
    assert by_key.status_code == 403
    for body in ({}, {"reason": " "}, {"reason": "x", "minutes": 481}, {"reason": "x", "minutes": 0}):
        assert operator.ask("POST", f"{path}/access", body).status_code == 400
    made = operator.ask("POST", f"{path}/access", {"reason": "座標がずれている", "minutes": 5})
    assert made.status_code == 201
    answer = operator.ask("GET", f"{path}/original")
    assert (answer.status_code, answer.data.decode()) == (200, CSV)
    assert answer.headers["Cache-Control"] == "no-store"
    other = Browser(own, "org-operator", "operator").log_in()
    assert other.ask("GET", f"{path}/original").status_code == 403
    assert operator.ask("DELETE", f"/admin/access/{made.json['id']}").status_code == 204
    assert operator.ask("GET", f"{path}/original").status_code == 403


def test_access_ends_by_itself(own, operator, sent):
    path = f"/admin/contributions/{sent}"
    operator.ask("POST", f"{path}/access", {"reason": "x", "minutes": 5})
    clock = own.services.clock

    class Later:
        def now_us(self) -> int:
            return clock.now_us() + 5 * 60_000_000

    own.services.clock = Later()
    assert operator.ask("GET", f"{path}/original").status_code == 403


def test_the_provider_reads_who_opened_what_and_why_and_others_do_not(own, operator, sent):
    path = f"/admin/contributions/{sent}"
    operator.ask("POST", f"{path}/access", {"reason": "座標がずれている", "minutes": 5})
    operator.ask("GET", f"{path}/original")
    (told,) = own.get("/me/access", "provider").json["access"]
    assert (told["reason"], told["by"], told["contribution"]) == ("座標がずれている", "運用 担当", sent)
    for key in ("municipal", None):
        assert own.get("/me/access", key).json == {"access": []}
    entries = own.get("/me/audit", "provider").json["entries"]
    kinds = [item["entry"]["kind"] for item in entries]
    assert kinds[:2] == ["breakglass.read", "breakglass.open"]
    assert "座標がずれている" not in json.dumps([item["entry"] for item in entries], ensure_ascii=False)
    assert "breakglass" not in json.dumps(own.get("/me/audit", "municipal").json)


def test_refused_rows_of_a_provider_are_raw_data_too(own, operator):
    body = (CSV + "s2,第二,999,999\n").encode()
    made = own.client.post(
        "/contributions?filename=a.csv&collection=shelters&crs=EPSG:4326",
        data=body,
        headers={"X-API-Key": own.keys["provider"], "Content-Type": "application/octet-stream"},
    ).json
    reports = own.settings.data / "reports"
    reports.mkdir(exist_ok=True)
    (reports / f"{made['id']}.xlsx").write_bytes(b"rows as they came")
    path = f"/contributions/{made['id']}/refused.xlsx"
    assert own.get(path, "provider").status_code == 200
    assert own.get(path, "operator").status_code == 403
    assert operator.ask("GET", path).status_code == 403


def test_a_file_of_several_parts_comes_as_one(own, operator, tmp_path: Path):
    import geopandas
    import shapely

    folder = tmp_path / "shape"
    folder.mkdir()
    geopandas.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.Point(139.7, 35.6)], crs="EPSG:4326"
    ).to_file(folder / "places.shp")
    own.contribute(folder / "places.shp", provider="org-provider", collection="places")
    (found,) = own.services.record.contributions("org-provider")
    path = f"/admin/contributions/{found.id}"
    operator.ask("POST", f"{path}/access", {"reason": "x"})
    answer = operator.ask("GET", f"{path}/original")
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert {"places.shp", "places.dbf", "places.shx"} <= set(names)
    assert list(own.services.scratch().iterdir()) == []
