"""The record: what must never be lost. SQLite files or PostgreSQL, the same statements on both."""

from geoshare.store.governance import Governance, open_governance
from geoshare.store.record import Record, open_record

__all__ = ["Governance", "Record", "open_governance", "open_record"]
