"""A list goes out as a sheet and comes back: only what somebody has changed in it changes."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from tests.desk.conftest import TOWN, Town

SHELTERS = (
    {
        "name": "潮見小学校",
        "status": "not_open",
        "local_government_code": "012025",
        "phone": "0451112222",
    },
    {"name": "=HYPERLINK(1)", "status": "open", "people_count": 12, "notes": "一行目\n-二行目"},
    {"name": "港公民館", "pets_accepted": True, "address": "港町1-2-3", "target_areas": ["東", "西"]},
)


class Sheet:
    """An .xlsx as an officer has it open."""

    def __init__(self, content: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.list = self.book.worksheets[0]
        self.heads = [cell.value for cell in self.list[1]]

    def cell(self, name: str, heading: str) -> Any:
        names = [row[self.heads.index("名称")].value for row in self.list.iter_rows()]
        return self.list.cell(names.index(name) + 1, self.heads.index(heading) + 1)

    def put(self, name: str, heading: str, value: Any) -> None:
        self.cell(name, heading).value = value

    def add(self, **values: Any) -> None:
        self.list.append([values.get(heading) for heading in self.heads])

    def bytes(self) -> bytes:
        out = io.BytesIO()
        self.book.save(out)
        return out.getvalue()


def download(town: Town, collection: str = "shelters", tail: str = "", key: str = TOWN) -> bytes:
    answer = town.ask("GET", f"/desk/collections/{collection}/sheet{tail}", key=key)
    assert answer.status_code == 200, answer.data
    return answer.data


def send(town: Town, content: bytes, collection: str = "shelters", key: str = TOWN) -> Any:
    return town.ask("POST", f"/desk/sheets?collection={collection}&filename=表.xlsx", content, key)


def preview(town: Town, content: bytes, collection: str = "shelters") -> dict[str, Any]:
    answer = send(town, content, collection)
    assert answer.status_code == 201, answer.data.decode()
    return answer.json


def apply(town: Town, shown: dict[str, Any], choices: Any = (), key: str = TOWN) -> Any:
    body = {"revision": shown["revision"], "choices": list(choices)}
    return town.ask("POST", f"/desk/sheets/{shown['sheet']}/apply", body, key)


def changed(shown: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(name, property) -> what stands and what is wanted, of every cell of a preview."""
    return {
        (row["name"], cell["property"]): (cell["theirs"], cell["yours"])
        for row in shown["rows"]
        for cell in row["cells"]
    }


@pytest.fixture
def filled(town: Town) -> Town:
    for properties in SHELTERS:
        town.make("shelters", properties)
    town.publish()
    return town


@pytest.mark.parametrize("tail", ["", "?lang=en", "?f=csv", "?f=csv&lang=en"])
def test_a_sheet_that_nobody_touched_changes_nothing(filled: Town, tail: str) -> None:
    shown = preview(filled, download(filled, tail=tail))
    assert (shown["counts"]["read"], shown["counts"]["unchanged"], shown["rows"]) == (3, 3, [])


def test_only_edited_cells_change_and_all_of_them_are_undone_at_once(filled: Town) -> None:
    before = {item["id"]: item for item in items(filled)}
    sheet = Sheet(download(filled))
    assert sheet.cell("潮見小学校", "全国地方公共団体コード").value == "012025"
    assert sheet.cell("潮見小学校", "全国地方公共団体コード").data_type == "s"
    sheet.put("潮見小学校", "開設状況", "開設")
    sheet.put("潮見小学校", "避難者数", "１２人")
    sheet.put("=HYPERLINK(1)", "開設状況", " 満員 ")
    sheet.put("港公民館", "備考", "鍵は事務室")
    sheet.add(名称="新しい避難所", 開設状況="open", 緯度=35.4, 経度="139.4", 電話番号="045-9")
    shown = preview(filled, sheet.bytes())
    assert changed(shown) == {
        ("潮見小学校", "status"): ("not_open", "open"),
        ("潮見小学校", "people_count"): (None, 12),
        ("=HYPERLINK(1)", "status"): ("open", "full"),
        ("港公民館", "notes"): (None, "鍵は事務室"),
        ("新しい避難所", "name"): (None, "新しい避難所"),
        ("新しい避難所", "status"): (None, "open"),
        ("新しい避難所", "phone"): (None, "045-9"),
        ("新しい避難所", "@lat"): (None, 35.4),
        ("新しい避難所", "@lon"): (None, 139.4),
    }
    filled.publish()
    assert {item["id"]: item for item in items(filled)} == before  # nothing before consent
    done = apply(filled, shown)
    assert done.status_code == 201, done.data
    assert done.json["features"] == 4
    assert apply(filled, shown).json == done.json  # asked again, done once
    filled.publish()
    after = {item["properties"]["name"]: item["properties"] for item in items(filled)}
    assert (after["潮見小学校"]["status"], after["潮見小学校"]["people_count"]) == ("open", 12)
    assert after["潮見小学校"]["local_government_code"] == "012025"
    assert after["新しい避難所"]["phone"] == "045-9"
    (newest,) = filled.ask("GET", "/desk/edits?limit=1").json["edits"]
    assert (newest["kind"], newest["reason"]) == ("sheet", "表.xlsx")
    assert filled.ask("POST", f"/desk/edits/{done.json['edit']}/undo", {}).status_code == 201
    filled.publish()
    undone = {item["id"]: item["properties"] for item in items(filled)}
    assert undone == {feature: item["properties"] for feature, item in before.items()}


def items(town: Town) -> list[dict[str, Any]]:
    return town.ask("GET", "/collections/shelters/items?limit=100").json["features"]
