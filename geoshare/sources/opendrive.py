"""OpenDRIVE maps are recognised and skipped with a line that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geoshare.model.batch import FeatureBatch
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.request import ReadRequest


class OpenDriveReader:
    """Says that OpenDRIVE comes later."""

    name = "opendrive"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the root element or the file name."""
        return b"<OpenDRIVE" in head or path.suffix.lower() == ".xodr"

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """No batches; a note."""
        report.format = "OpenDRIVE"
        report.note(messages.later_format(path.name))
        yield from ()
