"""The floor: the smallest Flask application that checks a key and answers a constant body."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.bench.peers import wait_for
from tests.bench.process import free_port

_APP = """
import hashlib, hmac, os
from flask import Flask, Response, request
BODY = open(os.environ["FLOOR_BODY"], "rb").read()
KNOWN = hashlib.sha256(os.environ["FLOOR_KEY"].encode()).digest()
def create_app():
    app = Flask(__name__)
    @app.get("/ready")
    def ready():
        return Response(status=204)
    @app.get("/tile")
    def tile():
        sent = hashlib.sha256(request.headers.get("X-API-Key", "").encode()).digest()
        if not hmac.compare_digest(sent, KNOWN):
            return Response(status=401)
        return Response(BODY, content_type="application/vnd.mapbox-vector-tile")
    return app
"""


class Floor:
    """That application on the same server with the same workers and threads."""

    def __init__(self, body: bytes) -> None:
        self._port = free_port()  # one that no peer has
        self.base = f"http://127.0.0.1:{self._port}"
        self._body = body
        self._key = secrets.token_hex(32)
        self.headers = {"X-API-Key": self._key}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        (folder / "floor.py").write_text(_APP)
        (folder / "body").write_bytes(self._body)
        environ = os.environ | {"FLOOR_BODY": str(folder / "body"), "FLOOR_KEY": self._key}
        command = [
            sys.executable,
            "-m",
            "granian",
            "--interface",
            "wsgi",
            "--factory",
            "floor:create_app",
        ]
        options = [
            "--port",
            str(self._port),
            "--workers",
            "2",
            "--blocking-threads",
            "16",
            "--log-level",
            "error",
        ]
        self._process = subprocess.Popen([*command, *options], env=environ, cwd=folder)
        try:
            wait_for(self.base + "/ready", 60.0)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()
