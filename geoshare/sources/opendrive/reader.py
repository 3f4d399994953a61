"""The reader of OpenDRIVE maps: one look for what leads where, one for the shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from lxml import etree

from geoshare.errors import BadData
from geoshare.model.batch import FeatureBatch
from geoshare.model.report import Report
from geoshare.model.roads import CHORD_M
from geoshare.sources import messages
from geoshare.sources.opendrive.build import RoadBuilder
from geoshare.sources.opendrive.fragments import text_of
from geoshare.sources.opendrive.junctions import junction_of
from geoshare.sources.opendrive.links import Network
from geoshare.sources.opendrive.map import MapContext
from geoshare.sources.opendrive.parse import is_left_hand
from geoshare.sources.opendrive.places import check_places, frame_of
from geoshare.sources.opendrive.rules import Checks
from geoshare.sources.opendrive.xml import BrokenError, elements, number, word
from geoshare.sources.records import Record, batches
from geoshare.sources.request import ReadRequest

_TAKEN = frozenset(["header", "road", "junction", "controller"])
_RULE_SINCE = (1, 7)


class OpenDriveReader:
    """Parametric road maps: lanes, boundaries, segments, junctions, signals, objects."""

    name = "opendrive"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the root element, or the file name of what is XML at all."""
        return b"<OpenDRIVE" in head or (
            path.suffix.lower() == ".xodr" and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        )

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches, collection by collection."""
        report.format = "OpenDRIVE"
        look = _look(path, request, report)
        try:
            frame = frame_of(look.header, request, report)
            check_places(frame, look.places(report), look.header, report)
        except BadData:
            report.find(look.checks.findings(None))
            raise
        report.find(look.checks.findings(frame.apply))
        declared = {"crs": request.crs} if request.crs else {}
        context = MapContext(
            frame,
            look.network,
            look.version,
            CHORD_M,
            request.part,
            declared | ({"offset": list(request.offset)} if request.offset else {}),
        )
        yield from batches(_records(path, request, context, report), report)


class _Look:
    """What is known of a file before its shapes are made."""

    def __init__(self) -> None:
        self.network = Network()
        self.checks = Checks()
        self.header: etree._Element | None = None
        self.version = ""
        self.left_hand = False
        self.others: Counter[str] = Counter()
        self._starts: list[tuple[float, float]] = []

    def take(self, element: etree._Element) -> None:
        self.network.take(element)
        self.checks.take(element)
        if element.tag == "header":
            self.header = etree.fromstring(text_of(element))
            self.version = f"{word(element, 'revMajor')}.{word(element, 'revMinor')}"
        elif element.tag == "road":
            self.left_hand |= is_left_hand(element)
            for item in element.iterfind("planView/geometry"):
                try:
                    self._starts.append((number(item, "x"), number(item, "y")))
                except BrokenError:
                    continue
                break
        elif element.tag not in _TAKEN:
            self.others[str(element.tag)] += 1

    def places(self, report: Report) -> np.ndarray:
        """Where the roads begin (n, 3), in the map's own metres."""
        if not self._starts:
            raise messages.refuse_and_note(report, messages.no_rows())
        return np.column_stack([np.array(self._starts), np.zeros(len(self._starts))])


def _look(path: Path, request: ReadRequest, report: Report) -> _Look:
    look = _Look()
    for element in elements(path, request.bounds, report):
        look.take(element)
    try:
        version = tuple(int(part) for part in look.version.split("."))
    except ValueError:
        version = ()
    if look.left_hand and version and version < _RULE_SINCE:
        report.note(messages.left_hand_early(look.version))
    if look.others:
        report.note(messages.not_kept(dict(look.others)))
    return look


def _records(path: Path, request: ReadRequest, context: MapContext, report: Report) -> Iterator[Record]:
    missing = list(dict.fromkeys(context.network.missing))
    if missing:
        report.note(messages.links_missing(len(missing), ", ".join(missing[:3])))
    builder = RoadBuilder(context, report)
    for element in elements(path, request.bounds, report):
        if element.tag == "road":
            yield from builder.road(element)
        elif element.tag == "junction":
            record = junction_of(element, context, builder.hulls.pop(word(element, "id"), []))
            if record is not None:
                yield record
    yield from builder.connectors()
    builder.finish()
