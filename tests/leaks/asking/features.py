"""Questions about collections, their features, lanes, changes and what is found by name."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from tests.leaks import desk_town
from tests.leaks.asking.parts import CRS84, EPSG_4326, EPSG_6677, VALUES, Parts, Question, get
from tests.leaks.twins import Request

FORMATS = ("json", "html", "geojson", "xml", "", "csv", "geojsonseq", "fgb", "parquet", "gpkg", "arrow")
CODE = desk_town.CODES[0]
OWN_IDS = ("s1", "s3", "h3-1", "a0", "m1", "p1", "x0", "h1", "n0-1", "e3", "f3", CODE, "089991009")
LINES = ("lanes", "segments")
PROFILES = (
    *("jsonfg", "jsonfg-plus", "rfc7946", "other", "rel-as-key", "rel-as-uri"),
    *("rel-as-link", "rel-as-link", "rel-as-link,jsonfg", "val-as-title,rel-as-link"),
)
DOMAINS = ("valid-domain", "actual-domain", "actual-domain", "codelists-inline,actual-domain", "x")


def own_id(asker: Parts) -> Request:
    """Items, at times by an id that a provider may have given them."""
    if asker.rng.random() > 0.08:
        return items(asker)
    said = asker.rng.choice((*OWN_IDS, *asker.known.ids[-3:]))
    query = (("external_id", said), *written(asker))
    return asker.get(f"/collections/{asker.collection()}/items", *query)


def having(asker: Parts) -> list[tuple[str, str]]:
    """A value that features must have, of a column that may be hidden."""
    if asker.rng.random() > 0.15:
        return []
    return [(asker.column(), asker.rng.choice((*VALUES, "1", "2.5", "true")))]


def items(asker: Parts) -> Request:
    """A page of items, or one that a link led to."""
    rng, query = asker.rng, []
    if asker.known.links and rng.random() < 0.3:
        parts = urlsplit(rng.choice(asker.known.links))
        return Request("GET", parts.path, tuple(parse_qsl(parts.query)))
    if rng.random() < 0.6:
        query.append(("bbox", asker.bbox()))
    if rng.random() < 0.7:
        query.append(("limit", rng.choice((1, 2, 5, 20, 100, 100000, 0, "x"))))
    if rng.random() < 0.4:
        query.append(("filter", asker.filter()))
        if rng.random() < 0.1:
            query.append(("filter-lang", rng.choice(("cql2-text", "cql2-json", "ecql"))))
        if rng.random() < 0.1:
            query.append(("filter-crs", rng.choice((CRS84, EPSG_4326, "EPSG:1"))))
    if rng.random() < 0.2:
        query.append(("datetime", asker.instant()))
    if rng.random() < 0.2:
        query.append(("properties", ",".join(asker.column() for _ in range(rng.randint(1, 3)))))
    if rng.random() < 0.1:
        query.append(("f", rng.choice(FORMATS)))
    if rng.random() < 0.2:
        names = (rng.choice(("", "-")) + asker.column() for _ in range(rng.randint(1, 2)))
        query.append(("sortby", ",".join(names)))
    query += [*having(asker), *written(asker)]
    if rng.random() < 0.03:
        query.append(("cursor", "AAAA.BBBB"))
    return asker.get(f"/collections/{asker.collection()}/items", *query)


def written(asker: Parts) -> list[tuple[str, str]]:
    """How features are to be written."""
    rng, query = asker.rng, []
    if rng.random() < 0.1:
        query.append(("crs", rng.choice((CRS84, EPSG_4326, EPSG_6677, "EPSG:1"))))
    if rng.random() < 0.1:
        query.append(("profile", rng.choice(PROFILES)))
    if rng.random() < 0.15:
        query.append(("as_of", asker.moment()))
    return query


def item(asker: Parts) -> Request:
    """One feature, now or then."""
    asked = get("/collections/{collection}/items/{feature}")(asker)
    return replace(asked, query=(*asked.query, *written(asker)))


def schema(asker: Parts, last: str) -> Request:
    """A schema, at times with what values there are."""
    domain = (("profile", asker.rng.choice(DOMAINS)),) if asker.rng.random() < 0.4 else ()
    return asker.get(f"/collections/{asker.collection()}/{last}", *domain)


def changes(asker: Parts, more: str = "") -> Request:
    """Changes since a token that was given out for this collection or another one."""
    rng, query, name = asker.rng, [], asker.collection()
    if rng.random() < 0.7 and asker.known.feeds:
        parts = urlsplit(rng.choice(asker.known.feeds))
        if rng.random() < 0.9 and not more:
            return Request("GET", parts.path, tuple(parse_qsl(parts.query)))
        query.append(("since", dict(parse_qsl(parts.query)).get("since", "AAAA")))
        name = parts.path.split("/")[2] if rng.random() < 0.8 else name
    if rng.random() < 0.4 and not more:
        query.append(("limit", rng.choice((1, 2, 3, 20, 0))))
    if rng.random() < 0.3 and not more:
        query.append(("bbox", asker.bbox()))
    if rng.random() < 0.2 and not more:
        query.append(("as_of", asker.moment()))
    return asker.get(f"/collections/{name}/changes{more}", *query)


def watching(asker: Parts) -> Request:
    """Several collections at once, one of them since a token that was given out."""
    rng, names = asker.rng, asker.several().split(",")
    tokens = [""] * len(names)
    if rng.random() < 0.7 and asker.known.feeds:
        parts = urlsplit(rng.choice(asker.known.feeds))
        names = list(dict.fromkeys((parts.path.split("/")[2], *names)))
        tokens = [dict(parse_qsl(parts.query)).get("since", "AAAA"), *[""] * (len(names) - 1)]
    query = [("collections", ",".join(names)), ("since", ",".join(tokens))]
    query = query if rng.random() < 0.8 else query[:1]
    if rng.random() < 0.4:
        query.append(("desk", rng.choice((*names, asker.collection()))))
    return asker.get("/changes", *query)


ASKERS: dict[str, Question] = {
    "GET /collections": get("/collections"),
    "GET /collections/catalogue": get("/collections/catalogue"),
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
    "GET /dcat": get("/dcat"),
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
        f"/collections/{asker.collection()}/openlr",
        ("reference", asker.reference()),
        ("within", asker.rng.choice(("50", "500"))),
    ),
    "GET /collections/<collection>/items/<feature_id>/explain": lambda asker: asker.get(
        "/collections/{}/items/{}/explain".format(*asker.pair())
    ),
    "GET /collections/<collection>/items/<feature_id>/along": lambda asker: asker.get(
        asker.rng.choice(("lanes", "segments", "segments", asker.collection())).join(
            ("/collections/", f"/items/{asker.feature(asker.rng.choice(LINES))}/along")
        ),
        asker.rng.choice((("at", "0.3"), ("m", "10"), ("position", asker.place()))),
        ("within", asker.rng.choice(("1", "100", "10000"))),
    ),
    "GET /collections/<collection>": get("/collections/{collection}"),
    "GET /collections/<collection>/items": own_id,
    "GET /collections/<collection>/items/<feature_id>": item,
    "GET /collections/<collection>/changes": changes,
    "GET /changes": watching,
    "GET /collections/<collection>/changes/stream": lambda asker: changes(asker, "/stream"),
    "GET /collections/<collection>/queryables": lambda asker: schema(asker, "queryables"),
    "GET /collections/<collection>/schema": lambda asker: schema(asker, "schema"),
    "GET /collections/<collection>/sortables": lambda asker: schema(asker, "sortables"),
    "GET /collections/<collection>/codelists/<name>": lambda asker: asker.get(
        f"/collections/{asker.collection()}/codelists/{asker.column()}"
    ),
    "GET /search": lambda asker: asker.get(
        "/search",
        ("q", asker.rng.choice(("本", "秘", "Station", "Hidden", "港通り 1", "シオミ", "", "a" * 200))),
        ("limit", asker.rng.choice((1, 10, 50, 51))),
    ),
}
