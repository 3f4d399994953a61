"""Features by ids from outside: a provider's own, or a value that identifies a feature to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.merge import Identities
from geoshare.model.collections import known
from geoshare.store.places import home
from tiles.arrays import Rows

if TYPE_CHECKING:
    from geoshare.services import Services


def lookup(services: Services, who: Principal, view: View, external_id: str) -> Rows:
    """Rows of a view by an id from outside; none, whether it is hidden, somebody else's or nobody's.

    Whoever asks is told of their own ids and of identifying values they see in the row. Nobody learns
    from this which feature is another provider's, nor by what name.
    """
    collection = view.collection.name
    names = services.tiers.class_names
    each = [Identities(services.record.secret, known(), name) for name in names]
    identity = known()[collection].identity if collection in known() else ""
    if identity:
        ids = [found for one in each for found in one.of_values(collection, [external_id])]
        return view.lookup([id_ for id_ in ids if _says(view, id_, identity, external_id)])
    if who.anonymous or not who.organisation:
        return view.lookup([])
    own = who.organisation
    members = [found for one in each for found in one.of_records(collection, own, [external_id])]
    with services.record.snapshot() as connection:
        return view.lookup([home(connection, collection, one) or one for one in members])


def _says(view: View, feature: str, column: str, value: str) -> bool:
    """Whether a feature shows this very value."""
    rows = view.lookup([feature])
    if len(rows) == 0 or not view.has_column(column):
        return False
    table: pa.Table = view.materialise(rows, [column], None)
    return [str(item) for item in table.column(column).to_pylist()] == [value]
