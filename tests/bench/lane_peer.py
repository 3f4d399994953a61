"""A peer for lanes at a position: an R-tree (shapely's STRtree) over all lanes in memory, behind Flask.

It checks a key, takes the lanes within 50 m, leaves out those headed otherwise and answers the five
nearest. So it answers less: no probabilities, no widths, no rights.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.peers import wait_for
from tests.bench.process import free_port

_APP = """
import hashlib, hmac, math, os
import geopandas, numpy as np, shapely
from flask import Flask, Response, jsonify, request
KNOWN = hashlib.sha256(os.environ["PEER_KEY"].encode()).digest()
M = 111_320.0
def create_app():
    frame = geopandas.read_parquet(os.environ["PEER_LANES"], columns=["id", "geometry"])
    ids, lines = frame["id"].to_numpy(), shapely.force_2d(frame.geometry.to_numpy())
    tree = shapely.STRtree(lines)
    app = Flask(__name__)
    @app.get("/ready")
    def ready():
        return Response(status=204)
    @app.get("/locate")
    def locate():
        sent = hashlib.sha256(request.headers.get("X-API-Key", "").encode()).digest()
        if not hmac.compare_digest(sent, KNOWN):
            return Response(status=401)
        lon, lat = map(float, request.args["position"].split(",")[:2])
        heading = float(request.args["heading"])
        scale = np.array([M * math.cos(math.radians(lat)), M])
        half = 50 / scale
        near = tree.query(shapely.box(lon - half[0], lat - half[1], lon + half[0], lat + half[1]))
        here = shapely.transform(lines[near], lambda c: (c - (lon, lat)) * scale)
        point = shapely.Point(0, 0)
        off = shapely.distance(here, point)
        found = []
        for at in np.argsort(off)[:30]:
            along = shapely.line_locate_point(here[at], point)
            a = shapely.line_interpolate_point(here[at], max(0, along - 0.5))
            b = shapely.line_interpolate_point(here[at], along + 0.5)
            bearing = math.degrees(math.atan2(b.x - a.x, b.y - a.y)) % 360
            if abs((heading - bearing + 180) % 360 - 180) < 45:
                found.append({"id": ids[near[at]], "distance_m": off[at], "bearing_deg": bearing})
            if len(found) == 5:
                break
        return jsonify({"candidates": found})
    return app
"""


@contextmanager
def serving_peer(lanes: Path) -> Iterator[tuple[str, str]]:
    """Serve a GeoParquet file of lanes with two workers; its address and its key."""
    port, key = free_port(), secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "lane_peer_app.py").write_text(_APP)
        environ = os.environ | {"PEER_KEY": key, "PEER_LANES": str(lanes.resolve())}
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"]
        command += ["lane_peer_app:create_app", "--port", str(port), "--workers", "2"]
        command += ["--blocking-threads", "16", "--log-level", "error"]
        with subprocess.Popen(command, env=environ, cwd=folder) as process:
            try:
                wait_for(f"http://127.0.0.1:{port}/ready", 180.0)
                yield f"http://127.0.0.1:{port}", key
            finally:
                process.terminate()
                process.wait(20)
