"""Features as an editor sees them, ready to be written into a sheet or compared with one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
import shapely

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.errors import TooLarge
from geoshare.ingest.edits import version_token
from geoshare.model.box import Box
from geoshare.query.items import matching
from geoshare.query.select import in_area
from geoshare.services.sheet_diff import POINT, Standing
from geoshare.sources.sheets import LATITUDE, LONGITUDE, MAX_ROWS, SHAPE
from geoshare.store.edit_rows import OwnClaim, all_claims, own_claims
from geoshare.store.rows import DESK
from tiles.arrays import Rows

if TYPE_CHECKING:
    from geoshare.services import Services
    from geoshare.services.desk_rules import Rules

MOST_CLAIMS: Final = 100  # of one feature that are looked through for what stood once
_SHAPES: Final = {
    "Point": "point",
    "MultiPoint": "point",
    "LineString": "line",
    "MultiLineString": "line",
    "Polygon": "area",
    "MultiPolygon": "area",
}


class Features:
    """Features of one collection in one caller's eyes."""

    def __init__(self, services: Services, rules: Rules, who: Principal, collection: str) -> None:
        self._services, self._who, self._collection = services, who, collection
        self._view: View = services.view(who, collection)
        self._fence = rules.fence(who, collection)

    def listed(self) -> dict[str, Standing]:
        """All that lie in the caller's area, by id. Raises TooLarge for more than a sheet holds."""
        box = self._fence.box
        rows = matching(self._view, None if box is None else Box(*box))
        if self._fence.area is not None:
            area = self._fence.area
            chosen = [numbers[in_area(table, numbers, area)] for table, numbers in rows.pairs]
            rows = Rows(rows.tables, tuple(chosen))
        if len(rows) > MAX_ROWS:
            raise TooLarge(
                "The list is too long for a sheet",
                parameter="collection",
                allowed=f"{MAX_ROWS} features",
                allowed_ja=f"{MAX_ROWS}件まで",
                message_ja=f"一覧が長すぎます(表は{MAX_ROWS}件まで)",
            )
        return self._standing(rows, ())

    def standing(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Those of these ids that the caller sees or speaks of; hidden ones are missing like none."""
        return self._standing(self._view.lookup(list(dict.fromkeys(ids))), ids)

    def _standing(self, rows: Rows, also: Iterable[str]) -> dict[str, Standing]:
        seen = {
            str(feature["id"]): feature
            for feature in orjson.loads(b"[" + self._view.geojson(rows) + b"]")
        }
        places = [(self._collection, feature) for feature in dict.fromkeys((*seen, *also))]
        organisation = self._who.organisation
        own: dict[str, list[OwnClaim]] = {}
        with self._services.record.snapshot() as connection:
            for claim in own_claims(connection, organisation, places):
                own.setdefault(claim.feature, []).append(claim)
        found = {}
        for _, feature in places:
            claims = own.get(feature, [])
            if feature in seen or claims:
                version = version_token(self._services.record, organisation, claims, feature)
                found[feature] = self._merged(seen.get(feature), claims, version)
        return found

    def _merged(
        self, feature: dict[str, Any] | None, claims: Sequence[OwnClaim], version: str
    ) -> Standing:
        """What the view shows, and over it what was said at the desk: the view follows in a moment."""
        values = dict(feature["properties"]) if feature is not None else {}
        geometry = feature["geometry"] if feature is not None else None
        desk = next((claim for claim in claims if claim.property == DESK), None)
        if desk is not None:
            spoken = orjson.loads(desk.properties)
            values |= {name: spoken[name] for name in spoken if self._view.has_column(name)}
        said_at = [claim.geometry for claim in claims if claim.geometry is not None]
        if desk is not None and desk.geometry is not None:
            said_at.append(desk.geometry)
        if said_at and (geometry is None or (desk is not None and desk.geometry is not None)):
            geometry = orjson.loads(shapely.to_geojson(shapely.from_wkb(said_at[-1])))
        drawn = geometry["type"] if geometry is not None else ""
        if geometry is not None and drawn == POINT:
            values[LONGITUDE], values[LATITUDE] = geometry["coordinates"][:2]
        values[SHAPE] = _SHAPES.get(drawn)
        return Standing(values, version, drawn)

    def once(self, feature: str, name: str) -> list[Any]:
        """Values that the own organisation has said of a property, the newest first."""
        with self._services.record.snapshot() as connection:
            claims = all_claims(
                connection, self._who.organisation, self._collection, feature, MOST_CLAIMS
            )
        if not self._view.has_column(name):
            return []
        return [orjson.loads(claim.properties).get(name) for claim in reversed(claims)]
