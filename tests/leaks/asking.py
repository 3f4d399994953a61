"""Requests at random, over every route: what is asked depends on the seed and on earlier answers alone.

``ASKERS`` has an entry for every rule and method of the application; one that lacks it fails the suite.
Names of visible, hidden and missing collections, columns, values and features are mixed, so that a
difference between hidden and missing shows.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import openlr

from geoshare.derive.sheet import XLSX
from tests.leaks import desk_asking as desk
from tests.leaks import desk_town, lane_town
from tests.leaks.desk_asking import PEOPLE
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
FORMATS = ("json", "html", "geojson", "xml", "", "csv", "geojsonseq", "fgb", "parquet", "gpkg", "arrow")
MATRICES = ("WebMercatorQuad", "WorldCRS84Quad", "JGD2011Plane9", "Other")
SETS = tuple(MATRIX_SETS)
FILES = (
    "geojson", "geojsonseq", "parquet", "fgb", "arrow", "csv", "xlsx", "shp", "dxf", "pmtiles", "html",
    "gml",
)  # fmt: skip
CODE = desk_town.CODES[0]
OWN_IDS = ("s1", "s3", "h3-1", "a0", "m1", "p1", "x0", "h1", "n0-1", "e3", "f3", CODE, "089991009")
WHOLE = ("html", "pmtiles", "opendrive", "lanelet2", "autoware")  # formats that take no filter
LINES = ("lanes", "segments")
ONLOOKS = 0.3  # of the questions that another consumer asks before
ITEMS = "GET /collections/<collection>/items"
PLACE = "<matrix_set_id>/<int:z>/<int:row>/<int:column>"
ANY_MAP = "/collections/{collection}/map/tiles/{matrix}"
STYLES = ("grey-b01", "grey-b02", "grey-b03", "turbo-b01", "true-colour", "composite", "ndvi")


class Asker:
    """Makes requests of one consumer: of all rules, or of those that ``only`` is found in."""

    def __init__(self, seed: int, key: str, organisation: str = "org-rows", only: str = "") -> None:
        self.rng = random.Random(seed)
        self.key = key
        self.organisation = organisation
        self.session = self.csrf = ""  # of a person of the same organisation
        self.known = Known()
        self._only = [rule for rule in RULES if only and re.search(only, rule)]
        self._looks = [*COLLECTIONS, *desk_town.COLLECTIONS]  # which it begins with

    def next(self) -> tuple[str, Request]:
        """The next request, and the rule it is for."""
        if self._looks:
            path = f"/collections/{self._looks.pop()}/items"
            return ITEMS, Request("GET", path, (("limit", "50"),), (("X-API-Key", self.key),))
        often = self.rng.random()
        every = OFTEN if often < 0.5 else SOMETIMES if often < 0.7 else RULES
        rule = self.rng.choice(self._only or every)
        made = ASKERS[rule](self)
        if self.rng.random() < 0.01:
            made = _preflight(made)
        headers = (*made.headers, *self._credential(rule), *self._headers())
        return rule, Request(made.method, made.path, made.query, headers, made.body)

    def _credential(self, rule: str) -> list[tuple[str, str]]:
        """Who asks: by a key, a key that was made, a token, a session, as nobody, or wrongly."""
        rng = self.rng
        by = rng.random()
        if by < (0.8 if rule in PEOPLE else 0.12):
            return self._by_session()
        by = rng.random()
        if by < 0.08:
            return [("Authorization", f"Bearer {rng.choice(self.known.tokens)}")]
        if by < 0.12 and self.known.texts:
            return [("X-API-Key", rng.choice(self.known.texts[-20:]))]
        if by < 0.95:
            return [("X-API-Key", self.key)]
        return [("X-API-Key", self.key[:-1] + "0")] if by < 0.975 else []

    def _by_session(self) -> list[tuple[str, str]]:
        """As a page of the server asks, mostly."""
        found = [("Cookie", f"geoshare-session={self.session}"), ("X-CSRF-Token", self.csrf)]
        site = "same-origin" if self.rng.random() < 0.95 else "cross-site"
        return [*found[: self.rng.choice((2,) * 30 + (1,))], ("Sec-Fetch-Site", site)]

    def _headers(self) -> list[tuple[str, str]]:
        rng, headers = self.rng, []
        if rng.random() < 0.15:
            headers.append(("If-None-Match", rng.choice(self.known.tags)))
        if rng.random() < 0.3:
            headers.append(
                ("Accept-Encoding", rng.choice(("gzip", "zstd", "br, gzip;q=0.5", "identity")))
            )
        if rng.random() < 0.1:
            headers.append(("Accept", rng.choice(("text/html", "application/json", "image/png"))))
        if rng.random() < 0.05:
            headers.append(("Origin", "https://map.example"))
        return headers

    # What requests are made of

    def get(self, path: str, *query: tuple[str, Any]) -> Request:
        said = [(name, str(value)) for name, value in query]
        if self.rng.random() < 0.03:
            said.append((self.rng.choice(("surface", "sortby", "token", "limit")), "1"))
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

    def own_id(self) -> Request:
        """Items, at times by an id that a provider may have given them."""
        if self.rng.random() > 0.08:
            return self.items()
        said = self.rng.choice((*OWN_IDS, *self.known.ids[-3:]))
        query = (("external_id", said), *self.written())
        return self.get(f"/collections/{self.collection()}/items", *query)

    def items(self) -> Request:
        rng, query = self.rng, []
        if self.known.links and rng.random() < 0.3:
            parts = urlsplit(rng.choice(self.known.links))
            return Request("GET", parts.path, tuple(parse_qsl(parts.query)))
        if rng.random() < 0.6:
            query.append(("bbox", self.bbox()))
        if rng.random() < 0.7:
            query.append(("limit", rng.choice((1, 2, 5, 20, 100, 100000, 0, "x"))))
        if rng.random() < 0.4:
            query.append(("filter", self.filter()))
            if rng.random() < 0.1:
                query.append(("filter-lang", rng.choice(("cql2-text", "cql2-json", "ecql"))))
            if rng.random() < 0.1:
                query.append(("filter-crs", rng.choice((CRS84, EPSG_4326, "EPSG:1"))))
        if rng.random() < 0.2:
            query.append(("datetime", self.instant()))
        if rng.random() < 0.2:
            query.append(("properties", ",".join(self.column() for _ in range(rng.randint(1, 3)))))
        if rng.random() < 0.1:
            query.append(("f", rng.choice(FORMATS)))
        if rng.random() < 0.2:
            names = (rng.choice(("", "-")) + self.column() for _ in range(rng.randint(1, 2)))
            query.append(("sortby", ",".join(names)))
        query += self.written()
        if rng.random() < 0.03:
            query.append(("cursor", "AAAA.BBBB"))
        return self.get(f"/collections/{self.collection()}/items", *query)

    def written(self) -> list[tuple[str, str]]:
        """How features are to be written."""
        rng, query = self.rng, []
        if rng.random() < 0.1:
            query.append(("crs", rng.choice((CRS84, EPSG_4326, EPSG_6677, "EPSG:1"))))
        if rng.random() < 0.1:
            query.append(("profile", rng.choice(("jsonfg", "jsonfg-plus", "rfc7946", "other"))))
        if rng.random() < 0.15:
            query.append(("as_of", self.moment()))
        return query

    def item(self) -> Request:
        """One feature, now or then."""
        asked = _get("/collections/{collection}/items/{feature}")(self)
        then = (("as_of", self.moment()),) if self.rng.random() < 0.3 else ()
        return replace(asked, query=(*asked.query, *then))

    def changes(self, more: str = "") -> Request:
        """Changes since a token that was given out for this collection or another one."""
        rng, query, name = self.rng, [], self.collection()
        if rng.random() < 0.7 and self.known.feeds:
            parts = urlsplit(rng.choice(self.known.feeds))
            if rng.random() < 0.9 and not more:
                return Request("GET", parts.path, tuple(parse_qsl(parts.query)))
            query.append(("since", dict(parse_qsl(parts.query)).get("since", "AAAA")))
            name = parts.path.split("/")[2] if rng.random() < 0.8 else name
        if rng.random() < 0.4 and not more:
            query.append(("limit", rng.choice((1, 2, 3, 20, 0))))
        if rng.random() < 0.3 and not more:
            query.append(("bbox", self.bbox()))
        if rng.random() < 0.2 and not more:
            query.append(("as_of", self.moment()))
        return self.get(f"/collections/{name}/changes{more}", *query)

    def watching(self) -> Request:
        """Several collections at once, one of them since a token that was given out."""
        rng, names = self.rng, self.several().split(",")
        tokens = [""] * len(names)
        if rng.random() < 0.7 and self.known.feeds:
            parts = urlsplit(rng.choice(self.known.feeds))
            names = list(dict.fromkeys((parts.path.split("/")[2], *names)))
            tokens = [dict(parse_qsl(parts.query)).get("since", "AAAA"), *[""] * (len(names) - 1)]
        query = [("collections", ",".join(names)), ("since", ",".join(tokens))]
        query = query if rng.random() < 0.8 else query[:1]
        if rng.random() < 0.4:
            query.append(("desk", rng.choice((*names, self.collection()))))
        return self.get("/changes", *query)

    def vector_tile(self) -> Request:
        z, x, y = self.tile()
        return self.get(f"/tiles/{self.several()}/{z}/{x}/{y}.mvt")

    def set_tile(self) -> tuple[str, int, int, int]:
        """Tile matrix set, tile matrix, row and column of a tile in or near the town."""
        rng = self.rng
        name = rng.choice([*SETS, *MATRICES, *MATRICES])
        z = rng.choice((0, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 25))
        if name not in MATRIX_SETS or z > MATRIX_SETS[name].max_zoom:
            return name, z, 0, 0
        west, south = WEST + rng.uniform(0, 0.025), SOUTH + rng.uniform(0, 0.022)
        found = MATRIX_SETS[name].covering(z, (west, south, west, south))
        (column, _), (row, _) = found or ((0, 0), (0, 0))
        return name, z, max(0, row + rng.choice((0,) * 20 + (-1, 1, 2**z))), column

    def ogc_tile(self, template: str, *query: tuple[str, Any]) -> Request:
        name, z, row, column = self.set_tile()
        said = [*query]
        if self.rng.random() < 0.1:
            said.append(("f", self.rng.choice(("mvt", "png", "webp", "gif", "json"))))
        if self.rng.random() < 0.1:
            said.append(("datetime", self.instant()))
        path = template.format(collection=self.collection(), matrix=name)
        return self.get(f"{path}/{z}/{row}/{column}", *said)

    def raster_tile(self) -> Request:
        z, x, y = self.tile()
        name = self.collection() if self.rng.random() < 0.2 else "satellite"
        query = []
        if self.rng.random() < 0.4:
            query.append(("style", self.rng.choice(STYLES)))
        if self.rng.random() < 0.3:
            query.append(("datetime", self.instant()))
        return self.get(
            f"/raster/{name}/{z}/{x}/{y}.{self.rng.choice(('png', 'webp', 'jpg', 'gif'))}", *query
        )

    def extract(self, path: str = "/extracts") -> Request:
        rng = self.rng
        said: dict[str, Any] = {
            "collections": [self.collection() for _ in range(rng.choice((1, 2)))],
            "format": rng.choice(FILES),
        }
        if rng.random() < 0.25:
            lanes = rng.choice((("lanes",), ("lanes", "lane_boundaries"), ("lanes", "segments")))
            said = {"collections": lanes, "format": rng.choice(("opendrive", "lanelet2", "autoware"))}
        if rng.random() < 0.5:
            said["bbox"] = self.box()
        if rng.random() < (0.05 if said["format"] in WHOLE else 0.3):
            said["filter"] = self.filter()
        if rng.random() < (0.05 if said["format"] in WHOLE else 0.2):
            said["mode"] = rng.choice(("clip", "whole"))
        if rng.random() < 0.1:
            said["area"] = "089991"
        elif rng.random() < 0.1:
            said["mesh"] = ["54402698", "5440269823"]
        if said["format"] == "dxf" or rng.random() < 0.2:
            said["crs"] = "EPSG:6677"
        if rng.random() < 0.2:
            said["columns"] = [rng.choice(("name", "status", "notes", "code"))]
        return self.post(path, json.dumps(said).encode(), "application/json")

    def execution(self) -> Request:
        """A process on a drawn area, an administrative one, or a road of any kind."""
        rng = self.rng
        west, south, east, north = self.box()
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        where: dict[str, Any] = rng.choice(
            (
                {"area": {"type": "Polygon", "coordinates": [ring]}},
                {"codes": [rng.choice((desk_town.CODES[0], "089991", "000000"))]},
                {"meshes": ["5440269823"]},
                {"evacuation_area": self.feature("evacuation_areas")},
            )
        )
        kind = rng.choice(("flood", "tsunami", "x"))
        asked = {
            "area-summary": {**where, "hazard_type": kind},
            "road-exposure": {"segment": rng.choice(self.known.ids)},
            "difference": {
                "collection": self.collection(),
                "bbox": [WEST, SOUTH, WEST + 0.1, SOUTH + 0.1],
                "since": self.moment(),
            },
            "nothing": {},
        }
        name = rng.choice(("area-summary", "road-exposure", "difference", "nothing"))
        said: dict[str, Any] = {"inputs": asked[name]}
        if rng.random() < 0.2:
            said["outputs"] = {"result": {"format": {"mediaType": rng.choice((XLSX, "text/csv"))}}}
        body = json.dumps(said).encode()
        return self.post(f"/processes/{name}/execution", body, "application/json")

    def print(self, path: str) -> Request:
        """A map on paper; small sheets, since each is drawn twice."""
        rng = self.rng
        said: dict[str, Any] = {
            "scale": rng.choice((2_500, 10_000, 10_000, 50_000, 1, 9_999_999)),
            "shelter_list": rng.random() < 0.7,
            "language": rng.choice(("ja", "en")),
        }
        if rng.random() < 0.6:
            west, south, *_ = self.box()
            said["center"] = [west, south]
        elif rng.random() < 0.8:
            said["bbox"] = self.box()
        else:
            said["area"] = rng.choice(("089991", "08999", "秘"))
        if rng.random() < 0.5:
            said["collections"] = [self.collection() for _ in range(rng.choice((1, 2)))]
        if rng.random() < 0.2:
            said["title"] = rng.choice(VALUES)
        return self.post(path, json.dumps(said).encode(), "application/json")

    def sub_key(self) -> Request:
        """A key of one's own key, for collections of any kind."""
        said: dict[str, Any] = {"days": self.rng.choice((1, 20, 0))}
        if self.rng.random() < 0.6:
            said["collections"] = [self.collection()]
        return self.post("/me/keys", json.dumps(said).encode(), "application/json")

    def token(self) -> Request:
        """An access token for one's own key, for collections of any kind."""
        _, key, secret, _ = self.key.split("_")
        said = [("grant_type", self.rng.choice(("client_credentials",) * 9 + ("password",)))]
        if self.rng.random() < 0.6:
            said.append(("scope", " ".join(self.collection() for _ in range(self.rng.randint(1, 2)))))
        said += [("client_id", key), ("client_secret", secret)]
        form = urlencode(said).encode()
        return self.post("/oauth/token", form, "application/x-www-form-urlencoded")

    def share(self) -> Request:
        """A map of layers of any kind to be shared."""
        west, south, east, north = self.box()
        said = {
            "title": self.rng.choice(("避難所", "<b>", "")),
            "layers": [self.rng.choice(("events", "events", self.collection())) for _ in range(2)],
            "bbox": [west, south, max(east, west + 0.002), max(north, south + 0.002)],
            "hours": self.rng.choice((1, 24, 0)),
        }
        return self.post("/me/shares", json.dumps(said).encode(), "application/json")

    def shared(self, part: str) -> Request:
        """A part of a shared map, most often of one that was made."""
        known = self.known.shares
        return self.get(f"/s/{known[-1] if self.rng.random() < 0.8 else known[0]}{part}")

    def signed_link(self) -> Request:
        """A link to items or a tile of a collection of any kind."""
        z, x, y = self.tile()
        place = f"/collections/{self.collection()}/items", f"/tiles/{self.several()}/{z}/{x}/{y}.mvt"
        said = {"path": self.rng.choice((*place, "/collections/segments/items?limit=2", "no"))}
        return self.post("/me/links", json.dumps(said).encode(), "application/json")

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


class Onlooker:
    """Another consumer, who sees everything: what it reads warms every cache on the way."""

    def __init__(self, seed: int, key: str) -> None:
        self._rng = random.Random(seed + 1)
        self._key = key

    def before(self, request: Request) -> Request | None:
        """The same question, asked before by somebody else; None where it does not look on."""
        if request.method != "GET" or self._rng.random() >= ONLOOKS:
            return None
        kept = [pair for pair in request.headers if pair[0] in ("Accept", "Accept-Encoding")]
        query = tuple(pair for pair in request.query if pair[0] not in ("sig", "cursor"))
        headers = (*kept, ("X-API-Key", self._key))
        return Request("GET", request.path, query, headers)


def _preflight(request: Request) -> Request:
    """What a browser asks before it asks this of another origin."""
    said = (("Origin", "https://map.example"), ("Access-Control-Request-Method", request.method))
    return Request("OPTIONS", request.path, request.query, said)


def _of_several(asker: Asker) -> tuple[tuple[str, str], ...]:
    return (("collections", asker.several()),) if asker.rng.random() < 0.7 else ()


def _get(template: str) -> Callable[[Asker], Request]:
    return lambda asker: asker.one(template)


# What operators alone may ask; for the tiers under test all of it must be as if it were not there.
ADMIN = (
    "DELETE /admin/access/<access>",
    "GET /admin/access",
    "GET /admin/contributions/<contribution>/original",
    "POST /admin/contributions/<contribution>/access",
    "GET /admin/agreements",
    "GET /admin/agreements/<agreement>",
    "GET /admin/changes",
    "GET /admin/emergencies",
    "GET /admin/offers",
    "GET /admin/policies/diff",
    "GET /admin/tiers",
    "GET /admin/tiers/<int:number>",
    "POST /admin/agreements",
    "POST /admin/agreements/<agreement>/end",
    "POST /admin/agreements/<agreement>/signatures",
    "POST /admin/emergencies",
    "POST /admin/emergencies/<emergency>/confirm",
    "POST /admin/emergencies/<emergency>/end",
    "POST /admin/offers",
    "POST /admin/offers/<offer>/withdraw",
    "POST /admin/policies/simulate",
    "POST /admin/tiers",
    "POST /admin/tiers/<int:number>/publish",
)


def _admin(rule: str) -> Callable[[Asker], Request]:
    """Something that an operator may ask, about any of the first numbers."""
    method, path = rule.split()

    def ask(asker: Asker) -> Request:
        there = re.sub("<[^>]+>", lambda _: str(asker.rng.randint(1, 4)), path)
        body = asker.rng.choice((b"{}", b'{"reason": "asked"}', b"[", b""))
        if method == "DELETE":
            return Request(method, there)
        if method == "GET":
            return asker.get(there, *((("to", "1"),) if there.endswith("/diff") else ()))
        return asker.post(there, body, "application/json")

    return ask


ASKERS: dict[str, Callable[[Asker], Request]] = {
    "GET /": _get("/"),
    **{rule: _admin(rule) for rule in ADMIN},
    **{rule: desk.person(rule) for rule in PEOPLE},
    "GET /account": _get("/account"),
    "GET /login/callback": lambda asker: asker.get(
        "/login/callback", *((("state", "x"),) if asker.rng.random() < 0.5 else ())
    ),
    "GET /login": _get("/login"),
    "GET /emergency": _get("/emergency"),
    "GET /offers": _get("/offers"),
    "GET /audit/checkpoint": _get("/audit/checkpoint"),
    "GET /audit/tile/<path:name>": lambda asker: asker.get(
        f"/audit/tile/{asker.rng.choice(('0/000', 'entries/000', '0/000.p/7', '../log', '1/x'))}"
    ),
    "GET /audit/vkey": _get("/audit/vkey"),
    "GET /collections": _get("/collections"),
    "GET /collections/catalogue": _get("/collections/catalogue"),
    "GET /collections/catalogue/items": lambda asker: asker.get(
        "/collections/catalogue/items",
        *(
            (("q", asker.rng.choice(("a", "lane", "避難", "secret", "name"))),)
            if asker.rng.random() < 0.5
            else ()
        ),
        *((("bbox", "139,35,140,36"),) if asker.rng.random() < 0.3 else ()),
        *((("limit", asker.rng.choice((1, 5, 0))),) if asker.rng.random() < 0.4 else ()),
    ),
    "GET /collections/catalogue/items/<record_id>": lambda asker: asker.get(
        f"/collections/catalogue/items/{asker.collection()}"
    ),
    "GET /dcat": _get("/dcat"),
    "GET /collections/<collection>/map/tiles": _get("/collections/{collection}/map/tiles"),
    "GET /collections/<collection>/map/tiles/<matrix_set_id>": _get(
        "/collections/{collection}/map/tiles/{matrix}"
    ),
    f"GET /collections/<collection>/map/tiles/{PLACE}": lambda asker: asker.ogc_tile(
        asker.rng.choice(("/collections/satellite/map/tiles/{matrix}",) * 2 + (ANY_MAP,)),
        *((("style", asker.rng.choice(STYLES)),) if asker.rng.random() < 0.4 else ()),
    ),
    "GET /collections/<collection>/tiles": _get("/collections/{collection}/tiles"),
    "GET /collections/<collection>/tiles/<matrix_set_id>": _get(
        "/collections/{collection}/tiles/{matrix}"
    ),
    f"GET /collections/<collection>/tiles/{PLACE}": lambda asker: asker.ogc_tile(
        "/collections/{collection}/tiles/{matrix}"
    ),
    "GET /collections/<collection>/locate": lambda asker: asker.get(
        f"/collections/{asker.lanes()}/locate",
        ("position", asker.place() if asker.rng.random() < 0.4 else asker.place_of_lanes()),
        *(
            (("heading", str(asker.rng.choice((0, 90, 179.5, 361)))),)
            if asker.rng.random() < 0.5
            else ()
        ),
        *((("accuracy", str(asker.rng.choice((0.5, 5, 100)))),) if asker.rng.random() < 0.5 else ()),
    ),
    "GET /collections/<collection>/horizon": lambda asker: asker.get(
        f"/collections/{asker.lanes()}/horizon",
        ("lane", asker.feature("lanes")),
        ("distance", str(asker.rng.choice((10, 500, 20_000)))),
    ),
    "GET /collections/<collection>/openlr": lambda asker: asker.get(
        f"/collections/{asker.collection()}/openlr", ("reference", asker.reference())
    ),
    "GET /collections/<collection>/items/<feature_id>/explain": lambda asker: asker.get(
        "/collections/{}/items/{}/explain".format(*asker.pair())
    ),
    "GET /collections/<collection>/items/<feature_id>/along": lambda asker: asker.get(
        asker.rng.choice(("lanes", "segments", "segments", asker.collection())).join(
            ("/collections/", f"/items/{asker.feature(asker.rng.choice(LINES))}/along")
        ),
        asker.rng.choice((("at", "0.3"), ("m", "10"), ("position", asker.place()))),
    ),
    "GET /desk": _get("/desk"),
    "GET /desk/collections": _get("/desk/collections"),
    "GET /desk/collections/<collection>/items": desk.at_desk("/desk/collections/{collection}/items"),
    "GET /desk/collections/<collection>/items/<feature_id>": desk.at_desk(
        "/desk/collections/{collection}/items/{feature}"
    ),
    "GET /desk/collections/<collection>/items/<feature_id>/history": desk.at_desk(
        "/desk/collections/{collection}/items/{feature}/history"
    ),
    "GET /desk/edits": lambda asker: asker.get(
        "/desk/edits",
        *((("before", asker.rng.choice(asker.known.edits)),) if asker.rng.random() < 0.3 else ()),
    ),
    "GET /desk/edits/<edit>": lambda asker: asker.get(
        f"/desk/edits/{asker.rng.choice(asker.known.edits)}"
    ),
    "GET /desk/collections/<collection>/sheet": desk.sheet_taken,
    "POST /desk/sheets": desk.sheet_sent,
    "POST /desk/sheets/<sheet>/apply": desk.sheet_applied,
    "POST /desk/edits": desk.edits,
    "POST /desk/edits/<edit>/undo": lambda asker: asker.post(
        f"/desk/edits/{asker.rng.choice(asker.known.edits)}/undo", b"{}", "application/json"
    ),
    "POST /desk/photos": desk.photo_sent,
    "GET /collections/<collection>/items/<feature_id>/photo": desk.photo_shown,
    "POST /collections/<collection>/items": desk.edit("POST"),
    "PUT /collections/<collection>/items/<feature_id>": desk.edit("PUT"),
    "PATCH /collections/<collection>/items/<feature_id>": desk.edit("PATCH"),
    "DELETE /collections/<collection>/items/<feature_id>": desk.edit("DELETE"),
    "GET /warnings/<warning>/evacuation-area": desk.proposal,
    "POST /warnings/<warning>/evacuation-area": desk.confirmation,
    "GET /me/keys": _get("/me/keys"),
    "POST /me/keys": Asker.sub_key,
    "POST /me/keys/<key>/rotate": lambda asker: asker.post(
        f"/me/keys/{asker.rng.choice(asker.known.keys)}/rotate",
        asker.rng.choice((b"{}", b'{"overlap_seconds": 60}', b'{"overlap_seconds": -1}')),
        "application/json",
    ),
    "POST /me/links": Asker.signed_link,
    "POST /oauth/token": Asker.token,
    "GET /.well-known/oauth-authorization-server": _get("/.well-known/oauth-authorization-server"),
    "DELETE /me/keys/<key>": lambda asker: Request(
        "DELETE", f"/me/keys/{asker.rng.choice(asker.known.keys)}"
    ),
    "GET /me/audit": lambda asker: asker.get(
        "/me/audit",
        *((("limit", asker.rng.choice((1, 5, 1001))),) if asker.rng.random() < 0.4 else ()),
        *((("before", asker.rng.choice(asker.known.entries)),) if asker.rng.random() < 0.3 else ()),
    ),
    "GET /me/audit/<entry>/proof": lambda asker: asker.get(
        f"/me/audit/{asker.rng.choice(asker.known.entries)}/proof"
    ),
    "GET /tileMatrixSets": _get("/tileMatrixSets"),
    "GET /tileMatrixSets/<matrix_set_id>": _get("/tileMatrixSets/{matrix}"),
    "GET /tiles": _get("/tiles"),
    "GET /tiles/<matrix_set_id>": lambda asker: asker.get(
        f"/tiles/{asker.rng.choice([*SETS, *MATRICES])}", *_of_several(asker)
    ),
    f"GET /tiles/{PLACE}": lambda asker: asker.ogc_tile("/tiles/{matrix}", *_of_several(asker)),
    "GET /collections/<collection>": _get("/collections/{collection}"),
    "GET /collections/<collection>/items": Asker.own_id,
    "GET /collections/<collection>/items/<feature_id>": Asker.item,
    "GET /collections/<collection>/changes": Asker.changes,
    "GET /changes": Asker.watching,
    "GET /collections/<collection>/changes/stream": lambda asker: asker.changes("/stream"),
    "GET /me/shares": _get("/me/shares"),
    "POST /me/shares": Asker.share,
    "DELETE /me/shares/<share>": lambda asker: Request(
        "DELETE", f"/me/shares/{asker.rng.choice(asker.known.shares)}"
    ),
    "GET /s/<share>": lambda asker: asker.shared(""),
    "GET /s/<share>/data.json": lambda asker: asker.shared("/data.json"),
    "GET /s/<share>/preview.png": lambda asker: asker.shared("/preview.png"),
    "GET /s/<share>/code.svg": lambda asker: asker.shared("/code.svg"),
    "GET /s/<share>/tiles/<int:z>/<int:x>/<int:y>.mvt": lambda asker: asker.shared(
        "/tiles/{}/{}/{}.mvt".format(*asker.tile())
    ),
    "GET /me/webhooks": _get("/me/webhooks"),
    "POST /me/webhooks": lambda asker: asker.post(
        "/me/webhooks",
        json.dumps({"url": "https://hook.example/x", "collections": [asker.collection()]}).encode(),
        "application/json",
    ),
    "DELETE /me/webhooks/<hook>": lambda asker: Request(
        "DELETE", f"/me/webhooks/{asker.rng.choice(asker.known.hooks)}"
    ),
    "GET /collections/<collection>/queryables": _get("/collections/{collection}/queryables"),
    "GET /collections/<collection>/schema": _get("/collections/{collection}/schema"),
    "GET /collections/<collection>/sortables": _get("/collections/{collection}/sortables"),
    "GET /conformance": _get("/conformance"),
    "GET /contribute": _get("/contribute"),
    "GET /contributions": _get("/contributions"),
    "GET /contributions/<contribution>": _get("/contributions/{contribution}"),
    "GET /contributions/<contribution>/refused.xlsx": _get(
        "/contributions/{contribution}/refused.xlsx"
    ),
    "POST /contributions": desk.contribution("/contributions"),
    "POST /contributions/preview": desk.contribution("/contributions/preview"),
    "POST /contributions/uploads": desk.upload_begun,
    "HEAD /contributions/uploads/<upload>": desk.upload("HEAD"),
    "PATCH /contributions/uploads/<upload>": desk.upload("PATCH"),
    "POST /extracts": Asker.extract,
    "POST /extracts/estimate": lambda asker: asker.extract("/extracts/estimate"),
    "POST /extracts/<job>/again": lambda asker: asker.post(
        f"/extracts/{asker.rng.choice(asker.known.jobs)}/again", b"", "application/json"
    ),
    "GET /processes": _get("/processes"),
    "GET /processes/<process>": lambda asker: asker.get(
        f"/processes/{asker.rng.choice(('area-summary', 'road-exposure', 'difference'))}"
    ),
    "POST /processes/<process>/execution": Asker.execution,
    "POST /prints": lambda asker: asker.print("/prints"),
    "POST /prints/estimate": lambda asker: asker.print("/prints/estimate"),
    "GET /functions": _get("/functions"),
    "GET /healthz": _get("/healthz"),
    "GET /jobs": _get("/jobs"),
    "GET /jobs/<job>": _get("/jobs/{job}"),
    "DELETE /jobs/<job>": lambda asker: Request(
        "DELETE", f"/jobs/{asker.rng.choice(asker.known.jobs)}"
    ),
    "GET /jobs/<job>/result": _get("/jobs/{job}/result"),
    "GET /map": _get("/map"),
    "GET /map/<path:name>": _get("/map/{feature}"),
    "GET /map/settings.json": _get("/map/settings.json"),
    "GET /me": _get("/me"),
    "GET /openapi.json": _get("/openapi.json"),
    "GET /raster/<collection>.json": _get("/raster/{collection}.json"),
    "GET /raster/<collection>/<int:z>/<int:x>/<int:y>.<image_format>": Asker.raster_tile,
    "GET /readyz": _get("/readyz"),
    "GET /search": lambda asker: asker.get(
        "/search",
        ("q", asker.rng.choice(("本", "秘", "Station", "Hidden", "港通り 1", "シオミ", "", "a" * 200))),
        ("limit", asker.rng.choice((1, 10, 50, 51))),
    ),
    "GET /tiles/<collections>.json": _get("/tiles/{several}.json"),
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt": Asker.vector_tile,
}
# Rules that are asked more often than the others: what most of the data goes out through.
OFTEN = (
    "GET /collections/<collection>/items",
    "GET /collections/<collection>/changes",
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt",
    "GET /raster/<collection>/<int:z>/<int:x>/<int:y>.<image_format>",
    "GET /collections/<collection>/items/<feature_id>",
    "GET /jobs/<job>/result",
    "POST /extracts",
    "POST /processes/<process>/execution",
)
# And others that are computed from what there is.
SOMETIMES = (
    "GET /collections",
    "GET /collections/<collection>",
    "GET /collections/<collection>/queryables",
    "GET /collections/<collection>/schema",
    "GET /collections/<collection>/sortables",
    f"GET /collections/<collection>/tiles/{PLACE}",
    "GET /raster/<collection>.json",
    "GET /search",
    "GET /tiles/<collections>.json",
)
RULES = tuple(sorted(ASKERS))
