"""The columns of a collection's sheet: one for each property that is visible, and a few of our own."""

from __future__ import annotations

from collections.abc import Collection as Names
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from geoshare.model.collections import Collection, Property
from geoshare.sources import text

Lang = Literal["ja", "en"]
Kind = Literal["text", "choice", "truth", "whole", "number", "moment", "day", "list"]

ID, ACTION, LATITUDE, LONGITUDE, SHAPE, KEPT = "@id", "@action", "@lat", "@lon", "@shape", "@kept"
WITHDRAW: Final = "withdraw"
LEVELS: Final = (3, 4, 5)  # of evacuation information that is issued


@dataclass(frozen=True, slots=True)
class Choice:
    """A known value and its titles."""

    value: Any
    title: str
    title_ja: str

    def said(self, lang: Lang) -> str:
        """Its title in a language."""
        return self.title_ja if lang == "ja" else self.title


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column: ``key`` is a property's name, or one of this module's own.

    What is ``locked`` can be read and not changed; what is ``hidden`` is for the server alone.
    """

    key: str
    title: str
    title_ja: str
    kind: Kind = "text"
    choices: tuple[Choice, ...] = ()
    locked: bool = False
    hidden: bool = False
    required: bool = False
    about: str = ""
    about_ja: str = ""
    unit: str = ""
    least: float | None = None
    most: float | None = None

    def heading(self, lang: Lang) -> str:
        """What stands above it."""
        return self.title_ja if lang == "ja" else self.title

    @property
    def headings(self) -> frozenset[str]:
        """Everything that it may be called, folded."""
        own = {self.key, self.title, self.title_ja, *_ALSO.get(self.key, ())}
        return frozenset(text.heading(name) for name in own if not name.startswith("@"))


_ALSO: Final[Mapping[str, tuple[str, ...]]] = {
    LATITUDE: ("lat", "緯度(10進)", "緯度(度)"),
    LONGITUDE: ("lon", "lng", "long", "経度(10進)", "経度(度)"),
    ID: ("geoshare_id",),  # a list's own column "ID" is another one
    "status": ("状態", "状況", "開設状況", "開設状態"),
    "name": ("名称", "施設名", "避難所名", "地点", "地点名", "場所"),
    "people_count": ("避難者数", "避難人数", "収容人数(現在)"),
}
_DRAWN: Final = (
    Choice("point", "Point", "点"),
    Choice("line", "Line", "線"),
    Choice("area", "Area", "範囲"),
)
_NUMBERS: Final[Mapping[str, Kind]] = {"integer": "whole", "number": "number", "boolean": "truth"}
YES_NO: Final = (Choice(True, "Yes", "はい"), Choice(False, "No", "いいえ"))


def columns_of(
    about: Collection, locked: Names[str], required: Names[str], left_out: Names[str]
) -> tuple[SheetColumn, ...]:
    """Columns of a collection's sheet, in order.

    Parameters
    ----------
    about
        The collection as its reader sees it: a hidden property has no column.
    locked, required, left_out
        Properties that nobody states by hand, that a new row needs, and that have no column at all.
    """
    first = [name for name in (about.label, "level", "kind", "status") if name]
    rank = {name: number for number, name in enumerate(dict.fromkeys(first))}
    items = [item for item in about.properties if item.name not in left_out]
    items.sort(key=lambda item: rank.get(item.name, len(rank)))
    schemas = about.schema.get("properties", {})
    made = [
        _of_property(item, schemas.get(item.name, {}), item.name in locked, item.name in required)
        for item in items
    ]
    return (_ID, _ACTION, *made, *_places(about.geometry), _kept(about.name))


def _of_property(
    item: Property, schema: Mapping[str, Any], locked: bool, required: bool
) -> SheetColumn:
    kind: Kind = _NUMBERS.get(item.type, "text")
    choices: tuple[Choice, ...] = ()
    if item.enum:
        kind, choices = "choice", tuple(_choice(item, value) for value in item.enum)
    elif item.type == "boolean":
        choices = YES_NO
    elif item.type == "array":
        kind = "list"
    elif item.format in ("date-time", "date"):
        kind = "moment" if item.format == "date-time" else "day"
    elif item.name == "level":
        choices = tuple(Choice(level, str(level), str(level)) for level in LEVELS)
        kind = "choice"
    return SheetColumn(
        item.name,
        item.title,
        item.title_ja,
        kind,
        choices,
        locked=locked,
        required=required,
        about=item.description,
        about_ja=schema.get("x-description-ja", ""),
        unit=item.unit,
        least=schema.get("minimum"),
        most=schema.get("maximum"),
    )


def _choice(item: Property, value: Any) -> Choice:
    key = str(value)
    title = item.titles.get(key, key)
    return Choice(value, title, item.titles_ja.get(key, title))


_ID: Final = SheetColumn(
    ID,
    "Feature ID",
    "地物ID",
    hidden=True,
    locked=True,
    about="Leave it as it is.",
    about_ja="変えないでください。",
)
_ACTION: Final = SheetColumn(
    ACTION,
    "Action",
    "操作",
    "choice",
    (Choice(WITHDRAW, "Withdraw", "取下げ"),),
    about="Withdraw: your organisation says nothing of it any more. Deleting a row does nothing.",
    about_ja="「取下げ」とした行は登録を取り下げます。行を消しても取り下げにはなりません。",
)


def _places(geometry: str) -> tuple[SheetColumn, ...]:
    if geometry == "polygon":
        return ()
    about = "Degrees (JGD2011); a new row needs both."
    about_ja = "10進の度(JGD2011)。新しい行には緯度と経度の両方が必要です。"
    latitude = SheetColumn(
        LATITUDE, "Latitude", "緯度", "number", about=about, about_ja=about_ja, least=-90, most=90
    )
    longitude = SheetColumn(
        LONGITUDE, "Longitude", "経度", "number", about=about, about_ja=about_ja, least=-180, most=180
    )
    shape = SheetColumn(
        SHAPE,
        "Drawn as",
        "図形",
        "choice",
        _DRAWN,
        locked=True,
        about="Lines and areas are changed on the map.",
        about_ja="線と範囲は地図の画面で変えます。",
    )
    return (latitude, longitude) if geometry == "point" else (latitude, longitude, shape)


def _kept(collection: str) -> SheetColumn:
    name = f"geoshare:{collection}"
    return SheetColumn(
        KEPT,
        name,
        name,
        hidden=True,
        locked=True,
        about="What was read, for comparison. Leave it as it is.",
        about_ja="ダウンロード時の内容の控えです。変えないでください。",
    )
