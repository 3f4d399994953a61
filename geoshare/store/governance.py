"""The governance database's front door: organisations, keys, policies, uploads."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, bindparam, func, select, update

from geoshare.errors import Conflict, Denied, NotFound
from geoshare.store.audit_rows import AuditRows
from geoshare.store.break_glass_rows import BreakGlassRows
from geoshare.store.database import Database
from geoshare.store.governance_tables import (
    API_KEYS,
    ORGANISATIONS,
    SECRETS,
    UPLOADS,
)
from geoshare.store.identity_rows import IdentityRows
from geoshare.store.job_rows import JobRows
from geoshare.store.migrate import migrate
from geoshare.store.organisations import check_organisation
from geoshare.store.person_rows import PersonRows
from geoshare.store.policy_rows import PolicyRows
from geoshare.store.provider_rows import ProviderRows
from geoshare.store.quota_rows import QuotaRows
from geoshare.store.record import as_url
from geoshare.store.share_rows import ShareRows
from geoshare.store.sheet_rows import SheetRows
from geoshare.store.signal import Signal
from geoshare.store.webhook_rows import WebhookRows

Also = Callable[[Connection], object]  # what is done in the same transaction: an entry in the log


@dataclass(frozen=True, slots=True)
class Organisation:
    """Who holds keys and contributes."""

    id: str
    name: str
    created_us: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: without its secret.

    A key with a ``parent`` is one that another key has made: it ends with it, and has a part of it.
    ``old_hmac`` is of the secret that was replaced, which is valid until ``old_until_us``.
    """

    id: str
    organisation: str
    tier: str
    label: str
    hmac: bytes
    created_us: int
    expires_us: int
    revoked_us: int | None = None
    last_used_us: int | None = None
    parent: str | None = None
    collections: str | None = None
    per_minute: int | None = None
    old_hmac: bytes | None = None
    old_until_us: int | None = None
    cost_per_minute: int | None = None
    per_month: int | None = None
    cost_per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A resumable upload under way."""

    id: str
    organisation: str
    file_name: str
    length: int
    offset: int
    metadata: dict[str, Any]
    created_us: int
    expires_us: int


def open_governance(url: str | Path) -> Governance:
    """Open a governance database, made or brought up to date where needed."""
    database = Database(
        as_url(url), serial=False, wipe=True
    )  # names and salts that are deleted are gone
    migrate(database, "governance")
    return Governance(database)


class Governance:
    """Organisations, keys and uploads; jobs, policies, people and the audit log have own stores."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobRows(database)
        self.audit = AuditRows(database)
        self.policies = PolicyRows(database)
        self.persons = PersonRows(database)
        self.identities = IdentityRows(database)
        self.break_glass = BreakGlassRows(database)
        self.quotas = QuotaRows(database)
        self.webhooks = WebhookRows(database)
        self.sheets = SheetRows(database)
        self.shares = ShareRows(database)
        self.providers = ProviderRows(database)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def ready(self) -> bool:
        """Whether the database answers."""
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(SECRETS)).scalar_one() >= 0

    def signal(self) -> Signal:
        """Open a cheap way to notice commits, for one thread."""
        return Signal(self.database)

    def secret(self, name: str) -> bytes:
        """32 random bytes under a name, made when first asked for; the same for ever after."""
        statement = select(SECRETS.c.value).where(SECRETS.c.name == name)
        with self.database.read() as connection:
            found = connection.execute(statement).scalar()
        if found is None:
            with self.database.write() as connection:
                found = connection.execute(statement).scalar()
                if found is None:
                    found = secrets.token_bytes(32)
                    connection.execute(SECRETS.insert().values(name=name, value=found))
        return bytes(found)

    def drop_secrets(self, prefix: str, keep: Collection[str]) -> None:
        """Forget secrets whose names begin so, but for some."""
        name = SECRETS.c.name
        with self.database.write() as connection:
            connection.execute(
                SECRETS.delete().where(name.startswith(prefix, autoescape=True), name.not_in(keep))
            )

    # Organisations and keys

    def add_organisation(self, organisation: str, name: str, now_us: int) -> Organisation:
        """Add an organisation, or rename the one that has this id."""
        with self.database.write() as connection:
            row = ORGANISATIONS.c.id == organisation
            if not connection.execute(update(ORGANISATIONS).where(row).values(name=name)).rowcount:
                connection.execute(
                    ORGANISATIONS.insert().values(id=organisation, name=name, created_us=now_us)
                )
        found = self.organisation(organisation)
        assert found is not None
        return found

    def organisation(self, organisation: str) -> Organisation | None:
        """The organisation of that id."""
        return next((item for item in self.organisations() if item.id == organisation), None)

    def organisations(self) -> list[Organisation]:
        """All organisations, by id."""
        with self.database.read() as connection:
            rows = connection.execute(select(ORGANISATIONS).order_by(ORGANISATIONS.c.id)).all()
        return [Organisation(*row) for row in rows]

    def add_key(self, key: ApiKey, also: Also | None = None) -> None:
        """Store a key of an organisation that exists.

        Raises BadRequest for an unknown organisation, Conflict for an id in use.
        """
        with self.database.write() as connection:
            check_organisation(connection, key.organisation)
            if connection.execute(select(API_KEYS.c.id).where(API_KEYS.c.id == key.id)).first():
                raise Conflict("a key of this id exists")
            connection.execute(API_KEYS.insert().values(asdict(key)))
            if also is not None:
                also(connection)

    def key(self, key_id: str) -> ApiKey | None:
        """The key of that id, also when it is revoked or has expired."""
        with self.database.read() as connection:
            row = connection.execute(select(API_KEYS).where(API_KEYS.c.id == key_id)).first()
        return None if row is None else ApiKey(*row)

    def keys(self, organisation: str | None = None) -> list[ApiKey]:
        """All keys, or those of one organisation, by time of creation."""
        statement = select(API_KEYS).order_by(API_KEYS.c.created_us, API_KEYS.c.id)
        if organisation is not None:
            statement = statement.where(API_KEYS.c.organisation == organisation)
        with self.database.read() as connection:
            return [ApiKey(*row) for row in connection.execute(statement).all()]

    def children(self, key_id: str) -> list[ApiKey]:
        """Keys that a key has made, by time of creation."""
        statement = select(API_KEYS).where(API_KEYS.c.parent == key_id)
        with self.database.read() as connection:
            rows = connection.execute(statement.order_by(API_KEYS.c.created_us, API_KEYS.c.id)).all()
        return [ApiKey(*row) for row in rows]

    def revoke_key(self, key_id: str, now_us: int, also: Also | None = None) -> bool:
        """Revoke a key, and those it has made, for good; whether it was valid until now.

        Raises NotFound; a second time changes nothing.
        """
        with self.database.write() as connection:
            row = API_KEYS.c.id == key_id
            if connection.execute(select(API_KEYS.c.id).where(row)).first() is None:
                raise NotFound(f"no key {key_id!r}")
            valid = API_KEYS.c.revoked_us.is_(None)
            change = update(API_KEYS).values(revoked_us=now_us)
            done = connection.execute(change.where(row, valid)).rowcount > 0
            connection.execute(change.where(API_KEYS.c.parent == key_id, valid))
            if done and also is not None:
                also(connection)
        return done

    def rotate_key(
        self,
        before: ApiKey,
        after: ApiKey,
        also: Also | None = None,
        asker: tuple[str, bytes] | None = None,
    ) -> None:
        """Give a key another secret.

        ``asker`` is the key that asks and the mark of the secret it asks with.

        Raises
        ------
        Conflict
            where the key has changed since ``before`` was read.
        Denied
            where the secret that asks is not, or no longer, the newest of its key.
        """
        with self.database.write() as connection:
            if asker is not None:
                newest = select(API_KEYS.c.hmac).where(API_KEYS.c.id == asker[0]).with_for_update()
                if connection.execute(newest).scalar() != asker[1]:
                    raise Denied("This secret has been replaced; use the new one")
            changed = connection.execute(
                update(API_KEYS)
                .where(
                    API_KEYS.c.id == before.id,
                    API_KEYS.c.hmac == before.hmac,
                    API_KEYS.c.revoked_us.is_(None),
                )
                .values(
                    hmac=after.hmac,
                    old_hmac=after.old_hmac,
                    old_until_us=after.old_until_us,
                    expires_us=after.expires_us,
                )
            ).rowcount
            if not changed:
                raise Conflict("the key has been changed or revoked in between")
            if also is not None:
                also(connection)

    def note_key_uses(self, uses: Mapping[str, int]) -> None:
        """Note when keys were used last: many at once, never on the way to an answer."""
        last = API_KEYS.c.last_used_us
        at: BindParameter[int] = bindparam("at_us")
        statement = (
            update(API_KEYS)
            .where(API_KEYS.c.id == bindparam("key_id"), last.is_(None) | (last < at))
            .values(last_used_us=at)
        )
        if uses:
            with self.database.write(durable=False) as connection:
                connection.execute(
                    statement, [{"key_id": key, "at_us": at_us} for key, at_us in uses.items()]
                )

    def keys_version(self) -> tuple[int, int]:
        """Read a cheap mark that moves when any key is added or revoked, for caches of keys."""
        with self.database.read() as connection:
            row = connection.execute(
                select(func.count(API_KEYS.c.id), func.count(API_KEYS.c.revoked_us))
            ).one()
        return int(row[0]), int(row[1])

    # Resumable uploads

    def add_upload(self, upload: Upload) -> None:
        """Announce an upload."""
        with self.database.write() as connection:
            connection.execute(
                UPLOADS.insert().values(
                    id=upload.id,
                    organisation=upload.organisation,
                    file_name=upload.file_name,
                    length=upload.length,
                    offset=upload.offset,
                    metadata=orjson.dumps(upload.metadata).decode(),
                    created_us=upload.created_us,
                    expires_us=upload.expires_us,
                )
            )

    def upload(self, upload_id: str) -> Upload | None:
        """The upload of that id."""
        with self.database.read() as connection:
            row = connection.execute(select(UPLOADS).where(UPLOADS.c.id == upload_id)).first()
        return None if row is None else _upload(row)

    def advance_upload(self, upload_id: str, before: int, after: int, expires_us: int) -> None:
        """Note bytes that are on disk. Raises Conflict when somebody else has written in between."""
        with self.database.write() as connection:
            moved = connection.execute(
                update(UPLOADS)
                .where(UPLOADS.c.id == upload_id, UPLOADS.c.offset == before)
                .values(offset=after, expires_us=expires_us)
            ).rowcount
        if not moved:
            raise Conflict("the upload stands at another offset")

    def remove_upload(self, upload_id: str) -> None:
        """Forget an upload; a second time changes nothing."""
        with self.database.write() as connection:
            connection.execute(UPLOADS.delete().where(UPLOADS.c.id == upload_id))

    def expired_uploads(self, now_us: int) -> list[Upload]:
        """Uploads whose time is over."""
        statement = select(UPLOADS).where(UPLOADS.c.expires_us <= now_us).order_by(UPLOADS.c.id)
        with self.database.read() as connection:
            return [_upload(row) for row in connection.execute(statement).all()]


def _upload(row: Any) -> Upload:
    return Upload(
        id=row.id,
        organisation=row.organisation,
        file_name=row.file_name,
        length=row.length,
        offset=row.offset,
        metadata=orjson.loads(row.metadata),
        created_us=row.created_us,
        expires_us=row.expires_us,
    )
