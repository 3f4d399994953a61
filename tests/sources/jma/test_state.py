"""What is in force depends on the set of telegrams, not on when they came."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.model.report import Report
from geoshare.sources.jma import (
    Announced,
    Telegram,
    as_batch,
    fold,
    in_order,
    parse_telegram,
    unmatched,
)
from sample_data.formats import telegrams as made

NOW_US = int(made.RAIN.timestamp() * 1_000_000) + 40 * 86_400_000_000
RAIN = ("大雨警報", "03", "発表")
GOES_ON = ("大雨警報", "03", "継続")
THUNDER = ("雷注意報", "14", "発表")


def read(telegram: made.Telegram) -> Telegram:
    found = parse_telegram(telegram.xml(), Report(file="t.xml"), NOW_US)
    assert found is not None
    return found


def states(telegrams: Iterable[made.Telegram]) -> dict[tuple[str, str], str]:
    found = fold([read(telegram) for telegram in telegrams])
    names = {made.TOWN[1]: "town", made.VILLAGE[1]: "village"}
    return {(names.get(area, area), kind): item.state for (area, kind), item in found.items()}


def after(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


# What an office may send: at a time, with a serial, about some areas, of which kind and status.
KINDS = st.lists(st.sampled_from([RAIN, GOES_ON, THUNDER, ("大雨警報", "03", "解除")]), max_size=2)
SENT = st.builds(
    lambda minutes, stated, info_type, serial, event: made.weather(
        stated,  # type: ignore[arg-type]
        made.RAIN + timedelta(minutes=minutes),
        info_type=info_type,
        serial=serial,
        event_id=event,
    ),
    st.integers(0, 90),
    st.dictionaries(st.sampled_from([made.TOWN, made.VILLAGE]), KINDS, min_size=1),
    st.sampled_from(["発表", "発表", "発表", "訂正", "取消"]),
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["", "e1"]),
)


def plain(found: dict[tuple[str, str], Announced]) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        key: (
            item.state,
            item.statement,
            item.since_us,
            item.telegram.digest,
            item.ended_by and item.ended_by.digest,
        )
        for key, item in found.items()
    }


@given(st.lists(SENT, max_size=7), st.randoms(use_true_random=False), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_the_state_depends_on_the_set_of_telegrams_alone(
    sent: list[made.Telegram], chance: object, replays: int
) -> None:
    telegrams = [read(telegram) for telegram in sent]
    expected = plain(fold(telegrams))
    shuffled = telegrams + telegrams[:replays]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plain(fold(shuffled)) == expected


@given(st.lists(SENT, max_size=7))
@settings(max_examples=50, deadline=None)
def test_what_was_once_stated_never_vanishes(sent: list[made.Telegram]) -> None:
    telegrams = [read(telegram) for telegram in sent]
    before: set[tuple[str, str]] = set()
    for count in range(len(telegrams) + 1):
        found = set(fold(telegrams[:count]))
        assert before <= found
        before = found
    assert before == {
        item.key
        for telegram in telegrams
        for item in telegram.statements
        if telegram.info_type != "cancelled"
    }


@given(st.lists(SENT, max_size=7), st.sampled_from(["訓練", "試験"]))
@settings(max_examples=25, deadline=None)
def test_drills_and_tests_are_never_in_force(sent: list[made.Telegram], status: str) -> None:
    telegrams = [read(replace(telegram, status=status)) for telegram in sent]
    found = fold(telegrams)
    assert {item.state for item in found.values()} <= {"drill", "test", "lifted", "cancelled"}
    assert {telegram.stream.split("/")[0] for telegram in telegrams} <= {"drill", "test"}


def test_a_warning_goes_on_until_it_is_no_longer_stated() -> None:
    first = made.weather({made.TOWN: [RAIN, THUNDER]})
    second = made.weather({made.TOWN: [GOES_ON]}, made.RAIN + after(60))
    found = fold([read(second), read(first)])
    rain, thunder = found[made.TOWN[1], "03"], found[made.TOWN[1], "14"]
    assert (rain.state, thunder.state) == ("in_force", "lifted")
    assert rain.since_us == int(made.RAIN.timestamp() * 1_000_000)


def test_a_telegram_ends_nothing_in_areas_that_it_does_not_name() -> None:
    first = made.weather({made.TOWN: [RAIN], made.VILLAGE: [RAIN]})
    second = made.weather({made.VILLAGE: []}, made.RAIN + after(30))
    assert states([first, second]) == {("town", "03"): "in_force", ("village", "03"): "lifted"}


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    wrong = made.weather({made.TOWN: [RAIN], made.VILLAGE: [RAIN]})
    right = made.weather({made.TOWN: [RAIN]}, made.RAIN + after(5)).corrected()
    assert states([right, wrong]) == {("town", "03"): "in_force", ("village", "03"): "cancelled"}


def test_a_correction_means_the_telegram_of_its_serial() -> None:
    first = made.landslide({made.TOWN: "警戒"}, serial=1)
    second = made.landslide({made.VILLAGE: "警戒"}, made.RAIN + after(60), serial=2)
    mended = made.landslide({made.VILLAGE: "警戒"}, made.RAIN + after(70), serial=1).corrected()
    assert states([first, second, mended]) == {("town", "3"): "cancelled", ("village", "3"): "in_force"}


def test_a_cancellation_ends_what_came_before_and_not_what_comes_after() -> None:
    warning = made.weather({made.TOWN: [RAIN]})
    cancelled = warning.cancelled(after(20))
    assert states([cancelled, warning]) == {("town", "03"): "cancelled"}
    anew = made.weather({made.TOWN: [THUNDER]}, made.RAIN + after(60))
    assert states([anew, cancelled, warning]) == {
        ("town", "03"): "cancelled",
        ("town", "14"): "in_force",
    }


def test_serials_decide_where_the_clock_of_a_sender_is_ten_minutes_off() -> None:
    first = made.landslide({made.TOWN: "警戒"}, made.RAIN + after(10), serial=1)
    second = made.landslide({made.TOWN: "解除"}, made.RAIN, serial=2)
    assert states([second, first]) == {("town", "3"): "lifted"}


def test_a_serial_that_begins_anew_hours_later_is_the_next_event() -> None:
    over = made.flood(("レベル２氾濫注意報解除", "10"), made.RAIN, serial=9)
    anew = made.flood(at=made.RAIN + after(600), serial=1)
    assert states([anew, over]) == {("089900000100", "40"): "in_force"}


def test_a_river_has_the_level_of_its_newest_forecast() -> None:
    danger = made.flood(serial=1)
    lower = made.flood(("レベル２氾濫注意報（警報解除）", "22"), made.RAIN + after(120), serial=2)
    assert states([danger, lower]) == {
        ("089900000100", "40"): "lifted",
        ("089900000100", "20"): "in_force",
    }


def test_a_tsunami_warning_ends_when_no_later_telegram_states_it() -> None:
    warning = made.tsunami({made.COAST: ("大津波警報：発表", "53")})
    stays = made.tsunami({made.COAST: ("大津波警報", "52")}, made.RAIN + after(60))
    over = made.tsunami({made.COAST: ("津波注意報解除", "60")}, made.RAIN + after(300))
    assert states([warning, stays]) == {("399", "52"): "in_force"}
    assert states([over, warning, stays]) == {("399", "52"): "lifted"}


def test_a_drill_is_apart_from_the_real_thing() -> None:
    real = made.weather({made.TOWN: [RAIN]})
    drill = replace(made.weather({made.TOWN: []}, made.RAIN + after(30)), status="訓練")
    assert read(real).stream != read(drill).stream
    assert states([made.DRILL]) == {("town", "33"): "drill"}


def test_a_cancellation_of_nothing_is_known_as_that() -> None:
    warning = made.weather({made.TOWN: [RAIN]})
    alone = read(warning.cancelled(after(20)))
    assert unmatched([alone], alone)
    assert not unmatched(in_order([alone, read(warning)]), alone)


def test_features_take_their_shape_from_the_municipality_and_have_none_where_it_is_unknown() -> None:
    town = shapely.box(140.8, 36.2, 141.0, 36.3)
    report = Report(file="t.xml")
    found = fold([read(made.RAIN_WARNING)])
    batch = as_batch("s", found, {"089991": town}.get, report)
    rows = batch.properties.to_pylist()
    shapes = {row["area_name"]: shape for row, shape in zip(rows, batch.geometry, strict=True)}
    assert shapes["潮見町"].equals(town)
    assert shapes["北潮村"] is None
    assert [note.code for note in report.notes] == ["telegram-place"]
    assert "089982" in report.notes[0].en


def test_a_part_of_a_municipality_and_a_river_without_municipalities_have_no_shape() -> None:
    part = made.weather({("潮見町北部", "0899901"): [RAIN]})
    for telegram in (part, made.flood(cities=())):
        batch = as_batch(
            "s", fold([read(telegram)]), lambda code: shapely.Point(0, 0), Report(file="t")
        )
        assert list(batch.geometry) == [None]
    batch = as_batch("s", fold([read(made.flood())]), lambda code: shapely.box(0, 0, 1, 1), Report("t"))
    assert batch.geometry[0] is not None
