from __future__ import annotations

import pytest

from geoshare.model.policy import Policy
from tests.access.town import Town
from tests.extracts.maps.sample import make_town


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> tuple[Town, Policy]:
    """The small town and a policy; nobody changes it."""
    return make_town(tmp_path_factory.mktemp("maps"))
