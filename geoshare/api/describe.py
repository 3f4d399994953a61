"""One decorator that parses a request's parameters and remembers how to document them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError
from werkzeug.datastructures import MultiDict

from geoshare.errors import BadRequest

MAX_NAME = 64
P = TypeVar("P", bound="Params")
Answers = Mapping[int, tuple[str | tuple[str, ...], str]]


class Params(BaseModel):
    """Base of all parameter models: what is not named here is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    TAKES_OTHERS: ClassVar[bool] = False  # names that only the resource knows: it refuses the rest
    _others: tuple[tuple[str, str], ...] = PrivateAttr(())

    @property
    def others(self) -> tuple[tuple[str, str], ...]:
        """Names and values beside those of the model, where it takes any."""
        return self._others


class NoParams(Params):
    """A request without parameters."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the OpenAPI document says of an operation."""

    summary: str
    params: type[Params]
    answers: Answers  # status -> media type or types, description
    body: type[BaseModel] | str | None = None  # a model, or the media type of a raw body
    tags: tuple[str, ...] = field(default=())
    returns: str = ""  # what a JSON answer is: a name in ``api.answers``
    for_people: bool = True  # whether it is a page too, where a person asks for one

    @property
    def paged(self) -> bool:
        """Whether the page of it is made by the rule of all: it is JSON, and says nothing of ``f``."""
        said = self.answers.get(200, ((), ""))[0]
        kinds = (said,) if isinstance(said, str) else said
        is_json = bool(kinds) and all(kind.endswith("json") for kind in kinds)
        return self.for_people and is_json and "f" not in names(self.params)


@functools.cache
def names(model: type[Params]) -> tuple[str, ...]:
    """The parameters a model takes, as they are spelled in a request."""
    return tuple(info.alias or name for name, info in model.model_fields.items())


def parse(model: type[P], args: MultiDict[str, str]) -> P:
    """The parameters of a request; see ``parse_pairs``."""
    return parse_pairs(model, args.items(multi=True))


def parse_pairs(model: type[P], pairs: Iterable[tuple[str, str]]) -> P:
    """The parameters of a request, of names and values as they came.

    Raises
    ------
    BadRequest
        naming the parameter that is unknown, repeated or wrong, and what is allowed.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    known = names(model)
    for name, values in given.items():
        if name not in known and not model.TAKES_OTHERS:
            allowed = ", ".join(known) or "no parameters"
            raise BadRequest(
                "Unknown parameter",
                parameter=name[:MAX_NAME],
                allowed=allowed,
                message_ja="知らないパラメータです",
                allowed_ja=", ".join(known) or "パラメータなし",
            )
        if len(values) > 1:
            raise BadRequest(
                "The parameter is given more than once",
                parameter=name,
                allowed="one value",
                message_ja="パラメータが二度指定されています",
                allowed_ja="1つの値",
            )
    said = {name: value for name, (value,) in given.items()}
    try:
        found = model.model_validate({name: said[name] for name in said if name in known})
    except ValidationError as error:
        raise from_validation(error, model) from error
    found._others = tuple((name, said[name]) for name in said if name not in known)
    return found


def from_validation(error: ValidationError, model: type[BaseModel]) -> BadRequest:
    """The first complaint of pydantic in our words."""
    first = error.errors(include_url=False, include_input=False)[0]
    location = [str(part) for part in first["loc"]]
    message = first["msg"].removeprefix("Value error, ")
    info = next(
        (
            item
            for key, item in model.model_fields.items()
            if location and location[0] in (key, item.alias)
        ),
        None,
    )
    allowed = info.description if info is not None else None
    if not location and first["type"] in ("json_invalid", "model_type"):
        return BadRequest(
            message,
            parameter="body",
            allowed="a JSON object",
            message_ja="本文をJSONとして読めません",
            allowed_ja="JSONのオブジェクト",
        )
    named = [part for part in location if part not in _BRANCHES and "[" not in part]
    name, allowed_ja = ".".join(named)[:MAX_NAME], ""
    message_ja = f"「{name}」の値が正しくありません" if name else "内容が正しくありません"
    message = _PLAIN.get(first["type"], message)
    if first["type"] == "extra_forbidden":
        message = "Unknown member"
        allowed = allowed_ja = ", ".join(model.model_fields)
        message_ja = f"「{name}」という項目はありません"
    return BadRequest(
        message,
        parameter=name or None,
        allowed=allowed,
        message_ja=message_ja,
        allowed_ja=allowed_ja,
    )


_PLAIN: Final = {
    "missing": "It must be said",
    "too_short": "There are too few",
    "too_long": "There are too many",
}
_BRANCHES: Final = ("str", "int", "float", "bool")  # of a union, which pydantic names beside members


def describes(
    summary: str,
    *,
    params: type[Params] = NoParams,
    answers: Answers | None = None,
    body: type[BaseModel] | str | None = None,
    tags: tuple[str, ...] = (),
    returns: str = "",
    for_people: bool = True,
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Parse ``params`` from the query and hand them to the handler as its first argument."""

    def wrap(handler: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(handler)
        def view(**path: Any) -> ResponseReturnValue:
            return handler(parse(params, request.args), **path)

        found = answers or {200: ("application/json", "The resource")}
        said = Description(summary, params, found, body, tags, returns, for_people)
        view.description = said  # type: ignore[attr-defined]
        return view

    return wrap
