"""The words of sheets, in Japanese and English."""

from __future__ import annotations

from typing import Any, Final

from geoshare.model.hazards import NAMES, WARNED_OF
from geoshare.query import View

WORDS: Final[dict[str, tuple[str, str]]] = {
    "scale": ("縮尺", "Scale"),
    "sheet": ("図", "Sheet"),
    "of": ("/", "of"),
    "legend": ("凡例", "Legend"),
    "legend_more": ("凡例（続き）", "Legend (continued)"),
    "nothing": ("この図に表示する情報はありません", "Nothing to show on this sheet"),
    "true_north": ("真北", "True N"),
    "grid_north": ("座標北", "Grid N"),
    "projection": (
        "平面直角座標系 第{zone}系（JGD2011、EPSG:{epsg}）",
        "Japan Plane Rectangular CS, zone {zone} (JGD2011, EPSG:{epsg})",
    ),
    "ticks": (
        "図郭の目盛は平面直角座標（km、X：北、Y：東）",
        "Ticks: plane coordinates in km (X north, Y east)",
    ),
    "made": ("作成", "Made"),
    "data": ("データの時点", "State of the data"),
    "data_unknown": ("データの時点：記載なし", "State of the data: not stated"),
    "source": ("出典・利用条件", "Sources and terms"),
    "agreement": ("契約による利用", "under the agreement"),
    "link": ("最新の情報", "Latest state"),
    "index": ("索引図", "Index of sheets"),
    "index_sheets": ("図の数：{sheets}　各図の縮尺：1:{scale:,}", "{sheets} sheets at 1:{scale:,}"),
    "index_note": (
        "図の番号を示します。隣り合う図は {overlap} mm ずつ重なります。",
        "Numbers of the sheets. Neighbouring sheets overlap by {overlap} mm.",
    ),
    "list": ("避難場所・避難所一覧", "Evacuation sites and shelters"),
    "list_none": (
        "この範囲に避難場所・避難所はありません。",
        "There are no sites or shelters in this area.",
    ),
    "number": ("番号", "No."),
    "kind": ("種別", "Kind"),
    "name": ("名称・所在地", "Name and address"),
    "address": ("所在地", "Address"),
    "state": ("開設状況", "State"),
    "people": ("避難者 / 収容", "People / capacity"),
    "designated": ("対象とする災害", "Designated for"),
    "remarks": ("備考", "Remarks"),
    "pets": ("ペット可", "Pets"),
    "no_pets": ("ペット不可", "No pets"),
    "welfare": ("福祉避難所", "Welfare"),
    "not_stated": ("―", "–"),
    "site": ("指定緊急避難場所", "Evacuation site"),
    "shelter": ("指定避難所", "Shelter"),
    "site_short": ("場所", "Site"),
    "shelter_short": ("避難所", "Shelter"),
    "open": ("開設", "Open"),
    "full": ("満員", "Full"),
    "preparing": ("開設準備中", "Being prepared"),
    "not_open": ("未開設", "Not open"),
    "closed": ("閉鎖", "Closed"),
    "unknown": ("未確認", "State unknown"),
    "updated": ("{when} 更新", "as of {when}"),
    "list_number": ("一覧表の番号", "Number in the list"),
    "site_hazards": ("対象とする災害", "Designated for"),
    "closure_full": ("通行止め", "Closed to traffic"),
    "closure_part": ("通行規制", "Traffic restricted"),
    "closure_planned": ("予定・訓練の規制", "Planned, or a drill"),
    "level": ("警戒レベル{level} {name}", "Level {level}: {name}"),
    "level3": ("高齢者等避難", "elderly and others evacuate"),
    "level4": ("避難指示", "evacuate"),
    "level5": ("緊急安全確保", "secure safety now"),
    "told_at": ("{when} 発令", "issued {when}"),
    "reported_at": ("{when} 発表", "issued {when}"),
    "drill": ("【訓練】", "[DRILL] "),
    "test": ("【試験】", "[TEST] "),
    "evacuation_drill": ("避難情報（訓練・試験）", "Evacuation information (drill or test)"),
    "warning_level": ("警報等（警戒レベル{level}相当）", "Warning, level {level}"),
    "warning_other": ("警報等（レベルなし）", "Warning without a level"),
    "warning_drill": ("警報等（訓練・試験）", "Warning (drill or test)"),
    "depth_unknown": ("浸水深不明", "Depth unknown"),
    "depth_from": ("{low}m以上", "{low} m and more"),
    "depth": ("{low}〜{high}m", "{low}–{high} m"),
    "special_zone": ("土砂災害特別警戒区域", "Landslide special warning zone"),
    "warning_zone": ("土砂災害警戒区域", "Landslide warning zone"),
    "flood": ("洪水浸水想定", "Flood"),
    "inland_flood": ("内水浸水想定", "Inland flood"),
    "storm_surge": ("高潮浸水想定", "Storm surge"),
    "tsunami": ("津波浸水想定", "Tsunami"),
    "landslide": ("土砂災害", "Landslide"),
    "other_hazard": ("その他の災害想定", "Other hazard"),
    **{f"h_{hazard}": names for hazard, names in NAMES.items()},
    "motorway": ("高速道路", "Motorway"),
    "main": ("国道・主要道", "Main road"),
    "minor": ("その他の道路", "Other road"),
    "foot": ("歩道・小径", "Footway, path"),
    "railway": ("鉄道", "Railway"),
    "boundary": ("行政界", "Boundary"),
    "water": ("水域", "Water"),
    "building": ("建物", "Building"),
    "water_open": ("給水所（給水中）", "Water point, open"),
    "water_other": ("給水所（準備・中断など）", "Water point, not open now"),
    "damage": ("被害報告", "Damage report"),
    "page": ("{number} / {total} ページ", "Page {number} of {total}"),
    "next_sheet": ("図 {number}", "Sheet {number}"),
    "on_sheet": ("図", "Sheet"),
    "estimate_note": (
        "人数・開設状況は作成時点のものです。最新の情報はQRコードから確認してください。",
        "States and numbers are of the time of making. See the QR code for the latest.",
    ),
}


class Speaker:
    """Says things in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._at = 0 if language == "ja" else 1

    def __call__(self, word: str, **values: Any) -> str:
        """Return a word, with its values put in."""
        text = WORDS[word][self._at]
        return text.format(**values) if values else text

    def title(self, view: View) -> str:
        """Return what a collection is called."""
        return view.collection.title_ja if self._at == 0 else view.collection.title

    def warning(self, kind_name: str | None, hazard: str | None, level: int | None) -> str:
        """What a warning is called; the service's own names are Japanese alone."""
        english = WARNED_OF.get(hazard or "")
        if self._at == 0 or english is None:
            return kind_name or ""
        return f"Level {level}: {english}" if level in (2, 3, 4, 5) else f"Warning: {english}"

    def name(self, name: str | None, name_en: str | None) -> str:
        """Return a name in the reader's language, or in the other one."""
        first, second = (name, name_en) if self._at == 0 else (name_en, name)
        return first or second or ""
