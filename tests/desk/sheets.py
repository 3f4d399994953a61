"""Sheets of a town's desk in the hands of an officer: downloaded, edited, sent back, agreed to."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

from tests.desk.conftest import TOWN, Town


class Sheet:
    """An .xlsx as an officer has it open."""

    def __init__(self, content: bytes) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.list = self.book.worksheets[0]
        self.heads = [cell.value for cell in self.list[1]]

    def row(self, name: str) -> int:
        names = [row[self.heads.index("名称")].value for row in self.list.iter_rows()]
        return names.index(name) + 1

    def cell(self, name: str, heading: str) -> Any:
        return self.list.cell(self.row(name), self.heads.index(heading) + 1)

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


def send(town: Town, content: bytes, collection: str = "shelters", key: str | None = TOWN) -> Any:
    return town.ask("POST", f"/desk/sheets?collection={collection}&filename=表.xlsx", content, key)


def preview(
    town: Town, content: bytes, collection: str = "shelters", key: str = TOWN
) -> dict[str, Any]:
    answer = send(town, content, collection, key)
    assert answer.status_code == 201, answer.data.decode()
    return answer.json


def apply(town: Town, shown: dict[str, Any], choices: Sequence[Any] = (), key: str = TOWN) -> Any:
    body = {"revision": shown["revision"], "choices": list(choices)}
    return town.ask("POST", f"/desk/sheets/{shown['sheet']}/apply", body, key)


def changed(shown: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(name, property) -> what stands and what is wanted, of every cell of a preview."""
    return {
        (row["name"], cell["property"]): (cell["theirs"], cell["yours"])
        for row in shown["rows"]
        for cell in row["cells"]
    }


def items(town: Town, collection: str = "shelters") -> dict[str, dict[str, Any]]:
    """Properties by id, as the officer sees them after publishing."""
    town.publish()
    found = town.ask("GET", f"/collections/{collection}/items?limit=100").json["features"]
    return {item["id"]: item["properties"] for item in found}


def named(town: Town) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in items(town).values()}
