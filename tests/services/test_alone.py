"""While governance cannot be reached: open data go on, keys for ten seconds, and nothing is made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from geoshare.errors import Unauthenticated, Unavailable
from geoshare.services import Services
from tests.clocks import SetClock
from tests.services.test_policies import DAY_US, SECOND_US, clock, make_key, sees, services

__all__ = ["clock", "services"]


@contextmanager
def moved_away(services: Services) -> Iterator[None]:
    """Governance's files are somewhere else, as after a disk has gone."""
    services.governance.database.close()
    files = [*services.settings.data.glob("governance.db*")]
    aside = services.settings.data / "aside"
    aside.mkdir()
    for file in files:
        file.rename(aside / file.name)
    try:
        yield
    finally:
        services.governance.database.close()
        for file in aside.iterdir():
            file.rename(services.settings.data / file.name)


def open_names(services: Services) -> frozenset[str]:
    return services.policy(services.principal(None), "read").collections


def test_open_data_go_on_and_keys_for_ten_seconds(services: Services, clock: SetClock) -> None:
    key, unseen = make_key(services, "automaker"), make_key(services, "automaker")
    assert sees(services, key)
    seen = open_names(services)
    assert seen
    with moved_away(services):
        for _ in range(9):
            clock.us += SECOND_US
            assert sees(services, key)
            assert open_names(services) == seen
            with pytest.raises(Unavailable):  # of which nothing was known
                services.principal(unseen)
        for later_us in (SECOND_US, DAY_US):
            clock.us += later_us
            assert open_names(services) == seen
            with pytest.raises(Unavailable):
                sees(services, key)
        assert not list(services.settings.data.glob("governance.db"))  # nor was one made, empty
    clock.us += SECOND_US
    assert sees(services, key)
    assert sees(services, unseen)


def test_what_ends_by_the_clock_ends_alone_too(services: Services, clock: SetClock) -> None:
    key = make_key(services, "automaker", days=1)
    clock.us += DAY_US - 5 * SECOND_US
    assert sees(services, key)
    with moved_away(services):
        clock.us += 6 * SECOND_US
        assert not sees(services, key)


def test_a_key_revoked_before_stays_refused(services: Services, clock: SetClock) -> None:
    key = make_key(services, "automaker")
    services.keys.revoke(key.split("_")[1])
    with pytest.raises(Unauthenticated):
        services.principal(key)
    with moved_away(services):
        clock.us += SECOND_US
        with pytest.raises(Unauthenticated):
            services.principal(key)


def test_a_session_of_somebody_known_goes_on_as_keys_do(services: Services, clock: SetClock) -> None:
    make_key(services, "automaker")
    person = services.people.add("maker", {"name": "花子", "roles": ("viewer",)})["id"]
    text = services.people.begin(services.people.person(person), "invite")
    assert services.sessions.authenticate(text).organisation == "maker"
    with moved_away(services):
        clock.us += 9 * SECOND_US
        assert services.sessions.authenticate(text).organisation == "maker"
        clock.us += 2 * SECOND_US
        with pytest.raises(Unavailable):
            services.sessions.authenticate(text)
