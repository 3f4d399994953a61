"""Texts compared without regard to case or accents (CQL2's CASEI and ACCENTI)."""

from __future__ import annotations

import unicodedata
from typing import Final

_KANA_MARKS: Final = "\u3099\u309a"  # voiced sound marks tell words apart and are no accents


def without_case(text: str) -> str:
    """Return the text folded for caseless matching, canonical forms alike (Unicode, 3.13, D145)."""
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", folded)


def without_accents(text: str) -> str:
    """Return the text with combining marks removed, those of kana kept."""
    parts = unicodedata.normalize("NFD", text)
    kept = [letter for letter in parts if not unicodedata.combining(letter) or letter in _KANA_MARKS]
    return unicodedata.normalize("NFC", "".join(kept))
