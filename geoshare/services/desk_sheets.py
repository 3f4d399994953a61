"""Lists of the desk as sheets: out, back in as a preview that changes nothing, and done by consent."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, NotFound, Stale
from geoshare.ingest.edits import edit_id
from geoshare.model.collections import Collection
from geoshare.model.times import iso
from geoshare.services.desk import About
from geoshare.services.desk_plan import Wish
from geoshare.services.desk_rules import CLOSED, REQUIRED
from geoshare.services.sheet_diff import CONFLICT, Standing, Told, again, withdrawal
from geoshare.services.sheet_marks import Marks
from geoshare.services.sheet_preview import DOABLE, MOST, Previewer
from geoshare.services.sheet_standing import Features
from geoshare.services.sheet_wishes import CREATE, DELETE, UPDATE, Choices, chosen, wish_of
from geoshare.sources.sheets import (
    ACTION,
    ID,
    KEPT,
    SheetColumn,
    SheetInfo,
    columns_of,
    read_sheet,
    write_csv,
    write_xlsx,
)
from geoshare.sources.sheets.columns import Lang
from geoshare.sources.sheets.reading import Head
from geoshare.sources.sheets.values import said
from geoshare.sources.text import JAPAN
from geoshare.store.edit_rows import edit_of, touched_by
from geoshare.store.sheet_rows import Sheet

if TYPE_CHECKING:
    from geoshare.services import Services

LIFE_US: Final = 3_600_000_000
KIND: Final = "sheet"
LEFT_OUT: Final = frozenset({"extra"})
TRIES: Final = 3
Format = Literal["xlsx", "csv"]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a maker agrees to: the preview as it was shown, and a choice for each conflict."""

    revision: int
    choices: Choices
    about: About


class DeskSheets:
    """Sheets of what a caller edits."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._desk = services.live

    # Out

    def written(
        self, who: Principal, collection: str, kind: Format, lang: Lang
    ) -> tuple[bytes, str, str]:
        """A list as a file, as the caller sees it.

        Returns
        -------
        Its bytes, its name, and its name in the language.
        """
        about = self._desk.rules.check_collection(who, collection)
        columns = _columns(about)
        features = Features(self._services, self._desk.rules, who, collection).listed()
        marks = Marks(self._services.record.secret, who.organisation, collection)
        order = sorted(features, key=lambda item: (str(features[item].values.get(about.label)), item))
        rows = [_row(columns, feature, features[feature], marks) for feature in order]
        read_at = datetime.fromtimestamp(self._services.clock.now_us() // 1_000_000, UTC)
        read_at = read_at.astimezone(JAPAN).replace(tzinfo=None)
        if kind == "csv":
            content = write_csv(columns, rows, lang)
        else:
            info = SheetInfo(about.title, about.title_ja, read_at, lang)
            content = write_xlsx(columns, rows, info)
        tail = f"{read_at:%Y%m%d-%H%M}.{kind}"
        title = about.title_ja if lang == "ja" else about.title
        return content, f"{collection}_{tail}", f"{title}_{tail}"

    # In

    def preview(self, who: Principal, collection: str, name: str, content: bytes) -> dict[str, Any]:
        """What a file would change; nothing is changed.

        Raises
        ------
        NotFound, Denied
            for a collection that the caller does not see or does not edit.
        BadRequest, TooLarge
            for a file that is no such sheet, or too large a one.
        """
        services = self._services
        about = self._desk.rules.check_collection(who, collection)
        columns = _columns(about)
        read = read_sheet(content, columns, name)
        previewer = Previewer(services, self._desk.rules, who, collection, columns, read)
        rows, counts = previewer.rows()
        now_us = services.clock.now_us()
        found = {
            "collection": collection,
            "file": _plain(name),
            "format": read.format,
            "revision": 1,
            "expires": iso((now_us + LIFE_US) // 1_000_000 * 1_000_000),
            "read": counts["rows"],
            "unchanged": counts["unchanged"],
            "gone": counts["gone"],
            "hidden_errors": counts["error"] - sum(row["kind"] == "error" for row in rows),
            "ignored_columns": read.ignored,
            "other_sheets": read.other_sheets,
            "links_ignored": read.has_links,
            "rows": rows,
        }
        sheet = Sheet(
            services.ids.new(),
            who.organisation,
            _maker(who),
            collection,
            found,
            now_us,
            now_us + LIFE_US,
        )
        services.governance.sheets.add(sheet)
        return _shown(sheet.id, found)

    def apply(self, who: Principal, sheet: str, consent: Consent) -> dict[str, Any]:
        """Do what a preview shows, all of it as one edit; asked again, it is done once.

        Raises
        ------
        NotFound
            for a preview that is over, another's, or none.
        BadRequest
            for a conflict without a choice.
        Stale
            where something has changed since it was shown: nothing was done, and the preview as it is
            now comes with the refusal.
        """
        self._desk.rules.check_editor(who)
        services = self._services
        held = services.governance.sheets.get(
            sheet, who.organisation, _maker(who), services.clock.now_us()
        )
        if held is None:
            raise NotFound("No such sheet")
        self._desk.rules.check_collection(who, held.collection)
        done = self._done(who, sheet)
        for _ in range(TRIES):
            if done is not None:
                return done
            done = self._tried(who, held, consent)
        if done is None:
            self._refuse(held)
        return done

    def _tried(self, who: Principal, held: Sheet, consent: Consent) -> dict[str, Any] | None:
        """Do it; None where somebody was quicker with something that may not even matter."""
        if consent.revision != held.content["revision"]:
            self._refuse(held)
        rows = [row for row in held.content["rows"] if row["kind"] in DOABLE]
        ids = [row["id"] for row in rows if row["id"]]
        features = Features(self._services, self._desk.rules, who, held.collection)
        now = features.standing(ids)
        about = self._desk.rules.check_collection(who, held.collection)
        columns = {column.key: column for column in _columns(about)}
        fresh = [_anew(row, columns, now.get(row["id"])) for row in rows]
        if any(moved for _, moved in fresh):
            self._renew(held, {row["row"]: row for row, _ in fresh})
            self._refuse(held)
        wishes = _wishes(held.collection, [row for row, _ in fresh], consent.choices, now)
        if not wishes:
            return {"sheet": held.id, "edit": None, "features": 0}
        reason = consent.about.reason or held.content["file"]
        said_about = replace(consent.about, reason=reason[:500])
        try:
            self._desk.edit(who, wishes, said_about, KIND, _key(held.id), most=MOST)
        except Stale:
            return self._done(who, held.id)
        return self._done(who, held.id) or {"sheet": held.id, "edit": None, "features": 0}

    def _done(self, who: Principal, sheet: str) -> dict[str, Any] | None:
        """What became of a sheet that was applied."""
        record = self._services.record
        edit = edit_id(record, who.organisation, who.person or "", _key(sheet))
        with record.snapshot() as connection:
            row = edit_of(connection, who.organisation, edit)
            if row is None:
                return None
            touched = touched_by(connection, who.organisation, [row.changeset])
        return {"sheet": sheet, "edit": edit, "features": len({claim.feature for claim in touched})}

    def _renew(self, held: Sheet, fresh: dict[int, Told]) -> None:
        """Keep the preview as it is now."""
        content = held.content
        rows = [fresh.get(row["row"], row) for row in content["rows"]]
        content["unchanged"] += sum(not row["cells"] and not row["errors"] for row in rows)
        content["rows"] = [row for row in rows if row["cells"] or row["errors"]]
        content["revision"] += 1
        self._services.governance.sheets.replace(held.id, content)

    def _refuse(self, held: Sheet) -> NoReturn:
        raise Stale(
            "Something has changed since; look at the preview again",
            members={"sheet": _shown(held.id, held.content)},
            message_ja="確認中に内容が変更されました。もう一度確認してください(まだ反映されていません)",
        )


def _columns(about: Collection) -> tuple[SheetColumn, ...]:
    return columns_of(about, CLOSED, REQUIRED[about.name], LEFT_OUT)


def _row(columns: tuple[SheetColumn, ...], feature: str, now: Standing, marks: Marks) -> dict[str, Any]:
    cells = [
        (column.key, said(column, now.values.get(column.key)))
        for column in columns
        if column.key not in (ID, ACTION, KEPT)
    ]
    return {**now.values, ID: feature, KEPT: marks.written(feature, now.version, cells)}


def _key(sheet: str) -> str:
    """What the edit of a sheet is known by: asked again, it is not made again."""
    return f"{KIND}:{sheet}"


def _maker(who: Principal) -> str:
    return who.person or who.key_id


def _plain(name: str) -> str:
    """A file's name as it may be shown: without folders and control characters."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(mark for mark in last if mark.isprintable())[:120]


def _shown(sheet: str, content: dict[str, Any]) -> dict[str, Any]:
    """A preview as its maker is told it, with the counts that consent is given to."""
    rows = [
        {key: value for key, value in row.items() if key not in ("version", "made")}
        for row in content["rows"]
    ]
    kinds = [row["kind"] for row in rows]
    counts = {
        "read": content["read"],
        "unchanged": content["unchanged"],
        "gone": content["gone"],
        "changed": kinds.count("change"),
        "new": kinds.count(CREATE),
        "withdrawn": kinds.count(DELETE),
        "conflicts": kinds.count(CONFLICT),
        "errors": kinds.count("error") + content["hidden_errors"],
        "ignored": kinds.count("ignored"),
        "warnings": sum(bool(row.get("warnings")) for row in rows),
    }
    told = {key: value for key, value in content.items() if key not in _INNER}
    return {"sheet": sheet, **told, "counts": counts, "rows": rows}


_INNER: Final = frozenset({"read", "unchanged", "gone", "hidden_errors", "rows"})


def _anew(row: Told, columns: dict[str, SheetColumn], now: Standing | None) -> tuple[Told, bool]:
    """A row against what stands by now, and whether that is another thing than what was shown."""
    if row["kind"] == CREATE:
        return row, False
    if now is None:
        gone = {"en": "It was withdrawn meanwhile", "ja": "その間に取り下げられました"}
        told = gone | {"allowed": "", "allowed_ja": ""}
        return {**row, "kind": "error", "cells": [], "errors": [told]}, True
    cells = []
    for cell in row["cells"]:
        if cell["property"] != ACTION:
            column = columns[cell["property"]]
            cells.append(again(cell, column, now, unseen=bool(row.get("unseen"))))
        elif row["version"] != now.version:
            cells.append({**cell, **withdrawal(Head(cell["column"], cell["header"]), moved=True)})
        else:
            cells.append(cell)
    left = [cell for cell in cells if cell is not None]
    withdrawn = any(cell["property"] == ACTION for cell in left)
    moved = withdrawn and row["version"] != now.version
    moved = moved or any(cell not in row["cells"] for cell in left)
    plain = DELETE if withdrawn else UPDATE
    kind = CONFLICT if any(cell["state"] == CONFLICT for cell in left) else plain
    return {**row, "cells": left, "kind": kind, "version": now.version}, moved


def _wishes(
    collection: str, rows: list[Told], choices: Choices, now: dict[str, Standing]
) -> list[Wish]:
    """What is to be done. Raises BadRequest for a choice that is about nothing, or is missing."""
    known = {(row["row"], cell["property"]) for row in rows for cell in row["cells"]}
    known |= {(row["row"], "") for row in rows}
    for number, name in choices:
        if (number, name) not in known:
            raise BadRequest(
                f"There is nothing to choose in row {number}",
                parameter="choices",
                allowed="rows and properties of the preview",
                allowed_ja="プレビューにある行と項目",
                message_ja=f"{number}行目に選ぶものはありません",
            )
    found = []
    for row in rows:
        standing = now.get(row["id"], Standing({}, ""))
        wish, wrong = wish_of(collection, row, chosen(row, choices), standing)
        if wrong is not None:
            raise BadRequest(
                wrong["en"],
                parameter="choices",
                allowed=wrong["allowed"],
                message_ja=wrong["ja"],
                allowed_ja=wrong["allowed_ja"],
            )
        if wish is not None:
            found.append(wish)
    return found
