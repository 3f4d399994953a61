"""One form of JSON for equal values, and its SHA-256."""

from __future__ import annotations

import hashlib
import json


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys, no blanks, and whole numbers written without a fraction."""
    plain = json.loads(json.dumps(value), parse_float=_shortest)
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_of(value: object) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _shortest(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
