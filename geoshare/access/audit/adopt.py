"""After a backup was restored: the database takes back the entries that the log's files still have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from geoshare.access.audit.entries import parse
from geoshare.access.audit.files import WIDTH
from geoshare.access.audit.trail import Audit
from geoshare.access.audit.tree import root
from geoshare.access.audit.verify import Progress, verify_files
from geoshare.errors import BadData
from geoshare.store.audit_rows import Head

AT_ONCE: Final = 8  # bundles of one transaction


def adopt(audit: Audit, once_of: Callable[[dict[str, Any]], str | None], progress: Progress) -> int:
    """Take signed entries from the files into a database that is an older copy.

    Their salts are lost: nobody can open them any more.

    Parameters
    ----------
    once_of
        Says of an entry what there may be one entry of.

    Returns
    -------
    How many entries were taken.

    Raises
    ------
    BadData
        where the files are not all as signed, or tell another history than the database.
    Busy
        where the keeper is at work.
    """
    with audit.sequencer.alone():
        found = verify_files(audit.folder, audit.vkey, progress=progress)
        if found.findings or found.checkpoint is None:
            raise BadData("the audit log's files are not as signed; verify says more")
        head, last = audit.head(), found.checkpoint.size
        if head.size > last or root(found.nodes, head.size) != head.root:
            raise BadData("the audit log's files and its database tell different histories")
        taken = last - head.size
        while head.size < last:
            end = min(last, (head.size // WIDTH + AT_ONCE) * WIDTH)
            leaves: list[bytes] = []
            for first in range(head.size // WIDTH * WIDTH, end, WIDTH):
                leaves += audit.folder.entries(first, last)
            leaves = leaves[head.size % WIDTH :][: end - head.size]
            said = [parse(leaf) for leaf in leaves]
            rows = [(item["id"], leaf, once_of(item)) for item, leaf in zip(said, leaves, strict=True)]
            after = Head(head.origin, end, root(found.nodes, end))
            audit.rows.adopt(head, rows, after.root)
            head = after
    return taken
