"""Telegrams in the layout of 気象庁防災情報XML. Offices, rivers and events are invented.

``python -m sample_data.formats.telegrams [FOLDER]`` writes the ones in ``sample_data/telegrams``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent.parent / "telegrams"
JST = timezone(timedelta(hours=9))
OFFICE = "潮見地方気象台"
TOWN, VILLAGE = ("潮見町", "0899900"), ("北潮村", "0899800")
RAIN = datetime(2026, 9, 17, 10, 5, tzinfo=JST)
NAMESPACE = "http://xml.kishou.go.jp/jmaxml1/"
Area = tuple[str, str]  # name, code
Kind = tuple[str, str, str]  # name, code, status


@dataclass(frozen=True)
class Telegram:
    """One telegram: what stands in Control and Head, and its Body as XML."""

    title: str
    head_title: str
    at: datetime
    body: str
    status: str = "通常"
    info_type: str = "発表"
    event_id: str = ""
    serial: str = ""
    headline: str = ""
    information: str = ""
    valid_to: datetime | None = None
    office: str = OFFICE
    body_namespace: str = NAMESPACE + "body/meteorology1/"

    def xml(self) -> bytes:
        """The telegram as it is sent."""
        sent = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        valid = f"\n<ValidDateTime>{self.valid_to.isoformat()}</ValidDateTime>" if self.valid_to else ""
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="{NAMESPACE}" xmlns:jmx="{NAMESPACE}">
<Control>
<Title>{self.title}</Title>
<DateTime>{sent}</DateTime>
<Status>{self.status}</Status>
<EditorialOffice>{self.office}</EditorialOffice>
<PublishingOffice>{self.office}</PublishingOffice>
</Control>
<Head xmlns="{NAMESPACE}informationBasis1/">
<Title>{self.head_title}</Title>
<ReportDateTime>{self.at.isoformat()}</ReportDateTime>
<TargetDateTime>{self.at.isoformat()}</TargetDateTime>{valid}
<EventID>{self.event_id}</EventID>
<InfoType>{self.info_type}</InfoType>
<Serial>{self.serial}</Serial>
<InfoKind>{self.title}</InfoKind>
<InfoKindVersion>1.0_0</InfoKindVersion>
<Headline>
<Text>{escape(self.headline)}</Text>
{self.information}</Headline>
</Head>
<Body xmlns="{self.body_namespace}" xmlns:jmx_eb="{NAMESPACE}elementBasis1/">
{self.body}</Body>
</Report>
""".encode()

    def corrected(self, **changes: object) -> Telegram:
        """The telegram that corrects this one."""
        return replace(self, info_type="訂正", **changes)  # type: ignore[arg-type]

    def cancelled(self, after: timedelta) -> Telegram:
        """The telegram that cancels this one."""
        return replace(
            self, info_type="取消", at=self.at + after, body="", headline="先の情報を取り消します。"
        )


def weather(
    stated: dict[Area, list[Kind]], at: datetime = RAIN, *, phenomenon: str = "", **more: str
) -> Telegram:
    """A weather warning (VPWW54), or, with a phenomenon, one of the level-based ones of 2026."""
    title = (
        f"気象警報・注意報（Ｒ０６）（{phenomenon}）" if phenomenon else "気象警報・注意報（Ｈ２７）"
    )
    coarse = _item([("大雨警報", "03", "発表")], ("潮見県", "080000"))
    items = "\n".join(_item(kinds, area) for area, kinds in stated.items())
    body = (
        f'<Warning type="気象警報・注意報（府県予報区等）">\n{coarse}\n</Warning>\n'
        f'<Warning type="気象警報・注意報（市町村等）">\n{items}\n</Warning>\n'
    )
    return Telegram(title, "潮見県気象警報・注意報", at, body, **more)  # type: ignore[arg-type]


def _item(kinds: list[Kind], area: Area) -> str:
    said = "\n".join(
        f"<Kind>\n<Name>{name}</Name>\n<Code>{code}</Code>\n<Status>{status}</Status>\n</Kind>"
        for name, code, status in kinds
    )
    nothing = "<Kind>\n<Status>発表警報・注意報はなし</Status>\n</Kind>"
    return (
        f"<Item>\n{said or nothing}\n<Area>\n<Name>{area[0]}</Name>\n<Code>{area[1]}</Code>\n</Area>\n"
        "<ChangeStatus>警報・注意報種別に変化有</ChangeStatus>\n</Item>"
    )


def landslide(stated: dict[Area, str], at: datetime = RAIN, serial: int = 1, **more: str) -> Telegram:
    """A landslide alert (VXWW50): 警戒, 解除 or なし for each municipality."""
    codes = {"警戒": "3", "解除": "1", "なし": "0"}
    items = "\n".join(_item([(name, codes[name], name)], area) for area, name in stated.items())
    return Telegram(
        "土砂災害警戒情報",
        "潮見県土砂災害警戒情報",
        at,
        f'<Warning type="土砂災害警戒情報">\n{items}\n</Warning>\n',
        event_id="潮見県土砂災害警戒情報",
        serial=str(serial),
        **more,  # type: ignore[arg-type]
    )


def flood(
    kind: tuple[str, str] = ("レベル４氾濫危険警報", "40"),
    at: datetime = RAIN,
    serial: int = 1,
    cities: tuple[str, ...] = ("08999",),
    **more: str,
) -> Telegram:
    """A flood forecast of a named river (VXKO); without cities in its short form, an empty Body."""
    river = "<Area>\n<Name>潮見川</Name>\n<Code>089900000100</Code>\n</Area>"
    information = (
        '<Information type="指定河川洪水予報（予報区域）">\n<Item>\n<Kind>\n'
        f"<Name>{kind[0]}</Name>\n<Code>{kind[1]}</Code>\n</Kind>\n"
        f"<Areas>\n{river}\n</Areas>\n</Item>\n</Information>\n"
    )
    areas = "\n".join(
        f"<Area>\n<Name>潮見橋</Name>\n<City>潮見町</City>\n<CityCode>{code}</CityCode>\n</Area>"
        for code in cities
    )
    body = (
        '<Warning type="指定河川洪水予報">\n<Item>\n<Kind>\n<Property>\n<Type>浸水想定地区</Type>\n'
        f"</Property>\n</Kind>\n<Areas>\n{areas}\n</Areas>\n</Item>\n</Warning>\n"
    )
    return Telegram(
        "指定河川洪水予報",
        f"潮見川{kind[0]}",
        at,
        body if cities else "",
        event_id="089900000100",
        serial=str(serial),
        headline="潮見川では、氾濫のおそれがあります。",
        information=information,
        **more,  # type: ignore[arg-type]
    )


def tsunami(
    stated: dict[Area, tuple[str, str]],
    at: datetime = RAIN,
    event_id: str = "20260917100000",
    **more: str,
) -> Telegram:
    """A tsunami warning (VTSE41) by coast."""
    items = "\n".join(
        f"<Item>\n<Area>\n<Name>{area[0]}</Name>\n<Code>{area[1]}</Code>\n</Area>\n<Category>\n<Kind>\n"
        f"<Name>{name}</Name>\n<Code>{code}</Code>\n</Kind>\n</Category>\n<FirstHeight>\n"
        f"<ArrivalTime>{(at + timedelta(minutes=20)).isoformat()}</ArrivalTime>\n</FirstHeight>\n"
        '<MaxHeight>\n<jmx_eb:TsunamiHeight type="津波の高さ" unit="m" description="３ｍ">3'
        "</jmx_eb:TsunamiHeight>\n</MaxHeight>\n</Item>"
        for area, (name, code) in stated.items()
    )
    return Telegram(
        "津波警報・注意報・予報ａ",
        "津波警報",
        at,
        f"<Tsunami>\n<Forecast>\n{items}\n</Forecast>\n</Tsunami>\n",
        event_id=event_id,
        office="気象庁",
        body_namespace=NAMESPACE + "body/seismology1/",
        headline="津波警報を発表しました。ただちに避難してください。",
        **more,  # type: ignore[arg-type]
    )


COAST = ("潮見県沿岸", "399")
RAIN_WARNING = weather(
    {
        TOWN: [("大雨警報", "03", "発表"), ("雷注意報", "14", "発表")],
        VILLAGE: [("大雨警報", "03", "発表")],
    },
    headline="潮見県では、17日夜遅くまで低い土地の浸水に警戒してください。",
)
LEVEL_FOUR = weather(
    {TOWN: [("レベル４土砂災害危険警報", "49", "発表")], VILLAGE: []},
    RAIN + timedelta(hours=3),
    phenomenon="土砂",
    headline="潮見町では、命に危険が及ぶ土砂災害がいつ発生してもおかしくない状況です。",
)
DRILL = weather(
    {TOWN: [("レベル５大雨特別警報", "33", "発表")]},
    RAIN - timedelta(days=7),
    phenomenon="大雨",
    status="訓練",
    headline="これは訓練です。潮見町に大雨特別警報を発表しました。",
)
FILES: dict[str, Telegram] = {
    "01_heavy_rain.xml": RAIN_WARNING,
    "02_heavy_rain_corrected.xml": weather({TOWN: [("大雨警報", "03", "発表")], VILLAGE: []}).corrected(
        headline="北潮村への発表を訂正します。", at=RAIN + timedelta(minutes=6)
    ),
    "03_heavy_rain_cancelled.xml": RAIN_WARNING.cancelled(timedelta(minutes=20)),
    "04_landslide.xml": landslide({TOWN: "警戒", VILLAGE: "なし"}, RAIN + timedelta(hours=2)),
    "05_flood.xml": flood(at=RAIN + timedelta(hours=2, minutes=30)),
    "06_tsunami.xml": tsunami({COAST: ("津波警報", "51")}, RAIN - timedelta(days=30)),
    "07_drill.xml": DRILL,
    "08_level_four.xml": LEVEL_FOUR,
}


def main(arguments: list[str]) -> None:
    """Write the files."""
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, telegram in FILES.items():
        (folder / name).write_bytes(telegram.xml())


if __name__ == "__main__":
    main(sys.argv[1:])
