"""A real application behind a socket, for tests of the client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from geoshare.client import Client
from geoshare.services.keeping import make_worker
from tests.api.conftest import Own


class Line(WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, *said: object) -> None:
        pass


class Served:
    """An application behind a socket, a client, and a list of shelters that can be published."""

    def __init__(self, own: Own, folder: Path) -> None:
        self.own, self.folder = own, folder
        self.breaks: list[str] = []  # methods whose next request is cut off
        self.paths: list[str] = []
        self.server = make_server("127.0.0.1", 0, self._app, handler_class=Line)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.client = Client(self.url, own.keys["municipal"], pause=lambda seconds: None)
        self.rows: dict[int, dict[str, Any]] = {at: row(at, at, "a") for at in range(12)}

    def _app(self, environ, start_response):
        self.paths.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if environ["REQUEST_METHOD"] in self.breaks:
            self.breaks.remove(environ["REQUEST_METHOD"])
            taken = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"].read(taken)
            raise ConnectionAbortedError("the line breaks")
        return self.own.client.application(environ, start_response)

    def publish(self) -> None:
        path = self.folder / "list.geojson"
        said = {"type": "FeatureCollection", "features": list(self.rows.values())}
        path.write_text(json.dumps(said), "utf-8")
        self.own.contribute(path, collection="shelters")

    def names(self, bbox=None) -> dict[str, str]:
        return {item["id"]: item["properties"]["name"] for item in self.client.items("shelters", bbox)}


def row(id_: int, at: int, name: str) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [139.7 + at / 1000, 35.6]}
    return {
        "type": "Feature",
        "id": str(id_),
        "geometry": place,
        "properties": {"id": str(id_), "name": name},
    }


@contextmanager
def working(own: Own) -> Iterator[None]:
    """A worker for jobs beside the test."""
    stop, worker = threading.Event(), make_worker(own.services)

    def work() -> None:
        while not stop.wait(0.02):
            worker.run_one()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """An application that is asked over a socket."""
    found = Served(Own(folder / "data"), folder)
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.client.http.close()
        found.server.shutdown()
        found.server.server_close()
