"""Release classes as a file of tiers declares them, and under which of them somebody contributes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from geoshare.errors import BadRequest
from geoshare.model.policy import (
    DECLARED,
    EVERY_CLASS,
    MAX_CLASSES,
    OPEN_CLASS,
    ClassName,
    ReleaseClass,
)

_CLASSES: TypeAdapter[dict[str, ReleaseClass]] = TypeAdapter(dict[ClassName, ReleaseClass])
_FORM = '[release_classes.NAME] with title and title_ja; NAME of a-z, 0-9, "_" and "-"'


def declared_classes(said: Any) -> dict[str, ReleaseClass]:
    """The classes that a table declares, in its order.

    Raises
    ------
    BadRequest
        naming the key, and what is allowed there.
    """
    try:
        found = _CLASSES.validate_python(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join((DECLARED, *(str(part) for part in first["loc"] if part != "[key]")))
        raise BadRequest(f"{first['msg']}.", parameter=place[:200], allowed=_FORM) from error
    for name in (OPEN_CLASS, EVERY_CLASS):
        if name in found:
            raise BadRequest(
                f"{name!r} is built in.", parameter=f"{DECLARED}.{name}", allowed="another name"
            )
    if len(found) > MAX_CLASSES:
        allowed = f"at most {MAX_CLASSES} classes"
        raise BadRequest("There are too many classes.", parameter=DECLARED, allowed=allowed)
    return found


@dataclass(frozen=True, slots=True)
class Contributing:
    """Release classes under which somebody may contribute, and the one that counts where none is said.

    ``usual`` is None where the agreements state different ones: then it must be said.
    """

    names: tuple[str, ...]
    usual: str | None

    def choose(self, said: str | None) -> str:
        """The class that a contribution is of.

        Raises
        ------
        BadRequest
            for one that may not be stated, whether or not there is such a class; and for none where it
            must be said.
        """
        found = self.usual if said is None else said
        if found is None or found not in self.names:
            unsaid = found is None
            raise BadRequest(
                "Say the release class of what you contribute"
                if unsaid
                else "Your agreement does not let you contribute under this release class",
                parameter="release_class",
                allowed=", ".join(self.names),
                message_ja="公開区分を指定してください" if unsaid else "この公開区分では提供できません",
            )
        return found


def contributing(stated: Iterable[Sequence[str]], there_are: Sequence[str]) -> Contributing:
    """What several agreements allow together, of the classes that there are.

    ``stated`` are the classes of each, the one first that counts where none is said.
    """
    known = [[name for name in names if name in there_are] for names in stated]
    known = [names for names in known if names]
    every = tuple(dict.fromkeys(name for names in known for name in names))
    first = {names[0] for names in known}
    return Contributing(every, first.pop() if len(first) == 1 else None)
