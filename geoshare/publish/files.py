"""Small files that are replaced atomically.

What is published can be made again from the record, so the disk is waited for only where a power cut
would leave a file that looks whole and is not: the bytes of a part and of a manifest are on the disk
before their names are. When the names get there is left to the system: until then the version before
is the current one, and the keeper that starts next publishes anew.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

import orjson


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replace a JSON file: written aside, renamed; never seen half-written.

    One that is not ``durable`` may be torn after a power cut: whoever reads it must bear that.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with aside.open("xb") as file:
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """The value of a JSON file; None where there is none."""
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return None
