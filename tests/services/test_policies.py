"""What an organisation holds follows its agreements, in every process, within a second."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from geoshare.cli import main
from geoshare.errors import BadRequest, Conflict, NotFound, Unavailable
from geoshare.model.clock import RandomIds
from geoshare.model.policy.grants import FORMATS
from geoshare.services import Services, build_services
from geoshare.services.local import Local
from geoshare.services.tier_desk import TierDesk
from geoshare.services.written import Author
from geoshare.settings import Settings
from tests.clocks import SetClock

SECOND_US, DAY_US = 1_000_000, 86_400_000_000
BY = Author("an operator", "a test")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def services(tmp_path: Path, clock: SetClock) -> Services:
    return build_services(Settings(data=tmp_path), clock, RandomIds())


@pytest.fixture
def other(services: Services, clock: SetClock) -> Services:
    """Another process on the same folder."""
    return build_services(services.settings, clock, RandomIds())


def sees(services: Services, key: str, collection: str = "lanes") -> bool:
    who = services.principal(key)
    return services.policy(who, "read").may("read", collection)


def make_key(services: Services, *tiers: str, narrowed: tuple[str, ...] = (), days: int = 30) -> str:
    local = Local(services)
    local.agree("maker", tiers, days=days, reason="a test")
    return local.create_key("maker", narrowed, days=300)


def test_the_command_line_makes_operators_only_when_told_to(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOSHARE_DATA", str(services.settings.data))
    words = ["agreements", "sign", "--organisation", "maker", "--tier", "operator", "--reason", "x"]
    words.append("--new-organisation")
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code != 0
    assert "runs the service" in str(refused.output) + str(refused.exception)
    who = services.principal(Local(services).create_key("maker", (), days=1))
    assert who.role == "consumer"
    assert CliRunner().invoke(main, [*words, "--operator"]).exit_code == 0


def test_a_key_gives_what_its_organisation_holds_by_agreement(services: Services) -> None:
    assert not sees(services, Local(services).create_key("nobody", (), days=1))
    key = make_key(services, "automaker")
    who = services.principal(key)
    assert (who.organisation, who.tiers, who.role) == ("maker", ("automaker",), "consumer")
    assert sees(services, key)


def test_the_end_of_an_agreement_reaches_every_process_within_a_second(
    services: Services, other: Services, clock: SetClock
) -> None:
    key = make_key(services, "automaker")
    clock.us += SECOND_US
    assert sees(other, key)
    (agreement,) = services.agreements.rows("maker")
    services.agreements.end(agreement.id, BY)
    assert not sees(services, key)
    clock.us += SECOND_US
    assert not sees(other, key)
    assert other.principal(key).tiers == ()


def test_a_term_ends_by_the_clock_alone(services: Services, clock: SetClock) -> None:
    key = make_key(services, "automaker", days=1)
    clock.us += DAY_US - SECOND_US
    assert sees(services, key)
    clock.us += SECOND_US
    assert not sees(services, key)


def test_a_narrowed_key_never_gives_more_when_its_tier_ends(
    services: Services, clock: SetClock
) -> None:
    key = make_key(services, "automaker", narrowed=("automaker",))
    local = Local(services)
    local.agree("maker", ("municipal",), days=300, reason="a test")
    clock.us += SECOND_US
    assert sees(services, key)
    assert not sees(services, key, "buildings")
    services.agreements.end(services.agreements.rows("maker")[0].id, BY)
    for row in services.agreements.rows("maker"):
        if "automaker" in row.document and row.ended_us is None:
            services.agreements.end(row.id, BY)
    clock.us += SECOND_US
    assert not sees(services, key)
    assert not sees(services, key, "buildings")


def test_a_key_is_made_only_for_tiers_that_are_held(services: Services) -> None:
    with pytest.raises(BadRequest, match="agreements sign") as caught:
        Local(services).create_key("maker", ("automaker",), days=1)
    assert caught.value.parameter == "tier"


def test_two_agreements_give_both_tiers_and_one_fence_each(services: Services) -> None:
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}
    local = Local(services)
    local.agree("maker", ("automaker",), days=1, reason="a test", area=area)
    local.agree("maker", ("developer",), days=1, reason="a test")
    policy = services.policies.policy("maker", None, "read")
    (lanes,) = policy.grants_for("lanes")
    (buildings,) = policy.grants_for("buildings")
    assert lanes.area == area
    assert buildings.area is None
    # roads come by both: whole from one, so that the fence of the other does not matter
    assert [grant.area for grant in policy.grants_for("segments")] in (
        [None],
        [area, None],
        [None, area],
    )


def test_open_is_held_by_everybody_and_by_no_agreement(services: Services) -> None:
    assert services.policies.policy("", None, "read").may("read", "shelters")
    with pytest.raises(BadRequest) as caught:
        Local(services).agree("maker", ("open",), days=1, reason="a test")
    assert caught.value.parameter == "tiers"


@pytest.mark.parametrize(("author", "reason"), [("", "x"), ("x", " "), ("x", "y" * 501)])
def test_every_change_needs_its_author_and_its_reason(author: str, reason: str) -> None:
    with pytest.raises(BadRequest):
        Author(author, reason)


def test_a_wrong_agreement_is_refused_by_place_and_leaves_nothing(services: Services) -> None:
    services.governance.add_organisation("maker", "Maker", 1)
    right = {
        "id": "a1",
        "parties": [
            {"organisation": "operator", "part": "provider"},
            {"organisation": "maker", "part": "consumer"},
        ],
        "tiers": ["automaker"],
        "term": {"starts": "2026-01-01T00:00:00Z", "ends": "2027-01-01T00:00:00Z"},
    }
    version = services.governance.policies.version()
    for change, words in [
        ({"colour": 1}, "agreement, colour: there is no such key. id, version, contract"),
        ({"terms": {"training": "sure"}}, "terms.training"),
        ({"tiers": ["gone"]}, "no such tier"),
        ({"tiers": []}, "tiers"),
        ({"term": {"starts": right["term"]["ends"], "ends": right["term"]["starts"]}}, "starts must"),
        ({"area": "13 101"}, "area"),
        ({"area": "99999"}, "99999"),
        ({"area": {"type": "Point", "coordinates": [1, 2]}}, "Point"),
        ({"area": {"all_of": []}}, "GeoJSON"),
    ]:
        with pytest.raises(BadRequest) as caught:
            services.agreements.draw_up(right | change, BY)
        assert words in f"{caught.value.message} {caught.value.allowed}"
    with pytest.raises(Conflict):
        services.agreements.draw_up(right | {"version": 2}, BY)
    assert services.governance.policies.version() == version
    assert services.agreements.draw_up(right, BY).signed_us is None


def test_tiers_are_published_checked_and_compared(
    services: Services, other: Services, clock: SetClock
) -> None:
    desk = TierDesk(services)
    change, tiers = desk.tiers()
    assert change.source == "built-in"
    key = make_key(services, "automaker")
    document = tiers.document()
    grants = document["automaker"]["grants"]
    document["automaker"]["grants"] = [
        grant | {"columns": ["type", "location"]} if grant["collections"] == ["lanes"] else grant
        for grant in grants
    ]
    draft = desk.draft(document, BY)
    (said, about_maker) = desk.diff(desk.tiers(draft)[1])
    assert (said["who"], about_maker["who"]) == ("tier automaker", "organisation maker")
    assert said["gains"] == []
    (lost,) = said["loses"]
    assert lost.startswith("lanes (discover, read, tile, download, stream, aggregate, route, process):")
    assert "width_m" in lost
    assert "location" not in lost
    assert "width_m" in services.policies.policy("maker", None, "read").grants_for("lanes")[0].columns
    with pytest.raises(Conflict):
        desk.publish(document, BY, "admin", draft)
    desk.publish(document, BY, "admin", change.number)
    clock.us += SECOND_US
    (lanes,) = other.policies.policy("maker", None, "read").grants_for("lanes")
    assert lanes.columns == ("type", "location")
    assert sees(other, key)
    assert desk.diff(desk.tiers(draft)[1]) == []


CLOSURES = {"collections": ["events"], "columns": ["kind", "reason"]}


@pytest.mark.parametrize(
    ("tier", "grant", "words"),
    [
        ({"requests_per_minute": 6_000}, {}, "requests_per_minute 12000 -> 6000"),
        ({"requests_per_month": 10}, {}, "requests_per_month unlimited -> 10"),
        ({"cost_per_minute": 10}, {}, "cost_per_minute unlimited -> 10"),
        ({}, {"cost_per_month": 10}, "events (read, download): cost_per_month unlimited -> 10"),
        ({}, {"precision_m": 50}, "events (read, download): precision_m exact -> 50"),
        ({}, {"delay": "PT6H"}, "events (read, download): delay none -> PT6H"),
        ({}, {"window": "P30D"}, "events (read, download): window any age -> P30D"),
        (
            {},
            {"formats": ["gpkg", "geojson"]},
            f"events (download): formats {', '.join(sorted(FORMATS))} -> geojson, gpkg",
        ),
        ({}, {"columns": ["kind"]}, "events (read, download): reason"),
    ],
)
def test_stricter_conditions_are_told_as_losses_and_looser_ones_as_gains(
    services: Services, tier: dict[str, object], grant: dict[str, object], words: str
) -> None:
    desk, document = TierDesk(services), TierDesk(services).tiers()[1].document()
    titles = {"title": "T", "title_ja": "題", "actions": ["read", "download"]}
    before = titles | {"requests_per_minute": 12_000, "grants": [CLOSURES]}
    after = before | tier | {"grants": [CLOSURES | grant]}
    loose, strict = (
        services.policies.checked(document | {"own": said}, "tiers") for said in (before, after)
    )
    assert desk.diff(strict, loose) == [{"who": "tier own", "gains": [], "loses": [words]}]
    gained = words
    if " -> " in words:
        head, _, new = words.rpartition(" -> ")
        place, _, old = head.partition(name := next(key for key in {**tier, **grant}))
        gained = f"{place}{name} {new} -> {old.strip()}"
    assert desk.diff(loose, strict) == [{"who": "tier own", "gains": [gained], "loses": []}]


def test_a_column_that_goes_is_told_beside_the_coarser_geometry(services: Services) -> None:
    desk, document = TierDesk(services), TierDesk(services).tiers()[1].document()
    titles = {"title": "T", "title_ja": "題", "actions": ["read"]}
    before, after = (
        services.policies.checked(document | {"own": titles | {"grants": [CLOSURES | more]}}, "tiers")
        for more in ({}, {"precision_m": 50, "columns": ["kind"]})
    )
    (said,) = desk.diff(after, before)
    assert said["loses"] == ["events (read): reason", "events (read): precision_m exact -> 50"]


def test_opening_what_agreements_protect_is_remarked_on_before_and_after(services: Services) -> None:
    desk = TierDesk(services)
    assert desk.check(desk.tiers()[1]) == []
    document = desk.tiers()[1].document()
    document["open"]["withheld"].remove("buildings")
    document["open"]["grants"].append({"collections": ["buildings"], "columns": ["use"]})
    opened = services.policies.checked(document, "tiers")
    told = {item.text for item in desk.check(opened)}
    assert any("buildings: use is open" in text and "municipal" in text for text in told)
    desk.publish(document, BY, "admin")
    assert {item.text for item in desk.check(opened)} == told


def test_a_tier_that_somebody_holds_cannot_be_dropped(services: Services) -> None:
    make_key(services, "automaker")
    desk = TierDesk(services)
    document = desk.tiers()[1].document()
    del document["automaker"]
    with pytest.raises(BadRequest, match="maker holds automaker"):
        desk.publish(document, BY, "admin")
    with pytest.raises(NotFound):
        desk.tiers(10_000)


def test_an_edited_file_wins_and_an_unchanged_one_does_not_undo_what_was_published(
    services: Services, tmp_path: Path, clock: SetClock
) -> None:
    desk = TierDesk(services)
    document = desk.tiers()[1].document()
    document["open"]["title"] = "By admin"
    desk.publish(document, BY, "admin")
    again = build_services(services.settings, clock, RandomIds())
    assert again.tiers.tier("open").title == "By admin"
    file = tmp_path / "tiers.toml"
    file.write_text('[open]\ntitle = "By file"\ntitle_ja = "ファイル"\n', "utf-8")
    again = build_services(services.settings, clock, RandomIds())
    assert again.tiers.tier("open").title == "By file"
    desk.publish(document, BY, "admin")
    again = build_services(services.settings, clock, RandomIds())
    assert again.tiers.tier("open").title == "By admin"
    changes = [item.source for item in desk.changes() if item.kind == "tiers"]
    assert changes == ["admin", "file", "admin", "built-in"]


def test_policies_that_cannot_be_read_give_nothing(
    services: Services, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key(services, "automaker")
    assert sees(services, key)

    def broken() -> int:
        raise RuntimeError("a secret path")

    monkeypatch.setattr(services.governance.policies, "version", broken)
    clock.us += SECOND_US
    with pytest.raises(Unavailable) as caught:
        services.policy(services.principal(key), "read")
    assert "secret" not in caught.value.message
