"""Drills and tests are called so by their names: whoever reads a name alone is not misled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MARKS: Final = {"drill": "【訓練】", "test": "【試験】"}
"""What stands before the name, by status: 訓練 (a drill) and 試験 (a test) as JMA writes them."""


def is_real(properties: Mapping[str, Any]) -> bool:
    """Whether a feature is neither a drill nor a test, by its status or (of warnings) its state."""
    return properties.get("status") not in MARKS and properties.get("state") not in MARKS


def plain_name(name: str) -> str:
    """Return a name without such marks."""
    found = name.strip()
    while any(found.startswith(mark) for mark in MARKS.values()):
        found = found[len(MARKS["drill"]) :].lstrip()
    return found


def called(name: str | None, status: Any) -> str | None:
    """Return a name as it is to be read beside a status.

    Parameters
    ----------
    name
        With or without a mark; None or empty for what has no name.
    status
        ``drill`` and ``test`` are marked; anything else is not, and loses a mark that it had.
    """
    bare = plain_name(name or "")
    mark = MARKS.get(status, "") if isinstance(status, str) else ""
    return f"{mark}{bare}" or None
