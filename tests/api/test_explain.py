"""Which claim won and why, told as far as the caller's tier permits; and look-up by own ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Own

M = 1 / 111_319.49
NOBODYS = "0123456789abcdef"
SIGNS = "/collections/roadside_features/items"


def write(path: Path, rows: dict[str, tuple[float, dict[str, Any]]]) -> Path:
    features = [
        {
            "type": "Feature",
            "id": id_,
            "properties": said | {"id": id_},
            "geometry": {"type": "Point", "coordinates": [139.0, 35.0 + north * M]},
        }
        for id_, (north, said) in rows.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Own:
    """A sign that two makers have seen, and one that only the first has; who asks for both."""
    folder = tmp_path_factory.mktemp("signs")
    own = Own(folder / "data")
    said: dict[str, Any] = {"collection": "roadside_features", "licence": "LicenseRef-maker-x"}
    first = {
        "a1": (0.0, {"class": "sign", "subtype": "327", "opendrive": "<secret/>"}),
        "a2": (40.0, {"class": "pole"}),
    }
    second = {"b1": (0.5, {"class": "sign", "subtype": "329", "height_m": 2.5, "hidden": "秘密"})}
    for name, provider, rows, accuracy_m, observed in (
        ("a", "maker-a", first, 1.0, "2026-09-01"),
        ("b", "maker-b", second, 0.2, "2026-08-01"),
    ):
        path = write(folder / f"{name}.geojson", rows)
        own.contribute(path, provider=provider, accuracy_m=accuracy_m, observed=observed, **said)
    own.keys["maker-a"] = own.key("maker-a", "automaker")
    own.keys["maker-b"] = own.key("maker-b", "automaker")
    own.keys["b-without"] = own.key("maker-b2", "developer")
    with own.local._keeper.lock():
        own.local._keeper.publish(everything=True)
    return own


def ids(own: Own) -> tuple[str, str]:
    found = {item["properties"]["class"]: item["id"] for item in own.items("roadside_features")}
    assert len(found) == 2
    return found["sign"], found["pole"]


def explained(own: Own, feature: str, key: str | None) -> dict[str, Any]:
    answer = own.get(f"{SIGNS}/{feature}/explain", key)
    assert answer.status_code == 200, answer.data
    return json.loads(answer.data)


def test_the_operator_learns_who_says_what_and_why_which_claim_won(signs: Own) -> None:
    sign, _ = ids(signs)
    said = explained(signs, sign, "operator")
    assert [claim["provider"] for claim in said["claims"]] == ["maker-b", "maker-a"]
    assert [claim["record_id"] for claim in said["claims"]] == ["b1", "a1"]
    assert said["claims"][0]["licence"] == "LicenseRef-maker-x"
    assert said["geometry"]["claim"] == 1
    assert "0.2 m" in said["geometry"]["explanation"]["en"]
    assert "0.2 m" in said["geometry"]["explanation"]["ja"]
    subtype = said["properties"]["subtype"]
    assert (subtype["value"], subtype["claim"], subtype["reason"]) == ("327", 2, "recency")
    assert subtype["others"] == [{"claim": 1, "value": "329"}]
    assert "maker-a, maker-b" in said["summary"]["en"]


def test_a_car_maker_learns_why_but_not_from_whom_nor_what_the_rival_says(signs: Own) -> None:
    sign, _ = ids(signs)
    said = explained(signs, sign, "automaker")
    assert said["geometry"]["reason"] == "accuracy"
    assert said["properties"]["subtype"]["reason"] == "recency"
    assert "others" not in said["properties"]["subtype"]
    text = json.dumps(said, ensure_ascii=False)
    for hidden in ("maker-", "329", "秘密", "secret", "extra", "record_id", "licence"):
        assert hidden not in text


def test_who_holds_no_such_grant_is_told_the_same_of_every_feature(signs: Own) -> None:
    sign, pole = ids(signs)
    assert explained(signs, pole, "operator")["claims"] == []
    told = explained(signs, pole, "automaker")
    assert "Nothing is told" in told["summary"]["en"]
    hidden = signs.get(f"{SIGNS}/{sign}/explain", "developer")
    missing = signs.get(f"{SIGNS}/{NOBODYS}/explain", "developer")
    nowhere = signs.get(f"/collections/nothing/items/{sign}/explain", "developer")
    assert hidden.status_code == 404
    assert hidden.data == missing.data == nowhere.data
    assert signs.get(f"{SIGNS}/{NOBODYS}/explain", "automaker").status_code == 404


def test_claims_are_no_collection_of_anybody_but_the_operator(signs: Own) -> None:
    for key in ("automaker", "municipal", "developer", None):
        for path in ("", "/items", "/schema", "/changes"):
            missing = signs.get(f"/collections/nothing{path}", key)
            answer = signs.get(f"/collections/claims{path}", key)
            assert (answer.status_code, answer.data) == (missing.status_code, missing.data)


def found(own: Own, external_id: str, key: str | None, path: str = SIGNS) -> list[str]:
    answer = own.get(f"{path}?external_id={external_id}", key)
    assert answer.status_code == 200, answer.data
    said = json.loads(answer.data)
    assert said["numberMatched"] == said["numberReturned"] == len(said["features"])
    return [item["id"] for item in said["features"]]


def test_a_provider_finds_features_by_its_own_ids_and_nobody_elses(signs: Own) -> None:
    sign, pole = ids(signs)
    assert found(signs, "a1", "maker-a") == [sign] == found(signs, "b1", "maker-b")
    assert found(signs, "a2", "maker-a") == [pole]
    for other, key in (("a1", "maker-b"), ("b1", "maker-a"), ("a2", "automaker"), ("no", "maker-a")):
        assert found(signs, other, key) == []
    first, second = (signs.get(f"{SIGNS}?external_id={id_}", "maker-b").data for id_ in ("a1", "zz"))
    assert first.replace(b"a1", b"zz") == second


def test_an_own_id_of_what_the_caller_may_not_see_is_no_id(signs: Own) -> None:
    hidden = signs.get(f"{SIGNS}?external_id=b1", "b-without")
    missing = signs.get("/collections/nothing/items?external_id=b1", "b-without")
    assert (hidden.status_code, hidden.data) == (404, missing.data)


def test_an_id_is_looked_up_alone(signs: Own) -> None:
    answer = signs.get(f"{SIGNS}?external_id=a1&filter=true", "maker-a")
    assert answer.status_code == 400
    assert json.loads(answer.data)["parameter"] == "filter"


def test_a_shelter_is_found_by_its_common_id_where_the_row_shows_it(signs: Own, tmp_path: Path) -> None:
    rows = {"x": (0.0, {"common_id": "S-1", "name": "小学校"})}
    signs.contribute(write(tmp_path / "s.geojson", rows), provider="city", collection="shelters")
    [shelter] = signs.items("shelters")
    path = "/collections/shelters/items"
    assert found(signs, "S-1", None, path) == [shelter["id"]]
    assert found(signs, "S-2", None, path) == []
