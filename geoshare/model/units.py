"""Units of measure as people write them; schemas have them as UCUM does."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "{persons}": ("人", "people"),
    "{households}": ("世帯", "households"),
    "{count}": ("件", "count"),
    "deg": ("°", "°"),
    "m2": ("m²", "m²"),
    "m3": ("m³", "m³"),
    "Cel": ("℃", "°C"),
    "d": ("日", "days"),
    "h": ("時間", "hours"),
    "min": ("分", "minutes"),
    "s": ("秒", "s"),
    "a": ("年", "years"),
}


def unit_words(code: str) -> tuple[str, str]:
    """Japanese and English of a UCUM code.

    What stands in braces means "so many of" (UCUM 2.1, § 12): where there is no word for it, it is
    written without them. Other codes are symbols that are the same in every language.
    """
    plain = code.replace("{", "").replace("}", "")
    return _WORDS.get(code, (plain, plain))
