"""Fixtures every test may use."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings

from geoshare.cli import main

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 180
pytest_plugins = ["tests.scenes"]

# The same examples every time: a change is judged by its own effect. `--hypothesis-profile=default`
# looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One server for all tests that need it; otherwise a file's tests stay together."""
    for item in items:
        live = not {"live_server", "served"}.isdisjoint(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group("live" if live else str(item.path)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("GEOSHARE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "MANIFEST.md").exists():
        pytest.skip("no real data: set GEOSHARE_TEST_DATA to the folder that holds it")
    return folder


@dataclass(frozen=True)
class LiveServer:
    """A real server with the sample town, its data folder, demo keys and log."""

    url: str
    data: Path
    keys: dict[str, str]
    log: Path

    def get(
        self, path: str, key: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (lower case) and body of a GET; ``key`` is a name in ``keys``."""
        request = urllib.request.Request(self.url + path, headers=headers)
        if key is not None:
            request.add_header("X-API-Key", self.keys[key])
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()

    def json(self, path: str, key: str | None = None) -> dict:
        """The JSON of a GET that must succeed."""
        status, _, body = self.get(path, key)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on the server's data folder, in this process: it starts at once."""
        done = CliRunner().invoke(main, arguments, env={"GEOSHARE_DATA": str(self.data)})
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The sample town behind a real server, as `make run` serves it."""
    data = tmp_path_factory.mktemp("town") / "data"
    port = free_port()
    environ = os.environ | {"GEOSHARE_DATA": str(data), "GEOSHARE_PORT": str(port)}
    command = [sys.executable, "-m", "geoshare.cli"]
    town = str(ROOT / "sample_data")
    subprocess.run(
        [*command, "init", "--sample", town], env=environ, check=True, capture_output=True, timeout=300
    )
    log = data.parent / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen([*command, "serve"], env=environ, stdout=output, stderr=output)
        try:
            live = LiveServer(
                f"http://127.0.0.1:{port}", data, json.loads((data / "demo-keys.json").read_text()), log
            )
            _wait_until_ready(live, server)
            yield live
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_ready(live: LiveServer, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    looked = [("/readyz", None), *(("/collections", key) for key in live.keys)]
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            # views of what the keys hold are made after those that everybody sees
            if all(live.get(path, key)[0] == 200 for path, key in looked):
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail(f"The server did not become ready:\n{live.log.read_text()[-4000:]}")
