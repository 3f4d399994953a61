"""Removing from the views' folder what was shown of some collections and is shown no more."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from geoshare.access.kept import kept_path
from geoshare.access.manifest import manifest_path, read_manifest
from geoshare.errors import Unavailable


def purge_views(
    views_dir: Path, held: Collection[str], names: Iterable[str], gone: Iterable[str]
) -> None:
    """Leave of some collections nothing but what the current views are made of.

    Parameters
    ----------
    held
        Hashes of the policies that somebody holds. Views of others go as a whole.
    names
        Collections: of these, files that no current view names go, and so does what was kept of
        their past. Who asks for it is told that it is not known any more.
    gone
        Collections that there are not any more.
    """
    wanted, dropped = sorted(names), set(gone)
    for folder in [path for path in views_dir.glob("*") if path.is_dir()]:
        if folder.name not in held:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for path in folder.glob(".*"):  # what a keeper that was killed had begun to write
            _remove(path)
        for name in wanted:
            _remove(kept_path(views_dir, folder.name, name))
            _purge(folder / name, manifest_path(views_dir, folder.name, name))
        for name in dropped:
            for path in folder.glob(f"{name}.*"):
                _remove(path)
            _remove(folder / name)


def _purge(folder: Path, manifest: Path) -> None:
    named: set[str] = set()
    with suppress(OSError, ValueError, KeyError, TypeError, Unavailable):
        named = read_manifest(manifest).files
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.removesuffix(".json") not in named:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
