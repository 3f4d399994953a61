"""The server that the standards' tests are asked of: one by its address, or the session's own."""

from __future__ import annotations

import os

import pytest

from tests.conformance.server import Server

URL, KEY = "GEOSHARE_CONFORMANCE_URL", "GEOSHARE_CONFORMANCE_KEY"


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Server:
    """The server at ``GEOSHARE_CONFORMANCE_URL``; else the sample town, as an officer sees it."""
    url = os.environ.get(URL)
    if url:
        return Server(url.rstrip("/"), os.environ.get(KEY))
    live = request.getfixturevalue("live_server")
    return Server(live.url, live.keys["municipal"])
