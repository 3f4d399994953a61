"""pygeoapi on the PostgreSQL provider, behind gunicorn: a peer for pages of features.

It makes tiles only by handing on those of another server, so that none are asked of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.bench.peers import COLUMNS, PEER_VENV, WORKERS, PostGis, wait_for

MAX_LIMIT = 10_000


class PyGeoApi:
    """pygeoapi on gunicorn with two workers."""

    name = "pygeoapi"

    def __init__(self, database: PostGis, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._database, self._port, self._folder = database, port, folder.resolve()

    @staticmethod
    def missing() -> str:
        """What is not installed; empty where nothing is."""
        there = (PEER_VENV / "bin/pygeoapi").exists() and (PEER_VENV / "bin/gunicorn").exists()
        return "" if there else "pygeoapi (tests/bench/peers.sh)"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "pygeoapi.json"  # JSON is YAML, too
        config.write_text(json.dumps(self._config()))
        environ = os.environ | {
            "PYGEOAPI_CONFIG": str(config),
            "PYGEOAPI_OPENAPI": str(self._folder / "openapi.yml"),
        }
        make = [str(PEER_VENV / "bin/pygeoapi"), "openapi", "generate", str(config)]
        with (self._folder / "openapi.yml").open("wb") as output:
            subprocess.run(make, env=environ, check=True, stdout=output, stderr=subprocess.DEVNULL)
        command = [str(PEER_VENV / "bin/gunicorn"), "--bind", f"127.0.0.1:{self._port}"]
        command += ["--workers", str(WORKERS), "--log-level", "error", "pygeoapi.flask_app:APP"]
        self._process = subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=sys.stderr
        )
        wait_for(self.base + "/conformance?f=json")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def version(self) -> str:
        """Version of pygeoapi and of what it stands on."""
        command = [str(PEER_VENV / "bin/python"), "-c", "import pygeoapi; print(pygeoapi.__version__)"]
        own = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        return f"{own}, {self._database.version()}"

    def items(self, box: tuple[float, float, float, float], limit: int) -> str:
        """Path of a page of roads."""
        corners = ",".join(f"{value:.6f}" for value in box)
        return f"/collections/roads/items?bbox={corners}&limit={limit}&f=json"

    def _config(self) -> dict:
        provider = {
            "type": "feature",
            "name": "PostgreSQL",
            "data": {
                "host": "127.0.0.1",
                "port": self._database.port,
                "dbname": "bench",
                "user": "bench",
                "password": "bench",
                "search_path": ["public"],
            },
            "id_field": "id",
            "table": "roads",
            "geom_field": "geom",
            "properties": list(COLUMNS),  # a second geometry in the table is more than it can write
        }
        extent = {
            "spatial": {
                "bbox": [138, 34, 142, 37],
                "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            }
        }
        about = {"title": "bench", "description": "bench", "keywords": ["roads"]}
        return {
            "server": {
                "bind": {"host": "127.0.0.1", "port": self._port},
                "url": self.base,
                "mimetype": "application/json; charset=UTF-8",
                "encoding": "utf-8",
                "languages": ["en-US"],
                "map": {"url": "https://example.org/{z}/{x}/{y}.png", "attribution": "none"},
                "limits": {"default_items": 10, "max_items": MAX_LIMIT},
            },
            "logging": {"level": "ERROR"},
            "metadata": {
                "identification": about
                | {"keywords_type": "theme", "terms_of_service": "none", "url": "https://example.org"},
                "license": {"name": "none", "url": "https://example.org"},
                "provider": {"name": "bench", "url": "https://example.org"},
                "contact": {"name": "bench", "email": "bench@example.org"},
            },
            "resources": {
                "roads": {
                    "type": "collection",
                    **about,
                    "links": [],
                    "extents": extent,
                    "providers": [provider],
                }
            },
        }
