"""How claims of several providers become one foundation: precedence and matching, as data."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geoshare.errors import BadRequest
from geoshare.model.collections import is_name

FILE = "foundation.toml"
Criterion = Literal["accuracy", "recency"]


class Rules(BaseModel):
    """What decides between claims of one collection; the file's head says what each key means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    providers: tuple[str, ...] = ()
    geometry: tuple[Criterion, ...] = ("accuracy", "recency")
    properties: tuple[Criterion, ...] = ("recency", "accuracy")
    match: bool = True
    kind: tuple[str, ...] = ()
    directed: bool = False
    joined: tuple[str, ...] = ()

    def place(self, provider: str) -> int:
        """Where a provider stands in the declared order; those not named stand behind, all alike."""
        return self.providers.index(provider) if provider in self.providers else len(self.providers)


class Foundation(BaseModel):
    """The rules of every collection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    default: Rules = Rules()
    collections: dict[str, Rules] = Field(default_factory=dict)

    def of(self, collection: str) -> Rules:
        """The rules of one collection."""
        return self.collections.get(collection, self.default)


@cache
def built_in() -> Foundation:
    """The rules that are part of the product."""
    return parse((resources.files("geoshare.model") / FILE).read_text("utf-8"))


def load(data_dir: Path) -> Foundation:
    """The rules of a data folder: its own file, or those of the product.

    Raises
    ------
    BadRequest
        for a file that cannot be understood, naming the key.
    """
    own = data_dir / FILE
    return parse(own.read_text("utf-8")) if own.is_file() else built_in()


def parse(text: str) -> Foundation:
    """Rules from TOML. Raises BadRequest where they cannot be understood."""
    try:
        said: dict[str, Any] = tomllib.loads(text)
        default = said.get("default", {})
        single = {name: default | own for name, own in said.get("collections", {}).items()}
        found = Foundation.model_validate(said | {"collections": single})
    except (tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise BadRequest(
            f"{FILE} cannot be understood: {_fault(error)}",
            parameter=FILE,
            message_ja=f"{FILE} を読み取れません",
        ) from error
    wrong = sorted(name for name in found.collections if not is_name(name))
    if wrong:
        raise BadRequest(f"{wrong[0]!a} is no collection's name", parameter=FILE)
    return found


def _fault(error: Exception) -> str:
    """What is wrong first, by its key."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
