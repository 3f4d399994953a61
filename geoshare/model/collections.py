"""Collections: the committed schemas of the foundation, and schemas inferred for other layers.

A schema is a JSON Schema (2020-12) in ``schemas/{name}.json`` with these additions:
``title`` is English and ``x-title-ja`` Japanese, on the collection and on every property;
``x-geoshare-kind`` (vector, raster, cube); ``x-geoshare-geometry`` (point, line, polygon, any);
``x-geoshare-detail`` (decimals of coordinates); ``x-geoshare-identity`` (property whose value
identifies the feature whoever sends it); ``x-geoshare-time`` (``instant`` or ``[start, end]``);
``x-geoshare-observed`` (the time at which a feature is observed, if not the first of those);
``x-geoshare-label`` (the property that names a feature to people); on properties ``x-ogc-unit``,
``x-description-ja`` (the description in Japanese),
``x-enum-titles`` and ``x-enum-titles-ja`` (titles of
known values; the list of values is closed only where ``enum`` says so), ``x-geoshare-reference``
(collection referred to, or several with blanks between; the values of an object are lists of ids)
and ``x-geoshare-measure`` (true: depends on the whole geometry, so it is recomputed or null where a
policy cuts).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from geoshare.errors import BadRequest

NAME_RULE = "a letter a-z, then at most 62 of a-z, 0-9 and _; no device name such as nul or com1"
CATALOGUE = "catalogue"  # the one collection that holds records of the others
TOLD = "claims"  # the collection of what is told of claims, whatever they are on
RELEASE = "@release"
"""The column of packs that tells of what release class a row is: no property has this name."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DEVICE = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")  # no file of that name on Windows
_LONGEST, _LEAST = 63, 3  # of a name; ASCII letters that say enough to be kept


def is_name(name: str) -> bool:
    """Whether a text can be a collection's name: it then is one plain part of any path."""
    return bool(_NAME.fullmatch(name)) and not _DEVICE.fullmatch(name) and name != CATALOGUE


def check_name(name: str) -> str:
    """The name, if a collection may have it: files and folders are named after collections.

    Raises
    ------
    BadRequest
        for everything that :func:`is_name` does not take.
    """
    if not is_name(name):
        raise BadRequest(
            f"{name[:80]!a} cannot be a collection's name",
            parameter="collection",
            allowed=NAME_RULE,
            message_ja="コレクションの名前として使えません",
        )
    return name


def slug(text: str) -> str:
    """A lawful collection name for a layer or file of any name; equal names agree.

    ASCII letters and digits stay, in lower case, and the rest becomes ``_``. Where letters of other
    scripts are lost, a hash keeps names apart.

    >>> slug("Sidewalk-Trees"), slug("../../../evil"), slug("街路樹")
    ('sidewalk_trees', 'evil', 'layer_1a7ed907')
    """
    folded = unicodedata.normalize("NFKC", text).strip().lower()
    if not folded:
        return "layer"
    kept = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    digest = hashlib.blake2b(folded.encode("utf-8", "backslashreplace"), digest_size=4).hexdigest()
    if any(letter.isalnum() and not letter.isascii() for letter in folded) or len(kept) > _LONGEST:
        kept = f"{kept[:40].strip('_')}_{digest}" if len(kept) >= _LEAST else digest
    if is_name(kept) and kept != digest:
        return kept
    return f"layer_{kept or digest}"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a collection's schema."""

    name: str
    type: str  # string, integer, number, boolean, array, object
    format: str = ""  # date-time, date, uri
    title: str = ""
    title_ja: str = ""
    unit: str = ""
    enum: tuple[Any, ...] = ()
    titles: dict[str, str] = field(default_factory=dict, compare=False, hash=False)  # of known values
    titles_ja: dict[str, str] = field(default_factory=dict, compare=False, hash=False)
    reference: str = ""
    measure: bool = False
    description: str = ""

    @property
    def references(self) -> tuple[str, ...]:
        """Collections that values may refer to."""
        return tuple(self.reference.split())


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of features, scenes or grid steps with one schema."""

    name: str
    title: str
    title_ja: str
    kind: str = "vector"
    geometry: str = "any"
    decimals: int = 7
    identity: str = ""
    time: tuple[str, ...] = ()
    label: str = ""
    description: str = ""
    properties: tuple[Property, ...] = ()
    schema: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def observed(self) -> str:
        """The property that says when a feature was observed; empty where none does."""
        found: str = self.schema.get("x-geoshare-observed", "")
        return found or next(iter(self.time), "")

    def property(self, name: str) -> Property | None:
        """The property of that name, or None."""
        return next((item for item in self.properties if item.name == name), None)


def from_schema(name: str, schema: dict[str, Any]) -> Collection:
    """A collection from its JSON Schema."""
    time = schema.get("x-geoshare-time", ())
    return Collection(
        name=name,
        title=schema.get("title", name),
        title_ja=schema.get("x-title-ja", schema.get("title", name)),
        kind=schema.get("x-geoshare-kind", "vector"),
        geometry=schema.get("x-geoshare-geometry", "any"),
        decimals=schema.get("x-geoshare-detail", 7),
        identity=schema.get("x-geoshare-identity", ""),
        time=(time,) if isinstance(time, str) else tuple(time),
        label=schema.get("x-geoshare-label", ""),
        description=schema.get("description", ""),
        properties=tuple(_property(key, value) for key, value in schema.get("properties", {}).items()),
        schema=schema,
    )


def _property(name: str, schema: dict[str, Any]) -> Property:
    kind = schema.get("type", "string")
    return Property(
        name=name,
        type=next(item for item in kind if item != "null") if isinstance(kind, list) else kind,
        format=schema.get("format", ""),
        title=schema.get("title", name),
        title_ja=schema.get("x-title-ja", schema.get("title", name)),
        unit=schema.get("x-ogc-unit", ""),
        enum=tuple(item for item in schema.get("enum", ()) if item is not None),
        titles=schema.get("x-enum-titles", {}),
        titles_ja=schema.get("x-enum-titles-ja", {}),
        reference=schema.get("x-geoshare-reference", ""),
        measure=bool(schema.get("x-geoshare-measure", False)),
        description=schema.get("description", ""),
    )


@cache
def known() -> dict[str, Collection]:
    """The collections whose schemas are part of the product, by name."""
    folder = resources.files("geoshare.model") / "schemas"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            name = entry.name.removesuffix(".json")
            found[name] = from_schema(name, json.loads(entry.read_text("utf-8")))
    return found
