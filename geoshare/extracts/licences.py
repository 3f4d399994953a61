"""What well-known licences allow, and what an agreement does: the facts behind the table of terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from geoshare.model.policy import Terms

Answer = Literal["yes", "no", "agreement"]
WORDS: Final[dict[str, tuple[str, str]]] = {
    "yes": ("可", "yes"),
    "no": ("不可", "no"),
    "agreement": ("契約による", "as agreed"),
}
AGREEMENT: Final = "LicenseRef-agreement"


@dataclass(frozen=True, slots=True)
class Rights:
    """What may be done under one licence, or under several at once.

    ``alike`` names licences under which alone what is made of the data may be passed on.
    """

    commercial: Answer = "agreement"
    modification: Answer = "agreement"
    redistribution: Answer = "agreement"
    attribution: bool = True
    alike: frozenset[str] = frozenset()

    def __and__(self, other: Rights) -> Rights:
        """What holds for both together: of each right the lesser one."""
        return Rights(
            _least(self.commercial, other.commercial),
            _least(self.modification, other.modification),
            _least(self.redistribution, other.redistribution),
            self.attribution or other.attribution,
            self.alike | other.alike,
        )

    @property
    def conflict(self) -> bool:
        """Whether what is made of all of it cannot be passed on under any one licence."""
        return len(self.alike) > 1 or (bool(self.alike) and self.redistribution != "yes")


_FREE: Final = Rights("yes", "yes", "yes")
_KNOWN: Final[dict[str, Rights]] = {
    "CC0-1.0": replace(_FREE, attribution=False),
    "PDDL-1.0": replace(_FREE, attribution=False),
    "CC-BY-4.0": _FREE,
    "CC-BY-3.0": _FREE,
    "CC-BY-2.1-JP": _FREE,
    "ODC-By-1.0": _FREE,
    "LicenseRef-PDL-1.0": _FREE,  # 公共データ利用規約 第1.0版
    "LicenseRef-GJSTU-2.0": _FREE,  # 政府標準利用規約 第2.0版
    "CC-BY-SA-4.0": replace(_FREE, alike=frozenset({"CC-BY-SA-4.0"})),
    "ODbL-1.0": replace(_FREE, alike=frozenset({"ODbL-1.0"})),
    "CC-BY-NC-4.0": replace(_FREE, commercial="no"),
    "CC-BY-NC-SA-4.0": replace(_FREE, commercial="no", alike=frozenset({"CC-BY-NC-SA-4.0"})),
    "CC-BY-ND-4.0": replace(_FREE, modification="no"),
    "CC-BY-NC-ND-4.0": Rights("no", "no", "yes"),
}


def rights_of(licences: Iterable[str], agreements: Sequence[Terms] = ()) -> Rights:
    """What may be done under all of some licences.

    A licence that is not known here, and the agreement itself, are read as the caller's agreements in
    force say, the strictest of them; without any they stay "as agreed".
    """
    found = [_KNOWN.get(name) or agreed(agreements) for name in licences]
    return together(found)


def agreed(agreements: Sequence[Terms]) -> Rights:
    """What agreements allow; the use itself is always for their purposes alone."""
    return together([_by_agreement(item) for item in agreements])


def together(found: Sequence[Rights]) -> Rights:
    """What holds for a mixture; for nothing at all: as agreed."""
    if not found:
        return Rights()
    whole = found[0]
    for item in found[1:]:
        whole = whole & item
    return whole


def _by_agreement(terms: Terms) -> Rights:
    onward: dict[str, Answer] = {"none": "no", "same-terms": "agreement", "free": "yes"}
    made: dict[str, Answer] = {"none": "no", "free": "yes"}
    return Rights(
        "agreement", made.get(terms.derivatives, "agreement"), onward.get(terms.onward, "agreement")
    )


def _least(one: Answer, other: Answer) -> Answer:
    order: tuple[Answer, ...] = ("no", "agreement", "yes")
    return min(one, other, key=order.index)
