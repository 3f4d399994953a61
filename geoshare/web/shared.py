"""The page of a shared map: the built page, with what is known of the share written into it."""

from __future__ import annotations

import html
from functools import lru_cache
from pathlib import Path
from typing import Protocol

DIST = Path(__file__).parent / "dist"
FILE = "share.html"
HEAD, STATE = b"<!--head-->", b"null"
SLOT = b'<script type="application/json" id="state">null</script>'
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex"),
    ("Content-Security-Policy", POLICY),
)
LOCALES = {"ja": "ja_JP", "ja-easy": "ja_JP", "en": "en_US"}
_NOT_BUILT = b"""<!doctype html><html lang="ja"><head><meta charset="utf-8"><!--head--></head><body>
<p>make web</p><script type="application/json" id="state">null</script></body></html>"""
_GONE = (
    "<title>この地図は表示できません / This map cannot be shown</title>"
    '<meta name="description" content="共有が終わったか、リンクが正しくありません。">'
)


class About(Protocol):
    """What the page's head says of a share."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def note(self) -> str:
        """One line, may be empty."""

    @property
    def language(self) -> str:
        """``ja``, ``ja-easy`` or ``en``."""


def shared_headers() -> list[tuple[str, str]]:
    """Headers of every answer of a share: no address of it goes to other sites or into indexes."""
    return list(HEADERS)


def shared_page(share: About, address: str, state: bytes) -> bytes:
    """The page of a share.

    Parameters
    ----------
    share
        What is written into its head, for the preview that messengers make.
    address
        Its absolute address.
    state
        JSON in which no ``<`` stands.
    """
    note = share.note or _DESCRIPTIONS[share.language]
    said = {
        "og:type": "website",
        "og:site_name": "geoshare",
        "og:title": share.title,
        "og:description": note,
        "og:url": address,
        "og:image": f"{address}/preview.png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:type": "image/png",
        "og:locale": LOCALES[share.language],
    }
    lines = [f"<title>{html.escape(share.title)}</title>"]
    lines.append(f'<meta name="description" content="{html.escape(note)}">')
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    lines += [
        f'<meta property="{name}" content="{html.escape(value)}">' for name, value in said.items()
    ]
    head = "\n".join(lines).encode()
    slot = SLOT.replace(STATE, state)
    return _template().replace(HEAD, head, 1).replace(SLOT, slot, 1)


def gone_page() -> bytes:
    """The page of what is not shared: the same for every such address."""
    return _template().replace(HEAD, _GONE.encode(), 1)


_DESCRIPTIONS = {
    "ja": "避難所・避難情報・通行止めの今を地図で確認できます。",
    "ja-easy": "ひなんじょ や あぶない ところ を ちず で みることが できます。",
    "en": "Shelters, evacuation information and closed roads on a map, as they are now.",
}


@lru_cache(maxsize=1)
def _template() -> bytes:
    try:
        return (DIST / FILE).read_bytes()
    except OSError:
        return _NOT_BUILT
