"""What is odd about tiers is said before they are published."""

from __future__ import annotations

import pytest
import shapely

from geoshare.access.findings import findings
from geoshare.access.tiers import load_tiers, read_tiers
from geoshare.model.collections import known
from geoshare.query.detail import detail_rule
from tests.access.town import Town

NOW_US = 1_800_000_000_000_000
TITLES = {"title": "T", "title_ja": "題"}
ROADS = {"collections": ["segments"], "columns": ["class", "name"]}
ALL = ["discover", "read", "tile", "download", "route"]


def said(town: Town, grants=(), *, open_grants=(), opened_before=(), **tier):
    before = read_tiers({"open": {**TITLES, "grants": list(opened_before)}}, "test", known())
    tiers = {
        "open": {**TITLES, "grants": list(open_grants)},
        "partner": {**TITLES, **tier, "grants": list(grants)},
    }
    checked = read_tiers(tiers, "test", known())
    return [
        (item.level, item.place, item.text)
        for item in findings(
            checked,
            known(),
            town.packs,
            NOW_US,
            lambda name: detail_rule(name).min_zoom_by_value,
            before,
        )
    ]


def test_the_built_in_tiers_give_no_reason_for_a_remark(town):
    detail = lambda name: detail_rule(name).min_zoom_by_value  # noqa: E731
    found = list(findings(load_tiers(), known(), town.packs, NOW_US, detail, load_tiers()))
    assert found == []


def test_plain_roads_give_no_reason_for_a_remark(town):
    assert said(town, [ROADS]) == []


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        ([ROADS | {"valid_until": "2020-01-01T00:00:00Z"}], "ended"),
        ([{"collections": ["segments"]}], "it names no columns"),
        ([ROADS | {"rows": "1 = 0"}], "never true"),
        ([ROADS | {"rows": "class = 'primary' AND 2 < 1"}], "never true"),
        ([ROADS | {"rows": "'a' = 'b' OR 1 > 2"}], "never true"),
        ([ROADS, ROADS | {"columns": ["class"]}], "grants[0] gives all of it"),
        ([ROADS | {"precision_m": 10}, ROADS], "grants[1] gives all of it"),
        ([ROADS, ROADS], "grants[0] gives all of it"),
        ([ROADS | {"columns": ["name"]}], "thinned by geometry alone at low zooms, without class"),
        ([ROADS | {"transforms": {"class": {"kind": "hash"}}}], "without class"),
        ([ROADS | {"actions": ALL}], "no closures without delay"),
        (
            [
                ROADS | {"actions": ALL},
                {"collections": ["events"], "columns": ["kind"], "actions": ALL, "delay": "PT1H"},
            ],
            "no closures without delay",
        ),
    ],
)
def test_an_odd_tier_is_remarked_on_once(town, grants, words):
    found = [item for item in said(town, grants) if words in item[2]]
    assert len(found) == 1
    assert found[0][0] == "warning"
    assert found[0][1].startswith("partner")


WIDE = {"collections": ["segments"], "columns": ["class", "width_m"]}
ROUNDED = WIDE | {"transforms": {"width_m": {"kind": "round", "step": 5}}}
CLASSES = WIDE | {"transforms": {"width_m": {"kind": "bucket", "edges": [0, 4]}}}
SEEN = {"collections": ["events"], "columns": ["kind"]}


@pytest.mark.parametrize(
    ("grants", "words"),
    [
        ([ROADS | {"rows": "width_m > 4"}], "width_m, which is not shown"),
        ([ROADS | {"rows": "class = 'primary' AND width_m IN (4, 5)"}], "width_m, which is not shown"),
        ([ROUNDED | {"rows": "width_m > 4"}], "width_m, which is changed"),
        ([ROUNDED | {"rows": "class = 'primary'"}, WIDE], "grants[1] shows more of width_m"),
        ([ROUNDED, CLASSES], "grants[1] shows width_m in another way"),
        ([SEEN | {"delay": "P1D", "columns": ["kind", "name"]}, SEEN], "grants[1] shows kind of its"),
        ([ROADS | {"precision_m": 50}, WIDE], "the places of its rows more precisely"),
    ],
)
def test_grants_that_contradict_themselves_or_one_another_are_remarked_on(town, grants, words):
    found = [item for item in said(town, grants) if words in item[2]]
    assert [item[:2] for item in found][:1] == [("warning", "partner.grants[0]")]


@pytest.mark.parametrize(
    "grants",
    [
        [ROADS | {"rows": "width_m IS NULL AND class = 'primary'"}],
        [
            ROADS | {"rows": "width_m > 4"},
            WIDE | {"columns": ["width_m", "class"]},
        ],  # told by the other
        [ROUNDED, WIDE | {"rows": "class = 'primary'"}],  # of some rows more is shown
        [ROUNDED, WIDE | {"actions": ["aggregate"]}],
        [ROUNDED, ROADS],
        [
            ROUNDED | {"precision_m": 50},
            WIDE | {"delay": "P1D", "collections": ["events"], "columns": []},
        ],
    ],
)
def test_grants_that_agree_are_left_alone(town, grants):
    words = ("is shown tells", "no effect", "another way")
    assert not [item for item in said(town, grants) if any(word in item[2] for word in words)]


def test_two_grants_of_different_rights_are_both_alive(town):
    pairs = [ROADS, ROADS | {"columns": ["name"], "actions": ["contribute"]}]
    assert not [item for item in said(town, pairs) if "dead" in item[2]]


def test_closures_as_they_happen_are_enough_for_routes(town):
    closures = {"collections": ["events"], "columns": ["kind"], "actions": ALL}
    assert said(town, [ROADS | {"actions": ALL}, closures]) == []


def test_what_is_open_and_also_under_duties_loses_its_protection(town):
    duties = [{"kind": "no-merge"}]
    (found,) = said(town, [ROADS | {"duties": duties}], open_grants=[ROADS | {"columns": ["class"]}])
    assert "segments: class is open" in found[2]
    assert "ends its protection" in found[2]
    # a coarser open copy is not identical
    coarse = ROADS | {"precision_m": 100}
    assert said(town, [ROADS | {"duties": duties}], open_grants=[coarse]) == []


def test_rows_that_may_be_true_are_not_called_never_true(town):
    for rows in ("1 = 1", "class = 'primary' OR 1 = 0", "name = 'a' AND class = 'b'"):
        assert said(town, [ROADS | {"rows": rows}]) == []


def test_a_grant_that_open_gives_in_full_is_dead(town):
    free = {"licence": "CC-BY-4.0"}
    (found,) = said(town, [ROADS | free | {"precision_m": 100}], open_grants=[ROADS])
    assert found[1:] == ("partner.grants[0]", "open.grants[0] gives all of it: it is dead")
    assert said(town, [ROADS | free], open_grants=[ROADS | {"precision_m": 100}]) == []
    assert said(town, [ROADS | free], open_grants=[ROADS | {"actions": ["read"]}]) == []


def opened(town: Town, grants, **more):
    return [item for item in said(town, grants, **more) if "is open" in item[2]]


def test_what_is_opened_although_it_was_under_the_agreement_alone_is_remarked_on(town):
    some = ROADS | {"columns": ["class"]}
    (found,) = opened(town, [ROADS], open_grants=[some])
    assert found[1] == "open.grants[0]"
    assert "segments: class is open" in found[2]
    (found,) = opened(town, [ROADS], open_grants=[ROADS], opened_before=[some])
    assert "segments: name is open" in found[2]
    # as wide as before; and wider
    assert opened(town, [ROADS], open_grants=[some], opened_before=[some]) == []
    fenced = some | {"rows": "class = 'primary'"}
    assert len(opened(town, [ROADS], open_grants=[some], opened_before=[fenced])) == 1


def test_what_has_an_open_licence_everywhere_or_is_only_sent_loses_no_protection(town):
    free, sent = {"licence": "CC-BY-4.0"}, {"actions": ["contribute"]}
    assert opened(town, [ROADS | free], open_grants=[ROADS]) == []
    assert opened(town, [ROADS | sent], open_grants=[ROADS]) == []


def test_an_unknown_area_is_an_error_and_a_known_one_is_none(town):
    (found,) = said(town, [ROADS | {"area": "13101"}])
    assert found[:2] == ("error", "partner.grants[0].area")
    town.packs.publish("admin_areas", [("a", shapely.box(0, 0, 1, 1), {"code": "13101"})])
    assert said(town, [ROADS | {"area": "13101"}]) == []
