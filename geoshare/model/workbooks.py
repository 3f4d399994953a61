"""Workbooks (.xlsx) that are the same bytes whenever they are made."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Final

_CORE: Final = "docProps/core.xml"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first moment of a zip archive
# The prefix of Dublin Core's terms is whatever this process has registered for them.
_TIMES: Final = re.compile(rb"(<(?:\w+:)?(?:created|modified)\b[^>]*>)[^<]*")


def at_moment(content: bytes, moment: datetime) -> bytes:
    """The workbook as if it had been saved at a moment (UTC), in its properties and its archive.

    Parameters
    ----------
    content
        An .xlsx file (ISO/IEC 29500): a zip archive of which ``docProps/core.xml`` tells when it was
        made and changed.
    moment
        What that shall say, to the second.
    """
    said = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(out, "w") as made:
        for name in book.namelist():
            part = book.read(name)
            if name == _CORE:
                part = _TIMES.sub(rb"\g<1>" + said, part)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, part)
    return out.getvalue()
