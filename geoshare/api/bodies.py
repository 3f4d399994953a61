"""JSON bodies of requests: no member twice, integers that are integers, texts without hidden marks."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection
from typing import Any, Final, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError

from geoshare.api.describe import from_validation
from geoshare.errors import BadRequest, TooLarge

SMALL: Final = 20_000  # bytes of a body that says a few things
MAX_NAME: Final = 64
ALLOWED: Final = "printable text: no control characters, no marks that turn the direction of writing"
_TURNING: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINES: Final = frozenset("\n\r\t")
DRAINED: Final = 64_000_000  # bytes of a body that is refused
CHUNK: Final = 65_536
LONG: Final = frozenset({"filter"})  # members whose texts may have several lines
M = TypeVar("M", bound=BaseModel)


class Body(BaseModel):
    """Base of bodies: what is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_body(model: type[M], most: int = SMALL, long: Collection[str] = LONG) -> M:
    """The body of the request, of at most so many bytes, read by ``read_as``. Raises TooLarge, too."""
    return read_as(model, content(most), long)


def content(most: int = SMALL) -> bytes:
    """The bytes of the request's body. Raises TooLarge for more than there may be."""
    found = request.stream.read(most + 1) if (request.content_length or 0) <= most else None
    if found is None or len(found) > most:
        raise TooLarge(
            "The request body is too large",
            parameter="body",
            allowed=f"{most} bytes",
            message_ja="送られた内容が大きすぎます",
            allowed_ja=f"{most}バイトまで",
        )
    return found


def drain(most: int = DRAINED) -> None:
    """Read on in a body that is refused, up to a bound, and keep nothing of it.

    A browser that is still sending when the connection ends shows no answer, whatever it was.
    """
    left = most
    while left > 0 and (chunk := request.stream.read(min(left, CHUNK))):
        left -= len(chunk)


def read_as(model: type[M], text: bytes, long: Collection[str] = LONG) -> M:
    """A body as a model, checked as ``validated`` does.

    Raises
    ------
    BadRequest
        naming the member that does not fit, and what is allowed.
    """
    try:
        return validated(model, text, long)
    except ValidationError as error:
        raise from_validation(error, model) from error


def validated(model: type[M], content: bytes, long: Collection[str] = LONG) -> M:
    """Read a body. Its own texts have one line, but for ``long``; those of documents in it any number.

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
        _check_texts(found, long)
    except BadRequest:
        raise
    except (ValueError, RecursionError):
        return model.model_validate_json(content)  # says in its own words what cannot be read
    return model.model_validate_json(content, strict=True)


def _check_texts(found: Any, long: Collection[str]) -> None:
    if isinstance(found, dict):
        for name, value in found.items():
            lines = _LINES if name in long or not isinstance(value, str) else frozenset()
            _check_text(name, value, lines)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(
                "A member is given more than once",
                parameter=name[:MAX_NAME],
                allowed="each member once",
                message_ja="同じ項目が二度指定されています",
                allowed_ja="各項目1回",
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
            raise BadRequest(
                "The text is not printable",
                parameter=name[:MAX_NAME],
                allowed=ALLOWED,
                message_ja="使えない文字(制御文字など)が含まれています",
                allowed_ja="表示できる文字(制御文字や文字の向きを変える記号は不可)",
            )
    elif isinstance(value, dict):
        for item in value.items():
            for text in item:
                _check_text(name, text, also)
    elif isinstance(value, list):
        for item in value:
            _check_text(name, item, also)
