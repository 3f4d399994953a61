"""``geoshare sync``: files of an area, kept up to date. Imports little, so that it starts at once."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from geoshare.client.client import BBox, Client
from geoshare.client.http import ClientError
from geoshare.client.sync import FORMATS, sync


@click.command("sync")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--server", required=True, metavar="URL", help="Address of the server.")
@click.option(
    "--area",
    metavar="W,S,E,N",
    help="A box in degrees, or a GeoJSON file, whose box is taken; left out: everything.",
)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="gpkg", show_default=True)
@click.option("--collections", metavar="NAME[,NAME...]", help="Which; left out: all that belong to it.")
@click.option(
    "--key-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the API key."
)
@click.option(
    "--verify", is_flag=True, help="Compare every feature with the server, and mend the copy."
)
def area(
    folder: Path,
    server: str,
    area: str | None,
    kind: str,
    collections: str | None,
    key_file: Path | None,
    verify: bool,
) -> None:
    """Keep files of an area in FOLDER up to date: fetched once, then by what has changed.

    It can be interrupted at any time, and goes on when it is called again.
    """
    try:
        found = sync(
            Client(server, read_key(key_file)),
            folder,
            None if area is None else read_area(area),
            kind,
            collections=collections.split(",") if collections else None,
            verify=verify,
        )
    except ClientError as error:
        click.echo(f"error {error.message}", err=True)
        sys.exit(1)
    for name, count in found.changed.items():
        click.echo(f"{name}: {count:,} changed" if name != "files" else f"{count:,} files")
    what = ", ".join(str(path) for path in found.files) if found.written else "nothing has changed"
    click.echo(f"{what} ({found.received:,} bytes received)")


def read_key(path: Path | None) -> str | None:
    """The key that a file holds; a key on a command line could be read by others."""
    if path is None:
        return None
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}") from error


def read_area(text: str) -> BBox:
    """A box from ``W,S,E,N``, or the box around a GeoJSON file."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = _around(Path(text))
    if len(numbers) != 4:
        raise ClientError("--area is W,S,E,N in degrees, or a GeoJSON file")
    west, south, east, north = numbers
    return west, south, east, north


def _around(path: Path) -> list[float]:
    try:
        places = list(_places(orjson.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise ClientError(f"--area: {path} is no GeoJSON file") from error
    if not places:
        raise ClientError(f"--area: {path} has no place")
    lons, lats = zip(*places, strict=True)
    return [min(lons), min(lats), max(lons), max(lats)]


def _places(said: object) -> list[tuple[float, float]]:
    """All positions below a GeoJSON object."""
    if isinstance(said, dict):
        parts = [said.get(name) for name in ("features", "geometry", "geometries", "coordinates")]
        return [place for part in parts if part is not None for place in _places(part)]
    if isinstance(said, list) and said and isinstance(said[0], int | float):
        return [(float(said[0]), float(said[1]))]
    return [place for part in said for place in _places(part)] if isinstance(said, list) else []
