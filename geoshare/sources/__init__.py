"""Readers: one per incoming format, each handing over batches in the vocabulary and filling a report."""

from geoshare.sources.reading import READERS, read_file
from geoshare.sources.request import Bounds, ReadRequest, SourceReader

__all__ = ["READERS", "Bounds", "ReadRequest", "SourceReader", "read_file"]
