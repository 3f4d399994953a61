from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geoshare.access.tiers import load_tiers
from geoshare.errors import BadRequest
from geoshare.model.collections import known
from geoshare.model.policy import READING, Grant, Policy, canonical_json

NOW = 1_767_225_600_000_000
OPEN = """
[open]
title = "Open"
title_ja = "公開"
[[open.grants]]
collections = ["shelters"]
columns = ["name"]
"""


def reads(tier: str) -> Policy:
    return load_tiers().policy((tier,), "read", NOW)


def test_every_built_in_tier_decides_every_collection():
    for name, tier in load_tiers().tiers.items():
        granted = {
            item for grant in tier.grants if grant.collections != "all" for item in grant.collections
        }
        decided = granted | set(tier.withheld) | set(tier.as_open)
        assert decided >= set(known()) or name == "operator", name


def test_the_built_in_tiers_hold_what_the_guide_says():
    open_, municipal, developer, automaker = (
        reads(name).collections for name in ("open", "municipal", "developer", "automaker")
    )
    assert {
        "admin_areas",
        "places",
        "evacuation_sites",
        "shelters",
        "hazard_zones",
        "events",
        "segments",
    } <= open_
    assert {"rain", "satellite"} <= open_
    assert not {"lanes", "buildings", "statistics", "people_flow", "structures"} & open_
    assert municipal >= open_ | {"segments", "buildings", "statistics", "people_flow"}
    assert {"segments", "buildings", "statistics", "people_flow"} <= developer
    assert (
        not {"lanes", "lane_boundaries", "regulatory_elements", "structures", "roadside_features"}
        & developer
    )
    assert {
        "lanes",
        "lane_boundaries",
        "regulatory_elements",
        "structures",
        "roadside_features",
    } <= automaker
    assert not {"buildings", "people_flow", "statistics"} & automaker
    assert reads("operator").everything


def test_open_roads_are_coarse_open_scenes_too_and_better_tiers_replace_both():
    assert [grant.snap_m for grant in reads("open").grants_for("segments")] == [10]
    assert [grant.snap_m for grant in reads("developer").grants_for("segments")] == [0]
    assert [grant.finest_resolution_m for grant in reads("open").grants_for("satellite")] == [10]
    assert [grant.finest_resolution_m for grant in reads("municipal").grants_for("satellite")] == [None]


def test_tiers_that_show_the_same_share_one_policy_hash():
    assert reads("open").hash == reads("provider").hash
    assert (
        len({reads(name).hash for name in ("open", "municipal", "developer", "automaker", "operator")})
        == 5
    )
    assert {
        load_tiers().policy(("developer",), action, NOW).hash
        for action in READING
        if action != "explain"
    } == {reads("developer").hash}


def test_a_hash_depends_on_data_alone_and_not_on_the_order_of_words():
    first = Grant(collections=("shelters", "places"), columns=("name", "notes"), precision_m=10.0)
    same = [
        Grant(collections=("places",), columns=("notes", "name"), precision_m=10, formats=("gpkg",)),
        Grant(collections=("shelters",), columns=("name", "notes", "name"), precision_m=10),
    ]
    assert Policy((first,)).hash == Policy(tuple(same)).hash
    assert Policy((first,)).hash != Policy((first.model_copy(update={"precision_m": 11.0}),)).hash


def test_canonical_json_has_one_form_for_equal_values():
    assert canonical_json({"b": 1.0, "a": [1, "é"]}) == '{"a":[1,"é"],"b":1}'.encode()


def test_grants_count_only_while_they_are_in_force():
    dated = OPEN + '[[open.grants]]\ncollections = ["places"]\ncolumns = ["name"]\n'
    dated += "valid_from = 2026-01-02T00:00:00Z\nvalid_until = 2026-01-03T00:00:00Z\n"
    tiers = load_tiers(write(dated))
    days = [int(datetime(2026, 1, day, tzinfo=UTC).timestamp() * 1e6) for day in (1, 2, 3)]
    assert ["places" in tiers.policy((), "read", day).collections for day in days] == [
        False,
        True,
        False,
    ]


def test_a_tier_that_no_longer_exists_gives_nothing_more_than_open():
    assert load_tiers().policy(("gone",), "read", NOW).hash == reads("open").hash


def test_contributing_is_no_right_to_read():
    tiers = load_tiers()
    assert tiers.policy(("provider",), "contribute", NOW).allows("lanes")
    assert not tiers.policy(("provider",), "read", NOW).allows("lanes")
    assert not tiers.policy((), "contribute", NOW).grants


_folder: Path


@pytest.fixture(autouse=True)
def _scratch(tmp_path: Path) -> None:
    global _folder
    _folder = tmp_path


def write(text: str) -> Path:
    path = _folder / "tiers.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('["name"]', '["name", "phnoe"]'), ["open", "grants[0].columns", "phnoe", "phone"]),
        (('["shelters"]', '["shleters"]'), ["open", "grants[0].collections", "shleters", "shelters"]),
        (('title_ja = "公開"\n', ""), ["open", "title_ja"]),
        (("columns =", "colums ="), ["open", "grants[0].colums", "columns"]),
        (('["name"]', '["name"]\nprecision_m = -1'), ["open", "grants[0].precision_m"]),
        (('["name"]', '["name"]\nactions = ["steal"]'), ["open", "grants[0].actions", "'read'"]),
        (('["name"]', '["name"]\nrows = "hidden = 1"'), ["open", "grants[0].rows", "max_capacity"]),
        (('["name"]', '["name"]\nrows = "name ="'), ["open", "grants[0].rows"]),
        (
            ('["name"]', '["name"]\narea = {type = "Point", coordinates = [1, 2]}'),
            ["grants[0].area", "Polygon"],
        ),
        (('["name"]', '["name"]\narea = "13 101"'), ["grants[0].area"]),
        (('["name"]', '["name"]\ndelay = "PT6H"'), ["grants[0].delay", "shelters", "time"]),
        (
            ('["name"]', '["name"]\ntransforms = {name = {kind = "round", step = 10}}'),
            ["grants[0].transforms.name", "string", "hash"],
        ),
        (
            ('["name"]', '["name"]\ntransforms = {phone = {kind = "hash"}}'),
            ["grants[0]", "phone", "columns"],
        ),
        (
            ('["name"]', '["name"]\ntransforms = {name = {kind = "blur"}}'),
            ["grants[0].transforms.name", "'keep', 'round', 'bucket', 'hash', 'null'"],
        ),
        (
            ('["name"]', '["name"]\ntransforms = {name = {kind = "hash", salt = 1}}'),
            ["grants[0].transforms.name.hash.salt", "kind"],
        ),
        (
            ('["name"]', '["name"]\nduties = [{kind = "delete"}]'),
            ["grants[0].duties[0]", "within"],
        ),
        (('["name"]', '"all"'), ["open", "operator"]),
        (("[open]", '[open]\nwithheld = ["shelters"]'), ["open", "shelters"]),
        (("[open]", '[open]\nas_open = ["lanes"]'), ["open", "as_open", "lanes"]),
        (("open", "opne"), ["open"]),
        (("[open]", "[open"), ["TOML"]),
    ],
)
def test_a_wrong_file_names_the_tier_the_key_and_what_may_stand_there(change, words):
    with pytest.raises(BadRequest) as caught:
        load_tiers(write(OPEN.replace(*change)))
    said = f"{caught.value.message} {caught.value.allowed}"
    assert "tiers.toml" in said
    for word in words:
        assert word in said


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(BadRequest, match=r"none\.toml"):
        load_tiers(tmp_path / "none.toml")
