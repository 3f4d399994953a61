"""What requests are made of: names and numbers at random, of things visible, hidden and missing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import openlr

from tests.leaks import desk_town, lane_town
from tests.leaks.known import Known
from tests.leaks.town import COLLECTIONS, COLUMNS, HIDDEN_COLUMNS, HIDDEN_LAYER, SOUTH, WEST
from tests.leaks.twins import NOON_US, Request
from tiles.matrices import MATRIX_SETS

MISSING = ("nothing", "structures", HIDDEN_LAYER, "../etc", "segments,", "")
VALUES = (
    "primary",
    "service",
    "site",
    "military",
    "roadwork",
    "hidden",
    "秘密の道",
    "本通り",
    "shop",
    "x",
)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_6677 = "http://www.opengis.net/def/crs/EPSG/0/6677"
EPSG_4326 = "http://www.opengis.net/def/crs/EPSG/0/4326"
MATRICES = ("WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9", "Other")
SETS = tuple(MATRIX_SETS)
PLACE = "<matrix_set_id>/<int:z>/<int:row>/<int:column>"


class Parts:
    """Draws what questions of one consumer are made of."""

    def __init__(self, seed: int, key: str, organisation: str) -> None:
        self.rng = random.Random(seed)
        self.key = key
        self.organisation = organisation
        self.known = Known()

    def get(self, path: str, *query: tuple[str, Any]) -> Request:
        said = [(name, str(value)) for name, value in query]
        if self.rng.random() < 0.03:
            said.append((self.rng.choice(("surface", "sortby", "token", "limit")), "1"))
        if self.rng.random() < 0.06:
            said.append(("f", self.rng.choice(("html", "html", "json"))))
        method = "HEAD" if self.rng.random() < 0.08 else "GET"
        return Request(method, path, tuple(said))

    def collection(self) -> str:
        if self.rng.random() < 0.12:
            return self.rng.choice(MISSING)
        return self.rng.choice(desk_town.COLLECTIONS if self.rng.random() < 0.2 else COLLECTIONS)

    def lanes(self) -> str:
        """A collection to ask about lanes: mostly one that has them."""
        return "lanes" if self.rng.random() < 0.6 else self.collection()

    def feature(self, collection: str) -> str:
        """An id of a feature of a collection, or of any other, or of one that is hidden."""
        known = self.known.features.get(collection)
        return self.rng.choice(known if known and self.rng.random() < 0.8 else self.known.ids)

    def pair(self) -> tuple[str, str]:
        """A collection and one of its features, or of another one's."""
        name = self.collection()
        return name, self.feature(name)

    def several(self) -> str:
        return ",".join(self.collection() for _ in range(self.rng.choice((1, 1, 2, 3))))

    def column(self) -> str:
        every = [*COLUMNS.values(), *HIDDEN_COLUMNS.values(), ["nothing", "id", "geometry"]]
        if self.rng.random() < 0.2:
            every = [*desk_town.COLUMNS.values(), *desk_town.HIDDEN_COLUMNS.values()]
        return self.rng.choice(self.rng.choice(every))

    def box(self) -> tuple[float, float, float, float]:
        rng = self.rng
        side = 10 ** rng.uniform(-5, -1.2)
        west, south = WEST + rng.uniform(-0.005, 0.03), SOUTH + rng.uniform(-0.005, 0.027)
        return west, south, west + side, south + side * rng.uniform(0.2, 1.5)

    def place(self) -> str:
        west, south, east, north = self.box()
        return self.rng.choice((f"{west:.7f},{south:.7f}", f"{east:.7f},{north:.7f},12", "200,1"))

    def place_of_lanes(self) -> str:
        """A place on the lanes, or a few metres beside them."""
        west = lane_town.WEST + self.rng.uniform(-0.0005, lane_town.LANES * lane_town.LONG)
        south = lane_town.SOUTH + self.rng.uniform(-3, 6) * lane_town.WIDE
        return f"{west:.7f},{south:.7f}"

    def reference(self) -> str:
        """An OpenLR reference from one place of the town to another, along roads or along none."""
        west, south, east, north = self.box()
        first = openlr.LocationReferencePoint(
            west,
            south,
            openlr.FRC.FRC7,
            openlr.FOW.UNDEFINED,
            self.rng.choice((0, 90)),
            openlr.FRC.FRC7,
            300,
        )
        last = first._replace(lon=east, lat=north, lfrcnp=openlr.FRC.FRC7, dnp=0)
        said = openlr.binary_encode(openlr.LineLocationReference([first, last], 0.0, 0.0))
        return self.rng.choice((said, "CwAAAA==", "x"))

    def bbox(self) -> str:
        if self.rng.random() < 0.05:
            return self.rng.choice(
                ("1,2,3", "170,30,-170,40", "a,b,c,d", "139,36,140,35", "0,0,0,0,0,0")
            )
        return ",".join(f"{number:.7f}" for number in self.box())

    def moment(self) -> str:
        """An instant near those at which something changes."""
        past = NOON_US // 1_000_000 + self.rng.randint(-2, 60)
        return self.rng.choice((datetime.fromtimestamp(past, UTC).isoformat(), self.instant()))

    def instant(self) -> str:
        day = self.rng.randint(1, 28)
        month = self.rng.choice((4, 5, 6))
        start = f"2026-{month:02d}-{day:02d}T00:00:00Z"
        return self.rng.choice(
            (start, f"{start}/..", f"../{start}", f"{start}/2026-06-30T00:00:00Z", "now")
        )

    def filter(self) -> str:
        rng, name = self.rng, self.column()
        value = rng.choice(VALUES)
        west, south, east, north = self.box()
        simple = (
            f"{name} = '{value}'",
            f"{name} <> '{value}'",
            f"{name} LIKE '{value[:1]}%'",
            f"{name} IS NULL",
            f"{name} IN ('{value}', 'b')",
            f"{name} > {rng.choice((0, 3, 4.5, 9))}",
            f"{name} BETWEEN 3 AND 6",
            f"S_INTERSECTS(geometry, BBOX({west},{south},{east},{north}))",
            f"S_DISJOINT(geometry, BBOX({west},{south},{east},{north}))",
            f"S_WITHIN(geometry, BBOX({west},{south},{east},{north}))",
            f"T_AFTER({name}, TIMESTAMP('2026-05-04T00:00:00Z'))",
            f"CASEI({name}) = casei('{value}')",
            f"ACCENTI({name}) LIKE accenti('{value[:1]}%')",
            f"{name} <> {self.column()}",
            f"{name} * 2 + 1 > {rng.choice((3, 9))}",
            f"A_OVERLAPS({name}, ('{value}', 1))",
            f"T_INTERSECTS(INTERVAL({name}, {self.column()}), INTERVAL('2026-05-04', '..'))",
            f"S_TOUCHES(geometry, MULTIPOINT(({west} {south}), ({east} {north})))",
            f"S_CROSSES(geometry, LINESTRING({west} {south}, {east} {north}))",
            f"length_m(geometry) > {rng.choice((0, 20, 200))}",
            "area_m2(geometry) > 100 AND geometry_type(geometry) = 'Polygon'",
            f"year({name}) = 2026",
            f"char_length({name}) > 2",
            f"{name} = '",
            "(" * rng.randint(1, 90) + "1=1",
        )
        said = rng.choice(simple)
        if rng.random() < 0.3:
            said = f"({said}) {rng.choice(('AND', 'OR', 'AND NOT'))} ({rng.choice(simple)})"
        return said

    def tile(self) -> tuple[int, int, int]:
        rng = self.rng
        z = rng.choice((0, 3, 6, 9, 10, 11, 12, 13, 14, 14, 15, 15, 16, 17, 18, 20, 25))
        count = 2**z
        west, south = WEST + rng.uniform(0, 0.025), SOUTH + rng.uniform(0, 0.022)
        x = int((west + 180) / 360 * count)
        y = int((1 - math.asinh(math.tan(math.radians(south))) / math.pi) / 2 * count)
        if rng.random() < 0.03:
            x += rng.choice((-1, 1, count))
        return z, max(x, 0), y

    def post(self, path: str, body: bytes, kind: str, *query: tuple[str, str]) -> Request:
        return Request("POST", path, query, (("Content-Type", kind),), body)

    def one(self, template: str) -> Request:
        """A GET of a rule whose only variables are a collection, a feature, a job and a matrix set."""
        rng = self.rng
        z, x, y = self.tile()
        name = self.collection()
        values = {
            "collection": name,
            "feature": self.feature(name),
            "contribution": rng.choice(self.known.contributions[-8:]),
            "job": rng.choice(self.known.jobs[-8:]),
            "several": self.several(),
            "matrix": rng.choice([*SETS, *MATRICES]),
            "z": z, "x": x, "y": y,
        }  # fmt: skip
        return self.get(template.format(**values))


Question = Callable[[Parts], Request]


def get(template: str) -> Question:
    """A question whose only variables are those of `Parts.one`."""
    return lambda asker: asker.one(template)
