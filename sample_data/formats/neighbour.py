# ruff: noqa: E501 - tables read better with a row a line
"""The neighbouring village's list of shelters, with what it offers to the town under their agreement."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from sample_data.town.frame import VILLAGE_CODE, VILLAGE_NAME, to_lon_lat
from sample_data.town.town import Town

HEADER = (
    "全国地方公共団体コード", "ID", "施設名", "施設名_カナ", "名称_英字", "所在地", "緯度", "経度", "標高", "収容人数",
    "電話番号", "開設状況", "避難者数", "広域避難受入状況", "広域避難受入可能人数", "広域避難連絡先",
)  # fmt: skip
# Name, kana, English, place in the village, local metres, height, capacity, state, people (None: not
# counted), whether it takes people of the town, and for how many it has room (None: not said).
SHELTERS = (
    ("北潮小学校", "キタシオショウガッコウ", "Kitashio Elementary School", "浦", (-640, 4290), 18, 320, "開設", 40, "受入可", 180),
    ("北潮村体育センター", "キタシオムラタイイクセンター", "Kitashio Sports Centre", "浦", (-860, 4180), 26, 450, "開設", 12, "受入可", 300),
    ("北潮公民館", "キタシオコウミンカン", "Kitashio Community Hall", "中里", (-330, 4020), 34, 120, "満員", 120, "満員", 0),
    ("磯辺集会所", "イソベシュウカイジョ", "Isobe Meeting Hall", "磯辺", (1280, 4210), 9, 60, "未開設", None, "受入不可", 0),
    ("岳麓研修所", "ガクロクケンシュウジョ", "Gakuroku Training Centre", "岳麓", (2080, 3360), 88, 150, "", None, "", None),
)  # fmt: skip


def write_shelters(town: Town, path: Path) -> None:
    """UTF-8 with a BOM, as Excel saves it; empty cells are unknown."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEADER)
    places = to_lon_lat(np.array([shelter[4] for shelter in SHELTERS], dtype=np.float64))
    for number, (shelter, (lon, lat)) in enumerate(zip(SHELTERS, places, strict=True), 1):
        name, kana, english, place, _, height, capacity, state, people, offered, room = shelter
        rows.writerow(
            [
                VILLAGE_CODE, f"K{number:03d}", name, kana, english, f"{VILLAGE_NAME}{place}{number}-1",
                f"{lat:.6f}", f"{lon:.6f}", height, capacity, f"0299-01-{1000 + 37 * number}", state,
                "" if people is None else people, offered, "" if room is None else room,
                f"{VILLAGE_NAME}総務課 0299-01-1111" if offered else "",
            ]
        )  # fmt: skip
    path.write_bytes("\ufeff".encode() + out.getvalue().encode())
