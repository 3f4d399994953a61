"""The rules of OpenDRIVE by which a map is checked while it is read.

Ids are those under which ASAM publishes its rules (and its checker reports them); a rule holds from
the version in its id on. ``Checks`` is shown every top element and answers with findings when the
map's frame is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from lxml import etree

from geoshare.model.findings import MAX_FINDINGS, Finding
from geoshare.sources.opendrive.rules import gaps, junctions, links, shapes, structure
from geoshare.sources.opendrive.rules.facts import Facts, Fault, junction_facts, road_facts
from geoshare.sources.opendrive.xml import word

Rule = Callable[[Facts], Iterator[Fault]]
Place = Callable[[np.ndarray], np.ndarray]  # (n, 3) in the map's metres -> longitude, latitude, height
# rule -> first version of the standard it is asked of, and the last one (None: all later ones)
RULES: Final[tuple[tuple[Rule, tuple[int, int], tuple[int, int] | None], ...]] = (
    (links.levels, (1, 7), None),
    (shapes.access, (1, 7), None),
    (links.lanes_across, (1, 4), None),
    (links.junction_needed, (1, 4), None),
    (links.zero_widths, (1, 7), None),
    (links.appearing, (1, 4), None),
    (junctions.incoming_roads, (1, 4), None),
    (junctions.one_element, (1, 7), (1, 7)),
    (junctions.one_link, (1, 8), None),
    (junctions.contacts, (1, 7), None),
    (shapes.ascending, (1, 4), None),
    (shapes.contact_points, (1, 7), None),
    (shapes.parametric_cubics, (1, 7), None),
    (shapes.borders, (1, 4), None),
    (shapes.redundant, (1, 7), None),
    (gaps.gaps, (1, 7), None),
)


class Checks:
    """Takes a map's top elements one by one, and finds what breaks the rules."""

    def __init__(self) -> None:
        self.facts = Facts()
        self._header = False
        self._faults: list[Fault] = []

    def take(self, element: etree._Element) -> None:
        """Note what an element states; its contents may go afterwards."""
        if element.tag == "header":
            self._header = True
            self._faults.extend(structure.header_faults(element))
            said = word(element, "revMajor"), word(element, "revMinor")
            if all(part.isdigit() for part in said):
                self.facts.version = (int(said[0]), int(said[1]))
        elif element.tag == "road":
            road = road_facts(element)
            self._faults.extend(structure.road_faults(element, road))
            self._unique(road.id in self.facts.roads, f"road/{road.id}")
            self.facts.roads.setdefault(road.id, road)
        elif element.tag == "junction":
            name = word(element, "id")
            self._faults.extend(structure.junction_faults(element))
            self._unique(name in self.facts.junctions, f"junction/{name}")
            self.facts.junctions.setdefault(name, junction_facts(element))

    def _unique(self, known: bool, name: str) -> None:
        if known:
            self._faults.append(
                Fault(
                    "asam.net:xodr:1.4.0:ids.id_unique_in_class",
                    "error",
                    name,
                    "The id is used more than once; the first use counts for what is linked to it.",
                    "同じidが複数回使われています。接続の判定には最初のものを使いました。",
                )
            )

    def faults(self) -> list[Fault]:
        """Everything found, each once."""
        found = list(self._faults)
        if not self._header:
            found.extend(structure.header_faults(None))
        for rule, first, last in RULES:
            if self.facts.since(*first) and (last is None or self.facts.version <= last):
                found.extend(rule(self.facts))
        return list(dict.fromkeys(found))

    def findings(self, place: Place | None) -> list[Finding]:
        """The faults as findings; at most ``MAX_FINDINGS`` have a place, none without a frame."""
        found = self.faults()
        places: list[tuple[float, float] | None] = [None] * len(found)
        rows = [row for row, fault in enumerate(found[:MAX_FINDINGS]) if fault.xy is not None]
        if place is not None and rows:
            xy = np.array([found[row].xy for row in rows], np.float64)
            lon_lat = place(np.column_stack([xy, np.zeros(len(rows))]))[:, :2]
            for row, (lon, lat) in zip(rows, lon_lat.tolist(), strict=True):
                if np.isfinite([lon, lat]).all():
                    places[row] = (round(lon, 7), round(lat, 7))
        return [
            Finding(fault.rule, fault.severity, fault.feature, fault.en, fault.ja, at)
            for fault, at in zip(found, places, strict=True)
        ]
