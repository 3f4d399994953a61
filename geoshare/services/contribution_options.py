"""What a sender says about a file, and how it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from geoshare.errors import BadRequest
from geoshare.ingest import Complete
from geoshare.model.box import Box
from geoshare.model.findings import Refusing
from geoshare.services.incoming import safe_name

CLOCK_US = 300_000_000  # so far ahead a sender's clock may be


@dataclass(frozen=True, slots=True)
class Options:
    """What the sender says about a file."""

    provider: str | None = None
    collection: str | None = None
    mapping: str | None = None
    crs: str | None = None
    offset: str | None = None
    licence: str | None = None
    accuracy_m: float | None = None
    epoch: float | None = None
    vertical: str | None = None
    refuse_on: Refusing | None = None
    check_only: bool = False
    observed: str | None = None
    complete: bool = False
    dataset: str | None = None
    within: str | None = None
    remove_most: bool = False
    release_class: str | None = None

    def check(self, now_us: int) -> None:
        """Raise BadRequest for what could not be read later, with the parameter's name."""
        self.checked_mapping()
        self.checked_offset()
        self.checked_observed(now_us)
        self.checked_complete()

    def checked_observed(self, now_us: int) -> int | None:
        """When what is sent was seen, in microseconds since 1970; None: not stated.

        Raises
        ------
        BadRequest
            for what is no time, and for one that lies more than five minutes ahead.
        """
        if self.observed is None:
            return None
        found = read_observed(self.observed)
        if found > now_us + CLOCK_US:
            raise BadRequest(
                "The time of observation lies in the future",
                parameter="observed",
                allowed="a time up to now; look at the sender's clock",
                message_ja="観測日時が未来になっています。送信側の時計を確認してください",
            )
        return found

    def checked_complete(self) -> Complete | None:
        """Of what the file is all there is; None: it takes nothing away. See ``read_complete``."""
        return read_complete(self.complete, self.dataset, self.within, remove_most=self.remove_most)

    def checked_offset(self) -> tuple[float, float, float, float] | None:
        """x, y, z and heading of a road map's frame; the last two are zero where they are left out."""
        return None if self.offset is None else read_offset(self.offset)

    def checked_mapping(self) -> str | dict[str, str] | None:
        """A profile's name, or a table of column to property."""
        if self.mapping is None or not self.mapping.lstrip().startswith("{"):
            return self.mapping
        try:
            table = orjson.loads(self.mapping)
        except orjson.JSONDecodeError:
            table = None
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            raise BadRequest(
                "The mapping is not a table", parameter="mapping", allowed='{"column": "property"}'
            )
        return table


def read_complete(
    complete: bool, dataset: str | None, within: str | None, *, remove_most: bool
) -> Complete | None:
    """Of what a file is all there is, from what was said with it; None: it takes nothing away.

    Raises
    ------
    BadRequest
        for a name of a dataset that no file could have, a box that is none, and for what is said of
        a complete file where it is not said to be one.
    """
    if dataset is not None and (safe_name(dataset) != dataset or dataset.startswith("#")):
        raise BadRequest(
            "The name of the dataset cannot be used",
            parameter="dataset",
            allowed="a name as files have them, up to 200 bytes",
            message_ja="データセット名に使えない文字が含まれています",
        )
    if complete:
        box = None if within is None else read_within(within)
        return Complete(dataset=dataset is not None, within=box, remove_most=remove_most)
    for name, said in (("within", within is not None), ("remove_most", remove_most)):
        if said:
            raise BadRequest(
                "It is said of files that are all there is alone",
                parameter=name,
                allowed=f"{name} together with complete",
                message_ja="「これで全件」(complete)と一緒に指定してください",
            )
    return None


def read_within(text: str) -> Box:
    """West, south, east, north in degrees between commas. Raises BadRequest for anything else."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 4:
        west, south, east, north = numbers
        if -180 <= west < east <= 180 and -90 <= south < north <= 90:
            return Box(west, south, east, north)
    raise BadRequest(
        "The box cannot be read",
        parameter="within",
        allowed="W,S,E,N in degrees, west below east and south below north",
        message_ja="範囲を読み取れません",
    )


def read_offset(text: str) -> tuple[float, float, float, float]:
    """Two to four finite numbers between commas: x, y, z in metres, heading in radians.

    Raises
    ------
    BadRequest
        for anything else.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not 2 <= len(numbers) <= 4 or not all(math.isfinite(item) for item in numbers):
        raise BadRequest("The offset cannot be read", parameter="offset", allowed="X,Y[,Z[,HEADING]]")
    x, y, z, heading = (*numbers, 0.0, 0.0)[:4]
    return x, y, z, heading


def read_observed(text: str) -> int:
    """A date (its beginning, UTC) or an RFC 3339 time, in microseconds since 1970.

    Raises
    ------
    BadRequest
        for anything else.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            "The time of observation cannot be read",
            parameter="observed",
            allowed="2026-09-17, or 2026-09-17T09:00:00+09:00",
            message_ja="観測日時を読み取れません",
        ) from None
    known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (known - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
