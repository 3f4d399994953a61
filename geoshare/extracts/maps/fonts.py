"""The lettering: Noto Sans JP, which the web build lays beside the browser's pages.

Only the glyphs that a document uses are embedded in it, which its licence (the SIL Open Font License,
beside the fonts) allows.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache
from importlib.resources import as_file, files
from io import BytesIO
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from geoshare.errors import Unavailable

MEDIUM: Final = "NotoSansJP-Medium"
BOLD: Final = "NotoSansJP-Bold"
GETA: Final = "〓"  # what Japanese printers set where they lack a type
FILES: Final = {MEDIUM: "NotoSansJP_500Medium.ttf", BOLD: "NotoSansJP_700Bold.ttf"}
FOLDER: Final = "web/dist/fonts"
_lock = threading.Lock()


def load_fonts() -> None:
    """Make the fonts known to the PDF library, once in a process.

    Raises
    ------
    Unavailable
        where the web build has not laid them there; the log of the operator says how to.
    """
    with _lock:
        for name, file in FILES.items():
            if name not in pdfmetrics.getRegisteredFontNames():
                pdfmetrics.registerFont(_read(name, file))


def check_font(name: str) -> None:
    """Raise Unavailable where the web build has not laid a font there."""
    file = FILES[name]
    if not (files("geoshare") / FOLDER / file).is_file():
        raise Unavailable(
            f"The font of maps is not there: run `make web`, which lays {file} in geoshare/{FOLDER}.",
            message_ja="地図のフォントがありません。`make web` を実行してください。",
        )


def font_file(name: str) -> BytesIO:
    """Return the font file of that name. Raises Unavailable as ``load_fonts`` does."""
    check_font(name)
    return BytesIO((files("geoshare") / FOLDER / FILES[name]).read_bytes())


def _read(name: str, file: str) -> TTFont:
    check_font(name)
    with as_file(files("geoshare") / FOLDER / file) as path:
        return TTFont(name, str(path))


def spelled(text: str, font: str = MEDIUM) -> str:
    """Return the text in characters that the font has.

    Marks that choose among variants of a character and such that are not seen are left out, what has
    another spelling is spelled so, and what is left is a geta mark: never an empty box, and never a
    text that reads as if nothing were missing.
    """
    known = _characters(font)
    return "".join(_spell(character, known) for character in unicodedata.normalize("NFC", text))


def width(text: str, size: float, font: str = MEDIUM) -> float:
    """Width of a spelled text in the unit of its size."""
    return float(pdfmetrics.stringWidth(text, font, size))


def shortened(text: str, size: float, most: float, font: str = MEDIUM) -> str:
    """Return as much of a text as fits a width, with an ellipsis where something is left out."""
    if width(text, size, font) <= most:
        return text
    while text and width(text + "…", size, font) > most:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, size: float, most: float, lines: int, font: str = MEDIUM) -> list[str]:
    """Break a text into lines of a width; Japanese anywhere, words of letters between them."""
    found: list[str] = []
    rest = spelled(text, font).strip()
    while rest and len(found) < lines - 1:
        cut = _fitting(rest, size, most, font)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, shortened(rest, size, most, font)] if rest else found


def _fitting(text: str, size: float, most: float, font: str) -> int:
    """How many characters go on the first line."""
    cut = len(text)
    while cut > 1 and width(text[:cut], size, font) > most:
        cut -= 1
    if cut == len(text):
        return cut
    back = cut
    while back > 1 and _is_inside_word(text, back):
        back -= 1
    if back > 1:
        cut = back
    while cut > 1 and text[cut] in "、。，．：」』）)】・ー…":  # these do not begin a line
        cut -= 1
    return cut


def _is_inside_word(text: str, at: int) -> bool:
    def is_letter(character: str) -> bool:
        return character.isascii() and not character.isspace()

    return is_letter(text[at - 1]) and is_letter(text[at])


@lru_cache(maxsize=4)
def _characters(font: str) -> frozenset[int]:
    load_fonts()
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


def _spell(character: str, known: frozenset[int]) -> str:
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return ""  # a variation selector: the plain form is what the font has
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    if category == "Cf":
        return ""
    if code in known:
        return character
    other = unicodedata.normalize("NFKC", character)
    if other != character and all(ord(part) in known for part in other):
        return other
    return GETA
