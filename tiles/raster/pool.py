"""Open raster files, shared by threads: bounded handles, bounded decoded blocks.

A GDAL handle may be used by one thread at a time, so each has a lock, held only while a block is
decoded. What tiles are made of comes from the cache of decoded blocks, which needs no handle.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from tiles.raster.errors import RasterError
from tiles.raster.frame import Frame, Level, read_frame, to_type, valid_of
from tiles.raster.kernels import add_up, halve

BLOCK = 512  # pixels of a side of the blocks that are cached
_MAX_FRAMES = 4096
_T = TypeVar("_T")
_OPTIONS = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_CACHEMAX": 64_000_000}


class Block(NamedTuple):
    """Decoded pixels (h, w, bands) in the file's type, and where they are valid (0 or 1)."""

    data: NDArray
    valid: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Memory it takes; one byte repeated over a wholly valid block takes none to speak of."""
        return self.data.nbytes + (self.valid.nbytes if any(self.valid.strides) else 1)

    @classmethod
    def of(cls, data: NDArray, valid: NDArray[np.uint8]) -> Block:
        """Keep a mask only where it says something."""
        return cls(data, np.broadcast_to(np.uint8(1), valid.shape) if valid.all() else valid)


class _Handle:
    __slots__ = ("dataset", "lock")

    def __init__(self, dataset: rasterio.DatasetReader) -> None:
        self.dataset = dataset
        self.lock = threading.Lock()


class Pool:
    """Frames, handles and decoded blocks of raster files, each bounded, for any number of threads.

    Files are taken to be immutable: a replaced file must have a new path.
    """

    def __init__(self, max_handles: int = 128, max_bytes: int = 192_000_000) -> None:
        self._mutex = threading.Lock()
        self._frames: OrderedDict[str, Frame] = OrderedDict()
        self._handles: OrderedDict[tuple[str, int], _Handle] = OrderedDict()
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()
        self._bytes = 0
        self._max_handles = max_handles
        self._max_bytes = max_bytes

    @property
    def cached_bytes(self) -> int:
        """Memory the decoded blocks take now."""
        return self._bytes

    @property
    def open_handles(self) -> int:
        """Handles that are open now."""
        return len(self._handles)

    def frame(self, path: str) -> Frame:
        """Say what the file is.

        Raises
        ------
        RasterError
            if it is missing, broken, or says too little of itself.
        """
        with self._mutex:
            frame = self._frames.get(path)
            if frame is not None:
                self._frames.move_to_end(path)
                return frame
        frame = self._with_dataset(path, -1, lambda dataset: read_frame(path, dataset))
        with self._mutex:
            self._frames[path] = frame
            while len(self._frames) > _MAX_FRAMES:
                self._frames.popitem(last=False)
        return frame

    def block(self, frame: Frame, level: Level, row: int, column: int, bands: tuple[int, ...]) -> Block:
        """Decode block (row, column) of a level, of 0-based bands; from the cache where possible."""
        key = (frame.path, level, row, column, bands)
        if level.overview is None:
            make = self._folded if level.honest else self._halved
            return self.remember(key, lambda: make(frame, level, row, column, bands))
        return self.remember(key, lambda: self._decode(frame, level, row, column, bands, key))

    def remember(self, key: Hashable, make: Callable[[], Block]) -> Block:
        """Keep what ``make`` returns under ``key``, within the bound of bytes."""
        known = self._known(key)
        if known is not None:
            return known
        block = make()
        with self._mutex:
            if key not in self._blocks:
                self._blocks[key] = block
                self._bytes += block.nbytes
            while self._bytes > self._max_bytes and len(self._blocks) > 1:
                _, dropped = self._blocks.popitem(last=False)
                self._bytes -= dropped.nbytes
        return block

    def _known(self, key: Hashable) -> Block | None:
        with self._mutex:
            block = self._blocks.get(key)
            if block is not None:
                self._blocks.move_to_end(key)
            return block

    def close(self) -> None:
        """Close every handle and forget every block."""
        with self._mutex:
            handles = list(self._handles.values())
            self._handles.clear()
            self._frames.clear()
            self._blocks.clear()
            self._bytes = 0
        for handle in handles:
            with handle.lock:
                handle.dataset.close()

    def _decode(
        self,
        frame: Frame,
        level: Level,
        row: int,
        column: int,
        bands: tuple[int, ...],
        key: Hashable,
    ) -> Block:
        window = Window(
            column * BLOCK,
            row * BLOCK,
            min(BLOCK, level.width - column * BLOCK),
            min(BLOCK, level.height - row * BLOCK),
        )
        numbers = [band + 1 for band in bands]

        def decode(dataset: rasterio.DatasetReader) -> Block:
            known = self._known(key)  # another thread may have decoded it while this one waited
            if known is not None:
                return known
            data = np.ascontiguousarray(dataset.read(numbers, window=window).transpose(1, 2, 0))
            if not frame.masked:
                return Block.of(data, valid_of(data, frame.nodata))
            mask = dataset.read_masks(numbers, window=window).transpose(1, 2, 0)
            return Block.of(data, np.ascontiguousarray(mask > 0).view(np.uint8))

        overview = -1 if level.overview is None else level.overview
        return self._with_dataset(frame.path, overview, decode)

    def _folded(
        self, frame: Frame, level: Level, row: int, column: int, bands: tuple[int, ...]
    ) -> Block:
        """Mean of full pixels, each footprint at least half valid: what a stored overview would be."""
        full = frame.honest_levels[0]
        times = 2**level.number
        height = min(BLOCK, level.height - row * BLOCK)
        width = min(BLOCK, level.width - column * BLOCK)
        totals = np.zeros((height, width, len(bands)), np.float64)
        counts = np.zeros(totals.shape, np.int64)
        for down in range(row * times, min((row + 1) * times, -(-full.height // BLOCK))):
            for right in range(column * times, min((column + 1) * times, -(-full.width // BLOCK))):
                block = self.block(frame, full, down, right, bands)
                place = (down * BLOCK // times - row * BLOCK, right * BLOCK // times - column * BLOCK)
                valid = np.ascontiguousarray(block.valid)
                add_up(block.data.astype(np.float64), valid, times, place, totals, counts)
        enough = (counts * 2 >= times * times).astype(np.uint8)
        means = totals / np.maximum(counts, 1)
        return Block.of(to_type(means, enough, frame.dtype, frame.nodata), enough)

    def _halved(
        self, frame: Frame, level: Level, row: int, column: int, bands: tuple[int, ...]
    ) -> Block:
        """Mean of 2 x 2 pixels of the level before: for pictures of files without overviews."""
        finer = frame.levels[level.number - 1]
        rows = []
        for down in (2 * row, 2 * row + 1):
            blocks = [
                self.block(frame, finer, down, right, bands)
                for right in (2 * column, 2 * column + 1)
                if down * BLOCK < finer.height and right * BLOCK < finer.width
            ]
            if blocks:
                rows.append([np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)])
        data, valid = (np.concatenate(parts, axis=0) for parts in zip(*rows, strict=True))
        means, enough = halve(data.astype(np.float64), valid)
        return Block.of(to_type(means, enough, frame.dtype, frame.nodata), enough)

    def _with_dataset(
        self, path: str, overview: int, use: Callable[[rasterio.DatasetReader], _T]
    ) -> _T:
        """Run ``use`` on a handle that no other thread has meanwhile."""
        try:
            with rasterio.Env(**_OPTIONS):
                while True:
                    handle = self._handle(path, overview)
                    with handle.lock:
                        if not handle.dataset.closed:  # else dropped between the two lines above
                            return use(handle.dataset)
        except RasterioError as error:
            raise RasterError("a raster file cannot be read") from error

    def _handle(self, path: str, overview: int) -> _Handle:
        key = (path, overview)
        with self._mutex:
            handle = self._handles.get(key)
            if handle is not None:
                self._handles.move_to_end(key)
                return handle
        options = {} if overview < 0 else {"overview_level": overview}
        # Only the format that we write ourselves: no other driver gets to see a contributed file here.
        handle = _Handle(rasterio.open(path, driver="GTiff", **options))
        dropped: list[_Handle] = []
        with self._mutex:
            kept = self._handles.setdefault(key, handle)
            if kept is not handle:
                dropped.append(handle)
            while len(self._handles) > self._max_handles:
                dropped.append(self._handles.popitem(last=False)[1])
        for old in dropped:
            with old.lock:
                old.dataset.close()
        return kept
