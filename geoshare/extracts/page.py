"""A map that needs no server: one HTML file with tiles, features, list and search of an area.

The page itself comes with the build of the web app; here its data are put into it. Whatever others
wrote (names, notes) is inside base64 of compressed bytes: no text of it can end a script or begin one.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.access.audit.single import ABOUT, PAGE, PLACE, part, stated
from geoshare.errors import TooLarge, Unavailable
from geoshare.extracts.archive import write_archive
from geoshare.extracts.chunks import feature_chunks
from geoshare.extracts.request import ExtractRequest, Plan, plan
from geoshare.extracts.terms import licences_of, terms
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.times import iso
from geoshare.query import View, Views
from geoshare.query.tiles import Whole
from geoshare.query.tilesets import bounds

Report = Callable[[float, str], None]
Seal = Callable[[str], dict[str, bytes]]

TEMPLATE: Final = "web/dist/single.html"
FORMAT: Final = 1
MOST_TILES: Final = 1_500  # of one zoom; the deepest zoom follows from it
DEEPEST: Final = 14  # a unit of such a tile is 0.6 m: nearer views are drawn from it
MOST_LISTED: Final = 1_000  # features of one collection that can be listed and searched
LIVE: Final = frozenset(  # what people look for, and what is said of the present
    (
        "shelters",
        "evacuation_sites",
        "evacuation_areas",
        "events",
        "water_points",
        "damage_reports",
        "warnings",
    )
)
_MODULE: Final = '<script type="module">'
_CODE: Final = "app-code"
_UNPACKING: Final = f"""
const held = document.getElementById('{_CODE}');
const bytes = Uint8Array.from(atob(held.textContent), (letter) => letter.charCodeAt(0));
const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
const app = document.createElement('script');
app.type = 'module';
app.textContent = await new Response(unpacked).text();
held.replaceWith(app);
"""
MOST_BYTES: Final = 40_000_000


def write_page(
    request: ExtractRequest,
    policy: Policy,
    views: Views,
    path: Path,
    *,
    now_us: int,
    work_dir: Path,
    progress: Report = lambda fraction, message: None,
    seal: Seal = lambda manifest_sha256: {},
    template: str | None = None,
) -> dict[str, Any]:
    """Write the page of an area to ``path``, which appears whole or not at all.

    Parameters
    ----------
    request, policy, views, now_us, work_dir, progress, seal
        As of ``write_extract``.
    template
        The page with a mark where its data go; None: as the build of the web app has left it.

    Returns
    -------
    SHA-256 and size of the file, and features of each collection.

    Raises
    ------
    NotFound, BadRequest
        as ``plan``.
    TooLarge
        for an area whose page no browser would open well.
    Unavailable
        where the web app is not built.
    """
    page = _template() if template is None else template
    made = plan(request, policy, views)
    shown = [view for view in made.views if isinstance(view, View)]
    with tempfile.TemporaryDirectory(dir=work_dir, prefix="page-") as name:
        folder = Path(name)
        tiles = folder / "tiles.pmtiles"
        box = made.box or bounds(shown)
        zooms = _zooms(box)
        listed = {view.collection.name: _listed(made, view) for view in shown}
        write_archive(
            tiles,
            policy,
            shown,
            now_us=now_us,
            zooms=zooms,
            box=box,
            threads=1,
            most_tiles=MOST_TILES * 4,
            whole=_complete(listed, zooms[1]),
            report=lambda fraction: progress(fraction * 0.9, "tiles"),
        )
        about = _about(made, shown, now_us, zooms, box)
        parts = {
            "features": _packed(b"{" + b",".join(_member(*item) for item in listed.items()) + b"}"),
            "tiles": tiles.read_bytes(),
        }
        files = {ABOUT: stated(about), PAGE: page.encode(), **parts}
        manifest = _manifest(made, now_us, zooms, files, listed)
        proofs = seal(hashlib.sha256(manifest).hexdigest())
        sealed = about | {
            "manifest": base64.b64encode(manifest).decode(),
            "proofs": {key: base64.b64encode(value).decode() for key, value in proofs.items()},
        }
        content = _joined(page, {ABOUT: _packed(orjson.dumps(sealed)), **parts})
        aside = folder / "whole.html"
        aside.write_bytes(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside, path)
    progress(1.0, "")
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
        "features": {entry["id"]: entry["features"] for entry in about["collections"]},
    }


@cache
def _template() -> str:
    try:
        return packed_page((files("geoshare") / TEMPLATE).read_text(encoding="utf-8"))
    except OSError as error:
        raise Unavailable("The browser app is not built") from error


def packed_page(page: str) -> str:
    """Return a page whose module is compressed, a third of its size; it unpacks itself when opened."""
    before, opening, rest = page.partition(_MODULE)
    code, closing, after = rest.partition("</script>")
    if not opening or not closing:
        return page
    packed = base64.b64encode(_packed(code.encode())).decode()
    carried = f'<script type="text/plain" id="{_CODE}">{packed}</script>'
    return f"{before}{carried}{opening}{_UNPACKING}{closing}{after}"


def _joined(page: str, parts: dict[str, bytes]) -> bytes:
    before, after = page.split(PLACE, 1)
    pieces = [part(name, content) for name, content in parts.items()]
    content = b"".join([before.encode(), *pieces, after.encode()])
    if len(content) > MOST_BYTES:
        raise TooLarge(
            "The page would be too large; ask for a smaller area or fewer collections",
            message_ja="ファイルが大きすぎます。範囲または種類を減らしてください",
            parameter="bbox",
            allowed=f"{MOST_BYTES} bytes",
        )
    return content


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _zooms(box: Box | None) -> tuple[int, int]:
    """The first and the last zoom: from the area as one picture to as near as a bound allows."""
    if box is None or box.west > box.east:
        return 0, 5
    width = max(box.east - box.west, 1e-6)
    height = max(_rows(box.north) - _rows(box.south), 1e-9)
    first = max(0, min(12, math.floor(math.log2(360 / width)) - 2))
    last = first
    for zoom in range(first, DEEPEST + 1):
        across, down = width / 360 * 2**zoom + 1, height * 2**zoom + 1
        if across * down > MOST_TILES:
            break
        last = zoom
    return first, last


def _complete(listed: dict[str, tuple[int, bytes]], last: int) -> Whole:
    """Which tiles leave nothing out for their scale: what is listed is drawn at every scale.

    The last tiles of an area that is near enough hold everything, for they are what nearer views are
    drawn from.
    """
    few = {name for name, (count, _) in listed.items() if count <= MOST_LISTED}
    drawn = few & LIVE

    def whole(collection: str, zoom: int) -> bool:
        if zoom == last == DEEPEST:
            return True
        return collection in drawn or (zoom == last and collection in few)

    return whole


def _rows(latitude: float) -> float:
    """Place of a latitude in Web Mercator, in shares of the world's height, northward."""
    clipped = math.radians(max(-85.0, min(85.0, latitude)))
    return math.asinh(math.tan(clipped)) / (2 * math.pi)


def _listed(made: Plan, view: View) -> tuple[int, bytes]:
    """How many features there are, and those that can be listed as comma-joined GeoJSON."""
    selected = made.select(view)
    count = len(selected.rows)
    if count > MOST_LISTED or not view.has_column(view.collection.label):
        return count, b""
    return count, b",".join(piece for _, piece in feature_chunks(selected) if piece)


def _member(name: str, found: tuple[int, bytes]) -> bytes:
    return orjson.dumps(name) + b":[" + found[1] + b"]"


def _about(
    made: Plan, shown: Sequence[View], now_us: int, zooms: tuple[int, int], box: Box | None
) -> dict[str, Any]:
    """What the page says of itself and of its collections."""
    return {
        "created": iso(now_us),
        "box": None if box is None else list(box),
        "zooms": list(zooms),
        "terms": terms(made.policy, shown),
        "collections": [
            {
                "id": view.collection.name,
                "title": view.collection.title,
                "title_ja": view.collection.title_ja,
                "kind": view.collection.kind,
                "geometry": view.collection.geometry,
                "label": view.collection.label if view.has_column(view.collection.label) else "",
                "extent": None if view.extent is None else list(view.extent),
                "features": len(made.select(view).rows),
                "licences": licences_of(made.policy, view.collection.name),
                "schema": view.schema(),
            }
            for view in shown
        ],
        "not_included": [view.collection.name for view in made.views if not isinstance(view, View)],
    }


def _manifest(
    made: Plan,
    now_us: int,
    zooms: tuple[int, int],
    files: dict[str, bytes],
    listed: dict[str, tuple[int, bytes]],
) -> bytes:
    """What the log of what leaves is told of the file, and what it is verified by."""
    said = {
        "format": FORMAT,
        "created": iso(now_us),
        "request": made.request.model_dump(mode="json", exclude_none=True),
        "policy": made.policy.hash,
        "zooms": list(zooms),
        "files": [
            {"name": name, "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
        "collections": [
            {
                "id": name,
                "features": count,
                "sha256": hashlib.sha256(content).hexdigest(),
                "licences": licences_of(made.policy, name),
            }
            for name, (count, content) in listed.items()
        ],
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)
