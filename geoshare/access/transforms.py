"""What a grant's transforms make of a column's values, and which rows its delay and window leave.

Pure: arrays in, arrays out. Nulls stay null whatever the transform; the clock's tick and the key of a
hash are handed in. A column keeps its kind under every transform but the hash, whose texts are strings.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geoshare.model.policy import Bucket, Grant, KeyedHash, Round, Transform
from tiles.arrays import Kind

TIMES: Final = (Kind.TIMESTAMP, Kind.DATE)
SECOND_US: Final = 1_000_000
HASH_BYTES: Final = 15  # 120 bits: a table of 10^12 values has no two of one hash
_ALWAYS_TRUE: Final = ("title", "x-title-ja", "description", "x-description-ja")
_TRUE_OF_NUMBERS: Final = ("type", "format", "x-ogc-unit")
_ARROW: Final = {
    Kind.STRING: pa.utf8(),
    Kind.JSON: pa.utf8(),
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.DATE: pa.date32(),
}


def result_kind(transform: Transform, kind: Kind) -> Kind:
    """The kind of a column of some kind after a transform."""
    return Kind.STRING if isinstance(transform, KeyedHash) else kind


def fits(transform: Transform, kind: Kind) -> bool:
    """Whether a transform makes sense for a kind of column; others are refused when written.

    Numbers and times can be rounded, numbers put into buckets, everything else hashed; whole numbers
    are rounded to whole steps and edges, so that they stay whole.
    """
    if isinstance(transform, Round):
        if kind is Kind.TIMESTAMP:
            return transform.step * SECOND_US >= 1
        return kind is Kind.FLOAT or (kind in (Kind.INT, Kind.DATE) and transform.step.is_integer())
    if isinstance(transform, Bucket):
        whole = all(edge.is_integer() for edge in transform.edges)
        return kind is Kind.FLOAT or (kind is Kind.INT and whole)
    return True


def transformed(values: Any, transform: Transform, kind: Kind, key: bytes = b"") -> pa.Array:
    """What a transform leaves of the values of a column.

    Parameters
    ----------
    values
        (n,) Arrow array or chunked array of the kind's type; dictionaries are taken, too.
    transform
        One that :func:`fits` the kind.
    kind
        The column's kind before.
    key
        16 to 64 bytes for a keyed hash: the secret of the agreement.

    Returns
    -------
    (n,) plain array of the type of ``result_kind``, null wherever the value was null.

    Raises
    ------
    ValueError
        for a hash without a key, and for a transform that does not fit: never the value itself.
    """
    plain = _plain(values).cast(_ARROW[kind])
    if transform.kind == "keep":
        return plain
    if transform.kind == "null":
        return pa.nulls(len(plain), plain.type)
    if not fits(transform, kind):
        raise ValueError(f"a column of kind {kind} cannot have the transform {transform.kind}")
    if isinstance(transform, Round):
        return _rounded(plain, transform.step, kind)
    if isinstance(transform, Bucket):
        return _bucketed(plain, transform.edges, kind)
    return _hashed(plain, kind, key)


def delay_cutoff(grant: Grant, tick_us: int) -> int | None:
    """The last observation time (microseconds, UTC) a grant shows at a tick; None: all times."""
    return None if grant.delay is None else tick_us - grant.delay_us


def window_start(grant: Grant, tick_us: int) -> int | None:
    """The first observation time (microseconds, UTC) a grant shows at a tick; None: all times."""
    return None if grant.window_us is None else tick_us - grant.window_us


def within_times(
    grant: Grant, tick_us: int | None, times_us: NDArray[np.int64], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which rows a grant's delay and window show at a tick.

    Parameters
    ----------
    grant
        Its ``delay`` and ``window`` decide; where it has neither, every row is shown.
    tick_us
        Microseconds since 1970 (UTC) of the keeper's tick; None: nothing is shown under a rule on time.
    times_us
        (n,) observation times in microseconds.
    known
        (n,) whether the time is known. A row of unknown time is never shown under a rule on time.
    """
    if grant.delay is None and grant.window is None:
        return np.ones(len(times_us), bool)
    if tick_us is None:
        return np.zeros(len(times_us), bool)
    shown = known.astype(bool).copy()
    latest, earliest = delay_cutoff(grant, tick_us), window_start(grant, tick_us)
    if latest is not None:
        shown &= times_us <= latest
    if earliest is not None:
        shown &= times_us >= earliest
    return shown


def described(schema: Mapping[str, Any], offered: Iterable[Transform], hashed: bool) -> dict[str, Any]:
    """A property's JSON Schema as it is after transforms, without what no longer holds.

    Parameters
    ----------
    schema
        Of the property before.
    offered
        What the policy's grants do with it: all ``keep`` leaves the schema as it is.
    hashed
        Whether only hashes are shown, so that it becomes a string.
    """
    if all(transform.kind == "keep" for transform in offered):
        return dict(schema)
    found = {key: value for key, value in schema.items() if key in _ALWAYS_TRUE}
    if hashed:
        return found | {"type": ["string", "null"]}
    return found | {key: schema[key] for key in _TRUE_OF_NUMBERS if key in schema}


def _plain(values: Any) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # of no chunks
        values = pa.array([], values.type)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _rounded(values: pa.Array, step: float, kind: Kind) -> pa.Array:
    if kind is Kind.FLOAT:
        numbers, missing = _numbers(values, pa.float64(), np.float64)
        return pa.array(_tidy(np.floor(numbers / step + 0.5) * step, step), mask=missing)
    whole, missing = _numbers(values, pa.int64() if kind is not Kind.DATE else pa.int32(), np.int64)
    unit = max(1, round(step * SECOND_US)) if kind is Kind.TIMESTAMP else int(step)
    if kind is Kind.INT:
        whole = (whole // unit + (whole % unit * 2 >= unit)) * unit
    else:
        whole = whole // unit * unit
    stored = pa.array(whole.astype(np.int32) if kind is Kind.DATE else whole, mask=missing)
    return stored.view(_ARROW[kind])


def _bucketed(values: pa.Array, edges: tuple[float, ...], kind: Kind) -> pa.Array:
    numbers, missing = _numbers(values, _ARROW[kind], np.float64)
    places = np.searchsorted(np.array(edges), numbers, side="right") - 1
    lower = np.array(edges)[np.maximum(places, 0)]
    below = missing | (places < 0) | np.isnan(numbers)
    return pa.array(lower.astype(np.int64) if kind is Kind.INT else lower, mask=below)


def _hashed(values: pa.Array, kind: Kind, key: bytes) -> pa.Array:
    """Hash each different value once; the kind is part of what is hashed."""
    if not 16 <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ValueError("a keyed hash needs a key of 16 to 64 bytes")
    if kind in TIMES:
        values = values.view(pa.int32() if kind is Kind.DATE else pa.int64())
    encoded = pc.dictionary_encode(values)
    marks = pa.array([_mark(value.as_py(), kind, key) for value in encoded.dictionary], pa.utf8())
    return marks.take(encoded.indices)


def _mark(value: Any, kind: Kind, key: bytes) -> str | None:
    if value is None:
        return None
    said = f"{kind}\0{value!r}" if not isinstance(value, str) else f"{kind}\0{value}"
    digest = hashlib.blake2b(said.encode(), key=key, digest_size=HASH_BYTES, person=b"column").digest()
    return base64.b32encode(digest).decode().lower()


def _numbers(
    values: pa.Array, stored: pa.DataType, kind: Any
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values with 0 for nulls, and where nulls are."""
    missing = np.asarray(values.is_null())
    plain = values.view(stored) if values.type != stored else values
    return plain.fill_null(0).to_numpy(zero_copy_only=False).astype(kind), missing


def _tidy(numbers: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Without the last digits that multiplying leaves: 0.3, not 0.30000000000000004."""
    digits = max(0, min(15, 12 - math.floor(math.log10(step))))
    return np.round(numbers, digits)
