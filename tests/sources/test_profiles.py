"""Mapping profiles are data: every one of them must fit the vocabulary."""

from __future__ import annotations

import pytest

from geoshare.errors import BadData
from geoshare.model.collections import known
from geoshare.sources import profiles as module
from geoshare.sources.coerce import titled_values
from geoshare.sources.profiles import choose, fits, given, profiles

ALL = sorted(profiles())


@pytest.mark.parametrize("name", ALL)
def test_a_profile_names_properties_and_values_that_its_collection_has(name: str) -> None:
    profile = profiles()[name]
    schema = known()[profile.collection]
    for target, rule in profile.rules.items():
        item = schema.property(target)
        assert item is not None, target
        words = set(map(str, rule.values.values())) - {""}
        if item.titles and item.type == "string":
            assert words <= set(titled_values(item).values()) | set(item.titles), target
        if rule.constant is not None and item.titles:
            assert rule.constant in item.titles, target
    if profile.melt:
        assert schema.property(profile.melt.value)
        assert schema.property(profile.melt.name)
    assert all(companion in profiles() for companion in profile.companions)


COLUMNS = {
    "mlit-a31a-flood-largest": ["A31a_201", "A31a_202", "A31a_203", "A31a_204", "A31a_205"],
    "mlit-a31a-flood-planned": ["A31a_101", "A31a_102", "A31a_103", "A31a_104", "A31a_105"],
    "mlit-a33-landslide": ["A33_001", "A33_002", "A33_003", "A33_004", "A33_005", "A33_006"],
    "mlit-a40-tsunami": ["A40_001", "A40_002", "A40_003"],
    "mlit-a49-storm-surge": ["A49_001", "A49_002", "A49_003"],
    "mlit-n03-admin-areas": ["N03_001", "N03_002", "N03_003", "N03_004", "N03_007"],
    "fukui-camera": ["placement", "object class", "aggregate from", "aggregate to", "total count"],
    "evacuation-sites-national": ["NO", "共通ID", "施設・場所名", "住所", "洪水", "津波", "備考"],
    "shelters-national": ["NO", "共通ID", "施設・場所名", "住所", "受入対象者", "備考"],
    "evacuation-sites-municipal": [
        "全国地方公共団体コード",
        "ID",
        "名称",
        "緯度",
        "経度",
        "災害種別_洪水",
    ],
    "shelters-municipal": ["ID", "名称", "緯度", "経度", "想定収容人数"],
    "statistics-mesh": ["KEY_CODE", "人口総数", "世帯数"],
    "statistics-area": ["市区町村コード", "人口総数"],
    "statistics-long": ["mesh_code", "indicator", "value"],
    "people-flow-mesh": ["メッシュコード", "開始日時", "人数"],
    "roads": ["link_id", "road_class", "lanes", "width", "maxspeed"],
    "road-nodes": ["node_id", "name"],
    "buildings": ["建物ID", "用途", "地上階数"],
    "closures": ["規制ID", "規制内容", "開始日時"],
    "town-blocks": ["KEY_CODE", "S_NAME", "PREF_NAME"],
    "overture-segments": ["id", "subtype", "class", "connectors", "sources"],
    "overture-connectors": ["id", "sources", "theme", "type"],
    "hazard-zones": ["hazard_type", "depth_class"],
    "admin-areas-cities": ["code", "ward_ja", "ward_en", "city_code"],
}


def test_every_profile_has_an_example_of_its_columns() -> None:
    assert set(COLUMNS) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_profile_is_found_by_its_columns(name: str) -> None:
    assert choose(COLUMNS[name], collection=None, mapping=None, layer="some layer").name == name


@pytest.mark.parametrize("name", ALL)
def test_column_names_may_be_written_full_width_or_upper_case(name: str) -> None:
    changed = [f" {column.upper()} " for column in COLUMNS[name]]
    assert fits(profiles()[name], changed)


def test_a_profile_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(BadData, match="shelters-national") as caught:
        choose(["a"], collection=None, mapping="shelters-natoinal", layer="x")
    assert caught.value.parameter == "mapping"


def test_a_mapping_by_hand_keeps_what_the_collection_knows_about_cells() -> None:
    profile = given(
        "evacuation_sites", {"なまえ": "name", "こうずい": "hazard_flood"}, ["なまえ", "こうずい"]
    )
    assert set(profile.rules) == {"name", "hazard_flood"}
    assert profile.rules["hazard_flood"].empty is False
    assert profile.rules["hazard_flood"].columns == ("こうずい",)


@pytest.mark.parametrize(
    ("layer", "collection"),
    [
        ("segments", "segments"),
        ("Road segments", "segments"),
        ("建物", "buildings"),
        ("Sidewalk Trees", "sidewalk_trees"),
        ("街路樹", "layer_1a7ed907"),
        ("../../../evil", "evil"),
        ("", "layer"),
    ],
)
def test_a_layer_becomes_a_known_collection_or_one_of_its_own_name(layer: str, collection: str) -> None:
    assert module.layer_collection(layer) == collection
