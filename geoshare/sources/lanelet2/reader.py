"""The reader of Lanelet2 maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from geoshare.errors import BadData
from geoshare.model.batch import FeatureBatch
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.lanelet2.build import MapBuilder
from geoshare.sources.lanelet2.elements import read_elements
from geoshare.sources.lanelet2.places import locate
from geoshare.sources.lanelet2.rules import check
from geoshare.sources.records import batches
from geoshare.sources.request import ReadRequest

_RELATIONS = frozenset(["lanelet", "multipolygon", "regulatory_element"])


class LaneletReader:
    """OSM XML with lanelets: lanes, boundaries, rules, areas, structures, roadside features."""

    name = "lanelet2"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the root element."""
        return b"<osm" in head or (path.suffix.lower() == ".osm" and head.lstrip().startswith(b"<"))

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches, collection by collection."""
        report.format = "Lanelet2"
        elements = read_elements(path, request.bounds, report)
        if not any(item.tags.get("type") in _RELATIONS for item in elements.relations.values()):
            raise messages.refuse_and_note(report, messages.no_lanelets())
        try:
            places = locate(elements, request, report)
        except BadData:
            report.find(check(elements, None))
            raise
        report.find(check(elements, places))
        builder = MapBuilder(elements, places, report)
        yield from batches(builder.records(), report)
