"""Release classes: to whom what is contributed may be released.

Everything that is contributed is of one class, which the agreement of its provider states. What is of
different classes is never put together: each class has features of its own, so that what a reader of
one class sees is what would be there had nothing of the others ever come.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

OPEN_CLASS: Final = "open"
"""The class of what no agreement says otherwise of. It need not be declared."""
EVERY_CLASS: Final = "all"
DECLARED: Final = "release_classes"
"""The table of the tiers' file that declares classes; no tier has this name."""
MAX_CLASSES: Final = 32
ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Classes = tuple[ClassName, ...] | Literal["all"]


class ReleaseClass(BaseModel):
    """What a class is called, in English and Japanese."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=200)
    title_ja: str = Field(min_length=1, max_length=200)
