"""PMTiles: all tiles of one or several views in one file, for maps without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from geoshare.errors import TooLarge
from geoshare.extracts.terms import attribution, licences_of
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.times import iso
from geoshare.query import View
from geoshare.query.pyramid import pyramid
from geoshare.query.tiles import Whole, never_whole
from geoshare.query.tilesets import described
from tiles.archive import ArchiveWriter, Summary
from tiles.archive.writer import WORLD

ZOOMS: Final = (0, 16)  # from 16 on every rule of detail shows all that it ever shows, but for size
DEEPEST: Final = 20
_GROWTH: Final = 2.5  # how many times more work a zoom is than the one above it, about
Report = Callable[[float], None]


def write_archive(
    path: Path,
    policy: Policy,
    views: Sequence[View],
    *,
    now_us: int,
    zooms: tuple[int, int] = ZOOMS,
    box: Box | None = None,
    threads: int = 2,
    most_tiles: int | None = None,
    whole: Whole = never_whole,
    report: Report = lambda fraction: None,
    before: Callable[[Summary], None] = lambda summary: None,
) -> tuple[Summary, dict[str, Any]]:
    """Write the tiles that ``/tiles`` answers to one file, which appears whole or not at all.

    Parameters
    ----------
    path, policy, views
        Where to, what the views are of, and the views in the order of the layers.
    now_us
        Moment that is stated as its making, microseconds since 1970.
    zooms, box
        The first and the last zoom; only tiles that meet a box in degrees, each of them whole.
    threads
        That make tiles at once.
    most_tiles
        No more tiles than these are looked at; None: all.
    whole
        As of ``vector_tile``: by default every tile shows what its scale shows.
    report
        Told how far it is, 0 to 1; may raise to stop it.
    before
        Called when the file is whole, before it appears; may raise to keep it from that.

    Returns
    -------
    Checksum and sizes, and what the file says of itself: collections, versions, policy, licences.

    Raises
    ------
    TooLarge
        There are more than ``most_tiles``.
    OSError
        The disk is full. What stood in the file's place stands there still.
    """
    metadata = _metadata(policy, views, now_us, zooms, box)
    looked_at = 0
    made = pyramid(views, zooms, box, threads, whole)
    with ArchiveWriter(path) as writer, closing(made):
        for batch in made:
            for tile_id, packed in zip(batch.ids, batch.tiles, strict=True):
                writer.add(tile_id, packed)
            looked_at += batch.looked_at
            if most_tiles is not None and looked_at > most_tiles:
                raise _too_many(most_tiles)
            report(_share(batch.zoom, batch.done, zooms[1]))
        summary = writer.finish(
            metadata, zooms, _bounds(views, box), check=lambda: report(0.99), before=before
        )
    return summary, metadata["geoshare"]


def _metadata(
    policy: Policy, views: Sequence[View], now_us: int, zooms: tuple[int, int], box: Box | None
) -> dict[str, Any]:
    """What the file says of itself: for map clients, and under ``geoshare`` as extracts say it."""
    said: list[dict[str, Any]] = [
        {
            "id": view.collection.name,
            "title": view.collection.title,
            "title_ja": view.collection.title_ja,
            "features": view.count if box is None else len(view.search(box)),
            "version": view.token,
            "licences": licences_of(policy, view.collection.name),
        }
        for view in views
    ]
    return {
        **described(views, attribution(policy, views), zooms),
        "type": "overlay",
        "version": "1.0.0",
        "geoshare": {
            "format": 1,
            "created": iso(now_us),
            "policy": policy.hash,
            "bbox": None if box is None else list(box),
            "collections": said,
        },
    }


def _bounds(views: Sequence[View], box: Box | None) -> tuple[float, float, float, float]:
    """Box of what is shown; where there is nothing, or it crosses the antimeridian, the world's."""
    extents = [view.extent for view in views if view.extent is not None]
    crossing = box is not None and box.west > box.east
    if not extents or crossing or any(extent.west > extent.east for extent in extents):
        return WORLD
    bounds = [
        max(min(extent.west for extent in extents), WORLD.west),
        max(min(extent.south for extent in extents), WORLD.south),
        min(max(extent.east for extent in extents), WORLD.east),
        min(max(extent.north for extent in extents), WORLD.north),
    ]
    if box is not None:
        inner = [max(bounds[0], box.west), max(bounds[1], box.south)]
        inner += [min(bounds[2], box.east), min(bounds[3], box.north)]
        bounds = inner if inner[0] <= inner[2] and inner[1] <= inner[3] else list(box)
    return bounds[0], bounds[1], bounds[2], bounds[3]


def _share(zoom: int, done: float, last: int) -> float:
    """About how much of all the work lies behind, 0 to 0.98."""
    behind = sum(_GROWTH**z for z in range(zoom)) + done * _GROWTH**zoom
    return 0.98 * behind / sum(_GROWTH**z for z in range(last + 1))


def _too_many(most: int) -> TooLarge:
    return TooLarge(
        "The archive would hold too many tiles; ask for a smaller area or fewer zooms.",
        message_ja="タイルが多すぎます。範囲またはズームを狭めてください。",
        parameter="max_zoom",
        allowed=f"{most} tiles",
    )
