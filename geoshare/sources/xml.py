"""XML as a stream of elements; nothing outside the file is fetched, and nothing in it is expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from lxml import etree


def stream(file: IO[bytes], *, blank_text: bool = True) -> Iterator[tuple[str, etree._Element]]:
    """Starts and ends of elements, without comments and instructions; ``etree.XMLSyntaxError``."""
    return iter(
        etree.iterparse(
            file,
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_blank_text=not blank_text,
            remove_comments=True,
            remove_pis=True,
        )
    )
