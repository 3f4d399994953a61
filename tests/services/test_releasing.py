"""Release classes in agreements, contributions and at the desk: who states which, and who sees what."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from geoshare.access.classes import contributing, declared_classes
from geoshare.access.contradictions import contradictions
from geoshare.access.findings import readers_of
from geoshare.access.tiers import read_tiers
from geoshare.errors import BadRequest
from geoshare.model.collections import known
from geoshare.model.policy import Agreement, Grant, canonical_json
from geoshare.services.keeping import make_worker
from geoshare.services.tier_desk import TierDesk
from geoshare.services.written import Author
from tests.desk.conftest import OTHER, TOWN, Town, point

CLASSES = """
[release_classes.partners]
title = "Partners"
title_ja = "協力企業"
[release_classes.staff]
title = "Staff"
title_ja = "職員"
"""
GRANT = """
[[municipal.grants]]
collections = ["shelters"]
columns = ["name", "common_id"]
release_classes = ["partners"]

[[municipal.grants]]
collections = ["water_points"]
columns = ["name", "status"]
release_classes = ["partners"]
"""


def classed(data: Path) -> Path:
    """A data folder whose tiers declare classes, one of which the municipal tier reads."""
    data.mkdir(parents=True)
    built_in = (resources.files("geoshare.access") / "tiers.toml").read_text("utf-8")
    (data / "tiers.toml").write_text(built_in + CLASSES + GRANT, "utf-8")
    return data


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Two municipalities; what one of them contributes is for partners if it does not say otherwise."""
    found = Town(classed(tmp_path_factory.mktemp("town") / "data"))
    [row] = found.services.agreements.rows(TOWN)
    found.services.agreements.end(row.id, Author("tests", "because"))
    found.local.agree(
        TOWN, ("municipal",), days=1, reason="a test", release_classes=("partners", "open")
    )
    found.local.agree(OTHER, ("municipal",), days=1, reason="it sees its neighbours")
    found.keys["visitor"] = found.key("maker", "automaker")
    found.services.policies.forget()
    return found


def shelters(*names: str) -> bytes:
    features = [
        {
            "type": "Feature",
            "geometry": point([139.5, 35.5]),
            "properties": {"common_id": f"F{number}", "name": name},
        }
        for number, name in enumerate(names)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def send(town: Town, body: bytes, key: str = TOWN, **said: str) -> Any:
    query = {"collection": "shelters", "filename": "shelters.geojson", **said}
    answer = town.client.post(
        "/contributions", query_string=query, data=body, headers={"X-API-Key": town.keys[key]}
    )
    worker = make_worker(town.services)
    while worker.run_one():
        pass
    town.publish()
    return answer


def names(town: Town, key: str | None) -> list[str]:
    headers = {"X-API-Key": town.keys[key]} if key else {}
    answer = town.client.get("/collections/shelters/items", headers=headers)
    return sorted(item["properties"]["name"] for item in answer.json["features"])


def test_what_is_contributed_is_of_the_class_that_the_agreement_states(town: Town) -> None:
    assert send(town, shelters("for partners")).status_code == 202
    assert names(town, TOWN) == ["for partners"]
    assert names(town, "visitor") == names(town, None) == []
    assert send(town, shelters("for all"), release_class="open").status_code == 202
    assert names(town, "visitor") == names(town, None) == ["for all"]
    assert names(town, TOWN) == names(town, OTHER) == ["for all", "for partners"]
    found = town.ask("GET", "/collections/shelters/items?external_id=F0").json["features"]
    assert sorted(item["properties"]["name"] for item in found) == ["for all", "for partners"]
    found = town.client.get("/collections/shelters/items?external_id=F0").json["features"]
    assert [item["properties"]["name"] for item in found] == ["for all"]
    for path in ("schema", "queryables", "items"):
        answer = town.ask("GET", f"/collections/shelters/{path}")
        assert b"@release" not in answer.data
    asked = town.ask("GET", "/collections/shelters/items?filter=%22@release%22='partners'")
    assert asked.status_code == 400


@pytest.mark.parametrize("wanted", ["staff", "nobody-has-this", "all"])
def test_a_class_that_the_agreement_does_not_state_is_refused_as_one_that_is_none(
    town: Town, wanted: str
) -> None:
    answer = send(town, shelters("x"), release_class=wanted)
    assert (answer.status_code, answer.json["parameter"]) == (400, "release_class")
    assert answer.json["allowed"] == "partners, open"
    assert wanted == "all" or wanted not in json.dumps(answer.json)


def test_who_contributes_in_a_provider_s_name_is_held_to_its_agreement(
    town: Town, tmp_path: Path
) -> None:
    path, before = tmp_path / "shelters.geojson", names(town, None)
    path.write_bytes(shelters("by hand"))
    with pytest.raises(BadRequest) as refused:
        town.local.contribute(path, TOWN, progress=lambda *_: None, release_class="staff")
    assert (refused.value.parameter, refused.value.allowed) == ("release_class", "partners, open")
    town.local.contribute(path, TOWN, progress=lambda *_: None, collection="shelters")
    town.publish()
    assert "by hand" in names(town, TOWN)
    assert names(town, None) == before  # for partners, as is usual for it
    free = tmp_path / "free.geojson"  # of one without an agreement the operator says it
    free.write_bytes(shelters("of nobody", "of none"))
    said = {"collection": "shelters", "release_class": "partners"}
    town.local.contribute(free, "newcomer", progress=lambda *_: None, **said)
    town.publish()
    assert {"of nobody", "of none"} <= set(names(town, TOWN))
    assert names(town, None) == before


def test_me_tells_the_classes_under_which_one_contributes_and_those_one_reads(town: Town) -> None:
    said = town.ask("GET", "/me").json
    assert [(item["id"], item["usual"]) for item in said["release_classes"]] == [
        ("partners", True),
        ("open", False),
    ]
    assert any("Release classes: partners." in item["en"] for item in said["grants"])
    other = town.ask("GET", "/me", key=OTHER).json
    assert [item["id"] for item in other["release_classes"]] == ["open"]
    assert town.client.get("/me").json["release_classes"] == []


def test_at_the_desk_what_is_made_and_said_is_of_the_class_of_the_feature(town: Town) -> None:
    made = town.make("water_points", {"name": "給水所", "status": "open"})
    assert town.seen("water_points", made["id"]) is not None
    assert town.seen("water_points", made["id"], key=None) is None
    changed = town.change(made, {"status": "closed"})
    assert changed.status_code == 200, changed.data
    assert town.seen("water_points", made["id"])["status"] == "closed"
    assert town.seen("water_points", made["id"], key=None) is None
    undone = town.ask("POST", f"/desk/edits/{changed.json['edit']}/undo", {"reason": "x"})
    assert undone.status_code in (200, 201), undone.data
    assert town.seen("water_points", made["id"])["status"] == "open"
    assert town.seen("water_points", made["id"], key=None) is None


def test_who_reads_a_class_and_does_not_contribute_under_it_cannot_edit_it(town: Town) -> None:
    made = town.make("water_points", {"name": "給水所2", "status": "open"})
    town.publish()
    version = town.version("water_points", made["id"], key=OTHER)
    answer = town.change(made | {"version": version}, {"status": "closed"}, key=OTHER)
    assert answer.status_code == 403, answer.data
    assert town.seen("water_points", made["id"])["status"] == "open"


def test_a_layer_of_no_schema_of_ours_is_open_alone(town: Town, tmp_path: Path) -> None:
    path = tmp_path / "own_layer.geojson"
    path.write_bytes(shelters("x"))
    with pytest.raises(Exception, match="open release class"):
        town.contribute(path, provider="maker", collection="own_layer", release_class="partners")
    assert "own_layer" not in town.services.record.collections()


def test_a_class_of_an_agreement_is_one_there_is_and_is_not_dropped_meanwhile(town: Town) -> None:
    with pytest.raises(BadRequest, match="no release class 'friends'"):
        town.local.agree("x", ("provider",), days=1, reason="a test", release_classes=("friends",))
    document = town.services.tiers.document()
    del document["release_classes"]["partners"]
    for grant in document["municipal"]["grants"]:
        grant.pop("release_classes", None)
    with pytest.raises(BadRequest, match="holds partners"):
        TierDesk(town.services).check(town.services.policies.checked(document, "tiers"))


# Documents


def document(**said: Any) -> dict[str, Any]:
    return {
        "id": "a",
        "parties": [
            {"organisation": "operator", "part": "provider"},
            {"organisation": "maker", "part": "consumer"},
        ],
        "tiers": ["provider"],
        "term": {"starts": "2026-01-01T00:00:00Z", "ends": "2027-01-01T00:00:00Z"},
        **said,
    }


def test_documents_that_state_no_class_are_those_of_before_there_were_any() -> None:
    plain = Agreement.model_validate(document())
    assert plain.release_classes == ("open",)
    assert b"release_classes" not in canonical_json(plain.document())
    assert Agreement.model_validate(document(release_classes=["open"])).sha256 == plain.sha256
    assert Agreement.model_validate(document(release_classes=["partners"])).sha256 != plain.sha256
    grant = Grant(collections=("shelters",))
    assert "release_classes" not in grant.data()
    assert Grant(collections=("shelters",), release_classes=("b", "open", "b")).data()[
        "release_classes"
    ] == ["b", "open"]


def tiers(classes: Any, granted: Any, role: str = "consumer") -> dict[str, Any]:
    grant = {"collections": ["shelters"], "columns": ["name"], "release_classes": granted}
    tier = {"title": "t", "title_ja": "t", "role": role, "grants": [grant]}
    return {"open": {"title": "o", "title_ja": "o"}, "t": tier, "release_classes": classes}


NAMED = {"partners": {"title": "Partners", "title_ja": "協力企業"}}


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (tiers(NAMED, ["friends"]), "t.grants[0].release_classes"),
        (tiers({}, ["partners"]), "t.grants[0].release_classes"),
        (tiers(NAMED, []), "t.grants[0].release_classes"),
        (tiers(NAMED, "all"), "t"),
        (tiers({"open": NAMED["partners"]}, ["open"]), "release_classes.open"),
        (tiers({"all": NAMED["partners"]}, ["open"]), "release_classes.all"),
        (tiers({"Bad Name": NAMED["partners"]}, ["open"]), "release_classes.Bad Name"),
        (tiers({"partners": {"title": "x"}}, ["open"]), "release_classes.partners.title_ja"),
        (tiers(["partners"], ["open"]), "release_classes"),
    ],
)
def test_a_class_that_is_none_is_refused_by_place(said: dict[str, Any], place: str) -> None:
    with pytest.raises(BadRequest) as error:
        read_tiers(said, "tiers", known())
    assert error.value.parameter.startswith(place)


def test_tiers_tell_who_reads_a_class_and_keep_it_in_their_document() -> None:
    found = read_tiers(tiers(NAMED, ["partners"]), "tiers", known())
    assert readers_of(found, "partners") == ["t"]
    assert found.document()["release_classes"] == NAMED
    assert found.class_names == ("open", "partners")
    plain = read_tiers({"open": {"title": "o", "title_ja": "o"}}, "tiers", known())
    assert "release_classes" not in plain.document()


def test_a_grant_of_another_class_is_not_undone_by_one_that_shows_more_of_the_open_one() -> None:
    said = tiers(NAMED, ["partners"])
    [grant] = said["t"]["grants"]
    grant["transforms"] = {"name": {"kind": "null"}}
    more = {"collections": ["shelters"], "columns": ["name"], "release_classes": ["open"]}
    said["t"]["grants"].append(more)
    assert not list(contradictions(read_tiers(said, "tiers", known()).tiers["t"]))
    more["release_classes"] = ["open", "partners"]
    assert len(list(contradictions(read_tiers(said, "tiers", known()).tiers["t"]))) == 1


def test_agreements_that_state_different_classes_leave_it_to_be_said() -> None:
    assert declared_classes({}) == {}
    there = ("open", "partners", "staff")
    one = contributing([("partners", "open"), ("partners",)], there)
    assert (one.names, one.choose(None), one.choose("open")) == (
        ("partners", "open"),
        "partners",
        "open",
    )
    two = contributing([("partners",), ("open",)], there)
    with pytest.raises(BadRequest, match="Say the release class"):
        two.choose(None)
    assert two.choose("open") == "open"
    gone = contributing([("partners",)], ("open",))  # a class that the tiers declare no more
    with pytest.raises(BadRequest):
        gone.choose("partners")
