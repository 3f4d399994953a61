"""Where what was sent lies until its job has read it: on the disk before it is said to be here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import IO, TYPE_CHECKING

from geoshare.errors import BadRequest, TooLarge
from geoshare.store.files import sync_folder

if TYPE_CHECKING:
    from geoshare.jobs import Job, Queue

BLOCK = 1 << 20


def safe_name(name: str) -> str:
    """The last part of a file name, without anything a file system might act on."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        letter for letter in last if letter.isprintable() and letter not in '<>:"|?*'
    ).lstrip(".")
    if not kept or len(kept.encode()) > 200:
        raise BadRequest("The file name cannot be used", parameter="filename", allowed="1 to 200 bytes")
    return kept


def copy(stream: IO[bytes], path: Path, limit: int, at: int = 0) -> int:
    """Write a stream to a file in blocks, to the disk; the bytes written. Raises TooLarge."""
    written = 0
    with path.open("r+b" if at else "wb") as file:
        try:
            file.seek(at)
            file.truncate()
            while block := stream.read(BLOCK):
                written += len(block)
                if written > limit:
                    raise _too_large(limit)
                file.write(block)
        finally:  # also of a line that broke it is told how much is here
            file.flush()
            os.fsync(file.fileno())
    return written


def whole(stream: IO[bytes], limit: int) -> bytes:
    """A small body. Raises TooLarge."""
    found = bytearray()
    while block := stream.read(limit + 1 - len(found)):
        found += block
        if len(found) > limit:
            raise _too_large(limit)
    return bytes(found)


def settle(path: Path) -> None:
    """Let the name of a file in a folder of its own survive a power failure."""
    sync_folder(path.parent)
    sync_folder(path.parent.parent)


def unpack(queue: Queue, job: Job) -> Path:
    """The file that a job reads, written anew from what was queued with it where that is so.

    It may not be there: then the job's body is gone.
    """
    path = Path(job.params["path"])
    if path.exists() or (content := queue.body(job)) is None:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{secrets.token_hex(8)}.part")
    aside.write_bytes(content)
    aside.replace(path)
    return path


def _too_large(limit: int) -> TooLarge:
    return TooLarge("The file is too large", parameter="body", allowed=f"{limit} bytes")
