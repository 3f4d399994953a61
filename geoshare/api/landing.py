"""The front door: landing page, conformance, the OpenAPI document, health."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from geoshare import __version__
from geoshare.api import openapi, reply
from geoshare.api.context import base_url, caller, check_format, href, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.html import JSON_OR_HTML, list_page, plain, resource
from geoshare.api.params import FormatParams

blueprint = Blueprint("landing", __name__, template_folder="templates")

OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
OGC_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    *(
        f"http://www.opengis.net/spec/ogcapi-common-3/1.0/conf/{name}"
        for name in (
            "schemas",
            "advanced-property-roles",
            "references",
            "returnables-and-receivables",
            "queryables",
            "sortables",
            "profile-parameter",
            "profile-references",
            "profile-codelists",
            "profile-domains",
        )
    ),
    "http://www.opengis.net/spec/ogcapi-features-6/0.0/conf/properties",  # 0.0: drafts
    "http://www.opengis.net/spec/ogcapi-features-6/0.0/conf/properties-features",
    "http://www.opengis.net/spec/ogcapi-features-8/0.0/conf/sortables",
    "http://www.opengis.net/spec/ogcapi-features-8/0.0/conf/sorting",
    "http://www.opengis.net/spec/ogcapi-features-8/0.0/conf/features-sorting",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/core",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/profiles",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/api",
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "spatial-functions",
            "temporal-functions",
            "array-functions",
            "property-property",
            "functions",
            "arithmetic",
        )
    ),
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/datetime",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/png",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/jpeg",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/oas30",
    *(
        f"http://www.opengis.net/spec/ogcapi-styles-1/0.0/conf/{name}"
        for name in ("core", "global-styles", "collection-styles", "mapbox-styles")
    ),
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/ogc-process-description",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/oas30",
    *(
        f"http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/{name}"
        for name in (
            "record-core",
            "record-collection",
            "record-core-query-parameters",
            "record-api",
            "searchable-catalog",
            "json",
        )
    ),
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixsetlimits",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixsetlimits",
    "http://www.opengis.net/spec/tms/2.0/conf/tilesetmetadata",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilesetmetadata",
]

OTHERS = (  # what the page leads to beside the collections
    ("データの目録 / Catalogue", "collections/catalogue/items"),
    ("スタイル / Styles", "styles"),
    ("ベクトルタイル / Vector tiles", "tiles"),
    ("地図タイル / Map tiles", "map/tiles"),
    ("タイル行列セット / Tile matrix sets", "tileMatrixSets"),
    ("処理 / Processes", "processes"),
    ("抽出・印刷のジョブ / Jobs of extracts and prints", "jobs"),
    ("あなたの権限 / What you hold", "me"),
    ("適合クラス / Conformance classes", "conformance"),
)


@blueprint.get("/")
@describes(
    "The landing page",
    params=FormatParams,
    answers={200: (JSON_OR_HTML, "Links to everything")},
    tags=("start",),
    returns="LandingPage",
)
def landing(params: FormatParams) -> Response:
    """Where everything is."""
    links = [
        _link("self", "", "application/json", "This page"),
        _link("service-desc", "openapi.json", OPENAPI, "OpenAPI"),
        _link("service-doc", "docs", "text/html", "How to connect, and the API / 使い方"),
        _link("conformance", "conformance", "application/json", "Conformance classes"),
        _link("data", "collections", "application/json", "Collections"),
        _link(f"{OGC_REL}ogc-catalog", "collections/catalogue", "application/json", "Catalogue"),
        _link("alternate", "dcat", "application/ld+json", "Catalogue as DCAT"),
        _link(f"{OGC_REL}functions", "functions", "application/json", "Functions of filters"),
        _link(f"{OGC_REL}tilesets-vector", "tiles", "application/json", "Vector tiles"),
        _link(f"{OGC_REL}tilesets-map", "map/tiles", "application/json", "Map tiles"),
        _link("related", "wmts/1.0.0/WMTSCapabilities.xml", "text/xml", "WMTS"),
        _link("related", "wms", "text/xml", "WMS"),
        _link(f"{OGC_REL}styles", "styles", "application/json", "Styles"),
        _link(f"{OGC_REL}tiling-schemes", "tileMatrixSets", "application/json", "Tile matrix sets"),
        _link(f"{OGC_REL}processes", "processes", "application/json", "Processes"),
        _link("alternate", "map", "text/html", "The map / 地図"),
        _link("related", "me", "application/json", "What you hold"),
        _link("related", "contribute", "text/html", "Contribute data / データ提供"),
    ]
    if check_format(params.f, "json", "html") == "html":
        names = services().visible(caller())
        others = [(text, href(*path.split("/"))) for text, path in OTHERS]
        page = render_template(
            "landing.html", collections=names, base=base_url(), who=caller(), others=others
        )
        return reply.body(page.encode(), "text/html; charset=utf-8")
    return reply.json(
        {
            "title": "geoshare",
            "description": "One shared map of many contributors, by tier / 共有地図基盤",
            "links": links,
        }
    )


@blueprint.get("/conformance")
@describes(
    "The standards this server conforms to",
    params=FormatParams,
    answers={200: (JSON_OR_HTML, "Conformance classes")},
    tags=("start",),
    returns="ConfClasses",
)
def conformance(params: FormatParams) -> Response:
    """Only classes whose tests pass."""
    rows = [plain(name) for name in CONFORMANCE]
    page = list_page("適合クラス / Conformance classes", "URI", rows)
    return resource({"conformsTo": CONFORMANCE}, page, params.f)


@blueprint.get("/openapi.json")
@describes(
    "This document",
    params=FormatParams,
    answers={200: ((OPENAPI, "text/html"), "An OpenAPI 3.0 document")},
    tags=("start",),
)
def document(params: FormatParams) -> Response:
    """The OpenAPI document, for the caller."""
    names, most = list(services().visible(caller())), services().settings.max_limit
    found = openapi.document(__version__, base_url(), names, most)
    rows = [
        plain(f"{method.upper()} {path}", about["summary"])
        for path, methods in found["paths"].items()
        for method, about in methods.items()
    ]
    return resource(
        found, list_page("API", "アドレス / Address | 説明 / Description", rows), params.f, OPENAPI
    )


@blueprint.get("/healthz")
@describes("Whether the process is alive", tags=("operation",), for_people=False)
def healthz(params: NoParams) -> Response:
    """Alive."""
    return reply.finish(Response(b'{"status":"ok"}', content_type="application/json"), cache="no-store")


@blueprint.get("/readyz")
@describes("Whether requests can be answered", tags=("operation",), for_people=False)
def readyz(params: NoParams) -> Response:
    """Ready when views are open and the record answers."""
    services().check_ready()
    return reply.finish(
        Response(b'{"status":"ready"}', content_type="application/json"), cache="no-store"
    )


def _link(rel: str, path: str, kind: str, title: str) -> dict[str, str]:
    return {
        "rel": rel,
        "href": href(*path.split("/")) if path else base_url() + "/",
        "type": kind,
        "title": title,
    }
