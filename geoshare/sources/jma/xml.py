"""The bytes of a telegram as an element tree, within bounds and without anything from outside."""

from __future__ import annotations

import re

from lxml import etree

from geoshare.model.report import Report
from geoshare.sources import messages

MAX_BYTES = 8_000_000  # the largest real ones, which sum up the whole country, have 5.5 million
MAX_DEPTH = 40
MAX_ELEMENTS = 300_000
BLOCK = 65_536

_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]{0,200}\?>")
_DECLARED = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.\-]{1,40})"""
)
_SHIFT_JIS = frozenset(["shift_jis", "shift-jis", "sjis", "cp932", "windows-31j", "ms932", "x-sjis"])
_UTF8 = frozenset(["utf-8", "utf8", ""])


def read_root(data: bytes, report: Report) -> etree._Element:
    """The root of a telegram.

    A telegram that declares Shift_JIS and is UTF-8, as copies out of editors are, is read as what it
    is. Document types are refused before the parser sees them, so no entity is ever declared.

    Raises
    ------
    BadData
        ``empty-file``, ``too-large``, ``encoding-unknown``, ``xml-doctype``, ``telegram-deep`` or
        ``xml-broken`` (with the line), which a file that is still being written is, too.
    """
    if not data.strip():
        raise messages.refuse_and_note(report, messages.empty_file())
    if len(data) > MAX_BYTES:
        raise messages.refuse_and_note(report, messages.too_large("bytes", "容量", MAX_BYTES))
    text = _DECLARATION.sub("", _text(data, report), count=1)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise messages.refuse_and_note(report, messages.xml_entities())
    return _parsed(text.encode(), report)


def _text(data: bytes, report: Report) -> str:
    found = _DECLARED.match(data)
    declared = found.group(1).decode("ascii").lower() if found else ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # a file cut within a letter is cut, not foreign
            raise messages.refuse_and_note(report, messages.truncated_xml(1)) from error
        return _foreign(data, declared, report)
    if declared not in _UTF8:
        report.repaired(messages.telegram_encoding(declared))
    return text


def _foreign(data: bytes, declared: str, report: Report) -> str:
    if declared in _SHIFT_JIS:
        try:
            return data.decode("cp932")
        except UnicodeDecodeError:
            pass
    raise messages.refuse_and_note(report, messages.encoding_unknown())


def _parsed(data: bytes, report: Report) -> etree._Element:
    parser = etree.XMLPullParser(
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    depth = count = 0
    try:
        for start in range(0, len(data), BLOCK):
            parser.feed(data[start : start + BLOCK])
            for event, _ in parser.read_events():
                depth += 1 if event == "start" else -1
                count += event == "start"
                if depth > MAX_DEPTH:
                    raise messages.refuse_and_note(report, messages.telegram_deep(MAX_DEPTH))
                if count > MAX_ELEMENTS:
                    raise messages.refuse_and_note(
                        report, messages.too_large("elements", "要素数", MAX_ELEMENTS)
                    )
        root: etree._Element = parser.close()
    except etree.XMLSyntaxError as error:
        raise messages.refuse_and_note(report, messages.truncated_xml(error.lineno or 0)) from error
    return root
