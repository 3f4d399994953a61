"""Styles for QGIS inside a GeoPackage (table ``layer_styles``), so that a layer opens as a map."""

from __future__ import annotations

import colorsys
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from geoshare.extracts.layer import Layer
from geoshare.model.appearance import STYLE, colour_of
from geoshare.model.collections import Property
from geoshare.model.times import iso

TABLE: Final = "layer_styles"
GEOMETRY: Final = "geom"  # name of the column in the file, by which QGIS finds the style
MAX_CLASSES: Final = 40
_TABLE: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
  f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
  useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""  # as QGIS makes it
_COLOURS: Final = {
    "shelters": "#1b7837", "evacuation_sites": "#2a8f4a", "hazard_zones": "#3b7fc4",
    "evacuation_areas": "#c0392b", "events": "#d35400", "segments": "#5b6470", "lanes": "#37474f",
    "lane_boundaries": "#90a4ae", "buildings": "#b08968", "admin_areas": "#6c5ce7",
}  # fmt: skip
_LEVELS: Final[dict[str, str]] = STYLE["alert"]
_SAID: Final[dict[str, dict[str, str]]] = {
    "shelters": STYLE["shelter"],
    "evacuation_areas": {
        "elderly": _LEVELS["3"], "evacuate": _LEVELS["4"], "emergency": _LEVELS["5"],
        "lifted": STYLE["drill"],
    },
}  # fmt: skip
"""Colours of values by collection, where the map has them, too."""
_NOT_KNOWN: Final = "未確認"  # a state that nobody has said: never the colour of an open one
_GOLDEN: Final = 0.618034  # of the colour circle: values that follow each other look unlike
_CLASSED: Final = ("hazard", "depth_class", "level", "kind", "type", "class", "status", "state")


def add_style(path: Path, layer: Layer, kind: str) -> None:
    """Put the default style of a layer into its GeoPackage.

    Parameters
    ----------
    path, layer
        The file, and the layer that has just been written to it.
    kind
        Type of its geometries, as GDAL names it.
    """
    symbol = _symbol_type(kind, layer.about.geometry)
    if symbol is None:
        return  # points, lines and areas in one layer: QGIS asks which to show
    about = layer.about
    row = (
        "",
        "",
        about.name,
        GEOMETRY,
        "geoshare",
        _qml(layer, symbol),
        "",
        1,
        about.title_ja,
        "",
        "",
    )
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_TABLE)
        database.execute(
            "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier, last_change)"
            " VALUES (?, 'attributes', ?, ?)",
            (TABLE, TABLE, stamp(layer.now_us)),
        )
        marks = ", ".join("?" * len(row))
        database.execute(
            f"INSERT INTO {TABLE} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
            " styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
            f" VALUES ({marks}, ?)",
            (*row, stamp(layer.now_us)),
        )
        database.execute(
            "UPDATE gpkg_contents SET identifier = ?, description = ? WHERE table_name = ?",
            (f"{about.title_ja} ({about.name})", about.title, about.name),
        )


def stamp(moment_us: int) -> str:
    """An instant as GeoPackages have it: in UTC with milliseconds, neither more nor fewer."""
    whole, fraction = divmod(moment_us, 1_000_000)
    return f"{iso(whole * 1_000_000)[:-1]}.{fraction // 1_000:03d}Z"


def _symbol_type(kind: str, usual: str) -> str | None:
    for word, symbol in (("Point", "marker"), ("Line", "line"), ("Polygon", "fill")):
        if word in kind:
            return symbol
    return {"point": "marker", "line": "line", "polygon": "fill"}.get(usual)


def _qml(layer: Layer, symbol: str) -> str:
    colour = _COLOURS.get(layer.about.name) or colour_of(layer.about.name)
    classed = next(
        (item.property for name in _CLASSED for item in layer.columns if item.name == name), None
    )
    if classed is not None and 1 < len(_classes(classed)) <= MAX_CLASSES:
        renderer = categories(layer.about.name, classed, symbol, colour)
    else:
        renderer = (
            '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0"><symbols>'
            f"{_symbol('0', symbol, colour)}</symbols></renderer-v2>"
        )
    label = layer.about.label
    labels = _labels(label) if label and label in layer.schema.names else ""
    aliases = "".join(
        f'<alias index="{at}" field={quoteattr(item.name)} name={quoteattr(item.property.title_ja)}/>'
        for at, item in enumerate(layer.columns, 2)  # after fid and id
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.28.0" styleCategories="Symbology|Labeling|Fields">'
        f"{renderer}{labels}<aliases>{aliases}</aliases></qgis>"
    )


def _classes(said: Property) -> dict[str, str]:
    """Known values of a property, and their titles."""
    known = {str(value): str(value) for value in said.enum}
    return {value: said.titles_ja.get(value, title) for value, title in known.items()}


def categories(collection: str, said: Property, symbol: str, colour: str) -> str:
    """A QML renderer that tells the known values of a property apart; ``colour`` is for all others."""
    listed, symbols, own = [], [], _SAID.get(collection, {})
    classes = {**_classes(said), "": _NOT_KNOWN if "unknown" in own else "その他"}
    for number, (value, title) in enumerate(classes.items()):
        shade = own.get(value or "unknown") or (_unlike(number) if value else colour)
        listed.append(
            f'<category symbol="{number}" value={quoteattr(value)} label={quoteattr(title)} '
            'render="true" type="string"/>'
        )
        symbols.append(_symbol(str(number), symbol, shade))
    return (
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(said.name)} symbollevels="0" '
        f'enableorderby="0"><categories>{"".join(listed)}</categories>'
        f"<symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )


def _symbol(name: str, symbol: str, colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    plain, faint = f"{red},{green},{blue},255", f"{red},{green},{blue},90"
    edge = {"outline_color": plain, "outline_width": "0.3", "outline_width_unit": "MM"}
    line = {"line_color": plain, "line_width": "0.5", "line_width_unit": "MM", "joinstyle": "round"}
    dot = {"name": "circle", "color": plain, "size": "2.6", "size_unit": "MM"}
    options = {
        "marker": ("SimpleMarker", dot | edge | {"outline_color": "255,255,255,255"}),
        "line": ("SimpleLine", line),
        "fill": ("SimpleFill", edge | {"color": faint, "style": "solid", "outline_style": "solid"}),
    }
    kind, said = options[symbol]
    listed = "".join(
        f'<Option type="QString" name="{key}" value="{value}"/>' for key, value in said.items()
    )
    return (
        f'<symbol type="{symbol}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{kind}" enabled="1" locked="0" pass="0"><Option type="Map">{listed}</Option>'
        "</layer></symbol>"
    )


def _labels(name: str) -> str:
    return (
        '<labeling type="simple"><settings calloutType="simple">'
        f'<text-style fieldName={quoteattr(name)} fontSize="9" textColor="40,40,40,255" '
        'isExpression="0"><text-buffer bufferDraw="1" bufferSize="0.8" bufferColor="255,255,255,255"/>'
        '</text-style><rendering scaleVisibility="1" scaleMin="1" scaleMax="25000"/></settings>'
        "</labeling>"
    )


def _unlike(number: int) -> str:
    """A colour of a list of them, dark enough on white."""
    parts = colorsys.hls_to_rgb(number * _GOLDEN % 1.0, 0.42, 0.55)
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
