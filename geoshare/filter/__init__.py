"""CQL2: parsed behind a guard, checked against what the reader may see, evaluated on columns."""

from geoshare.filter.check import Expression, check, fields_of, kind_of
from geoshare.filter.cost import Meter
from geoshare.filter.evaluate import evaluate
from geoshare.filter.narrow import narrow
from geoshare.filter.parse import CQL2_JSON, CQL2_TEXT, parse, parse_json, parse_text

__all__ = [
    "CQL2_JSON",
    "CQL2_TEXT",
    "Expression",
    "Meter",
    "check",
    "evaluate",
    "fields_of",
    "kind_of",
    "narrow",
    "parse",
    "parse_json",
    "parse_text",
]
