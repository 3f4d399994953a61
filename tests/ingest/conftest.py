from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from geoshare.store import open_record
from tests.ingest.bench import Workbench
from tests.store.databases import fresh_url


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workbench]:
    record = open_record(fresh_url(getattr(request, "param", "sqlite"), tmp_path))
    yield Workbench(record, tmp_path)
    record.close()
