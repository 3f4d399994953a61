"""Complaints about written documents in plain words: where, what, and what may stand there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

_LIMITS: Final = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "at least {min_length} letters",
    "string_too_long": "at most {max_length} letters",
    "string_pattern_mismatch": "a text of the form {pattern}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "missing": "it must be said",
    "timezone_aware": "a time with its zone, as 2026-04-01T00:00:00+09:00",
}
_FORMS: Final = {
    "bool": "true or false",
    "datetime_from_date": "a time, as 2026-04-01T00:00:00+09:00",
    "datetime": "a time, as 2026-04-01T00:00:00+09:00",
    "dict": "an object",
    "float": "a number",
    "int_from_float": "a whole number",
    "int": "a whole number",
    "mapping": "an object",
    "model": "an object",
    "string": "a text",
    "time_delta": "a span of time, as PT1H or P1D",
    "tuple": "a list",
}


def first_fault(error: ValidationError, model: type[BaseModel]) -> tuple[str, str, str]:
    """The first complaint of pydantic about a document of some model.

    Returns
    -------
    The key as it is written (``grants[0].columns``), what is wrong with it, and what is allowed.
    """
    first, *others = error.errors(include_url=False, include_input=False)
    place = _place(first["loc"])
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).strip(".")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return key, "there is no such key", ", ".join(_model_at(model, place[:-1]).model_fields)
    if place[-1:] == ["area"]:
        return key, "it is no area", "a GeoJSON polygon (CRS84), or an administrative code"
    beside = [item for item in others if _place(item["loc"]) == place]  # other kinds of value it may be
    allowed = dict.fromkeys(_allowed(item["type"], item.get("ctx", {})) for item in (first, *beside))
    return key, message, " or ".join(words for words in allowed if words)


def _place(location: tuple[int | str, ...]) -> list[int | str]:
    """Where in the document, without the names that pydantic gives to kinds of values."""
    kinds = {"dict", "str", "constrained-str"}
    return [part for part in location if isinstance(part, int) or not ("[" in part or part in kinds)]


def _allowed(kind: str, context: dict[str, Any]) -> str:
    """What may stand where pydantic complains so; empty where its message says it."""
    said = context.get("expected") or context.get("expected_tags")
    if said:
        return str(said)
    form = _FORMS.get(kind.removesuffix("_parsing").removesuffix("_type"), "")
    words = _LIMITS.get(kind, form)
    return words.format(**context)


def _model_at(model: type[BaseModel], place: list[Any]) -> type[BaseModel]:
    """The model that a place in a document is checked against."""
    for part in place:
        if part in model.model_fields:
            choices = list(_models(model.model_fields[part].annotation))
            tags = {item.model_fields["kind"].default: item for item in choices if _tagged(item)}
            tag = next((str(word) for word in place if word in tags), None)
            model = tags[tag] if tag is not None else next(iter(choices), model)
    return model


def _tagged(model: type[BaseModel]) -> bool:
    field = model.model_fields.get("kind")
    return field is not None and isinstance(field.default, str)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models named by a type, in order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
