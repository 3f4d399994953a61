"""What a provider is told of a contribution fits together, whatever happens to the work on it."""

from __future__ import annotations

import io

import pytest

from geoshare.services.contribution_options import Options
from tests.api.conftest import Own, own  # noqa: F401 - a fixture

TRIED = '{"code": "unavailable", "message": "the record does not answer"}'


@pytest.fixture
def job(own: Own) -> str:  # noqa: F811
    who = own.services.principal(own.keys["provider"])
    found = own.services.contributions.receive(who, "a.geojson", io.BytesIO(b"{}"), Options())
    return str(found["id"])


def status(own: Own, number: str) -> dict[str, object]:  # noqa: F811
    who = own.services.principal(own.keys["provider"])
    return own.services.contributions.status(who, number)


def test_a_try_that_failed_and_is_made_again_is_no_error(own: Own, job: str) -> None:  # noqa: F811
    store, now_us = own.services.governance.jobs, own.services.clock.now_us()
    assert status(own, job)["status"] == "received"
    assert store.lease(["contribute"], "me", now_us, now_us + 10_000_000) is not None
    assert status(own, job)["status"] == "reading"
    assert store.retry(job, "me", now_us, TRIED)
    found = status(own, job)
    assert found["status"] == "received"
    assert "error" not in found
    assert store.lease(["contribute"], "me", now_us, now_us + 10_000_000) is not None
    assert "error" not in status(own, job)


def test_the_last_failure_is_told_beside_its_status(own: Own, job: str) -> None:  # noqa: F811
    store, now_us = own.services.governance.jobs, own.services.clock.now_us()
    assert store.lease(["contribute"], "me", now_us, now_us + 10_000_000) is not None
    assert store.finish(job, "me", "failed", now_us, result=None, error=TRIED)
    found = status(own, job)
    assert found["status"] == "refused"
    assert found["error"] == {"code": "unavailable", "message": "the record does not answer"}
