"""Two small collections whose values differ in type alone, for clients that read tiles."""

from __future__ import annotations

import json
from typing import Any

from tests.api.test_contributing import finished, send

LON, LAT = 139.0, 35.0
Z, X, Y = 13, 7259, 3244  # the tile that holds all of it
NAMES = ("typed_points", "typed_lines")
VALUES = (
    {"whole": 1, "real": 1.0, "flag": True, "text": "1"},
    {"whole": 2, "real": 2.5, "flag": False, "text": "true"},
)


def typed_collections(live_server: Any) -> str:
    """Contribute them, if they are not there yet; their names as a path has them."""
    for name in NAMES:
        features = []
        for number, values in enumerate(VALUES):
            place = [LON + 0.002 * number, LAT + 0.001 * number]
            end = [place[0] + 0.01, place[1] + 0.01]
            geometry = (
                {"type": "Point", "coordinates": place}
                if name == "typed_points"
                else {"type": "LineString", "coordinates": [place, end]}
            )
            features.append({"type": "Feature", "geometry": geometry, "properties": values})
        body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        path = f"/contributions?collection={name}&filename={name}.geojson"
        status, _, answer = send(live_server, path, body, "operator")
        assert status in (200, 202), answer
        finished(live_server, json.loads(answer)["id"], "operator")
    return ",".join(NAMES)
