"""Readers: one per incoming format, handing over batches in the vocabulary and filling a report."""

from geoshare.sources.preview import preview
from geoshare.sources.reading import READERS, read_file
from geoshare.sources.request import Bounds, ReadRequest, SourceReader
from geoshare.sources.xlsx import write_refused

__all__ = [
    "READERS",
    "Bounds",
    "ReadRequest",
    "SourceReader",
    "preview",
    "read_file",
    "write_refused",
]
