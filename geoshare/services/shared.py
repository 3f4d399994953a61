"""What a shared map shows, computed from views of what its organisation may pass on to anybody.

A share shows its layers inside its box and a margin around it: a list of what is there, and vector
tiles. All of it is the same for everybody who has the link, so answers are kept until a view changes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import pyarrow as pa
import shapely

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.errors import NotFound
from geoshare.extracts.terms import licences_of
from geoshare.model.box import Box
from geoshare.model.drills import is_real
from geoshare.model.policy import Policy
from geoshare.model.times import iso
from geoshare.query.tiles import Place
from geoshare.services.bodies import Bodies
from geoshare.services.explaining import emergencies
from geoshare.store.share_rows import Share

if TYPE_CHECKING:
    from geoshare.services import Services

LISTED: Final[dict[str, tuple[str, ...]]] = {
    "shelters": (
        "name",
        "name_en",
        "name_kana",
        "address",
        "phone",
        "status",
        "status_updated_at",
        "status_note",
        "people_count",
        "max_capacity",
        "pets_accepted",
        "is_welfare_shelter",
    ),
    "evacuation_sites": (
        "name",
        "name_en",
        "name_kana",
        "address",
        "also_designated_shelter",
        "hazard_flood",
        "hazard_landslide",
        "hazard_storm_surge",
        "hazard_earthquake",
        "hazard_tsunami",
        "hazard_great_fire",
        "hazard_inland_flood",
        "hazard_eruption",
    ),
    "evacuation_areas": (
        "name",
        "kind",
        "level",
        "hazard_type",
        "status",
        "valid_from",
        "valid_to",
        "notes",
    ),
    "events": ("name", "kind", "regulation_category", "status", "reason", "valid_from", "valid_to"),
    "warnings": (
        "name",
        "kind_name",
        "area_name",
        "hazard",
        "level",
        "state",
        "reported_at",
        "headline",
    ),
    "water_points": (
        "name",
        "address",
        "status",
        "status_updated_at",
        "supply",
        "hours",
        "valid_to",
        "notes",
    ),
}
"""Layers whose features are told one by one, and what is told of each."""
AT: Final = ("shelters", "evacuation_sites", "water_points")
"""Layers of places: drawn where the list says they are; all others are drawn from tiles."""
BASE: Final = ("admin_areas", "water", "segments", "places")
"""What a map of the layers lies on."""
MOST: Final = 1_500  # features of a layer that are told
MARGIN: Final = 0.5  # around the box, as a part of its sides
MIN_MARGIN_DEG: Final = 0.01
MIN_ZOOM, MAX_ZOOM = 4, 16  # of tiles
DECIMALS: Final = 6
MAX_POLICIES: Final = 1_000
BUDGET_BYTES: Final = 32_000_000  # of answers that a process keeps


@dataclass(frozen=True)
class Shown:
    """A share that is shown now, the views it is made of, and a mark that changes with them."""

    share: Share
    policy: Policy
    views: dict[str, View]
    drawn: tuple[View, ...]
    emergencies: tuple[dict[str, Any], ...]
    mark: bytes

    @property
    def box(self) -> Box:
        """The box with its margin, in degrees: nothing beyond it is told."""
        share = self.share
        wide = max(MIN_MARGIN_DEG, (share.east - share.west) * MARGIN)
        high = max(MIN_MARGIN_DEG, (share.north - share.south) * MARGIN)
        return Box(
            max(-180.0, share.west - wide),
            max(-85.0, share.south - high),
            min(180.0, share.east + wide),
            min(85.0, share.north + high),
        )

    @property
    def reader(self) -> Principal:
        """Who reads, for the audit log: anybody, in the name of the organisation that shares."""
        return Principal(self.share.organisation, ())


class Shared:
    """Shared maps as they are seen by who has the link. Safe to use from several threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.bodies = Bodies(BUDGET_BYTES)
        self._built: dict[str, tuple[int, frozenset[str]]] = {}  # by policy, as of a time of its folder

    def open(self, number: str) -> Shown:
        """What the share of that id shows now.

        Raises
        ------
        NotFound
            the same for unknown, revoked and over.
        Unavailable
            where policies cannot be read, or a view is being prepared.
        """
        services = self._services
        share = services.shares.find(number)
        policies = services.policies
        policy = policies.passed_on(share.organisation, "read")
        tiles = policies.passed_on(share.organisation, "tile")
        views = dict(self._views(policy, (name for name in share.layers if name in LISTED)))
        names = [*BASE, *(name for name in share.layers if name not in AT)]
        drawn = dict(self._views(tiles, names))
        notices = tuple(
            {name: item[name] for name in ("title", "title_ja", "reason", "reason_ja", "until")}
            for item in emergencies(services)
        )
        seen = [(name, view.policy_hash, view.token) for name, view in (*views.items(), *drawn.items())]
        mark = hashlib.blake2b(repr((share, seen, notices)).encode(), digest_size=16).digest()
        return Shown(share, policy, views, tuple(drawn.values()), notices, mark)

    def _views(self, policy: Policy, names: Iterable[str]) -> Iterable[tuple[str, View]]:
        built = self._names(policy)
        for name in names:
            if name in built:
                view = self._services.views.get(policy, name)
                if isinstance(view, View):
                    yield name, view

    def _names(self, policy: Policy) -> frozenset[str]:
        """Collections that have a view; looked up again when one has come or gone."""
        try:
            changed = (self._services.views_dir / policy.hash).stat().st_mtime_ns
        except OSError:
            return frozenset()
        found = self._built.get(policy.hash)
        if found is None or found[0] != changed:
            if len(self._built) >= MAX_POLICIES:
                self._built.clear()
            found = changed, frozenset(self._services.views.names(policy))
            self._built[policy.hash] = found
        return found[1]

    def place(self, shown: Shown, z: int, x: int, y: int) -> Place:
        """A tile of a share. Raises NotFound for one beyond its box, or of other zooms."""
        place = Place("WebMercatorQuad", z, x, y)
        if not MIN_ZOOM <= z <= MAX_ZOOM:
            raise NotFound("No such tile")
        box, count = shown.box, 2**z
        west, east = (360 * side / count - 180 for side in (x, x + 1))
        north, south = (_latitude(1 - 2 * side / count) for side in (y, y + 1))
        if west > box.east or east < box.west or south > box.north or north < box.south:
            raise NotFound("No such tile")
        return place

    def document(self, shown: Shown) -> dict[str, Any]:
        """What a page is made of: what is shared, what is there, and where it is from.

        Coordinates are longitude and latitude in degrees (CRS84), boxes west, south, east, north.
        ``drawn`` is another text whenever tiles may show something else.
        """
        share = shown.share
        organisation = self._services.governance.organisation(share.organisation)
        box = shown.box
        drawn = repr([(view.collection.name, view.token) for view in shown.drawn])
        return {
            "title": share.title,
            "note": share.note,
            "language": share.language,
            "by": organisation.name if organisation else "",
            "made": iso(share.created_us),
            "until": iso(share.expires_us),
            "box": [share.west, share.south, share.east, share.north],
            "bounds": [round(side, DECIMALS) for side in box],
            "layers": list(share.layers),
            "drills": share.drills,
            "drawn": hashlib.blake2b(drawn.encode(), digest_size=8).hexdigest(),
            "zooms": [MIN_ZOOM, MAX_ZOOM],
            "emergencies": list(shown.emergencies),
            "lists": {
                name: _told(view, box, drills=share.drills) for name, view in shown.views.items()
            },
            "sources": self._sources(shown),
        }

    def content(self, shown: Shown) -> bytes:
        """The document as JSON that may also stand inside a page of HTML."""
        found = orjson.dumps(self.document(shown))
        return found.replace(b"<", b"\\u003c").replace(b"\xe2\x80\xa8", b"\\u2028")

    def _sources(self, shown: Shown) -> list[dict[str, Any]]:
        """Licences of what is shown, and what their duties have us say, by collection."""
        found: dict[tuple[str, ...], dict[str, Any]] = {}
        views = {view.collection.name: view for view in (*shown.views.values(), *shown.drawn)}
        for name, view in views.items():
            licences = tuple(licences_of(shown.policy, name))
            duties = [
                (duty.text_ja or duty.text, duty.text)
                for grant in shown.policy.grants_for(name)
                for duty in grant.duties
                if duty.kind == "attribute"
            ]
            item = found.setdefault(licences, {"licences": licences, "of": [], "said": []})
            item["of"].append([view.collection.title_ja, view.collection.title])
            item["said"] += [pair for pair in duties if pair not in item["said"]]
        return list(found.values())


def _latitude(northing: float) -> float:
    """Degrees of a northing in Web Mercator, of which the map's half is 1."""
    return math.degrees(math.atan(math.sinh(math.pi * max(-1.0, min(1.0, northing)))))


def _told(view: View, box: Box, *, drills: bool) -> dict[str, Any]:
    """The features of a view in a box, drills only if asked; ``more`` where not all are told."""
    names = [name for name in LISTED[view.collection.name] if view.has_column(name)]
    rows = view.search(box, limit=MOST + 1)
    table = view.materialise(rows, names)
    count = table.num_rows
    table = table.slice(0, MOST)
    shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    at = view.collection.name in AT
    told = []
    for row, shape in zip(_rows(table.drop_columns(["geometry"])), shapes, strict=True):
        if shape is None or shape.is_empty or not (drills or is_real(row)):
            continue
        if at:
            point = shape if shape.geom_type == "Point" else shape.representative_point()
            place = {"at": [round(point.x, DECIMALS), round(point.y, DECIMALS)]}
        else:
            place = {"box": [round(side, DECIMALS) for side in shape.bounds]}
        told.append(row | place)
    return {"features": told, "more": count > MOST}


def _rows(table: pa.Table) -> Iterable[dict[str, Any]]:
    """Rows as JSON values, without what is not known."""
    for row in table.to_pylist():
        yield {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
