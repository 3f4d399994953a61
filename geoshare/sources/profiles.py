"""Mapping profiles: which source column is which property, as data (``profiles/*.toml``).

A profile reads::

    title = "..."            title_ja = "..."
    collection = "shelters"
    signature = [["名称", "name"], ["緯度"]]   # of every list at least one column must be there
    absent = ["洪水"]                        # none of these may be there
    record_id = ["共通ID", "ID"]             # first found; several joined: [["a", "b"]]
    crs = "EPSG:6668"                        # where such files state none
    parts = true                             # repeated record ids are parts of one thing
    place = "point" | "mesh" | "none"        # of tables without geometry
    drop = ["NO"]                            # columns not worth keeping
    only = { type = ["segment"] }            # rows taken, by a column's values; others go to
    companions = ["other-profile"]           # these profiles
    [properties]
    name = ["名称", "施設名"]                  # or a table: columns, convert, values, constant, empty
    [melt]                                   # wide tables: one row per named column
    value = "value"   name = "indicator"   columns = {"人口総数" = "population"}
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from geoshare.model.collections import Collection, known, slug
from geoshare.sources import messages
from geoshare.sources.coerce import CONVERTERS, Rule
from geoshare.sources.text import heading

LATITUDE = ("緯度", "緯度_10進", "緯度_世界測地系", "latitude", "lat", "y", "北緯", "fy")
LONGITUDE = (
    "経度",
    "経度_10進",
    "経度_世界測地系",
    "longitude",
    "lon",
    "lng",
    "long",
    "x",
    "東経",
    "fx",
)
MESH = (
    "mesh_code",
    "meshcode",
    "mesh",
    "メッシュコード",
    "地域メッシュコード",
    "標準地域メッシュ・コード",
    "key_code",
    "mesh_id",
)
AREA = (
    "area_code",
    "行政区域コード",
    "市区町村コード",
    "自治体コード",
    "全国地方公共団体コード",
    "n03_007",
    "code",
)
PLACE_WORDS = frozenset(["latitude", "longitude", "geometry"])  # what columns become besides properties
RECORD_ID = ("id", "共通id", "識別子", "gml_id", "uuid", "objectid", "fid", "ogc_fid")


@dataclass(frozen=True, slots=True)
class Melt:
    """Columns of a wide table that become rows."""

    value: str
    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # per name: more properties


@dataclass(frozen=True, slots=True)
class Profile:
    """One mapping profile."""

    name: str
    title: str
    title_ja: str
    collection: str
    signature: tuple[tuple[str, ...], ...] = ()
    absent: frozenset[str] = frozenset()
    record_id: tuple[tuple[str, ...], ...] = ()
    crs: str = ""
    place: str = ""
    drop: frozenset[str] = frozenset()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    melt: Melt | None = None
    strict: bool = True
    layers: frozenset[str] = frozenset()
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)  # column -> values taken
    parts: bool = False  # a repeated record id means a further part of the same thing, no mistake
    companions: tuple[str, ...] = ()  # profiles of the rows that this one does not take
    layer: str = ""  # what the source calls the layer, where its collection is made of that


@cache
def profiles() -> dict[str, Profile]:
    """All profiles that come with the product, by name."""
    folder = resources.files("geoshare.sources") / "profile_data"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            name = entry.name.removesuffix(".toml")
            found[name] = _from_toml(name, tomllib.loads(entry.read_text("utf-8")))
    return found


def _from_toml(name: str, data: dict[str, Any]) -> Profile:
    unknown = set(data) - {
        *(
            "title",
            "title_ja",
            "collection",
            "signature",
            "absent",
            "record_id",
            "crs",
            "place",
            "drop",
        ),
        *("properties", "melt", "layers", "only", "companions", "parts"),
    }
    if unknown:
        raise ValueError(f"profile {name}: unknown keys {sorted(unknown)}")
    melt = data.get("melt")
    return Profile(
        name=name,
        title=data["title"],
        title_ja=data["title_ja"],
        collection=data["collection"],
        signature=tuple(tuple(map(heading, group)) for group in data.get("signature", [])),
        absent=frozenset(map(heading, data.get("absent", []))),
        record_id=tuple(
            (item,) if isinstance(item, str) else tuple(item) for item in data.get("record_id", [])
        ),
        crs=data.get("crs", ""),
        place=data.get("place", ""),
        drop=frozenset(map(heading, data.get("drop", []))),
        rules={key: _rule(name, value) for key, value in data.get("properties", {}).items()},
        melt=Melt(melt["value"], melt["name"], melt["columns"], melt.get("constants", {}))
        if melt
        else None,
        layers=frozenset(map(heading, data.get("layers", []))),
        parts=bool(data.get("parts", False)),
        companions=tuple(data.get("companions", ())),
        only={heading(key): frozenset(value) for key, value in data.get("only", {}).items()},
    )


def _rule(profile: str, value: Any) -> Rule:
    if isinstance(value, list):
        return Rule(columns=tuple(value))
    if not isinstance(value, dict):
        return Rule(constant=value)
    unknown = set(value) - {"columns", "convert", "values", "constant", "empty", "coalesce"}
    if unknown or value.get("convert", "plain") not in CONVERTERS:
        raise ValueError(f"profile {profile}: rule {value}")
    return Rule(
        columns=tuple(value.get("columns", ())),
        convert=value.get("convert", ""),
        values=value.get("values", {}),
        constant=value.get("constant"),
        empty=value.get("empty"),
        coalesce=bool(value.get("coalesce", False)),
    )


def choose(
    columns: Sequence[str],
    *,
    collection: str | None,
    mapping: str | Mapping[str, str] | None,
    layer: str,
) -> Profile:
    """The profile for a table or layer with these columns.

    A named profile is taken as it is; {column: property} overrides what names and titles suggest;
    otherwise the profile whose signature fits and which uses most of the columns; otherwise names
    and titles of the collection's own properties.

    Raises
    ------
    BadData
        ``mapping-unknown``.
    """
    if isinstance(mapping, str):
        if mapping not in profiles():
            raise messages.refuse_file(
                messages.mapping_unknown(mapping, ", ".join(profiles())), parameter="mapping"
            )
        return profiles()[mapping]
    if mapping:
        made = given(collection or layer_collection(layer), mapping, columns)
        return made if collection else replace(made, layer=layer)
    fitting = [
        (_score(profile, columns, layer), profile)
        for profile in profiles().values()
        if collection in (None, profile.collection) and fits(profile, columns)
    ]
    if fitting:
        return max(fitting, key=lambda item: item[0])[1]
    if collection:
        return by_names(collection)
    return replace(by_names(layer_collection(layer)), layer=layer)


def fits(profile: Profile, columns: Iterable[str]) -> bool:
    """Whether a table with these columns is what the profile is for."""
    present = {heading(column) for column in columns}
    if not profile.signature or profile.absent & present:
        return False
    return all(any(name in present for name in group) for group in profile.signature)


def _score(profile: Profile, columns: Sequence[str], layer: str) -> tuple[bool, int, int]:
    present = {heading(column) for column in columns}
    wanted = {heading(column) for rule in profile.rules.values() for column in rule.columns}
    wanted |= {heading(column) for column in (profile.melt.columns if profile.melt else ())}
    return (
        heading(layer) in profile.layers,
        len(profile.signature),
        len(present & (wanted | profile.drop)),
    )


def given(collection: str, mapping: Mapping[str, str], columns: Sequence[str]) -> Profile:
    """The profile a caller's {source column: property} stands for.

    Cells are read as the collection's fitting profile reads them (what an empty cell means, how codes
    are repaired); only the columns are the caller's.
    """
    same = [profile for profile in profiles().values() if profile.collection == collection]
    fitting = [profile for profile in same if fits(profile, columns)] or same
    base = max(fitting, key=lambda item: _score(item, columns, "")) if fitting else by_names(collection)
    rules = {name: rule for name, rule in base.rules.items() if rule.constant is not None}
    for target in dict.fromkeys(mapping.values()):
        if target not in PLACE_WORDS:
            sources = tuple(column for column, name in mapping.items() if name == target)
            rules[target] = replace(base.rules.get(target, Rule()), columns=sources, constant=None)
    return replace(
        base, name="given", title="As given", title_ja="指定した対応", rules=rules, melt=None
    )


def by_names(collection: str) -> Profile:
    """A profile that matches columns to a collection's properties by name and title."""
    schema: Collection | None = known().get(collection)
    rules: dict[str, Rule] = {}
    if schema:
        for item in schema.properties:
            rules[item.name] = Rule(columns=(item.name, item.title, item.title_ja))
    return Profile(
        name="by-names",
        title="By column names",
        title_ja="列名による対応",
        collection=collection,
        rules=rules,
        strict=schema is not None,
    )


def layer_collection(layer: str) -> str:
    """The collection a layer of that name becomes: a known one, or one under a name made of it."""
    name = heading(layer)
    for collection in known().values():
        if name in (heading(collection.title), heading(collection.title_ja)):
            return collection.name
    return slug(layer)
