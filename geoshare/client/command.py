"""``geoshare sync``: files of an area, kept up to date. Imports little, so that it starts at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import orjson

from geoshare.client.client import BBox, Client
from geoshare.client.http import ClientError
from geoshare.client.sync import FORMATS, sync

_NAMED: Final = 3
OPTIONS: Final = {
    "url": "--server",
    "key": "--key-file",
    "area": "--area",
    "bbox": "--area",
    "format": "--format",
    "folder": "FOLDER",
    "collections": "--collections",
}
"""What the command line calls the parameters of the client."""


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
        click.echo(f"error {named(error)}", err=True)
        sys.exit(1)
    for name, count in found.changed.items():
        every = "" if name != "files" else f" of {len(found.files):,}"
        click.echo(f"{name}: {count:,}{every} changed")
    what = _here(folder, found.files) if found.written else "nothing has changed"
    click.echo(f"{what} ({found.received:,} bytes received)")


def _here(folder: Path, files: Sequence[Path]) -> str:
    """Where what was written lies: a few files by their names, many by their folder."""
    if len(files) > _NAMED:
        return f"{folder} is up to date"
    return ", ".join(str(path) for path in files)


def named(error: ClientError) -> str:
    """An error with the option of the command line that it is about."""
    option = OPTIONS.get(error.parameter or "", error.parameter)
    return str(ClientError(error.message, parameter=option, allowed=error.allowed))


def read_key(path: Path | None) -> str | None:
    """The key that a file holds; a key on a command line could be read by others."""
    if path is None:
        return None
    allowed = "a file that holds one key and nothing else"
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no text"
        raise ClientError(f"{path}: {why}", parameter="--key-file", allowed=allowed) from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ClientError(f"{path} holds no key", parameter="--key-file", allowed=allowed)
    return key


def read_area(text: str) -> BBox:
    """A box from ``W,S,E,N``, or the box around a GeoJSON file."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = _around(Path(text))
    if len(numbers) != 4:
        raise _no_area(f"{text} is no box of four numbers")
    west, south, east, north = numbers
    return west, south, east, north


def _no_area(why: str) -> ClientError:
    return ClientError(why, parameter="--area", allowed="W,S,E,N in degrees, or a GeoJSON file")


def _around(path: Path) -> list[float]:
    if not path.is_file():
        raise _no_area(f"{path} is neither four numbers nor a file")
    try:
        places = list(_places(orjson.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise _no_area(f"{path} is no GeoJSON file") from error
    if not places:
        raise _no_area(f"{path} has no place")
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
