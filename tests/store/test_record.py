"""Change sets: invisible until one small commit, then all of them, and for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from geoshare.errors import Conflict
from geoshare.model.box import Box
from geoshare.model.clock import SystemClock
from geoshare.store import (
    Record,
    governance_tables,
    open_governance,
    open_record,
    reading,
    record_tables,
)
from geoshare.store.changeset import ChangeSet
from geoshare.store.chunk import Chunk
from geoshare.store.migrate import migrate
from geoshare.store.rows import Contribution, NewClaim, NewFeature


@pytest.fixture
def record(database_url: str) -> Iterator[Record]:
    opened = open_record(database_url)
    yield opened
    opened.close()


def contribution(number: str, provider: str = "mapco") -> Contribution:
    return Contribution(
        number, provider, "a.geojson", "a.geojson", "ab" * 32, 10, "{}", "CC0-1.0", "open", 5
    )


def feature(id_: str, text: str = "{}") -> NewFeature:
    return NewFeature(id_, b"\x01", Box(139.0, 35.0, 139.1, 35.1), text)


def put(changeset: ChangeSet, number: str, rows: list[NewFeature], collection: str = "places") -> None:
    def work(chunk: Chunk) -> None:
        ids = [row.id for row in rows]
        ended = [claim.version for claim in chunk.claims(collection, ids)]
        versions = chunk.feature_versions(collection, ids)
        chunk.put_features(collection, number, rows, versions)
        chunk.put_claims(
            collection,
            number,
            "mapco",
            [NewClaim(row.id, row.id, row.properties.encode()) for row in rows],
            ended,
        )

    changeset.apply(work)


def begun(record: Record, number: str) -> ChangeSet:
    changeset = record.begin(SystemClock(), "mapco")
    changeset.apply(lambda chunk: chunk.add_contribution(contribution(number)))
    return changeset


def visible(record: Record, at_sequence: int | None = None) -> dict[str, str]:
    with record.snapshot() as connection:
        chunks = list(reading.scan_features(connection, "places", at_sequence=at_sequence))
    return {
        id_: text for chunk in chunks for id_, text in zip(chunk.ids, chunk.properties, strict=True)
    }


@pytest.mark.parametrize(
    ("opened", "tables"),
    [(open_record, record_tables), (open_governance, governance_tables)],
    ids=["record", "governance"],
)
def test_the_migrations_make_exactly_the_tables_that_the_code_names(
    database_url: str, opened: Callable, tables
) -> None:
    database = opened(database_url).database
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, tables.METADATA)
    database.close()
    assert differences == []


def test_entries_of_change_sets_of_former_versions_are_known_by_the_instant_of_the_commit(
    database_url: str,
) -> None:
    database, table = open_governance(database_url).database, governance_tables.AUDIT_ENTRIES
    rows = [
        {"id": "a", "leaf": b'{"detail":{"committed_us":17,"sequence":3}}', "once": f"change {3:015d}"},
        {"id": "b", "leaf": b"{}", "once": "other 3"},
    ]
    with database.write() as connection:
        connection.execute(table.insert(), rows)
        connection.execute(text("DROP INDEX ix_jobs_open"))  # as what came later had not been there
        connection.execute(text("DROP TABLE job_bodies"))
        connection.execute(text("DROP TABLE provider_rules"))
        connection.execute(text("ALTER TABLE shares DROP COLUMN drills"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0009'"))
    migrate(database, "governance")
    with database.read() as connection:
        found = connection.execute(select(table.c.once).order_by(table.c.id)).scalars().all()
    database.close()
    assert found == [f"commit {17:020d}", "other 3"]


def test_opening_a_record_again_keeps_its_secret(database_url: str) -> None:
    first = open_record(database_url)
    again = open_record(database_url)
    assert first.secret == again.secret
    assert len(first.secret) == 32
    first.close()
    again.close()


def test_nothing_is_visible_before_the_commit_and_all_of_it_after(record: Record) -> None:
    changeset = begun(record, "c1")
    put(changeset, "c1", [feature("a", '{"n":1}'), feature("b", '{"n":2}')])
    assert visible(record) == {}
    assert record.contributions() == []
    assert record.head() == 0
    assert changeset.commit() == 1
    assert visible(record) == {"a": '{"n":1}', "b": '{"n":2}'}
    assert [row.id for row in record.contributions()] == ["c1"]
    assert changeset.counts == {"places": (2, 0, 0)}


def test_a_correction_replaces_what_is_visible_and_keeps_what_was(record: Record) -> None:
    first = begun(record, "c1")
    put(first, "c1", [feature("a", '{"n":1}'), feature("b", '{"n":1}')])
    first.commit()
    second = begun(record, "c2")
    put(second, "c2", [feature("a", '{"n":2}')])
    assert visible(record) == {"a": '{"n":1}', "b": '{"n":1}'}
    assert second.commit() == 2
    assert visible(record) == {"a": '{"n":2}', "b": '{"n":1}'}
    assert visible(record, at_sequence=1) == {"a": '{"n":1}', "b": '{"n":1}'}
    with record.snapshot() as connection:
        assert reading.ended_ids(connection, "places", 1) == {"a"}
        changed = [
            id_ for chunk in reading.changed_features(connection, "places", 1) for id_ in chunk.ids
        ]
        assert changed == ["a"]
        assert [
            (item.collection, item.sequence, item.rows) for item in reading.changes_after(connection, 1)
        ] == [("places", 2, 1)]


def test_a_removed_feature_is_gone_now_but_not_then(record: Record) -> None:
    first = begun(record, "c1")
    put(first, "c1", [feature("a"), feature("b")])
    first.commit()
    second = record.begin(SystemClock(), "mapco")

    def remove(chunk: Chunk) -> None:
        versions = chunk.feature_versions("places", ["a"])
        chunk.remove_features("places", list(versions.values()))

    second.apply(remove)
    second.commit()
    assert set(visible(record)) == {"b"}
    assert set(visible(record, at_sequence=1)) == {"a", "b"}


def test_a_discarded_change_set_leaves_every_table_as_it_was(record: Record) -> None:
    first = begun(record, "c1")
    put(first, "c1", [feature("a", '{"n":1}')])
    first.commit()
    before = record.row_counts()
    second = begun(record, "c2")
    put(second, "c2", [feature("a", '{"n":2}'), feature("b")])
    record.discard(second.id)
    assert record.row_counts() == before
    assert visible(record) == {"a": '{"n":1}'}
    third = begun(record, "c3")
    put(third, "c3", [feature("a", '{"n":3}')])
    third.commit()
    assert visible(record) == {"a": '{"n":3}'}


def test_the_order_of_commits_counts_not_the_order_of_beginnings(record: Record) -> None:
    early, late = begun(record, "c1"), begun(record, "c2")
    put(early, "c1", [feature("a")])
    put(late, "c2", [feature("b")])
    assert late.commit() == 1
    assert set(visible(record)) == {"b"}
    assert early.commit() == 2
    with record.snapshot() as connection:
        ids = [id_ for chunk in reading.changed_features(connection, "places", 1) for id_ in chunk.ids]
    assert ids == ["a"]


def test_commits_are_in_order_of_time_even_when_the_clock_goes_back(record: Record) -> None:
    class Backwards:
        now = 1_000

        def now_us(self) -> int:
            self.now -= 1
            return self.now

    clock = Backwards()
    for number in ("c1", "c2", "c3"):
        changeset = record.begin(clock, "mapco")
        changeset.apply(lambda chunk, number=number: chunk.add_contribution(contribution(number)))
        put(changeset, number, [feature(number)])
        changeset.commit()
    with record.snapshot() as connection:
        assert reading.sequence_at(connection, 10_000) == 3
        times = [reading.sequence_at(connection, moment) for moment in range(900, 1_010)]
    assert times == sorted(times)
    assert set(times) == {0, 1, 2, 3}


def test_a_second_writer_of_the_same_feature_waits_for_the_first(record: Record) -> None:
    first, second = begun(record, "c1"), begun(record, "c2")
    put(first, "c1", [feature("a", '{"by":1}')])
    order = []

    def write() -> None:
        put(second, "c2", [feature("a", '{"by":2}')])
        order.append("second wrote")
        second.commit()

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.3)
    assert order == []
    order.append("first commits")
    first.commit()
    thread.join(20)
    assert order == ["first commits", "second wrote"]
    assert visible(record) == {"a": '{"by":2}'}
    assert visible(record, at_sequence=1) == {"a": '{"by":1}'}


def test_a_writer_that_waits_too_long_is_told_so(record: Record) -> None:
    first, second = begun(record, "c1"), begun(record, "c2")
    put(first, "c1", [feature("a")])
    with pytest.raises(Conflict, match="another contribution"):
        second.apply(lambda chunk: chunk.claims("places", ["a"]), wait_s=0.1)


def test_a_live_writers_change_set_is_never_swept(record: Record) -> None:
    begun(record, "c1")
    assert record.dead(SystemClock().now_us()) == []


def test_a_claim_stands_for_the_version_its_change_set_wrote_also_when_that_is_replaced(
    record: Record,
) -> None:
    first = begun(record, "c1")
    put(first, "c1", [feature("a", '{"n":1}')])
    first.commit()
    second = begun(record, "c2")

    def resolved(chunk: Chunk) -> None:
        versions = chunk.feature_versions("places", ["a"])
        chunk.put_features("places", "c2", [feature("a", '{"n":2}')], versions)
        chunk.put_claims("places", "c2", "city", [NewClaim("a", "x", b"2")], [])

    second.apply(resolved)
    second.commit()
    claims = record.claims("places", "a")
    assert [(claim.provider, claim.properties, claim.licence) for claim in claims] == [
        ("mapco", '{"n":1}', "CC0-1.0"),
        ("city", '{"n":2}', "CC0-1.0"),
    ]
