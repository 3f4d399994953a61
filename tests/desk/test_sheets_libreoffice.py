"""The sheet in a real spreadsheet program: opened, edited, saved; only edited cells have changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from tests.desk.conftest import Town
from tests.desk.sheets import Sheet, apply, changed, download, named, preview

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
CSV_UTF8 = "44,34,76,1"  # comma, quotes, UTF-8, from the first line; numbers are taken for numbers
SHELTERS = (
    {
        "name": "潮見小学校",
        "status": "not_open",
        "local_government_code": "012025",
        "phone": "0451234",
        "max_capacity": 300,
        "elevation_m": 12.345678901234,
        "target_areas": ["東町", "西町"],
        "url": "https://example.jp/a?b=1&c=2",
    },
    {"name": "=1+1", "status": "open", "status_note": "一行目\n二行目 _x0041_", "phone": "-12"},
    {"name": "港公民館", "pets_accepted": False, "address": "1-2-3", "name_kana": "ミナト"},
    {"name": "0010", "notes": "+81 @ = '", "name_en": "  TRUE"},
)


@pytest.fixture
def filled(town: Town) -> Town:
    if SOFFICE is None:
        pytest.skip("*** NO LIBREOFFICE: sheets not opened (apt-get install libreoffice-calc) ***")
    for properties in SHELTERS:
        town.make("shelters", properties)
    town.publish()
    return town


def saved(content: bytes, name: str, folder: Path, *kinds: str, infilter: str = "") -> bytes:
    """What LibreOffice makes of a file when it is opened and saved, once for each kind."""
    path = folder / name
    path.write_bytes(content)
    for number, kind in enumerate(kinds):
        out = folder / str(number)
        command = [str(SOFFICE), f"-env:UserInstallation=file://{folder}/profile", "--headless"]
        command += [f"--infilter={infilter}"] if infilter and not number else []
        command += ["--convert-to", kind, "--outdir", str(out), str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        path = out / f"{path.stem}.{kind.partition(':')[0]}"
    return path.read_bytes()


def test_a_workbook_edited_in_libreoffice_changes_only_the_edited_cells(
    filled: Town, tmp_path: Path
) -> None:
    before = named(filled)
    sheet = Sheet(saved(download(filled), "list.xlsx", tmp_path, "ods", "xlsx"))
    assert sheet.cell("潮見小学校", "全国地方公共団体コード").value == "012025"
    sheet.put("潮見小学校", "開設状況", "開設")
    sheet.put("0010", "避難者数", 7)
    sheet.put("=1+1", "更新時刻", "=B1+1")  # a formula that only LibreOffice computes
    sheet.list.cell(1, len(sheet.heads) + 2).value = "合計"
    sheet.list.cell(2, len(sheet.heads) + 2).value = "=SUM(S2:S5)"
    sheet.put("港公民館", "避難者数", "=40+2")
    sheet.put("=1+1", "更新時刻", None)
    shown = preview(filled, saved(sheet.bytes(), "edited.xlsx", tmp_path, "xlsx"))
    at = named(filled)["=1+1"]["status_updated_at"]
    assert changed(shown) == {
        ("潮見小学校", "status"): ("not_open", "open"),
        ("0010", "people_count"): (None, 7),
        ("港公民館", "people_count"): (None, 42),
        ("=1+1", "status_updated_at"): (at, None),
    }
    assert shown["ignored_columns"] == ["合計"]
    assert apply(filled, shown).status_code == 201
    after = named(filled)
    for name, values in before.items():
        same = values | {"status_updated_at": None}
        edited = {"潮見小学校": {"status": "open"}, "0010": {"people_count": 7}}.get(name, {})
        edited |= {"people_count": 42} if name == "港公民館" else {}
        assert after[name] | {"status_updated_at": None} == same | edited, name


def test_a_table_of_text_opened_in_libreoffice_and_saved_as_a_workbook_changes_nothing(
    filled: Town, tmp_path: Path
) -> None:
    content = download(filled, tail="?f=csv")
    made = saved(content, "list.csv", tmp_path, "xlsx", infilter=f"CSV:{CSV_UTF8}")
    book = openpyxl.load_workbook(tmp_path / "0" / "list.xlsx")
    assert 12025 in [cell.value for row in book.active for cell in row]  # the zero is gone here
    assert changed(preview(filled, made)) == {}
