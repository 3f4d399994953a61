# ruff: noqa: E501 - tables read better with a row a line
"""The quarters of the town (町丁目): where they are, what stands there, how their streets run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter1d
from shapely.geometry import LineString, Point, Polygon

from sample_data.town.coast import Coast
from sample_data.town.frame import Array, random_numbers
from sample_data.town.routes import Route
from sample_data.town.terrain import Terrain

Name = tuple[str, str, str]


@dataclass(frozen=True)
class Quarter:
    """One 町丁目: a seed point inside its face of the road network, and its character.

    ``pattern`` is grid, old, slope, farm or none; ``block_m`` the block along and across
    ``angle_deg``; ``streets`` are names for its first local streets.
    """

    code: str
    name: str
    kana: str
    name_en: str
    seed: tuple[float, float]
    style: str
    pattern: str = "grid"
    block_m: tuple[float, float] = (80, 55)
    angle_deg: float = 0.0
    streets: tuple[Name, ...] = ()


LOCAL = {
    "centre": Route("", "", "", "residential", [], lanes=1, width_m=5.5, kerb_m=2, speed_kmh=30),
    "old": Route("", "", "", "residential", [], lanes=1, width_m=3.6, kerb_m=0.6, speed_kmh=20),
    "house": Route("", "", "", "residential", [], lanes=1, width_m=4.6, kerb_m=1, speed_kmh=30),
    "hill": Route("", "", "", "residential", [], lanes=1, width_m=4.2, kerb_m=0.6, speed_kmh=30),
    "port": Route("", "", "", "service", [], lanes=1, width_m=6, kerb_m=1, speed_kmh=20),
    "farm": Route("", "", "", "track", [], lanes=1, width_m=3.2, kerb_m=0.4, speed_kmh=20),
}

QUARTERS = [
    Quarter("001", "駅前一丁目", "エキマエイッチョウメ", "Ekimae 1-chome", (-470, 180), "centre", "grid", (84, 52), -3,
            (("一番街", "イチバンガイ", "Ichiban-gai"), ("銀座通り", "ギンザドオリ", "Ginza-dori"))),
    Quarter("002", "駅前二丁目", "エキマエニチョウメ", "Ekimae 2-chome", (-100, 180), "centre", "grid", (88, 54), -2,
            (("さくら通り", "サクラドオリ", "Sakura-dori"), ("郵便局通り", "ユウビンキョクドオリ", "Post Office Street"))),
    Quarter("003", "中央一丁目", "チュウオウイッチョウメ", "Chuo 1-chome", (-450, -130), "centre", "grid", (78, 62), -4,
            (("役場通り", "ヤクバドオリ", "Town Hall Street"), ("図書館通り", "トショカンドオリ", "Library Street"))),
    Quarter("004", "中央二丁目", "チュウオウニチョウメ", "Chuo 2-chome", (-80, -130), "centre", "grid", (84, 64), 2,
            (("病院通り", "ビョウインドオリ", "Hospital Street"),)),
    Quarter("005", "川端町", "カワバタチョウ", "Kawabata-cho", (190, -110), "house", "grid", (70, 58), 3,
            (("柳小路", "ヤナギコウジ", "Yanagi Lane"), ("舟着通り", "フナツキドオリ", "Funatsuki-dori"))),
    Quarter("006", "川原町", "カワラマチ", "Kawara-machi", (180, 200), "house", "grid", (74, 58), 2,
            (("染物通り", "ソメモノドオリ", "Dyers Street"),)),
    Quarter("007", "駅北一丁目", "エキキタイッチョウメ", "Ekikita 1-chome", (-480, 440), "house", "grid", (92, 50), -3),
    Quarter("008", "駅北二丁目", "エキキタニチョウメ", "Ekikita 2-chome", (-80, 440), "house", "grid", (92, 50), 0),
    Quarter("009", "緑町", "ミドリチョウ", "Midori-cho", (-440, 690), "house", "grid", (86, 60), -4),
    Quarter("010", "若葉町", "ワカバチョウ", "Wakaba-cho", (-90, 690), "house", "grid", (86, 60), 1),
    Quarter("011", "上川原", "カミカワラ", "Kami-Kawara", (120, 700), "house", "grid", (70, 64), 8),
    Quarter("012", "本町", "ホンマチ", "Hon-machi", (-480, -450), "old", "old", (56, 36), 9,
            (("魚町通り", "ウオマチドオリ", "Uomachi-dori"), ("寺町小路", "テラマチコウジ", "Teramachi Lane"),
             ("蔵の道", "クラノミチ", "Kura-no-michi"), ("紺屋小路", "コウヤコウジ", "Koya Lane"))),
    Quarter("013", "浜町", "ハマチョウ", "Hama-cho", (60, -400), "old", "old", (62, 40), 0,
            (("網干小路", "アボシコウジ", "Aboshi Lane"), ("塩屋小路", "シオヤコウジ", "Shioya Lane"))),
    Quarter("014", "港町", "ミナトマチ", "Minato-machi", (-600, -600), "port", "none"),
    Quarter("015", "中島", "ナカシマ", "Nakashima", (440, -190), "house", "old", (62, 42), 55,
            (("渡船小路", "トセンコウジ", "Tosen Lane"),)),
    Quarter("016", "川口町", "カワグチチョウ", "Kawaguchi-cho", (540, -450), "house", "old", (72, 48), 4),
    Quarter("017", "東町一丁目", "ヒガシマチイッチョウメ", "Higashimachi 1-chome", (830, -120), "house", "grid", (80, 56), 5),
    Quarter("018", "東町二丁目", "ヒガシマチニチョウメ", "Higashimachi 2-chome", (820, 200), "house", "grid", (84, 56), 4),
    Quarter("019", "東町三丁目", "ヒガシマチサンチョウメ", "Higashimachi 3-chome", (1150, -170), "house", "grid", (84, 58), -8),
    Quarter("020", "東町四丁目", "ヒガシマチヨンチョウメ", "Higashimachi 4-chome", (1170, 180), "house", "grid", (88, 60), -6),
    Quarter("021", "旭町", "アサヒチョウ", "Asahi-cho", (800, 450), "house", "grid", (80, 60), 3),
    Quarter("022", "日の出町", "ヒノデチョウ", "Hinode-cho", (1130, 430), "house", "grid", (86, 60), -10),
    Quarter("023", "白浜", "シラハマ", "Shirahama", (1090, -420), "house", "grid", (90, 62), -12),
    Quarter("024", "山手一丁目", "ヤマテイッチョウメ", "Yamate 1-chome", (-870, 260), "hill", "slope", (95, 46), 20),
    Quarter("025", "山手二丁目", "ヤマテニチョウメ", "Yamate 2-chome", (-870, 640), "hill", "slope", (95, 46), 78),
    Quarter("026", "城山", "シロヤマ", "Shiroyama", (-860, -260), "hill", "slope", (105, 52), 96),
    Quarter("027", "新田", "シンデン", "Shinden", (620, 900), "farm", "farm", (310, 105), 9),
    Quarter("028", "上潮見", "カミシオミ", "Kami-Shiomi", (-250, 1060), "farm", "farm", (300, 100), -12),
    Quarter("029", "沢田", "サワダ", "Sawada", (1250, 900), "farm", "farm", (280, 100), -6),
    Quarter("031", "若宮町", "ワカミヤチョウ", "Wakamiya-cho", (180, 450), "house", "grid", (72, 58), 4),
    Quarter("030", "谷津", "ヤツ", "Yatsu", (350, 1600), "farm", "farm", (300, 110), 24),
    Quarter("041", "大字西浦", "オオアザニシウラ", "Oaza Nishiura", (-3400, 600), "wild", "none"),
    Quarter("042", "大字岬", "オオアザミサキ", "Oaza Misaki", (-1500, -1200), "wild", "none"),
    Quarter("043", "大字北山", "オオアザキタヤマ", "Oaza Kitayama", (-900, 2300), "wild", "none"),
    Quarter("044", "大字東山", "オオアザヒガシヤマ", "Oaza Higashiyama", (2300, 1300), "wild", "none"),
    Quarter("045", "大字東浦", "オオアザヒガシウラ", "Oaza Higashiura", (2300, -1000), "wild", "none"),
]  # fmt: skip

GRADES = {"slope": 0.17}

# Lines that bound quarters without being roads; they overshoot, and polygonising drops the rest.
EDGES = [
    [
        (-640, 780),
        (-635, 860),
        (-560, 980),
        (-430, 1150),
        (-330, 1420),
        (-340, 1700),
        (-400, 1900),
        (-450, 2070),
    ],
    [(1200, 440), (1330, 640), (1400, 850), (1330, 1120), (1140, 1480)],
    [(-520, 1990), (-190, 2000), (320, 1930), (640, 1800), (900, 1620), (1190, 1400)],
    [(-205, -540), (-200, -750)],
    [(-1090, 235), (-1180, 0), (-1110, -540)],
    [(-862, -480), (-900, -750)],
    [(320, -460), (330, -750)],
    [(-238, 250), (-258, 280), (-250, 330), (-234, 376), (-258, 390)],
    [(-1060, 820), (-940, 1000), (-900, 1045)],
    [(-1120, 0), (-1600, -260), (-2260, -560), (-2140, -1000), (-2180, -1700)],
    [(-990, 1190), (-1040, 1290), (-1500, 1500), (-2300, 2330)],
    [(1735, 2045), (1765, 2005), (1880, 2500), (1900, 3050)],
    [(1390, -100), (1750, 200), (2500, -260), (3100, -500), (3700, -1400)],
]
RIDGE = [
    (-5600, 1900), (-4300, 1750), (-3400, 2250), (-2300, 2300), (-1500, 2900), (-900, 3650), (0, 3450), (900, 3100),
    (1900, 2900), (2900, 2500), (3700, 2050), (4600, 2000), (5700, 2100),
]  # fmt: skip


def assign_faces(faces: list[Polygon]) -> dict[str, Polygon]:
    """The face of the road network around each quarter's seed."""
    tree = shapely.STRtree(faces)
    found = {}
    for quarter in QUARTERS:
        hits = tree.query(Point(quarter.seed), predicate="within")
        found[quarter.name] = faces[int(hits[0])]
    return found


def local_streets(
    quarter: Quarter, face: Polygon, coast: Coast, terrain: Terrain
) -> list[tuple[LineString, Name]]:
    """Local streets of a quarter inside its face, each with a name or three empty strings."""
    rng = random_numbers(f"streets {quarter.name}")
    ground = shapely.difference(face, shapely.buffer(coast.fresh_water, 14)).buffer(0)
    if quarter.pattern in ("grid", "farm"):
        lines = _grid(quarter, face, rng)
    elif quarter.pattern in ("old", "slope"):
        lines = _grown(quarter, face, rng)
    else:
        lines = []
    named = []
    for number, line in enumerate(lines):
        name = quarter.streets[number] if number < len(quarter.streets) else ("", "", "")
        for part in shapely.get_parts(shapely.intersection(line, ground)):
            if (
                part.geom_type == "LineString"
                and part.length > 18
                and _passable(part, terrain, GRADES.get(quarter.pattern, 0.3))
            ):
                named.append((part, name))
    return named


def _passable(line: LineString, terrain: Terrain, grade: float) -> bool:
    """No steeper than a car climbs, and on land."""
    points = shapely.get_coordinates(shapely.segmentize(line, 15.0))
    height = terrain.height(points)
    steep = abs(np.diff(height)) / np.maximum(np.hypot(*np.diff(points, axis=0).T), 1)
    return bool(steep.max(initial=0) < grade and height.min() > 0.5)


def _grid(quarter: Quarter, face: Polygon, rng: np.random.Generator) -> list[LineString]:
    """Two families of slightly uneven parallel streets; some blocks stay undivided."""
    angle = np.radians(quarter.angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array(face.centroid.coords[0])
    u, v = ((shapely.get_coordinates(face) - centre) @ turn).T
    length, depth = quarter.block_m
    columns = _stations(u.min(), u.max(), length, rng)
    rows = _stations(v.min(), v.max(), depth, rng)
    sway = 0.0 if quarter.pattern == "farm" else 2.2
    lines = [_street([(a, y) for a in columns], sway, rng) for y in rows[1:-1]]
    keep = 0.9 if quarter.pattern == "farm" else 0.93
    for x in columns[1:-1]:
        start = 0
        for row in range(1, len(rows)):
            last = row == len(rows) - 1
            if last or rng.random() > keep:
                if row > start:
                    lines.append(_street([(x, rows[k]) for k in range(start, row + 1)], sway, rng))
                start = row + 1 if not last else row
    order = sorted(range(len(lines)), key=lambda k: -lines[k].length)
    return [LineString(shapely.get_coordinates(lines[k]) @ turn.T + centre) for k in order]


def _stations(low: float, high: float, step: float, rng: np.random.Generator) -> Array:
    count = max(1, round((high - low) / step))
    at = np.linspace(low, high, count + 1)
    at[1:-1] += rng.normal(0, step * 0.07, count - 1)
    return at


def _street(points: list[tuple[float, float]], sway_m: float, rng: np.random.Generator) -> LineString:
    xy = np.asarray(points, float)
    if len(xy) == 1:
        xy = np.vstack([xy, xy + 1])
    xy[1:-1] += rng.normal(0, sway_m, (len(xy) - 2, 2))
    return LineString(xy)


def _grown(quarter: Quarter, face: Polygon, rng: np.random.Generator) -> list[LineString]:
    """Lanes that grew: wavy rows, and between each two rows cross lanes wherever a plot allowed one.

    Cross lanes seldom meet over a row, so most junctions are T-shaped, as in old harbour towns
    and on slopes.
    """
    angle = np.radians(quarter.angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array(face.centroid.coords[0])
    u, v = ((shapely.get_coordinates(face) - centre) @ turn).T
    length, depth = quarter.block_m
    at = np.arange(u.min() - 40, u.max() + 40, 14.0)
    heights = _stations(v.min() - depth / 3, v.max() + depth / 3, depth, rng)
    wave = gaussian_filter1d(rng.standard_normal(len(at)), 6) * depth * 0.75
    rows = []
    for height in heights:
        wave = 0.72 * wave + gaussian_filter1d(rng.standard_normal(len(at)), 4) * depth * 0.42
        rows.append(height + wave)
    lines = [LineString(np.column_stack([at, row])) for row in rows]
    for low, high in pairwise(rows):
        places = [at[0] + rng.uniform(0, length)]
        while places[-1] < at[-1]:
            places.append(places[-1] + length * rng.uniform(0.62, 1.45))
        middle = min(places, key=abs)  # one near the middle always stays: rows must hang together
        for x in places:
            lean = rng.normal(0, 5)
            foot, head = np.interp(x, at, low), np.interp(x + lean, at, high)
            if head - foot > 14 and (rng.random() < 0.88 or x == middle):
                lines.append(LineString([(x, foot), (x + lean, head)]))
    order = sorted(range(len(lines)), key=lambda k: -lines[k].length)
    return [LineString(shapely.get_coordinates(lines[k]) @ turn.T + centre) for k in order]
