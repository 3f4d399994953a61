"""Says which values of a column became another type, so that none changes in silence."""

from __future__ import annotations

from collections import Counter
from typing import Any

from geoshare.model.report import Message, Report

_EXAMPLE_LETTERS = 40
_WORDS = {
    str: ("text", "文字列"),
    int: ("whole numbers", "整数"),
    float: ("numbers", "数値"),
    bool: ("yes or no", "真偽値"),
}
Kinds = tuple[type, type]


class Changed:
    """Counts the values of one column that were kept as another type than they came in."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._counts: Counter[Kinds] = Counter()
        self._examples: dict[Kinds, str] = {}

    def note(self, before: Any, after: Any) -> None:
        """Take notice of a value; whole numbers that are kept as numbers are not changed."""
        kinds = type(before), type(after)
        if kinds[0] is kinds[1] or kinds == (int, float) or not set(kinds) <= _WORDS.keys():
            return
        self._counts[kinds] += 1
        self._examples.setdefault(kinds, f"{before} -> {after}"[:_EXAMPLE_LETTERS])

    def tell(self, report: Report) -> None:
        """Say it in the report."""
        for kinds, count in self._counts.items():
            message = values_converted(self._column, *_WORDS[kinds[0]], *_WORDS[kinds[1]])
            report.repaired(message, self._examples[kinds], count)


def values_converted(column: str, found: str, found_ja: str, kept: str, kept_ja: str) -> Message:
    """Values of a column that were kept as another type."""
    return Message(
        f"values-converted:{column}:{found}:{kept}",
        f"Column {column}: {found} were kept as {kept}, which the column holds.",
        f"列「{column}」: {found_ja}を、列の型である{kept_ja}として登録しました。",
    )


def column_widened(column: str) -> Message:
    """A column that is text from now on, what it held before included."""
    return Message(
        f"column-widened:{column}",
        f"Column {column} is text from now on, since values of another type have come;"
        " those that were here before are shown so, too.",
        f"列「{column}」に別の型の値が届いたため、以後文字列として扱います(登録済みの値も同様です)。",
    )
