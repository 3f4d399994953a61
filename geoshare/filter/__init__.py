"""CQL2: parsed behind a guard, checked against what the reader may see, evaluated on columns."""

from geoshare.filter.check import Expression, check, fields_of, kind_of
from geoshare.filter.evaluate import evaluate
from geoshare.filter.parse import parse_json, parse_text

__all__ = ["Expression", "check", "evaluate", "fields_of", "kind_of", "parse_json", "parse_text"]
