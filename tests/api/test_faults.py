"""A full disk, a dead database: acknowledged means present, nothing is half there, the map answers."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pyarrow import ArrowException
from sqlalchemy import create_engine, make_url, text

from geoshare.errors import GeoshareError
from geoshare.model.clock import SystemClock
from tests.api.conftest import Own
from tests.store.databases import fresh_url

MANY = 400


def places(folder: Path, version: int) -> Path:
    """A file of as many places as ever, of which each says its version; some kilobytes of text."""
    features = [
        {
            "type": "Feature",
            "id": f"p{number}",
            "properties": {"name": f"{version}", "class": "x" * 400},
            "geometry": {"type": "Point", "coordinates": [139 + number / 1000, 35]},
        }
        for number in range(MANY)
    ]
    path = folder / f"places-{version}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def versions(own: Own) -> set[str]:
    """What a reader sees: every place, of one version."""
    found = own.items("places", None)
    assert len(found) == MANY
    return {item["properties"]["name"] for item in found}


@contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_at_any_moment_leaves_the_old_or_the_new_version_and_readers_read(
    own: Own, tmp_path: Path
) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    shown = "0"
    outcomes = set()
    # from "not even a note" to "all but the last file"; what stands already may be rewritten in place
    for version, most in enumerate((0, 100_000, 400_000, 1_500_000, 4_000_000, 12_000_000), start=1):
        path = places(tmp_path, version)
        acknowledged = False
        with full_disk(most):
            with suppress(GeoshareError, OSError, ArrowException):
                own.local.contribute(
                    path, "maker", progress=lambda done, text="": None, collection="places"
                )
                acknowledged = True
                own.local.wait_until_visible()
            assert versions(own) <= {shown, str(version)}
            assert len(versions(own)) == 1
            assert own.get("/tiles/places/9/453/203.mvt", None).status_code in (200, 204)
        outcomes.add(acknowledged)
        # there is room again: what was acknowledged comes, what was not is not there
        own.contribute(places(tmp_path, 100 + version), collection="places")
        assert versions(own) == {str(100 + version)}
        shown = str(100 + version)
    assert outcomes == {True, False}


def test_what_was_acknowledged_before_the_disk_was_full_is_shown_when_there_is_room(
    own: Own, tmp_path: Path
) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    own.local.contribute(
        places(tmp_path, 1), "maker", progress=lambda done, text="": None, collection="places"
    )
    with full_disk(20_000), pytest.raises(Exception):  # noqa: B017, PT011 - whoever notices first
        own.local.wait_until_visible()
    assert versions(own) == {"0"}
    own.local.contribute(
        places(tmp_path, 2), "maker", progress=lambda done, text="": None, collection="places"
    )
    own.local.wait_until_visible()
    assert versions(own) == {"2"}
    parts = own.settings.data / "packs" / "places"
    assert not list(parts.glob(".*"))


@contextmanager
def no_connections(url: str) -> Iterator[None]:
    """A database that nobody reaches."""
    name = make_url(url).database
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": name},
        )
        try:
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Own:
    urls = {name: fresh_url("postgresql", tmp_path) for name in ("record_url", "governance_url")}
    return Own(tmp_path / "data", **urls)


def test_without_the_record_readers_read_and_nothing_is_acknowledged(
    on_postgresql: Own, tmp_path: Path
) -> None:
    own = on_postgresql
    own.contribute(places(tmp_path, 0), collection="places")
    with no_connections(own.settings.record_url):
        assert versions(own) == {"0"}
        assert own.get("/tiles/places/9/453/203.mvt", "developer").status_code in (200, 204)
        with pytest.raises(Exception):  # noqa: B017, PT011
            own.contribute(places(tmp_path, 1), collection="places")
        assert versions(own) == {"0"}
    own.contribute(places(tmp_path, 2), collection="places")
    assert versions(own) == {"2"}


def test_without_governance_open_data_is_read_and_keys_are_never_taken_on_trust(
    on_postgresql: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, later, now_us = on_postgresql, [0], SystemClock.now_us
    monkeypatch.setattr(SystemClock, "now_us", lambda clock: now_us(clock) + later[0])
    own.contribute(places(tmp_path, 0), collection="places")
    never_seen = own.keys["operator"]
    tile = "/tiles/places/9/453/203.mvt"
    assert own.get(tile, "developer").status_code in (200, 204)
    with no_connections(own.settings.governance_url):
        for later[0] in (0, 600_000, 5_000_000):
            assert versions(own) == {"0"}
            assert own.get(tile, "developer").status_code in (200, 204)
        for later[0] in (10_600_000, 3_600_000_000):
            assert versions(own) == {"0"}
            assert own.get(tile, "developer").status_code == 503
        for key in (never_seen, "gs_wrong_key"):
            answer = own.client.get("/collections/lanes/items", headers={"X-API-Key": key})
            assert answer.status_code in (401, 503)
            assert b"psycopg" not in answer.data
            assert b"Traceback" not in answer.data
        assert own.client.get("/readyz").status_code == 503
    later[0] += 1_000_000
    assert own.get("/collections/places/items").status_code == 200
    assert own.get(tile, "developer").status_code in (200, 204)
