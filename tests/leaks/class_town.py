"""What providers also contribute under a release class that no tier under test reads.

The full record has records of the same names and providers once more, with other values and somewhat
elsewhere, of some collections of every sort: named by their providers, by a value, and pictures.
"""

from __future__ import annotations

import random
from typing import Any

from tests.leaks.claim_town import beside

CLASS = "partners"
ON = ("segments", "connectors", "places", "events", "admin_areas", "evacuation_areas", "satellite")
MOST = 10
FAR_DEG = 0.00001  # a metre: where both state how accurate they are, it would be the same thing


def features(first: list[dict[str, Any]], hidden: random.Random) -> list[dict[str, Any]]:
    """Some of these features under the same names, as they are told to partners alone."""
    found = []
    for feature in first[:MOST]:
        said = dict(feature["properties"])
        if hidden.random() < 0.5 and "name" in said:
            said["name"] = "協力企業のみ Station Road"
        shape = beside(feature["geometry"], hidden.choice((0.0, FAR_DEG)))
        found.append({**feature, "properties": said, "geometry": shape})
    return found
