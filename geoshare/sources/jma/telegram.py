"""A telegram of the Japan Meteorological Agency, as far as warnings follow from it.

気象庁防災情報XML: ``Control`` (title, status, offices), ``Head`` (times, event, serial, headline) and
``Body``, whose shape depends on the kind of telegram. Telegrams are told apart by ``Control/Title``,
since the type code (VPWW53, VXKO50, ...) is the file's name and not in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree

from geoshare.model.batch import microseconds
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.jma.bodies import read_body
from geoshare.sources.jma.kinds import plain
from geoshare.sources.jma.statements import Statement
from geoshare.sources.jma.tree import HEAD, REPORT, child, text_of
from geoshare.sources.jma.xml import read_root

STATUSES = {"通常": "normal", "訓練": "drill", "試験": "test"}
INFO_TYPES = {"発表": "issued", "遅延": "issued", "訂正": "corrected", "取消": "cancelled"}
MAX_AHEAD_HOURS = 24
NOTED_AHEAD_US = 120_000_000
_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Telegram:
    """One telegram. Times are microseconds since 1970.

    ``stream`` names the sequence in which telegrams supersede each other: the same status, family
    and office or event. ``covers`` are the codes of the areas about which it speaks, also where it
    says that nothing is in force; ``whole``: it speaks about every area of its stream.
    """

    digest: str
    stream: str
    family: str
    title: str
    status: str  # normal, drill, test
    info_type: str  # issued, corrected, cancelled
    office: str
    event_id: str
    serial: int | None
    sent_us: int
    reported_us: int
    target_us: int | None
    valid_to_us: int | None
    headline: str
    whole: bool
    covers: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The telegram in JSON's types."""
        return asdict(self)


def from_dict(found: dict[str, Any]) -> Telegram:
    """The telegram that :meth:`Telegram.as_dict` gave."""
    statements = tuple(
        Statement(**(item | {"municipalities": tuple(item["municipalities"])}))
        for item in found["statements"]
    )
    return Telegram(**(found | {"covers": tuple(found["covers"]), "statements": statements}))


def parse_telegram(data: bytes, report: Report, now_us: int) -> Telegram | None:
    """A telegram from its bytes; None for a kind that holds no warnings (the report notes it).

    Raises
    ------
    BadData
        for what cannot be used at all; an item that cannot is refused in the report alone.
    """
    root = read_root(data, report)
    report.format = "JMA XML"
    control, head = child(root, REPORT, "Control"), child(root, HEAD, "Head")
    if root.tag != f"{{{REPORT}}}Report" or control is None or head is None:
        raise messages.refuse_and_note(report, messages.telegram_namespace())
    title = plain(text_of(control, "Title"))
    status = _known(STATUSES, text_of(control, "Status"), "Status", report)
    info_type = _known(INFO_TYPES, text_of(head, "InfoType"), "InfoType", report)
    body = read_body(title, root, head, report)
    if body is None:
        report.note(messages.telegram_other(title[:80] or "?"))
        return None
    if info_type != "cancelled" and body.expected and not (body.covers or body.statements):
        raise messages.refuse_and_note(report, messages.telegram_empty())
    reported_us = _reported(head, now_us, report)
    event_id = text_of(head, "EventID")[:200]
    if not event_id and body.family in ("flood", "tsunami"):
        report.note(messages.telegram_no_event())
    serial = plain(text_of(head, "Serial"))
    office = text_of(control, "EditorialOffice") or text_of(control, "PublishingOffice")
    report.rows_read += len(body.statements)
    return Telegram(
        digest=hashlib.sha256(data).hexdigest(),
        stream=f"{status}/{body.family}/{body.place or office[:100]}",
        family=body.family.split(":")[0],
        title=title[:200],
        status=status,
        info_type=info_type,
        office=text_of(control, "PublishingOffice")[:200] or office[:200],
        event_id=event_id,
        serial=int(serial) if serial.isascii() and serial.isdigit() and len(serial) < 10 else None,
        sent_us=_moment(text_of(control, "DateTime")) or reported_us,
        reported_us=reported_us,
        target_us=_moment(text_of(head, "TargetDateTime")),
        valid_to_us=_moment(text_of(head, "ValidDateTime")),
        headline=_headline(head),
        whole=body.whole,
        covers=body.covers,
        statements=body.statements,
    )


def _known(values: dict[str, str], text: str, name: str, report: Report) -> str:
    found = values.get(text)
    if found is None:  # what it may do is not known, so it does nothing
        raise messages.refuse_and_note(report, messages.telegram_missing(name))
    return found


def _reported(head: etree._Element, now_us: int, report: Report) -> int:
    moment = _moment(text_of(head, "ReportDateTime"))
    if moment is None:
        raise messages.refuse_and_note(report, messages.telegram_missing("ReportDateTime"))
    ahead = moment - now_us
    if ahead > MAX_AHEAD_HOURS * _HOUR_US:
        raise messages.refuse_and_note(report, messages.telegram_future(MAX_AHEAD_HOURS))
    if ahead > NOTED_AHEAD_US:
        report.note(messages.telegram_clock(ahead // _MINUTE_US))
    return moment


def _moment(text: str) -> int | None:
    """Microseconds of a date and time with its zone; None for any other text."""
    try:
        return microseconds(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _headline(head: etree._Element) -> str:
    headline = child(head, HEAD, "Headline")
    return text_of(headline, "Text")[:2_000] if headline is not None else ""
