# ruff: noqa: E501 - tables read better with a row a line
"""The named roads and the railway as control points: the skeleton the town hangs on."""

from __future__ import annotations

from dataclasses import dataclass

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Route:
    """One named road of constant cross-section.

    ``width_m`` is the carriageway; ``kerb_m`` adds pavements and verges on both sides together.
    """

    name: str
    kana: str
    name_en: str
    road_class: str
    points: Points
    lanes: int = 2
    width_m: float = 6.5
    kerb_m: float = 3.0
    speed_kmh: int = 40
    number: str = ""
    tunnel: str = ""
    straight: bool = False


NATIONAL = ("国道509号", "コクドウ509ゴウ", "National Route 509", "trunk")
VALLEY = ("県道12号潮見北潮線", "ケンドウ12ゴウシオミキタシオセン", "Prefectural Road 12", "primary")
RING = ("県道23号島一周線", "ケンドウ23ゴウシマイッシュウセン", "Prefectural Road 23", "primary")
SMITHS = ("山手通り", "ヤマテドオリ", "Yamate-dori", "tertiary")

ROUTES = [
    Route(*NATIONAL, [(-4380, -120), (-4060, -420), (-3500, -840), (-3060, -930), (-2690, -830)],
          width_m=7.5, kerb_m=4, speed_kmh=50, number="509"),
    Route(*NATIONAL, [(-2690, -830), (-2250, -720), (-1760, -640), (-1330, -555)],
          width_m=7.5, kerb_m=2, speed_kmh=50, number="509", tunnel="潮見トンネル"),
    Route(*NATIONAL, [(-1330, -555), (-1120, -500), (-900, -432), (-640, -352), (-430, -312), (-205, -290),
                      (60, -272), (345, -262), (540, -262), (760, -275), (945, -300), (1250, -378),
                      (1500, -520), (1760, -655), (2200, -720), (2750, -900), (3300, -800), (3850, -780),
                      (4300, -100), (4700, 560), (4780, 1200), (4900, 1700), (4420, 2300), (3960, 2700),
                      (3800, 3000), (3200, 3280), (2500, 3760), (1500, 4160), (300, 4230), (-430, 4420)],
          width_m=7.5, kerb_m=5, speed_kmh=50, number="509"),
    Route(*RING, [(-430, 4420), (-1250, 4520), (-1950, 4560), (-2700, 4080), (-3080, 3500), (-3900, 3150),
                  (-4150, 2560), (-4780, 2060), (-4800, 1500), (-4430, 880), (-4620, 200), (-4380, -120)],
          width_m=6.0, number="23"),
    Route("駅前通り", "エキマエドオリ", "Ekimae-dori", "secondary", [(-248, 268), (-225, 30), (-205, -290)],
          lanes=4, width_m=13, kerb_m=9),
    Route("港通り", "ミナトドオリ", "Minato-dori", "tertiary", [(-205, -290), (-196, -420), (-205, -548)], kerb_m=5),
    Route("中央通り", "チュウオウドオリ", "Chuo-dori", "secondary",
          [(-712, 62), (-490, 46), (-225, 30), (60, 34), (322, 60), (470, 78), (720, 70), (958, 46), (1180, -10),
           (1400, -130), (1500, -520)], kerb_m=6),
    Route("駅北通り", "エキキタドオリ", "Ekikita-dori", "tertiary",
          [(-716, 566), (-480, 548), (-235, 540), (60, 552), (308, 578), (470, 596), (700, 590), (984, 566), (1230, 470),
           (1440, 240), (1400, -130)], kerb_m=4),
    Route("西通り", "ニシドオリ", "Nishi-dori", "tertiary",
          [(-640, -352), (-684, -150), (-712, 62), (-732, 300), (-716, 566), (-650, 830)], kerb_m=4),
    Route("松並通り", "マツナミドオリ", "Matsunami-dori", "residential",
          [(60, -272), (60, 34), (52, 300), (60, 552), (30, 830)], width_m=6, kerb_m=3, speed_kmh=30),
    Route("並木通り", "ナミキドオリ", "Namiki-dori", "tertiary", [(-246, 376), (-235, 540), (-200, 818)], kerb_m=5),
    Route("北大通り", "キタオオドオリ", "Kita-odori", "tertiary",
          [(-650, 830), (-420, 812), (-200, 818), (30, 830), (166, 836)], kerb_m=4),
    Route(*SMITHS, [(-712, 62), (-840, 150), (-1000, 160), (-1120, 250), (-1080, 370), (-930, 400), (-890, 500),
                    (-1010, 590), (-1130, 700), (-1060, 830), (-900, 850), (-790, 800), (-650, 830)],
          width_m=5.5, kerb_m=2, speed_kmh=30),
    Route("浜通り", "ハマドオリ", "Hama-dori", "tertiary",
          [(-900, -432), (-862, -520), (-790, -566), (-640, -560), (-480, -556), (-340, -552), (-205, -548), (-40, -520),
           (160, -520), (330, -490)], width_m=6, kerb_m=3),
    Route("東町通り", "ヒガシマチドオリ", "Higashimachi-dori", "tertiary",
          [(945, -300), (942, -120), (958, 46), (986, 300), (984, 566), (930, 840), (905, 1060), (930, 1260)], kerb_m=4),
    Route("海岸通り", "カイガンドオリ", "Kaigan-dori", "tertiary",
          [(770, -275), (835, -420), (930, -490), (1100, -500), (1270, -500), (1390, -452)], width_m=6, kerb_m=3),
    Route("岬道路", "ミサキドウロ", "Misaki Road", "residential",
          [(-1120, -500), (-1150, -640), (-1215, -800), (-1260, -1000), (-1290, -1230), (-1370, -1420), (-1400, -1650),
           (-1450, -1830)], lanes=1, width_m=4.5, kerb_m=1, speed_kmh=30),
    Route("鏡池線", "カガミイケセン", "Kagami-ike Road", "residential",
          [(-650, 830), (-760, 960), (-880, 1040), (-930, 1220), (-1100, 1260)], lanes=1, width_m=4, kerb_m=1, speed_kmh=30),
    Route("新田農道", "シンデンノウドウ", "Shinden Farm Road", "unclassified",
          [(930, 1260), (700, 1330), (420, 1300), (150, 1240)], lanes=1, width_m=5, kerb_m=1, speed_kmh=30),
    Route("沢田線", "サワダセン", "Sawada Road", "unclassified",
          [(930, 1260), (1160, 1420), (1420, 1560), (1560, 1800), (1760, 2040)], lanes=1, width_m=4.5, kerb_m=1, speed_kmh=30),
    Route("城山公園線", "シロヤマコウエンセン", "Shiroyama Park Road", "residential",
          [(-684, -150), (-790, -160), (-870, -120), (-930, -30)], lanes=1, width_m=4, kerb_m=1, speed_kmh=20),
    Route("東浦線", "ヒガシウラセン", "Higashiura Road", "residential",
          [(1500, -520), (1570, -760), (1610, -1000), (1690, -1180)], lanes=1, width_m=4.5, kerb_m=1, speed_kmh=30),
]  # fmt: skip

WEST_BANK = Route(
    "川端通り", "カワバタドオリ", "Kawabata-dori", "primary", [], width_m=6.5, kerb_m=4, number="12"
)
EAST_BANK = Route(
    "川東通り", "カワヒガシドオリ", "Kawahigashi-dori", "tertiary", [], width_m=6, kerb_m=3
)
VALLEY_ROUTE = Route(*VALLEY, [], width_m=6.5, kerb_m=3, number="12", speed_kmh=50)
PASS_TUNNEL = Route(
    *VALLEY,
    [(-830, 3300), (-800, 3620), (-660, 4000)],
    width_m=6.5,
    number="12",
    speed_kmh=50,
    tunnel="北潮トンネル",
)
NORTH_SLOPE = Route(
    *VALLEY,
    [(-660, 4000), (-560, 4220), (-430, 4420)],
    width_m=6.5,
    kerb_m=3,
    number="12",
    speed_kmh=50,
)

RAILWAY: Points = [
    (-4300, 420), (-3700, 180), (-3050, 260), (-2300, 420), (-1700, 420), (-1250, 345), (-720, 330), (-250, 330), (60, 334),
    (390, 350), (720, 352), (990, 340), (1430, 300), (1900, 80), (2500, -420), (3000, -640), (3700, -520), (4200, 120),
    (4520, 800),
]  # fmt: skip
RAIL_TUNNELS = [(-2900, -1290, "西山隧道"), (1480, 2420, "東山隧道")]
STATIONS = [
    ("潮見駅", "シオミエキ", "Shiomi Station", (-250, 330)),
    ("東潮見駅", "ヒガシシオミエキ", "Higashi-Shiomi Station", (990, 340)),
    ("西浦駅", "ニシウラエキ", "Nishiura Station", (-3700, 180)),
]
