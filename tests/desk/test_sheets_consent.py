"""A sheet is agreed to: by its maker, once, and with a choice where somebody else was quicker."""

from __future__ import annotations

import threading
from typing import Any

from tests.desk.conftest import OTHER, TOWN, Town, point
from tests.desk.sheets import (
    Sheet,
    apply,
    changed,
    download,
    items,
    named,
    preview,
    send,
)


def test_what_both_have_changed_is_shown_side_by_side_and_chosen(filled: Town) -> None:
    ids = {item["name"]: feature for feature, item in items(filled).items()}
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "開設状況", "満員")
    sheet.put("潮見小学校", "避難者数", 5)
    sheet.put("=HYPERLINK(1)", "避難者数", 99)
    sheet.put("=HYPERLINK(1)", "備考", "新")
    other = {"collection": "shelters"}
    first, second = ids["潮見小学校"], ids["=HYPERLINK(1)"]
    for feature, values in (
        (first, {"status": "open", "household_count": 3}),
        (second, {"people_count": 40}),
    ):
        made = other | {"id": feature, "version": filled.version("shelters", feature)}
        assert filled.change(made, values).status_code == 200
    shown = preview(filled, sheet.bytes())  # not even published yet
    assert [row["kind"] for row in shown["rows"]] == ["conflict", "conflict"]
    cells = {(row["row"], cell["property"]): cell for row in shown["rows"] for cell in row["cells"]}
    status = cells[sheet.row("潮見小学校"), "status"]
    assert [status[side] for side in ("before", "theirs", "yours")] == ["not_open", "open", "full"]
    people = cells[sheet.row("=HYPERLINK(1)"), "people_count"]
    assert [people[side] for side in ("before", "theirs", "yours", "state")] == [12, 40, 99, "conflict"]
    assert cells[sheet.row("潮見小学校"), "people_count"]["state"] == "change"
    missing = apply(filled, shown)
    assert (missing.status_code, missing.json["parameter"]) == (400, "choices")
    choices = [
        {"row": sheet.row("潮見小学校"), "property": "status", "keep": "mine"},
        {"row": sheet.row("=HYPERLINK(1)"), "property": "people_count", "keep": "theirs"},
    ]
    assert apply(filled, shown, choices).status_code == 201
    after = named(filled)
    mine, theirs = after["潮見小学校"], after["=HYPERLINK(1)"]
    assert (mine["status"], mine["people_count"], mine["household_count"]) == ("full", 5, 3)
    assert (theirs["people_count"], theirs["notes"]) == (40, "新")


def test_what_changes_between_preview_and_consent_is_a_conflict_again(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "開設状況", "満員")
    sheet.put("港公民館", "備考", "新")
    shown = preview(filled, sheet.bytes())
    feature = next(row["id"] for row in shown["rows"] if row["name"] == "潮見小学校")
    made = {"collection": "shelters", "id": feature, "version": filled.version("shelters", feature)}
    assert filled.change(made, {"status": "closed"}).status_code == 200
    before = named(filled)
    answer = apply(filled, shown)
    assert answer.status_code == 412
    fresh = answer.json["sheet"]
    assert (fresh["revision"], named(filled)) == (2, before)
    (cell,) = next(row["cells"] for row in fresh["rows"] if row["id"] == feature)
    assert [cell[side] for side in ("before", "theirs", "yours")] == ["not_open", "closed", "full"]
    assert apply(filled, shown).status_code == 412  # consent to what was shown first
    made["version"] = filled.version("shelters", feature)
    assert filled.change(made, {"status": "preparing"}).status_code == 200
    again = apply(filled, fresh, [{"row": sheet.row("潮見小学校"), "keep": "theirs"}])
    assert again.status_code == 412
    fresh = again.json["sheet"]
    (cell,) = next(row["cells"] for row in fresh["rows"] if row["id"] == feature)
    sides = [cell[side] for side in ("before", "theirs", "yours")]
    assert sides == [
        "not_open",
        "preparing",
        "full",
    ]  # before: as the file was made, whatever came since
    choice = {"row": sheet.row("潮見小学校"), "keep": "theirs"}
    assert apply(filled, fresh, [choice]).status_code == 201
    after = named(filled)
    assert (after["潮見小学校"]["status"], after["港公民館"]["notes"]) == ("preparing", "新")


def test_an_edit_of_other_cells_of_the_same_row_is_no_conflict(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "備考", "新")
    shown = preview(filled, sheet.bytes())
    feature = shown["rows"][0]["id"]
    made = {"collection": "shelters", "id": feature, "version": filled.version("shelters", feature)}
    assert filled.change(made, {"people_count": 7}).status_code == 200
    assert apply(filled, shown).status_code == 201
    after = named(filled)["潮見小学校"]
    assert (after["notes"], after["people_count"]) == ("新", 7)


def test_the_same_new_row_brought_in_twice_makes_one_feature(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.add(名称="仮設", 緯度=35.4, 経度=139.4, 避難者数=3)
    assert apply(filled, preview(filled, sheet.bytes())).status_code == 201
    again = preview(filled, sheet.bytes())
    assert again["rows"] == []
    sheet.put("仮設", "避難者数", 4)
    shown = preview(filled, sheet.bytes())
    assert changed(shown) == {("仮設", "people_count"): (3, 4)}
    assert apply(filled, shown).status_code == 201
    assert [item["people_count"] for item in items(filled).values() if item["name"] == "仮設"] == [4]


def test_what_is_hidden_elsewhere_or_not_there_is_refused_alike(filled: Town) -> None:
    theirs = filled.make("shelters", {"name": "隣町"}, point([140.5, 35.5]), key=OTHER)
    filled.publish()
    assert "隣町" not in download(filled, tail="?f=csv").decode()  # seen, but not to be edited
    table = "geoshare_id,名称,避難者数\r\n{},{},5\r\n"
    outside = preview(filled, table.format(theirs["id"], "隣町").encode())
    (row,) = outside["rows"]
    assert (row["kind"], row["errors"][0]["ja"]) == ("error", "契約の区域の外にあるため編集できません")
    missing = preview(filled, table.format("nothing", "無し").encode())
    assert missing["rows"][0]["kind"] == "error"
    mine = download(filled)
    feature = next(iter(items(filled)))
    made = {"collection": "shelters", "id": feature, "version": filled.version("shelters", feature)}
    assert filled.change(made, {"notes": "新"}).status_code == 200
    filled.publish()
    assert preview(filled, mine)["rows"] == []
    # to another organisation the marks say nothing: its officer's cells are simply others
    (row,) = send(filled, mine, key=OTHER).json["rows"]
    assert (row["id"], row["kind"]) == (feature, "error")
    twice = "geoshare_id,名称\r\n{0},一\r\n{0},二\r\n".format(next(iter(items(filled))))
    assert [row["kind"] for row in preview(filled, twice.encode())["rows"]] == ["error", "error"]


def test_two_consents_at_once_are_one_edit(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "備考", "新")
    sheet.add(名称="仮設", 緯度=35.4, 経度=139.4)
    shown, answers = preview(filled, sheet.bytes()), []
    threads = [
        threading.Thread(target=lambda: answers.append(apply(filled, shown).json)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.get("features") for answer in answers] == [2, 2, 2]
    edits = filled.ask("GET", "/desk/edits").json["edits"]
    assert [edit["kind"] for edit in edits].count("sheet") == 1


def test_a_preview_is_its_makers_alone_and_ends(filled: Town, monkeypatch: Any) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "備考", "新")
    shown = preview(filled, sheet.bytes())
    filled.keys["colleague"] = filled.local.create_key(TOWN, (), days=1)
    missing = filled.ask("POST", "/desk/sheets/nothing/apply", {"revision": 1})
    for key in ("colleague", OTHER):
        answer = apply(filled, shown, key=key)
        assert (answer.status_code, answer.data) == (404, missing.data)
    later = filled.services.clock.now_us() + 3_600_000_001
    monkeypatch.setattr(type(filled.services.clock), "now_us", lambda self: later)
    assert apply(filled, shown).status_code == 404
    filled.services.governance.sheets.forget(later)
    assert named(filled)["潮見小学校"].get("notes") is None


def test_only_so_many_previews_of_one_maker_are_kept(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "備考", "新")
    shown = [preview(filled, sheet.bytes()) for _ in range(6)]
    assert apply(filled, shown[0]).status_code == 404
    assert apply(filled, shown[1]).status_code == 201


def test_who_does_not_edit_gets_no_sheet_and_sends_none(filled: Town) -> None:
    for key, status in ((None, 401), ("developer", 403), ("automaker", 403)):
        answer = filled.ask("GET", "/desk/collections/shelters/sheet", key=key)
        assert answer.status_code == status
        assert send(filled, b"x", key=key).status_code == status
    assert filled.ask("GET", "/desk/collections/lanes/sheet").status_code == 404
    assert filled.ask("GET", "/desk/collections/shelters/sheet?f=pdf").json["parameter"] == "f"
