"""Rows of a preview as wishes of the desk, by what its maker has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from geoshare.errors import BadRequest
from geoshare.services.desk_plan import UNSAID, Wish
from geoshare.services.sheet_diff import (
    CHANGE,
    CONFLICT,
    LOCKED,
    WRONG,
    Standing,
    Told,
    geometry_of,
)

CREATE, UPDATE, DELETE, ERROR = "new", "change", "withdraw", "error"  # what a row is
MINE, THEIRS = "mine", "theirs"
Keep = Literal["mine", "theirs"]
Choices = Mapping[tuple[int, str], Keep]  # by row and property; an empty property: the whole row
_ACTION: Final = "@action"


def wish_of(
    collection: str, row: Told, cells: Sequence[Told], now: Standing
) -> tuple[Wish | None, Told | None]:
    """Return what some cells of a row ask for, or what is wrong with their place; None: nothing."""
    cells = [cell for cell in cells if cell["state"] not in (WRONG, LOCKED)]
    if not cells:
        return None, None
    if any(cell["property"] == _ACTION for cell in cells):
        return Wish("delete", collection, row["id"], now.version), None
    geometry, wrong = geometry_of(cells, now)
    if wrong is not None:
        return None, wrong
    values = {cell["property"]: cell["yours"] for cell in cells if not cell["property"].startswith("@")}
    shape: Any = UNSAID if geometry is None else geometry
    if not row["id"]:
        return Wish("create", collection, "", None, values, shape, row["made"]), None
    return Wish("update", collection, row["id"], now.version, values, shape), None


def chosen(row: Told, choices: Choices) -> list[Told]:
    """Return the cells of a row that its maker wants.

    Raises
    ------
    BadRequest
        for a conflict that nothing is chosen for; names its row and property.
    """
    whole = choices.get((row["row"], ""))
    found = []
    for cell in row["cells"]:
        keep = choices.get((row["row"], cell["property"]), whole)
        if cell["state"] == CONFLICT and keep is None:
            raise BadRequest(
                f"Choose for row {row['row']}, {cell['property']}: yours or theirs",
                parameter="choices",
                allowed="mine or theirs for each conflict",
                allowed_ja="競合ごとに mine(自分の値)または theirs(今の値)",
                message_ja=f"{row['row']}行目「{cell['header']}」でどちらを残すか選んでください",
            )
        if cell["state"] in (CHANGE, CONFLICT) and keep != THEIRS:
            found.append(cell)
    return found
