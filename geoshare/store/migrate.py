"""Brings a database to the newest version of its tables (Alembic, scripts inside the package)."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from geoshare.errors import Unavailable
from geoshare.store.database import Database


def migrate(database: Database, name: str) -> None:
    """Run what is missing of ``migrations/{name}``; all of it or, after an error, none.

    Raises Unavailable where the database was written by a newer geoshare.
    """
    folder = str(resources.files("geoshare.store") / "migrations" / name)
    config = Config()
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    newest = script.get_current_head()
    with database.write() as connection:
        current = _current(connection)
        if current == newest:
            return
        if current is not None and current not in {item.revision for item in script.walk_revisions()}:
            raise Unavailable(f"the {name} database is of a newer version of geoshare ({current})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
