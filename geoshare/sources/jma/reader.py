"""Recognises a telegram that was sent as an ordinary contribution, and says where it belongs.

A telegram means something only in its place among the others, which a single file does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.jma.tree import REPORT
from geoshare.sources.request import ReadRequest


class TelegramReader:
    """Refuses a telegram, by a message that says where to put it."""

    name = "jma"

    def recognises(self, path: Path, head: bytes) -> bool:
        """Whether the file begins as a telegram does."""
        return b"<Report" in head and REPORT.encode() in head

    def read(
        self, path: Path, request: ReadRequest, report: Report
    ) -> Iterator[FeatureBatch | RasterItem]:
        """Refuse the file."""
        raise messages.refuse_and_note(report, messages.telegram_elsewhere())
