"""Telegrams as they are sent, and as they should not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from geoshare.errors import BadData
from geoshare.model.report import Report
from geoshare.sources.jma import MAX_BYTES, Telegram, from_dict, parse_telegram
from geoshare.sources.jma.kinds import kind_of
from sample_data.formats import telegrams as made

NOW_US = int(made.RAIN.timestamp() * 1_000_000) + 6 * 3_600_000_000


def parsed(data: bytes, now_us: int = NOW_US) -> tuple[Telegram | None, Report]:
    report = Report(file="telegram.xml")
    return parse_telegram(data, report, now_us), report


def read(telegram: made.Telegram) -> Telegram:
    found, report = parsed(telegram.xml())
    assert found is not None
    assert report.refused == 0
    return found


def refusal(data: bytes, now_us: int = NOW_US) -> str:
    with pytest.raises(BadData) as error:
        parsed(data, now_us)
    assert error.value.message_ja
    return error.value.code


@pytest.mark.parametrize("name", sorted(made.FILES))
def test_a_telegram_comes_back_from_json_as_it_was(name: str) -> None:
    telegram = read(made.FILES[name])
    assert from_dict(orjson.loads(orjson.dumps(telegram.as_dict()))) == telegram


def test_only_the_finest_areas_are_taken() -> None:
    telegram = read(made.RAIN_WARNING)
    assert telegram.covers == ("0899800", "0899900")
    said = {(item.area_name, item.kind_name): item.level for item in telegram.statements}
    assert said == {("潮見町", "大雨警報"): 3, ("潮見町", "雷注意報"): None, ("北潮村", "大雨警報"): 3}


@pytest.mark.parametrize(
    ("name", "hazard", "severity", "level"),
    [
        ("レベル５大雨特別警報", "heavy_rain", "special", 5),
        ("レベル４高潮危険警報", "storm_surge", "danger", 4),
        ("レベル3土砂災害警報", "landslide", "warning", 3),
        ("レベル２大雨注意報", "heavy_rain", "advisory", 2),
        ("土砂災害警戒情報", "landslide", "danger", 4),
        ("高潮警報", "storm_surge", "warning", 4),
        ("高潮特別警報", "storm_surge", "special", 4),
        ("洪水警報", "flood", "warning", 3),
        ("暴風警報", "storm", "warning", None),
        ("大雪特別警報", "snow", "special", None),
        ("大津波警報", "tsunami", "special", None),
    ],
)
def test_a_level_is_what_the_name_or_the_guideline_says_and_else_unknown(
    name: str, hazard: str, severity: str, level: int | None
) -> None:
    kind = kind_of(name)
    assert (kind.hazard, kind.severity, kind.level) == (hazard, severity, level)


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("20", "レベル２氾濫注意報", 2),
        ("22", "氾濫注意報（警報解除）", 2),
        ("31", "レベル３氾濫警報", 3),
        ("41", "氾濫危険情報", 4),
        ("53", "氾濫発生情報", 5),
        ("10", "レベル２氾濫注意報解除", None),
    ],
)
def test_the_code_of_a_flood_forecast_says_its_level_and_whether_it_is_lifted(
    code: str, name: str, level: int | None
) -> None:
    telegram = read(made.flood((name, code)))
    assert telegram.covers == ("089900000100",)
    assert [item.level for item in telegram.statements] == ([] if level is None else [level])


def test_a_flood_forecast_in_its_short_form_speaks_of_its_river() -> None:
    (statement,) = read(made.flood(cities=())).statements
    assert (statement.area_name, statement.area_kind) == ("潮見川", "river")
    assert statement.municipalities == ()


def test_what_is_lifted_or_absent_is_covered_and_not_stated() -> None:
    telegram = read(made.landslide({made.TOWN: "解除", made.VILLAGE: "なし"}))
    assert telegram.covers == ("0899800", "0899900")
    assert telegram.statements == ()


def test_observations_of_a_tsunami_say_nothing_about_warnings() -> None:
    warning = made.tsunami({made.COAST: ("津波警報", "51")})
    observed = replace(warning, title="津波情報ａ", body="<Tsunami><Observation/></Tsunami>")
    telegram = read(observed)
    assert (telegram.whole, telegram.covers, telegram.statements) == (False, (), ())


def test_a_telegram_of_another_kind_is_noted_and_no_more() -> None:
    found, report = parsed(replace(made.RAIN_WARNING, title="府県天気予報").xml())
    assert found is None
    assert [note.code for note in report.notes] == ["telegram-other"]


@pytest.mark.parametrize(
    "title", ["気象警報・注意報時系列情報（Ｒ０６）", "気象警報・注意報（Ｒ０６）（集約通報）"]
)
def test_forecasts_and_sums_of_warnings_are_no_warnings(title: str) -> None:
    assert parsed(replace(made.RAIN_WARNING, title=title).xml())[0] is None


def test_an_item_without_a_code_is_reported_and_the_others_are_taken() -> None:
    broken = made.RAIN_WARNING.xml().replace(b"<Code>0899800</Code>", b"<Code>?</Code>")
    found, report = parsed(broken)
    assert found is not None
    assert found.covers == ("0899900",)
    assert [(item.message.code, item.values["Name"]) for item in report.refusals] == [
        ("telegram-item", "北潮村")
    ]


def test_a_kind_that_cannot_be_read_ends_nothing_in_its_area() -> None:
    nameless = made.RAIN_WARNING.xml().replace("<Name>雷注意報</Name>".encode(), b"<Name/>")
    found, report = parsed(nameless)
    assert found is not None
    assert found.covers == ("0899800",)
    assert {item.area_code for item in found.statements} == {"0899800", "0899900"}
    assert report.refused == 1


BOMB = (
    '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    + "".join(f'<!ENTITY {chr(99 + n)} "{f"&{chr(98 + n)};" * 8}">' for n in range(12))
    + "]>"
).encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"<Report", BOMB + b"<Report"), "xml-doctype"),
        ((b"</Body>\n</Report>\n", b""), "xml-broken"),
        ((b"http://xml.kishou.go.jp/jmaxml1/", b"http://example.org/"), "telegram-namespace"),
        (("<Status>通常</Status>".encode(), b"<Status>live</Status>"), "telegram-missing"),
        (("<InfoType>発表</InfoType>".encode(), b""), "telegram-missing"),
        ((b"2026-09-17T10:05:00+09:00", b"2026-09-17T10:05:00"), "telegram-missing"),
        ((b"<Body", b"<Body>" + b"<a>" * 50 + b"</a>" * 50 + b"</Body><Body"), "telegram-deep"),
        ((b"<Warning", b"<Other"), "xml-broken"),
    ],
)
def test_a_bad_telegram_is_refused_with_its_reason(change: tuple[bytes, bytes], code: str) -> None:
    assert refusal(made.RAIN_WARNING.xml().replace(*change)) == code


def test_a_telegram_without_any_area_is_refused() -> None:
    assert refusal(replace(made.RAIN_WARNING, body="").xml()) == "telegram-empty"
    assert refusal(replace(made.flood(), information="").xml()) == "telegram-empty"


def test_a_huge_telegram_is_refused_before_it_is_parsed() -> None:
    assert refusal(made.RAIN_WARNING.xml() + b" " * MAX_BYTES) == "too-large"
    many = b"<a/>" * 400_000
    assert refusal(made.RAIN_WARNING.xml().replace(b"<Warning", many + b"<Warning", 1)) == "too-large"


@pytest.mark.parametrize("data", [b"", b"  \n", b"not xml", b"\x00\x01\x02", b"<", "<報告".encode()])
def test_what_is_no_xml_is_refused(data: bytes) -> None:
    assert refusal(data) in ("empty-file", "xml-broken")


def test_the_encoding_is_what_the_bytes_are() -> None:
    text = made.RAIN_WARNING.xml().decode()
    declared = text.replace('encoding="UTF-8"', 'encoding="cp932"', 1)
    right, report = parsed(declared.encode("cp932"))
    assert right is not None
    assert report.repairs == {}
    wrong, report = parsed(declared.encode())
    assert wrong is not None
    assert wrong.statements == right.statements
    assert list(report.repairs) == ["telegram-encoding"]
    assert refusal(text.encode("utf-16")) in ("encoding-unknown", "xml-broken")
    assert refusal(text.encode("euc-jp")) in ("encoding-unknown", "xml-broken")


@pytest.mark.parametrize("make", [made.flood, lambda: made.tsunami({made.COAST: ("津波警報", "51")})])
def test_a_missing_event_id_is_said_and_no_reason_to_refuse(make: object) -> None:
    telegram = replace(make(), event_id="")  # type: ignore[operator]
    for data in (telegram.xml(), telegram.xml().replace(b"<EventID></EventID>", b"")):
        found, report = parsed(data)
        assert found is not None
        assert found.event_id == ""
        assert "telegram-event" in [note.code for note in report.notes]


def test_a_clock_ten_minutes_off_is_noted_and_a_day_is_refused() -> None:
    at_us = int(made.RAIN.timestamp() * 1_000_000)
    early, report = parsed(made.RAIN_WARNING.xml(), at_us - 600_000_000)
    assert early is not None
    assert [note.code for note in report.notes] == ["telegram-clock"]
    assert "10 min" in report.notes[0].en
    late, report = parsed(made.RAIN_WARNING.xml(), at_us + 600_000_000)
    assert late is not None
    assert report.notes == []
    assert refusal(made.RAIN_WARNING.xml(), at_us - 25 * 3_600_000_000) == "telegram-future"


def test_a_report_of_heavy_rain_is_about_the_finest_areas_of_its_headline() -> None:
    information = "".join(
        f'<Information type="{name}"><Item><Kind><Name>x</Name></Kind><Areas><Area><Name>{area}</Name>'
        f"<Code>{code}</Code></Area></Areas></Item></Information>\n"
        for name, area, code in (("府県", "潮見県", "089900"), ("市町村等", "潮見町", "0899900"))
    )
    telegram = read(
        replace(
            made.RAIN_WARNING,
            title="記録的短時間大雨情報",
            body="",
            event_id="JPXX260001",
            information=information,
            at=made.RAIN + timedelta(hours=1),
        )
    )
    (statement,) = telegram.statements
    assert (statement.area_name, statement.hazard, statement.severity) == (
        "潮見町",
        "heavy_rain",
        "report",
    )
