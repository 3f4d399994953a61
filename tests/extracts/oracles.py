"""Lanelet2's own libraries as judges of maps. They are never dependencies: each lives apart.

Environments are folders ``upstream`` (``pip install lanelet2``) and ``simple`` (``pip install
simple-lanelet2``, which has Autoware's rules) in the folder that ``GEOSHARE_LANELET2`` names.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("GEOSHARE_LANELET2", "lanelet2-libraries"))
_JUDGE = """
import json, sys
import lanelet2
from lanelet2.io import Origin, loadRobust
from lanelet2.projection import UtmProjector
if sys.argv[1] == "simple":
    import autoware_lanelet2_extension_python.regulatory_elements
lat, lon = float(sys.argv[3]), float(sys.argv[4])
found, errors = loadRobust(sys.argv[2], UtmProjector(Origin(lat, lon)))
rules = lanelet2.traffic_rules.create(
    lanelet2.traffic_rules.Locations.Germany, lanelet2.traffic_rules.Participants.Vehicle
)
try:
    graph = lanelet2.routing.RoutingGraph(found, rules)
except RuntimeError:  # it knows the signs of Germany alone
    graph = None
print(json.dumps({
    "errors": list(errors),
    "lanelets": len(found.laneletLayer), "lines": len(found.lineStringLayer),
    "polygons": len(found.polygonLayer), "points": len(found.pointLayer),
    "rules": len(found.regulatoryElementLayer), "areas": len(found.areaLayer),
    "follows": sorted([a.id, b.id] for a in found.laneletLayer for b in graph.following(a))
    if graph else None,
}))
"""


def judged(library: str, path: Path, lon_lat: tuple[float, float]) -> dict[str, Any]:
    """What a library makes of a map: errors, counts of its layers, which lanelets follow which."""
    python = FOLDER / library / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment with Lanelet2: {python}")
    told = [str(path), str(lon_lat[1]), str(lon_lat[0])]
    done = subprocess.run([python, "-c", _JUDGE, library, *told], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
