"""Complaints about written documents in plain words: where, what, and what may stand there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


def first_fault(error: ValidationError, model: type[BaseModel]) -> tuple[str, str, str]:
    """The first complaint of pydantic about a document of some model.

    Returns
    -------
    The key as it is written (``grants[0].columns``), what is wrong with it, and what is allowed.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    place = [part for part in first["loc"] if not (isinstance(part, str) and "[" in part)]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).strip(".")
    context = first.get("ctx", {})
    allowed = str(context.get("expected", "") or context.get("expected_tags", ""))
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "there is no such key"
        allowed = ", ".join(_model_at(model, place[:-1]).model_fields)
    return key, message, allowed


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
