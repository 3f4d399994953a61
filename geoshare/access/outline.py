"""What there is to say of a view that cannot be opened now."""

from __future__ import annotations

from typing import Any

from geoshare.access.manifest import ViewManifest
from geoshare.model.box import Box
from geoshare.model.collections import Collection, from_schema, known

_UNKNOWN: dict[str, Any] = {
    "type": "object",
    "x-geoshare-kind": "vector",
    "x-geoshare-geometry": "any",
    "properties": {},
}


class Outline:
    """That a collection is there, and what its view's manifest says of it.

    It has no rows: who wants them asks for the view, and is told that it cannot be opened.

    Parameters
    ----------
    name
        Of a collection that the policy allows.
    manifest
        None where that cannot be read either: then the vocabulary says what the collection is called,
        and nothing says what it holds.
    """

    def __init__(self, name: str, manifest: ViewManifest | None) -> None:
        self.extent: Box | None = None
        self.time_extent: tuple[int | None, int | None] | None = None
        self._columns: frozenset[str] = frozenset()
        if manifest is None:
            found = known().get(name)
            self.collection: Collection = found or from_schema(name, {"title": name, **_UNKNOWN})
        else:
            self.collection = from_schema(manifest.collection, manifest.schema)
            self.extent, self.time_extent = manifest.extent, manifest.time_extent
            self._columns = frozenset(manifest.columns)

    def has_column(self, name: str) -> bool:
        """Whether a column is visible, as far as is known."""
        return name in self._columns
