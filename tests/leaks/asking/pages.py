"""Questions about the server itself."""

from __future__ import annotations

from tests.leaks.asking.parts import Question, get

ASKERS: dict[str, Question] = {
    "GET /": get("/"),
    "GET /emergency": get("/emergency"),
    "GET /offers": get("/offers"),
    "GET /conformance": get("/conformance"),
    "GET /docs": get("/docs"),
    "GET /docs/guides/<guide>": get("/docs/guides/qgis"),
    "GET /docs/guides/images/<picture>.png": get("/docs/guides/images/qgis.png"),
    "GET /functions": get("/functions"),
    "GET /healthz": get("/healthz"),
    "GET /map": get("/map"),
    "GET /map/<path:name>": get("/map/{feature}"),
    "GET /map/settings.json": get("/map/settings.json"),
    "GET /openapi.json": get("/openapi.json"),
    "GET /readyz": get("/readyz"),
}
