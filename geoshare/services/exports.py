"""Whole views as files, for the command line: the operator's own hand, under a tier that is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.tiers import OPEN
from geoshare.access.view import View
from geoshare.errors import BadRequest, Unavailable
from geoshare.extracts import ExtractRequest, write_extract, write_page
from geoshare.extracts.archive import DEEPEST, write_archive
from geoshare.extracts.maps.planning import plan
from geoshare.extracts.maps.request import PrintRequest
from geoshare.extracts.maps.write import write_prints
from geoshare.model.box import Box
from geoshare.services import Services
from geoshare.services.auditing import sealing
from geoshare.services.scratch import scratch_folder
from tiles.archive import Summary

MAX_LAYERS = 32


def export_pmtiles(
    services: Services,
    names: Sequence[str],
    path: Path,
    *,
    tier: str = OPEN,
    zooms: tuple[int, int],
    bbox: Box | None = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> dict[str, Any]:
    """Write what a tier may take away of some collections; the file appears whole or not at all.

    It appears once its entry in the audit log is on the disk; until then, and after any error, what
    stood in its place stands there.

    Returns
    -------
    SHA-256, bytes and tiles of the file, and what it says of itself.

    Raises
    ------
    NotFound
        For a collection that the tier does not hold, like one that does not exist.
    BadRequest
        For a tier or zooms that do not exist, rasters, a format that is not granted.
    Unavailable
        Where the keeper has not built the view yet, the disk is full, or the log cannot be written.
    """
    policy = services.policies.of_tier(tier, "download")
    _check(names, path, zooms, bbox)
    views = []
    for name in names:
        view = services.views.get(policy, name)
        if not isinstance(view, View):
            raise BadRequest(
                f"{name} holds rasters", parameter="NAMES", allowed="collections of features"
            )
        granted = policy.formats(name)
        if "pmtiles" not in granted:
            raise BadRequest(
                f"The tier {tier} may not take {name} away as PMTiles",
                parameter="--pmtiles",
                allowed=", ".join(sorted(granted)),
            )
        views.append(view)

    def note(made: Summary) -> None:  # what has no entry does not leave
        said = {"tier": tier, "collections": list(names), "sha256": made.sha256}
        services.trail.append("export.create", COMMAND_LINE, detail=said)

    now_us = services.clock.now_us()
    try:
        summary, said = write_archive(
            path, policy, views, now_us=now_us, zooms=zooms, box=bbox, report=report, before=note
        )
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
    return {**summary._asdict(), **said}


def export_extract(
    services: Services,
    request: ExtractRequest,
    path: Path,
    *,
    tier: str = OPEN,
    report: Callable[[float, str], None] = lambda fraction, text: None,
) -> dict[str, Any]:
    """Write an extract of what a tier may take away; it appears whole, sealed, or not at all.

    Returns
    -------
    SHA-256 and size of the file, and features of each collection.

    Raises
    ------
    NotFound, BadRequest, TooLarge
        as ``write_extract`` and ``write_page``.
    Unavailable
        Where a view is not there, the disk is full, or the log cannot be written: the entry's place
        in it is given by a running keeper.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise BadRequest("there is no such folder", parameter="FILE", allowed="a file's path")
    policy = services.policies.of_tier(tier, "download")
    seal = sealing(services.trail, COMMAND_LINE, Party(subject=path.name))
    write = write_page if request.format == "html" else write_extract
    try:
        with scratch_folder(services.scratch()) as folder:
            aside = folder / "whole"
            now_us = services.clock.now_us()
            found = write(
                request, policy, services.views, aside, now_us=now_us, work_dir=folder,
                progress=report, seal=seal,
            )  # fmt: skip
            shutil.move(aside, path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
    return found


def export_print(
    services: Services,
    request: PrintRequest,
    path: Path,
    *,
    tier: str = OPEN,
    report: Callable[[float], None] = lambda fraction: None,
) -> dict[str, Any]:
    """Write a map of what a tier may take away as a PDF; the file appears whole or not at all.

    Returns
    -------
    SHA-256, bytes, pages, scale and CRS of the file.

    Raises
    ------
    NotFound, BadRequest, TooLarge
        as :func:`geoshare.extracts.maps.planning.plan`.
    Unavailable
        Where a view or the font is not there, the disk is full, or the log cannot be written.
    """
    if not path.parent.is_dir() or path.is_dir():
        raise BadRequest("there is no such folder", parameter="FILE", allowed="a file's path")
    made = plan(request, services.policies.of_tier(tier, "download"), services.views)
    link = request.link or f"{services.settings.public_url.rstrip('/')}/map"
    if not link.startswith("http"):
        raise BadRequest(
            "This server has no public address for the QR code",
            parameter="--link",
            allowed="an http or https address, or set GEOSHARE_PUBLIC_URL",
        )
    aside = path.with_name(f".{path.name}.part")
    try:
        found = write_prints(
            made,
            aside,
            link=link,
            now_us=services.clock.now_us(),
            progress=lambda fraction, message: report(fraction),
        )
        said = {"tier": tier, "collections": list(made.views), "sha256": found["sha256"]}
        services.trail.append("print.create", COMMAND_LINE, detail=said)
        aside.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
    return found


def _check(names: Sequence[str], path: Path, zooms: tuple[int, int], bbox: Box | None) -> None:
    if not names or len(names) > MAX_LAYERS or len(set(names)) != len(names):
        raise BadRequest(
            "Too many or repeated collections",
            parameter="NAMES",
            allowed=f"1 to {MAX_LAYERS} different names",
        )
    if not path.parent.is_dir() or path.is_dir():
        raise BadRequest("there is no such folder", parameter="--pmtiles", allowed="a file's path")
    if not 0 <= zooms[0] <= zooms[1] <= DEEPEST:
        raise BadRequest(
            "The zooms are out of range", parameter="--max-zoom", allowed=f"0 to {DEEPEST}, in order"
        )
    # written so that a number that is none fails too
    if bbox is not None and not (
        -180 <= bbox.west <= 180 and -180 <= bbox.east <= 180 and -90 <= bbox.south <= bbox.north <= 90
    ):
        raise BadRequest(
            "The box lies outside the world",
            parameter="--bbox",
            allowed="west south east north in degrees",
        )
