"""Views as of a time: what a view showed then, made of what it shows now and of what was kept."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from geoshare.access.kept import Undo, kept_path, way_back
from geoshare.access.view import Layer, View, restrict
from geoshare.errors import Gone
from tiles.geometry.convert import from_wkb
from tiles.pack import Pack, Selection, open_part, write_part
from tiles.pack.model import to_bitmap, to_mask

REMEMBERED: Final = 8


class AsOf:
    """Makes views as of a time; safe to use from several threads.

    Parameters
    ----------
    views_dir
        Folder of the views.
    scratch
        Gives a folder for files that nobody misses.
    """

    def __init__(self, views_dir: Path, scratch: Path) -> None:
        self._views_dir = views_dir
        self._scratch = scratch
        self._made: OrderedDict[tuple[str, str, str, str], View] = OrderedDict()
        self._lock = threading.Lock()

    def view(self, now: View, moment_us: int) -> View:
        """What a view showed at a moment (microseconds since 1970, UTC).

        What it shows now, for a moment that is not past. Its rows, columns and geometry are those that
        it showed then; nothing but the view and its own past is looked at.

        Raises
        ------
        Gone
            where that is not known.
        """
        path = kept_path(self._views_dir, now.policy_hash, now.collection.name)
        found = way_back(path, now.token, moment_us)
        if found is None:
            raise Gone(
                "What was shown then is not known any more",
                parameter="as_of",
                allowed="a time since which nothing but features has changed in what you may see",
                message_ja="その時点の内容は保存されていません",
            )
        if not found.ids:
            return now
        key = (now.policy_hash, now.collection.name, now.token, found.token)
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = self._gone_back(now, found)
        with self._lock:
            self._made[key] = made
            while len(self._made) > REMEMBERED:
                self._made.popitem(last=False)
        return made

    def _gone_back(self, now: View, undo: Undo) -> View:
        ids = sorted(undo.ids)
        layers = [_without(layer, ids) for layer in now.layers]
        if sum(len(table) for table in undo.rows):
            layers.append(self._layer(now, pa.concat_tables(undo.rows, promote_options="default")))
        return now.showing(layers, undo.token)

    def _layer(self, now: View, rows: pa.Table) -> Layer:
        """Rows as they were, as a layer of their own."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._scratch, prefix="as-of-"))
        try:
            shapes = from_wkb(rows.column("geometry").combine_chunks())
            info = write_part(folder / "rows.part", rows.drop_columns(["geometry"]), shapes, now.fields)
            part = open_part(folder / "rows.part", info)  # stays mapped when its name is gone
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        pack = Pack([part])
        shown = {id(part.table): restrict(part.table, now.fields, ())}
        return Layer(pack, Selection.everything(pack), shown, (info.checksum,), tuple(now.fields))


def _without(layer: Layer, ids: list[str]) -> Layer:
    """A layer without the rows of some features."""
    bitmaps = []
    for part, bits in zip(layer.pack.parts, layer.selection.bits(layer.pack), strict=True):
        rows = part.rows_of(ids)
        mask = to_mask(bits, len(part))
        mask[rows[rows >= 0]] = False
        bitmaps.append(to_bitmap(mask))
    return replace(layer, selection=Selection(layer.selection.digests, tuple(bitmaps)))
