"""JSON bodies of requests: no member twice, integers that are integers, texts without hidden marks."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from geoshare.errors import BadRequest

MAX_NAME: Final = 64
ALLOWED: Final = "printable text: no control characters, no marks that turn the direction of writing"
_TURNING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES: Final = frozenset("\n\r\t")
M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], content: bytes) -> M:
    """Read a body. Texts of one line are its own members; those of documents in it may have several.

    Raises
    ------
    BadRequest
        naming the member that is given twice, or has what cannot be printed.
    pydantic.ValidationError
        for all else that does not fit.
    """
    content = content or b"{}"
    try:
        found = json.loads(content, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return model.model_validate_json(content)  # says in its own words what cannot be read
    if isinstance(found, dict):
        for name, value in found.items():
            lines = _LINES if name == "filter" or not isinstance(value, str) else frozenset()
            _check_text(name, value, lines)
    return model.model_validate_json(content, strict=True)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(
                "A member is given more than once",
                parameter=name[:MAX_NAME],
                allowed="each member once",
            )
        found[name] = value
    return found


def _check_text(name: str, value: Any, also: frozenset[str]) -> None:
    """Raise BadRequest for text that could pass for something else where it is shown."""
    if isinstance(value, str):
        hidden = (
            letter in _TURNING or unicodedata.category(letter) in ("Cc", "Zl", "Zp")
            for letter in value
            if letter not in also
        )
        if any(hidden):
            raise BadRequest("The text is not printable", parameter=name[:MAX_NAME], allowed=ALLOWED)
    elif isinstance(value, dict):
        for item in value.items():
            for text in item:
                _check_text(name, text, also)
    elif isinstance(value, list):
        for item in value:
            _check_text(name, item, also)
