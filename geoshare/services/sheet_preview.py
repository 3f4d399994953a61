"""What a sheet would change, row by row; nothing is changed by finding it out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import orjson

from geoshare.access.credentials import Principal
from geoshare.errors import GeoshareError, TooLarge
from geoshare.ingest.edits import feature_id
from geoshare.services.desk_plan import Planner, Wish
from geoshare.services.releasing import contributing_of
from geoshare.services.sheet_diff import (
    CONFLICT,
    LOCKED,
    NOTHING,
    WRONG,
    Comparer,
    Standing,
    Told,
    withdrawal,
)
from geoshare.services.sheet_doubts import doubts
from geoshare.services.sheet_marks import Kept, Marks
from geoshare.services.sheet_standing import Features
from geoshare.services.sheet_wishes import CREATE, DELETE, ERROR, UPDATE, wish_of
from geoshare.sources.sheets import ACTION, LATITUDE, LONGITUDE, ReadSheet, SheetColumn, SheetRow
from geoshare.store.edit_rows import OwnClaim, own_claims

if TYPE_CHECKING:
    from geoshare.services import Services
    from geoshare.services.desk_rules import Rules

MOST: Final = 2_000  # rows of one sheet that change
TOLD: Final = 300  # rows in error, and rows with cells that cannot be changed, that are listed
IGNORED, GONE = "ignored", "gone"  # kinds of rows, beside those that do something
DOABLE: Final = (UPDATE, CREATE, DELETE, CONFLICT)
Pair = tuple[Told, Standing]  # a row of the preview, and what stands of its feature
_PLACES: Final = (LATITUDE, LONGITUDE)
_NOT_THERE: Final = {
    "en": "There is no such feature, or it was withdrawn meanwhile",
    "ja": "この行の地物は見つかりません(取り下げられた可能性があります)",
    "allowed": "an ID as it was downloaded, or none for a new feature",
    "allowed_ja": "ダウンロードしたままのID。新しい行は空欄",
}
_TWICE: Final = {
    "en": "This feature stands in several rows",
    "ja": "同じ地物の行が重複しています",
    "allowed": "one row for each feature; no ID for a new one",
    "allowed_ja": "1件につき1行。新しい行はIDを空欄にしてください",
}
_NOT_YET: Final = {
    "en": "A new row has nothing to withdraw",
    "ja": "新しい行は取り下げられません",
    "allowed": "empty",
    "allowed_ja": "空欄",
}


class Previewer:
    """Makes the preview of one sheet."""

    def __init__(
        self,
        services: Services,
        rules: Rules,
        who: Principal,
        collection: str,
        columns: Sequence[SheetColumn],
        sheet: ReadSheet,
    ) -> None:
        self._services, self._who, self._collection = services, who, collection
        self._sheet = sheet
        self._features = Features(services, rules, who, collection)
        self._planner = Planner(services, rules, who)
        self._marks = Marks(services.record.secret, who.organisation, collection)
        self._comparer = Comparer(columns, sheet.heads, self._marks)
        view = services.view(who, collection)
        self._label, self._known = view.collection.label, view.extent
        self._names: Counter[str] = Counter()

    def rows(self) -> tuple[list[Told], Counter[str]]:
        """Return the rows that are not as they were read, and how many there are of each kind.

        Raises
        ------
        TooLarge
            for more changed rows than are done at once.
        """
        named = [(row, *self._comparer.identity(row)) for row in self._sheet.rows]
        often = Counter(feature for _, feature, _ in named if feature)
        known = self._features.standing(list(often))
        pairs = [
            self._row(row, feature, kept, known, twice=often[feature] > 1)
            for row, feature, kept in named
        ]
        made = [pair for pair in pairs if pair is not None]
        self._try([pair for pair in made if pair[0]["kind"] in (UPDATE, CREATE, DELETE)])
        for told, now in made:
            asked = told["kind"] in DOABLE
            told["warnings"] = doubts(self._collection, told, now, self._known) if asked else []
        found: list[Told] = []
        counts = Counter(rows=len(named), unchanged=len(named) - len(made))
        for told, _ in made:
            kind = str(told["kind"])
            counts[kind] += 1
            if kind in DOABLE or (kind != GONE and counts[kind] <= TOLD):
                found.append(told)
        if sum(counts[kind] for kind in DOABLE) > MOST:
            raise TooLarge(
                "The sheet changes too many rows at once",
                parameter="file",
                allowed=f"{MOST} changed rows",
                allowed_ja=f"変更は{MOST}行まで",
                message_ja=f"一度に変更できるのは{MOST}行までです。分けて取り込んでください",
            )
        return found, counts

    def _row(
        self,
        row: SheetRow,
        feature: str,
        kept: Kept | None,
        known: Mapping[str, Standing],
        *,
        twice: bool,
    ) -> Pair | None:
        if not feature:
            return self._new(row)
        if twice:
            return self._told(row, feature, ERROR, []) | {"errors": [_TWICE]}, NOTHING
        now = known.get(feature)
        cells = self._comparer.cells(row, feature, kept, now)
        if now is None:
            touched = kept is None or any(cell["state"] != LOCKED for cell in cells)
            told = self._told(row, feature, ERROR if touched else GONE, [])
            return told | {"errors": [_NOT_THERE]}, NOTHING
        return self._existing(row, feature, kept, now, cells)

    def _existing(
        self, row: SheetRow, feature: str, kept: Kept | None, now: Standing, cells: list[Told]
    ) -> Pair | None:
        action, wrong = self._comparer.action(row)
        if wrong is not None:
            cells.append(wrong)
        elif action:
            moved = kept is not None and kept.version != now.version
            cells = [withdrawal(self._sheet.heads.get(ACTION), moved=moved)]
        if not cells:
            return None
        for cell in cells:
            if cell["state"] == CONFLICT and not cell["before_known"] and kept is not None:
                once = self._features.once(feature, cell["property"])
                self._comparer.remembered(cell, feature, kept, once)
        locked = all(cell["state"] == LOCKED for cell in cells)
        kind = IGNORED if locked else DELETE if action else UPDATE
        told = self._told(row, feature, kind, cells, now)
        return told | {"version": now.version, "unseen": kept is None}, now

    def _new(self, row: SheetRow) -> Pair | None:
        cells = self._comparer.new(row)
        action, wrong = self._comparer.action(row)
        if wrong is not None:
            cells.append(wrong)
        elif action:
            asked = withdrawal(self._sheet.heads.get(ACTION), moved=False)
            cells.append(asked | {"state": WRONG, "error": _NOT_YET})
        if not cells:
            return None
        name = self._name(cells)
        usual = contributing_of(self._services, self._who).choose(None)
        feature = feature_id(
            self._services.record, self._collection, self._who.organisation, name, usual
        )
        now = self._features.standing([feature]).get(feature)
        if now is None or action or wrong is not None:
            return self._told(row, "", CREATE, cells) | {"made": name}, NOTHING
        # The same row was brought in before: what it says now is a change of what it made.
        filled = [cell["property"] for cell in cells]
        same = self._comparer.cells(row, feature, None, now)
        cells = [cell for cell in same if cell["property"] in filled and cell["state"] != LOCKED]
        return self._existing(row, feature, None, now, cells)

    def _name(self, cells: Sequence[Told]) -> str:
        """A new feature's own name, from what it is and where: the same row makes no second one."""
        chosen = (self._label, "kind", "level", "area_codes", *_PLACES)
        said = [[cell["property"], cell["yours"]] for cell in cells if cell["property"] in chosen]
        digest = hashlib.blake2b(orjson.dumps(said), digest_size=12).hexdigest()
        self._names[digest] += 1
        return f"sheet-{digest}-{self._names[digest]}"

    def _told(
        self,
        row: SheetRow,
        feature: str,
        kind: str,
        cells: list[Told],
        now: Standing = NOTHING,
    ) -> Told:
        """A row of the preview; its ``name`` is what people call the feature."""
        mine = next((cell["yours"] for cell in cells if cell["property"] == self._label), None)
        name = now.values.get(self._label) or mine
        return {
            "row": row.number,
            "id": feature,
            "name": name if isinstance(name, str) else "",
            "kind": kind,
            "cells": cells,
            "errors": [],
            "warnings": [],
        }

    def _try(self, pairs: Sequence[Pair]) -> None:
        """Try rows against the rules of the desk, without doing anything."""
        wishes: list[tuple[Told, Wish]] = []
        for told, now in pairs:
            if not any(cell["state"] == WRONG for cell in told["cells"]):
                wish, words = wish_of(self._collection, told, told["cells"], now)
                if words is not None:
                    self._complain(told, "geometry", words)
                elif wish is not None:
                    wishes.append((told, wish))
        places = [(self._collection, self._planner.feature(wish)) for _, wish in wishes]
        standing: dict[str, list[OwnClaim]] = {}
        with self._services.record.snapshot() as connection:
            for claim in own_claims(connection, self._who.organisation, places):
                standing.setdefault(claim.feature, []).append(claim)
        for (told, wish), (_, feature) in zip(wishes, places, strict=True):
            try:
                self._planner.plan(wish, feature, standing.get(feature, ()))
            except GeoshareError as error:
                self._complain(told, error.parameter or "", words_of(error))
        for told, _ in pairs:
            if told["errors"] or any(cell["state"] == WRONG for cell in told["cells"]):
                told["kind"] = ERROR
            elif any(cell["state"] == CONFLICT for cell in told["cells"]):
                told["kind"] = CONFLICT

    def _complain(self, told: Told, parameter: str, words: Told) -> None:
        """Put what is wrong to the cell that it is about, or to the row."""
        complaint = self._comparer.complaint(parameter, words)
        if complaint is None:
            told["errors"].append(words)
            return
        for cell in told["cells"]:
            if cell["property"] == complaint["property"]:
                cell |= {"state": WRONG, "error": words}
                return
        told["cells"].append(complaint)


def words_of(error: GeoshareError) -> Told:
    """What is wrong and what is allowed, in both languages."""
    return {
        "en": error.message,
        "ja": error.message_ja or error.message,
        "allowed": error.allowed or "",
        "allowed_ja": error.allowed_ja or error.allowed or "",
    }
