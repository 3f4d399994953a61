# ruff: noqa: E501 - tables read better with a row a line
"""Public buildings and open spaces, among them the evacuation sites and shelters."""

from __future__ import annotations

from dataclasses import dataclass

# Hazards in the order of the municipal standard data set.
HAZARDS = (
    "洪水",
    "崖崩れ、土石流及び地滑り",
    "高潮",
    "地震",
    "津波",
    "大規模な火事",
    "内水氾濫",
    "火山現象",
)


@dataclass(frozen=True)
class Facility:
    """A public place.

    ``size_m`` is the building's length and depth (none for an open space); ``safe_from`` has one
    character per hazard of :data:`HAZARDS`, ``1`` where the place is designated; empty where the
    place is no evacuation site. ``beds`` is the capacity as a shelter, ``stand`` as a site.
    """

    name: str
    kana: str
    name_en: str
    xy: tuple[float, float]
    size_m: tuple[float, float] | None
    use: str
    storeys: int
    safe_from: str = ""
    stand: int = 0
    beds: int = 0
    targets: tuple[str, ...] = ()
    note: str = ""


FACILITIES = [
    Facility("潮見駅", "シオミエキ", "Shiomi Station", (-250, 350), (62, 14), "運輸倉庫施設", 2),
    Facility("東潮見駅", "ヒガシシオミエキ", "Higashi-Shiomi Station", (1010, 360), (26, 8), "運輸倉庫施設", 1),
    Facility("潮見町役場", "シオミチョウヤクバ", "Shiomi Town Hall", (-420, -60), (58, 24), "官公庁施設", 5),
    Facility("潮見町立図書館", "シオミチョウリツトショカン", "Shiomi Town Library", (-540, -120), (40, 26), "文教厚生施設", 2),
    Facility("潮見病院", "シオミビョウイン", "Shiomi Hospital", (-110, -120), (64, 30), "文教厚生施設", 7),
    Facility("潮見警察署", "シオミケイサツショ", "Shiomi Police Station", (-330, -190), (32, 20), "官公庁施設", 4),
    Facility("潮見消防署", "シオミショウボウショ", "Shiomi Fire Station", (-560, -240), (34, 20), "官公庁施設", 3),
    Facility("潮見郵便局", "シオミユウビンキョク", "Shiomi Post Office", (-120, 190), (28, 20), "官公庁施設", 2),
    Facility("ホテル潮見", "ホテルシオミ", "Hotel Shiomi", (-330, 250), (34, 20), "宿泊施設", 9),
    Facility("潮見ショッピングセンター", "シオミショッピングセンター", "Shiomi Shopping Centre", (1120, 180), (96, 60), "商業施設", 2),
    Facility("潮見魚市場", "シオミウオイチバ", "Shiomi Fish Market", (-440, -615), (110, 28), "商業施設", 1),
    Facility("製氷工場", "セイヒョウコウジョウ", "Ice Plant", (-640, -612), (38, 24), "工場", 2),
    Facility("漁協倉庫", "ギョキョウソウコ", "Fishery Warehouse", (-745, -630), (58, 22), "運輸倉庫施設", 1),
    Facility("水産加工場", "スイサンカコウジョウ", "Fish Processing Plant", (-800, -590), (44, 26), "工場", 1),
    Facility("造船所", "ゾウセンジョ", "Shipyard", (-85, -640), (60, 34), "工場", 1),
    Facility("下水処理場", "ゲスイショリジョウ", "Sewage Plant", (560, -560), (52, 34), "供給処理施設", 1),
    Facility("潮見第一小学校", "シオミダイイチショウガッコウ", "Shiomi Daiichi Elementary School", (-600, 690), (72, 18),
             "文教厚生施設", 3, "1 1111 1", 1850, 420, ("緑町", "駅北一丁目", "若葉町")),
    Facility("潮見中学校", "シオミチュウガッコウ", "Shiomi Junior High School", (-930, 690), (80, 18), "文教厚生施設", 4,
             "1 111111", 2400, 560, ("山手二丁目", "駅北一丁目", "緑町")),
    Facility("潮見高等学校", "シオミコウトウガッコウ", "Shiomi High School", (-820, 560), (84, 20), "文教厚生施設", 4,
             "1 1111 1", 3050, 700, ("駅前一丁目", "駅前二丁目", "山手二丁目")),
    Facility("東小学校", "ヒガシショウガッコウ", "Higashi Elementary School", (1180, 420), (70, 18), "文教厚生施設", 3,
             "  11 1  ", 1600, 380, ("旭町", "日の出町", "東町二丁目"), "洪水時は2階以上へ避難"),
    Facility("浜小学校", "ハマショウガッコウ", "Hama Elementary School", (90, -390), (66, 16), "文教厚生施設", 4,
             "   1 1  ", 1200, 300, ("浜町", "本町"), "津波・洪水時は使用不可"),
    Facility("城山公園", "シロヤマコウエン", "Shiroyama Park", (-905, -60), None, "公園", 0, "1 1111 1", 4200, 0,
             ("城山", "本町", "中央一丁目", "港町")),
    Facility("山手コミュニティセンター", "ヤマテコミュニティセンター", "Yamate Community Centre", (-880, 300), (34, 20),
             "文教厚生施設", 2, "11111111", 350, 130, ("山手一丁目", "駅前一丁目")),
    Facility("潮見町総合体育館", "シオミチョウソウゴウタイイクカン", "Shiomi Gymnasium", (-760, 640), (60, 42), "文教厚生施設", 2,
             "1 1111 1", 2800, 850, ("緑町", "若葉町", "若宮町", "駅北二丁目")),
    Facility("中央公民館", "チュウオウコウミンカン", "Chuo Community Hall", (-150, -40), (36, 24), "文教厚生施設", 3,
             "   1  1 ", 480, 160, ("中央一丁目", "中央二丁目", "川端町")),
    Facility("駅北公園", "エキキタコウエン", "Ekikita Park", (-110, 690), None, "公園", 0, "   1 1  ", 2600, 0,
             ("若葉町", "駅北二丁目", "上川原")),
    Facility("光明寺", "コウミョウジ", "Komyoji Temple", (-560, -410), (24, 18), "宗教施設", 1, "   1    ", 260, 60, ("本町",)),
    Facility("潮見神社境内", "シオミジンジャケイダイ", "Shiomi Shrine Grounds", (-1010, 250), (14, 12), "宗教施設", 1,
             "1 111  1", 520, 0, ("山手一丁目", "城山")),
    Facility("旭町集会所", "アサヒチョウシュウカイジョ", "Asahi-cho Meeting Hall", (760, 470), (18, 12), "文教厚生施設", 1,
             "   1    ", 110, 40, ("旭町",)),
    Facility("日の出公園", "ヒノデコウエン", "Hinode Park", (1290, 390), None, "公園", 0, "1 1111  ", 1500, 0,
             ("日の出町", "東町四丁目")),
    Facility("東町福祉センター", "ヒガシマチフクシセンター", "Higashimachi Welfare Centre", (1240, 30), (38, 24), "文教厚生施設", 3,
             "  11  1 ", 420, 150, ("東町三丁目", "東町四丁目")),
    Facility("白浜津波避難タワー", "シラハマツナミヒナンタワー", "Shirahama Tsunami Tower", (1150, -450), (14, 12), "官公庁施設", 4,
             "  1 1   ", 300, 0, ("白浜", "東町三丁目"), "海抜12mの避難床"),
    Facility("道の駅しおみ", "ミチノエキシオミ", "Roadside Station Shiomi", (1340, -450), (48, 22), "商業施設", 1,
             "   1 1  ", 900, 200, ("白浜",)),
    Facility("上潮見農村センター", "カミシオミノウソンセンター", "Kami-Shiomi Rural Centre", (-520, 900), (30, 18), "文教厚生施設", 2,
             "1  1 11 ", 380, 120, ("上潮見", "緑町")),
    Facility("新田公会堂", "シンデンコウカイドウ", "Shinden Hall", (880, 760), (20, 14), "文教厚生施設", 1, "   1    ", 130, 45,
             ("新田", "沢田")),
    Facility("沢田運動広場", "サワダウンドウヒロバ", "Sawada Sports Ground", (1330, 930), None, "公園", 0, "1 1111 1", 3600, 0,
             ("沢田", "新田", "谷津")),
    Facility("川口町津波避難ビル", "カワグチチョウツナミヒナンビル", "Kawaguchi Tsunami Refuge", (520, -390), (30, 18), "共同住宅", 6,
             "  1 1   ", 450, 0, ("川口町", "中島"), "屋上を使用"),
    Facility("西浦小学校", "ニシウラショウガッコウ", "Nishiura Elementary School", (-3620, 120), (54, 16), "文教厚生施設", 2,
             "1 1111 1", 900, 210, ("大字西浦", "大字岬")),
    Facility("東浦分校", "ヒガシウラブンコウ", "Higashiura Branch School", (2740, -800), (36, 14), "文教厚生施設", 2,
             "1  1 1  ", 420, 90, ("大字東浦", "大字東山")),
]  # fmt: skip
