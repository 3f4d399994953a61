"""Pictures of a shared map: the preview that messengers show, and the QR code of its address."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import segno
from PIL import Image, ImageDraw, ImageFont

from geoshare.errors import TooLarge, Unavailable
from geoshare.extracts.maps import picture as draw_map
from geoshare.extracts.maps.fonts import BOLD, MEDIUM, spelled
from geoshare.model.box import Box
from geoshare.services.shared import Shown

if TYPE_CHECKING:
    from geoshare.services import Services

WIDTH, HEIGHT = 1200, 630
BAND: Final = 150  # pixels of the title's band
MARGIN: Final = 40
BRAND, SOFT, PLAIN = "#0b3c5d", "#d6e6f1", "#cfe3ef"
FONTS: Final = ("NotoSansJP_700Bold.ttf", "NotoSansJP_500Medium.ttf")
COLOURS: Final = 200
"""Of the picture: a palette makes it a quarter as large, and messengers make it small anyway."""


def code(address: str) -> bytes:
    """An SVG of the QR code of an address."""
    found = io.BytesIO()
    segno.make(address, error="m", micro=False).save(found, kind="svg", scale=8, border=4)
    return found.getvalue()


def picture(services: Services, shown: Shown) -> bytes:
    """A PNG of 1200 by 630 pixels: the title, and under it the map as far as it can be drawn.

    Where an area holds too much for one picture, the title stands alone.
    """
    share = shown.share
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PLAIN)
    try:
        drawn = draw_map(
            {**shown.views, **{view.collection.name: view for view in shown.drawn}},
            Box(share.west, share.south, share.east, share.north),
            WIDTH,
            HEIGHT - BAND,
            "en" if share.language == "en" else "ja",
            pixel_ratio=2.0,
            drills=share.drills,
            at=datetime.fromtimestamp(services.clock.now_us() / 1e6, UTC),
        )
        sheet.paste(Image.open(io.BytesIO(drawn)).convert("RGB"), (0, BAND))
    except (TooLarge, Unavailable):
        pass
    _band(sheet, share.title, _by(services, share.organisation, share.language))
    found = io.BytesIO()
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(found, "PNG", optimize=True)
    return found.getvalue()


def _by(services: Services, organisation: str, language: str) -> str:
    found = services.governance.organisation(organisation)
    both = (found.name if found else "").split(" / ", 1)
    return both[-1] if language == "en" else both[0]


def _font(name: str) -> bytes:
    return (files("geoshare") / "web/dist/fonts" / name).read_bytes()


def _band(sheet: Image.Image, title: str, by: str) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, 0, WIDTH, BAND), fill=BRAND)
    try:
        title, by = spelled(title, BOLD), spelled(by, MEDIUM)
        large, small = (ImageFont.truetype(io.BytesIO(_font(name)), 10) for name in FONTS)
    except (OSError, Unavailable):
        return  # the fonts come with the build of the pages
    for size in range(60, 27, -2):
        large = large.font_variant(size=size)
        if pen.textlength(title, large) <= WIDTH - 2 * MARGIN:
            break
    while pen.textlength(title, large) > WIDTH - 2 * MARGIN:
        title = title[:-2] + "…"
    pen.text((MARGIN, 62), title, font=large, fill="#ffffff", anchor="lm")
    pen.text((MARGIN, 122), by, font=small.font_variant(size=28), fill=SOFT, anchor="lm")
