"""The OpenAPI 3.0 document, read off the routes: what parses a request also documents it."""

from __future__ import annotations

import functools
import re
from typing import Any

from flask import current_app
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from geoshare.api.answers import SCHEMAS, ref
from geoshare.api.describe import Description, Params
from geoshare.api.guides import GUIDES, PICTURES
from tiles.matrices import MATRIX_SETS

_NUMBERS = ("z", "x", "y", "row", "column")  # in addresses
_NAMED = {
    "matrix_set_id": list(MATRIX_SETS),
    "image_format": ["png", "webp", "jpg"],
    "guide": list(GUIDES),
    "picture": list(PICTURES),
}
_CONTENT_CRS = {
    "Content-Crs": {
        "description": "The reference system of coordinates, in angle brackets",
        "schema": {"type": "string"},
    }
}
_STANDARD_IDS = {  # of operations: OGC 20-057, table of suffixes, which clients look for
    "landing.landing": "getLandingPage",
    "landing.conformance": "getConformance",
    "collections.collections": "getCollectionsList",
    "collections.collection": "getCollection",
    "tilesets.matrix_sets": "getTileMatrixSetsList",
    "tilesets.matrix_set_definition": "getTileMatrixSet",
    "tilesets.vector_sets": ".collection.vector.getTileSetsList",
    "tilesets.vector_set": ".collection.vector.getTileSet",
    "tilesets.tile": ".collection.vector.getTile",
    "tilesets.dataset_sets": ".dataset.vector.getTileSetsList",
    "tilesets.dataset_set": ".dataset.vector.getTileSet",
    "tilesets.dataset_tile": ".dataset.vector.getTile",
    "tilesets.dataset_map_sets": ".dataset.map.getTileSetsList",
    "tilesets.dataset_map_set": ".dataset.map.getTileSet",
    "tilesets.dataset_picture": ".dataset.map.getTile",
    "tilesets.map_sets": ".collection.map.getTileSetsList",
    "tilesets.map_set": ".collection.map.getTileSet",
    "tilesets.picture": ".collection.map.getTile",
}
_QUERYABLES: dict[str, Any] = {  # their names differ by collection
    "name": "queryables",
    "in": "query",
    "required": False,
    "description": "Values that features must have, by name: any of the collection's queryables",
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}
_LOCATED = ("Feature", "FeatureCollection")


def document(version: str, server: str, collections: list[str], max_limit: int) -> dict[str, Any]:
    """The document for a caller that may know ``collections``; pages have at most ``max_limit``."""
    paths: dict[str, Any] = {}
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions[rule.endpoint]
        description: Description | None = getattr(view, "description", None)
        if description is None:
            continue
        path = re.sub(r"<(?:\w+(?:\(.*?\))?:)?(\w+)>", r"{\1}", rule.rule)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for method in sorted(methods):
            paths.setdefault(path, {})[method.lower()] = _operation(
                rule.endpoint, path, description, collections, max_limit
            )
    return {
        "openapi": "3.0.3",
        "info": {"title": "geoshare", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": server}],
        "security": [{}, {"bearer": []}, {"key": []}, {"session": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any user, the key as password; for GET alone",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "geoshare-session"},
            },
            "schemas": SCHEMAS,
            "responses": {
                "Problem": {
                    "description": "Problem details (RFC 9457)",
                    "content": {
                        "application/problem+json": {"schema": ref("Problem")},
                        "text/html": {},
                    },
                }
            },
        },
    }


def _operation(
    endpoint: str, path: str, about: Description, collections: list[str], max_limit: int
) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): _answer(media, text, about.returns)
        for status, (media, text) in about.answers.items()
    }
    for status in ("400", "401", "403", "404", "413", "429", "503"):
        answers.setdefault(status, {"$ref": "#/components/responses/Problem"})
    found: dict[str, Any] = {
        "operationId": _STANDARD_IDS.get(endpoint, endpoint.replace(".", "_")),
        "summary": about.summary,
        "tags": list(about.tags),
        "parameters": _path_parameters(path, collections) + _query_parameters(about.params, max_limit),
        "responses": answers,
    }
    if about.body is not None:
        found["requestBody"] = {"required": True, "content": _body(about.body)}
    return found


def _answer(media: str | tuple[str, ...], text: str, returns: str) -> dict[str, Any]:
    kinds = (media,) if isinstance(media, str) else media
    found: dict[str, Any] = {"description": text}
    if kinds != ("",):
        found["content"] = {
            kind: {"schema": ref(returns)} if returns and kind.endswith("json") else {}
            for kind in kinds
        }
    if returns in _LOCATED:
        found["headers"] = _CONTENT_CRS
    return found


def _path_parameters(path: str, collections: list[str]) -> list[dict[str, Any]]:
    found = []
    for name in re.findall(r"\{(\w+)\}", path):
        schema: dict[str, Any] = (
            {"type": "integer", "minimum": 0} if name in _NUMBERS else {"type": "string"}
        )
        if name == "collection" and collections:
            schema["enum"] = collections
        if name in _NAMED:
            schema["enum"] = _NAMED[name]
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


@functools.cache  # the models are those of the routes, and nobody changes what is returned
def _query_parameters(model: type[BaseModel], max_limit: int) -> list[dict[str, Any]]:
    schema = model.model_json_schema(schema_generator=_Plain)
    needed = schema.get("required", ())
    found = []
    for name, part in schema.get("properties", {}).items():
        text = part.pop("description", "")
        part.pop("title", None)
        if name == "limit":
            part.setdefault("maximum", max_limit)
        said = {"name": name, "in": "query", "required": name in needed, "description": text}
        if part.get("type") == "array":
            said |= {"style": "form", "explode": False}
        found.append(said | {"schema": part})
    return [*found, _QUERYABLES] if issubclass(model, Params) and model.TAKES_OTHERS else found


@functools.cache
def _body(body: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(body, str):
        return {body: {"schema": {"type": "string", "format": "binary"}}}
    schema = body.model_json_schema(schema_generator=_Nullable)
    return {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}}


def _inlined(schema: Any, named: dict[str, Any]) -> Any:
    """A schema with what it names put in its place; OpenAPI 3.0 has no ``$defs``."""
    if isinstance(schema, list):
        return [_inlined(item, named) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _inlined(value, named) for key, value in schema.items() if key != "$ref"}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return _inlined(named[name], named) | found if name else found


class _Plain(GenerateJsonSchema):
    """OpenAPI 3.0 has no ``null`` type: an optional parameter is simply not required."""

    def nullable_schema(self, schema: Any) -> Any:
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: Any) -> Any:
        """One value is a list of one; OpenAPI 3.0 has no ``const``."""
        found = super().literal_schema(schema)
        if "const" in found:
            found["enum"] = [found.pop("const")]
        return found

    def tuple_schema(self, schema: Any) -> Any:
        """A list of so many of the first member's type; OpenAPI 3.0 has no ``prefixItems``."""
        found = super().tuple_schema(schema)
        if "prefixItems" in found:
            found["items"] = found.pop("prefixItems")[0]
        return found

    def float_schema(self, schema: Any) -> Any:
        return _bounded(super().float_schema(schema))

    def int_schema(self, schema: Any) -> Any:
        return _bounded(super().int_schema(schema))

    def default_schema(self, schema: Any) -> Any:
        found = super().default_schema(schema)
        if found.get("default", 0) is None:
            del found["default"]
        return found


class _Nullable(_Plain):
    """In a body ``null`` may be said, which OpenAPI 3.0 marks beside the type."""

    def nullable_schema(self, schema: Any) -> Any:
        return {**self.generate_inner(schema["schema"]), "nullable": True}

    def default_schema(self, schema: Any) -> Any:
        return super(_Plain, self).default_schema(schema)


def _bounded(schema: Any) -> Any:
    """In OpenAPI 3.0 a bound is a number, and whether it is left out a truth value beside it."""
    for name in ("minimum", "maximum"):
        exclusive = f"exclusive{name.capitalize()}"
        if exclusive in schema:
            schema |= {name: schema[exclusive], exclusive: True}
    return schema
