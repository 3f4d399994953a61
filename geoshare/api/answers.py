"""What answers look like, as OpenAPI 3.0 schemas by name; the OpenAPI document refers to them."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of these schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    found: Schema = {"type": "object", "properties": properties}
    return {**found, "required": list(required)} if required else found


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_LINKS: Final = _list(ref("Link"))
_BOX: Final[Schema] = {
    "type": "array",
    "items": {"type": "number"},
    "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
}
_INTERVAL: Final[Schema] = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "items": {"type": "string", "format": "date-time", "nullable": True},
}
SCHEMAS: Final[dict[str, Schema]] = {
    "Problem": _object(
        ("type", "title", "status"),
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer", "minimum": 400, "maximum": 599},
        detail=_TEXT,
        parameter=_TEXT,
        allowed=_TEXT,
        detail_ja=_TEXT,
        allowed_ja=_TEXT,
    ),
    "Link": _object(
        ("href", "rel"),
        href={"type": "string", "format": "uri"},
        rel=_TEXT,
        type=_TEXT,
        title=_TEXT,
        hreflang=_TEXT,
    ),
    "LandingPage": _object(("links",), title=_TEXT, description=_TEXT, links=_LINKS),
    "ConfClasses": _object(("conformsTo",), conformsTo=_list({"type": "string", "format": "uri"})),
    "Extent": _object(
        (),
        spatial=_object(("bbox",), bbox={**_list(_BOX), "minItems": 1}, crs=_TEXT),
        temporal=_object(("interval",), interval={**_list(_INTERVAL), "minItems": 1}, trs=_TEXT),
    ),
    "Collection": _object(
        ("id", "links"),
        id=_TEXT,
        title=_TEXT,
        title_ja=_TEXT,
        description=_TEXT,
        kind=_TEXT,
        itemType=_TEXT,
        geometry=_TEXT,
        label=_TEXT,
        crs=_list(_TEXT),
        storageCrs=_TEXT,
        extent=ref("Extent"),
        links=_LINKS,
    ),
    "Collections": _object(
        ("links", "collections"), links=_LINKS, crs=_list(_TEXT), collections=_list(ref("Collection"))
    ),
    "Geometry": {
        **_object(
            ("type", "coordinates"),
            type={
                "type": "string",
                "enum": [
                    f"{many}{kind}"
                    for many in ("", "Multi")
                    for kind in ("Point", "LineString", "Polygon")
                ],
            },
            coordinates={"type": "array", "items": {}},
        ),
        "nullable": True,
    },
    "Feature": _object(
        ("type", "geometry", "properties"),
        type={"type": "string", "enum": ["Feature"]},
        id=_TEXT,
        geometry=ref("Geometry"),
        place=ref("Geometry"),
        time={"type": "object", "nullable": True},
        properties={"type": "object", "nullable": True},
        links=_LINKS,
        conformsTo=_list(_TEXT),
        featureType=_TEXT,
        coordRefSys=_TEXT,
    ),
    "FeatureCollection": _object(
        ("type", "features"),
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_list(ref("Feature")),
        links=_LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched=_COUNT,
        numberReturned=_COUNT,
        conformsTo=_list(_TEXT),
        featureType=_TEXT,
        geometryDimension=_COUNT,
        coordRefSys=_TEXT,
    ),
    "Schema": _object(
        ("$schema", "$id", "type", "properties"),
        **{"$schema": _TEXT, "$id": {"type": "string", "format": "uri"}},
        type={"type": "string", "enum": ["object"]},
        properties={"type": "object", "additionalProperties": {"type": "object"}},
    ),
    "Codelist": _object(
        ("id", "codes", "links"),
        id=_TEXT,
        title=_TEXT,
        title_ja=_TEXT,
        closed={"type": "boolean"},
        codes=_list(_object(("code",), code={}, title=_TEXT, title_ja=_TEXT)),
        links=_LINKS,
    ),
    "Styles": _object(
        ("styles",),
        default=_TEXT,
        styles=_list(
            _object(
                ("id", "links"),
                id=_TEXT,
                title=_TEXT,
                title_ja=_TEXT,
                description=_TEXT,
                links={**_LINKS, "minItems": 1},
            )
        ),
        links=_LINKS,
    ),
    "StyleMetadata": _object(
        ("id",),
        id=_TEXT,
        title=_TEXT,
        title_ja=_TEXT,
        description=_TEXT,
        keywords=_list(_TEXT),
        scope={"type": "string", "enum": ["style"]},
        stylesheets=_list(_object(("link",), title=_TEXT, version=_TEXT, link=ref("Link"))),
        layers=_list(_object(("id",), id=_TEXT, dataType=_TEXT, geometryType=_TEXT)),
        links=_LINKS,
    ),
    "Functions": _object(("functions",), functions=_list(_object(("name", "returns"), name=_TEXT))),
}
