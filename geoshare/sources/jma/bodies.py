"""The statements of each family of telegrams: weather, landslide, flood, tsunami, heavy-rain reports.

The layouts are those of the explanations of each telegram (電文毎の解説資料): VPWW50, 53, 54 and,
since May 2026, VPWW55 to 61 by phenomenon; VXWW50; VXKO50 to 89; VTSE41/51/52; VPOA50 and VPBS50.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.jma.kinds import Kind, flood_kind, kind_of, plain
from geoshare.sources.jma.statements import Statement
from geoshare.sources.jma.tree import BODIES, child, children, text_of

AREA_TYPES = (  # the finest first; of the others nothing is taken, they say the same more coarsely
    ("(市町村等)", "municipality"),
    ("市町村等をまとめた地域", "group"),
    ("一次細分区域", "region"),
    ("府県予報区", "prefecture"),
)
LANDSLIDE = "土砂災害警戒情報"
_CODE = re.compile(r"[0-9]{2,14}")
_CITY = re.compile(r"[0-9]{5}")
_NOTHING = ("なし", "解除")
_TSUNAMI_SAME = {"53": "52", "72": "71", "73": "71"}  # 大津波警報:発表; two kinds of slight change
_TSUNAMI_NOTHING = frozenset(["00", "50", "60"])


_WEATHER = ("気象警報・注意報", "気象特別警報・警報・注意報")
_NOT_WEATHER = ("時系列", "集約", "報知")  # forecasts, and sums of what other telegrams say
_FLOOD = "指定河川洪水予報"
_TSUNAMI = ("津波警報・注意報・予報", "津波情報")
_REPORTS = ("記録的短時間大雨情報", "府県気象防災速報")


def holds_warnings(title: str) -> bool:
    """Whether telegrams of that title may hold warnings, as a feed's titles say."""
    folded = plain(title)
    if any(word in folded for word in _NOT_WEATHER):
        return False
    return folded.startswith((*_WEATHER, LANDSLIDE, _FLOOD, *_TSUNAMI, *_REPORTS))


@dataclass(frozen=True, slots=True)
class Body:
    """What a body says; ``expected``: a telegram of this kind says something about some area."""

    family: str
    place: str  # of the stream, where the office is not what tells streams apart
    whole: bool
    expected: bool
    covers: tuple[str, ...]
    statements: tuple[Statement, ...]


def read_body(title: str, root: etree._Element, head: etree._Element, report: Report) -> Body | None:
    """What a telegram says; None where its kind is none of ours. Unusable items go to the report."""
    body = next((found for ns in BODIES if (found := child(root, ns, "Body")) is not None), None)
    for reader in (_weather, _landslide, _flood, _tsunami, _heavy_rain):
        made = reader(title, body, head, report)
        if made is not None:
            return made
    return None


def _weather(
    title: str, body: etree._Element | None, head: etree._Element, report: Report
) -> Body | None:
    """気象警報・注意報. Each states all kinds of each area it names; those of 2026 one phenomenon."""
    if not title.startswith(_WEATHER) or any(word in title for word in _NOT_WEATHER):
        return None
    phenomenon = title.split("(R06)")[1].strip("()") if "(R06)" in title else ""
    found = _Items(report)
    for item, area_kind in _finest(body):
        found.take(item, area_kind, children(item, "Kind"), _named_kind)
    family = f"weather:{phenomenon}" if phenomenon else "weather"
    return found.body(family, whole=False)


def _landslide(
    title: str, body: etree._Element | None, head: etree._Element, report: Report
) -> Body | None:
    """土砂災害警戒情報: 警戒, 解除 or なし for each municipality of a prefecture."""
    if title != LANDSLIDE:
        return None
    found = _Items(report)
    for item in children(body, "Warning", "Item"):
        found.take(item, "municipality", children(item, "Kind"), _landslide_kind)
    return found.body("landslide", whole=False)


def _flood(
    title: str, body: etree._Element | None, head: etree._Element, report: Report
) -> Body | None:
    """指定河川洪水予報: one river; the body may be left out (簡略形式), the headline is there."""
    if title != _FLOOD:
        return None
    cities = {
        text_of(area, "CityCode"): None for area in children(body, "Warning", "Item", "Areas", "Area")
    }
    named = tuple(code for code in cities if _CITY.fullmatch(code))
    found = _Items(report, named)
    for information in children(head, "Headline", "Information"):
        if "予報区域" in plain(information.get("type", "")):
            for item in children(information, "Item"):
                found.take(item, "river", children(item, "Kind"), _flood_kind)
    river = text_of(head, "EventID") or next(iter(found.covers), "")
    return found.body("flood", whole=True, place=river[:100])


def _tsunami(
    title: str, body: etree._Element | None, head: etree._Element, report: Report
) -> Body | None:
    """津波警報・注意報・予報, and information that repeats them; observations alone change nothing."""
    if not title.startswith(_TSUNAMI):
        return None
    found = _Items(report)
    for item in children(body, "Tsunami", "Forecast", "Item"):
        found.take(item, "coast", children(item, "Category", "Kind"), _tsunami_kind)
    # One stream for the country: a telegram states all that is in force, of all events together.
    made = found.body("tsunami", whole=True, place="全国")
    if made.covers or title.startswith(_TSUNAMI[0]):
        return made
    return Body("tsunami", "全国", whole=False, expected=False, covers=(), statements=())


def _heavy_rain(
    title: str, body: etree._Element | None, head: etree._Element, report: Report
) -> Body | None:
    """記録的短時間大雨情報, 府県気象防災速報: something observed, told once, which never ends."""
    if not title.startswith(_REPORTS):
        return None
    found = _Items(report)
    told = Kind("heavy_rain" if "大雨" in title else "other", "report", None)
    blocks = [*children(head, "Headline", "Information")] or [*children(body, "MeteorologicalInfos")]
    for block in blocks[-1:]:  # the finest areas come last
        for item in children(block, "Item"):
            found.take(item, "area", [item], lambda _: _Said(title, title, told, True))
    place = f"{text_of(head, 'EventID') or text_of(head, 'Title')}"[:100]
    return found.body("report", whole=True, place=f"{title[:40]} {place}")


@dataclass(frozen=True, slots=True)
class _Said:
    code: str
    name: str
    kind: Kind
    active: bool
    condition: str = ""


def _named_kind(item: etree._Element) -> _Said | None:
    name, code = text_of(item, "Name"), text_of(item, "Code")
    status = text_of(item, "Status")
    if not name and any(word in status for word in _NOTHING):
        return _Said("00", status, Kind("other", "report", None), active=False)
    if not name:
        return None
    active = status != "解除" and not any(word in name for word in _NOTHING) and code != "00"
    details = [status, text_of(item, "Condition")]
    return _Said(code or plain(name), name, kind_of(name), active, " ".join(filter(None, details)))


def _landslide_kind(item: etree._Element) -> _Said | None:
    name, code, status = text_of(item, "Name"), text_of(item, "Code"), text_of(item, "Status")
    if not name and not code:
        return None
    active = (code == "3" or (not code and name == "警戒")) and status != "解除"
    return _Said("3", LANDSLIDE, kind_of(LANDSLIDE), active, status or name)


def _flood_kind(item: etree._Element) -> _Said | None:
    name, code = text_of(item, "Name"), text_of(item, "Code")
    if not name and not code:
        return None
    kind = flood_kind(code, name)
    # By the code where there is one: 氾濫注意報(警報解除) is a lower level, and in force.
    active = not code.startswith("1") if code else "解除" not in name
    # The second digit says how it came to this level, so the level alone is the kind.
    return _Said(f"{code[0]}0" if code else plain(name), name, kind, active, text_of(item, "Condition"))


def _tsunami_kind(item: etree._Element) -> _Said | None:
    name, code = text_of(item, "Name"), text_of(item, "Code")
    if not code:
        return None
    area = next(item.iterancestors("{*}Item"), None)
    heights = [node.get("description", "") for node in children(area, "MaxHeight", "TsunamiHeight")]
    said = [*heights, text_of(area, "FirstHeight", "Condition")]
    arrival = text_of(area, "FirstHeight", "ArrivalTime")
    if arrival:
        said.append(f"到達予想 {arrival}")
    condition = " ".join(filter(None, said))
    kind = Kind("tsunami", kind_of(name).severity, None)
    return _Said(_TSUNAMI_SAME.get(code, code), name, kind, code not in _TSUNAMI_NOTHING, condition)


def _finest(body: etree._Element | None) -> Iterator[tuple[etree._Element, str]]:
    """The items of the block whose areas are the finest."""
    blocks = [(plain(block.get("type", "")), block) for block in children(body, "Warning")]
    for word, area_kind in AREA_TYPES:
        items = [item for type_, block in blocks if word in type_ for item in children(block, "Item")]
        if items:
            yield from ((item, area_kind) for item in items)
            return


class _Items:
    """Gathers statements item by item."""

    def __init__(self, report: Report, municipalities: tuple[str, ...] = ()) -> None:
        self.covers: dict[str, None] = {}
        self._found: dict[tuple[str, str], Statement] = {}
        self._report = report
        self._municipalities = municipalities
        self._number = 0

    def take(
        self,
        item: etree._Element,
        area_kind: str,
        kinds: Iterator[etree._Element] | list[etree._Element],
        read: Callable[[etree._Element], _Said | None],
    ) -> None:
        """Every kind of an item in every area of it."""
        self._number += 1
        read_kinds = [read(kind) for kind in kinds]
        said = [found for found in read_kinds if found is not None]
        areas = [*children(item, "Area"), *children(item, "Areas", "Area")]
        whole = bool(said) and len(said) == len(read_kinds)
        if not whole or not areas:
            self._refuse("Kind" if areas else "Area", item)
        for area in areas:
            code, name = text_of(area, "Code"), text_of(area, "Name")
            if not _CODE.fullmatch(code):
                self._refuse("Area/Code", area)
                continue
            if whole:  # of what cannot be read it is not known what it says, so nothing ends by it
                self.covers[code] = None
            for found in said:
                if found.active:
                    statement = self._statement(code, name, area_kind, found)
                    self._found.setdefault(statement.key, statement)

    def _statement(self, code: str, name: str, area_kind: str, said: _Said) -> Statement:
        return Statement(
            area_code=code,
            area_name=name[:200],
            area_kind=area_kind,
            kind_code=said.code[:80],
            kind_name=said.name[:200],
            hazard=said.kind.hazard,
            severity=said.kind.severity,
            level=said.kind.level,
            condition=said.condition[:500],
            municipalities=self._municipalities,
        )

    def _refuse(self, what: str, element: etree._Element) -> None:
        values = {"Name": text_of(element, "Name")[:80], "Code": text_of(element, "Code")[:80]}
        self._report.refuse(self._number, messages.telegram_broken_item(what), values)

    def body(self, family: str, *, whole: bool, place: str = "") -> Body:
        """What was gathered."""
        statements = tuple(self._found[key] for key in sorted(self._found))
        return Body(family, place, whole, True, tuple(sorted(self.covers)), statements)
