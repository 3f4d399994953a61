"""Contributions that are sent again when the line broke: taken once, and answered alike each time."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from geoshare.errors import BadRequest, Conflict, NotFound
from geoshare.services.incoming import settle
from geoshare.services.scratch import scratch_folder

if TYPE_CHECKING:
    from geoshare.jobs import Job
    from geoshare.services import Services
    from geoshare.services.contribution_options import Options

SMALL_BYTES = 1_000_000
"""Largest body that comes without a name: a batch of observations."""
_LONGEST_KEY = 128

Enqueue = Callable[[str, Path, str, "bytes | None"], "Job"]


class Once:
    """Puts bodies aside under what they are: the sender's key for them, and their content.

    The id of a contribution is made of the organisation and the key, so that the same key leads to the
    same contribution for as long as that is remembered (a month). A body without a name and without
    a key is called after its content, and so known again.
    """

    def __init__(self, services: Services, folder: Path) -> None:
        self._services = services
        self._folder = folder

    def take_small(
        self,
        organisation: str,
        key: str | None,
        content: bytes,
        provider: str,
        options: Options,
        enqueue: Enqueue,
    ) -> Job:
        """Return the contribution of a batch, which is kept with its job: one wait for the disk.

        Parameters
        ----------
        organisation, key
            Who sends it, and what they call it (None: nothing).
        provider, options
            In whose name, and what is said of it.
        enqueue
            Queues the job of an id that reads a file; then come a mark of all that was sent, and the
            file's content where it is not there yet.

        Raises
        ------
        BadRequest
            for a key that is none.
        Conflict
            for a key under which something else was sent.
        """
        number = self._services.ids.new() if key is None else self._number(organisation, key)
        digest = hashlib.sha256(content).hexdigest()
        # What comes under a key of its own is said anew, though it was said before something else.
        name = f"observations-{digest[:16] if key is None else number}.geojson"
        mark = _mark(digest, name, provider, options)
        try:
            return enqueue(number, self._folder / number / name, mark, content)
        except Conflict:
            return _same(self._services.queue.get(number, organisation), mark)

    def take(
        self,
        organisation: str,
        key: str | None,
        name: str,
        provider: str,
        options: Options,
        write: Callable[[Path], None],
        enqueue: Enqueue,
    ) -> Job:
        """Return the contribution of a file: a new one, or the one it was the first time.

        As ``take_small``, but for

        Parameters
        ----------
        name
            Of the file.
        write
            Writes it to a path.
        """
        number = self._services.ids.new() if key is None else self._number(organisation, key)
        with scratch_folder(self._services.scratch()) as scratch:
            aside = scratch / "once"
            aside.mkdir()
            write(aside / "body")
            mark = _mark(_digest(aside / "body"), name, provider, options)
            known = self._known(number, organisation)
            if known is None:
                (aside / "body").rename(aside / name)
                known = self._place(aside, number, name, mark, enqueue)
        return _same(known, mark)

    def _place(self, aside: Path, number: str, name: str, mark: str, enqueue: Enqueue) -> Job:
        """Put a body in its place and queue it; who is a moment earlier with the same key wins."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target, placed = self._folder / number, True
        try:
            os.rename(aside, target)
            settle(target / name)
        except OSError:  # somebody sends the same key at this moment, or died while they did
            placed = False
            if not (target / name).exists():
                raise Conflict(
                    "It is being received",
                    parameter="Idempotency-Key",
                    message_ja="同じ内容を受信中です",
                ) from None
        try:
            return enqueue(number, target / name, mark, None)
        except Conflict:
            known = self._services.queue.get(number)
            # Of a job that is over nobody would clear this away; one that waits or works reads it:
            # whoever lost the race for the folder may still have been the first to queue.
            if placed and known.is_over:
                shutil.rmtree(target, ignore_errors=True)
            return known

    def _known(self, number: str, organisation: str) -> Job | None:
        try:
            return self._services.queue.get(number, organisation)
        except NotFound:
            return None

    def _number(self, organisation: str, key: str) -> str:
        if not 1 <= len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise BadRequest(
                "The key cannot be used",
                parameter="Idempotency-Key",
                allowed=f"1 to {_LONGEST_KEY} printable ASCII characters",
                message_ja="この再送用のキーは使えません",
                allowed_ja=f"表示できる半角英数記号1～{_LONGEST_KEY}字",
            )
        secret = hashlib.blake2b(self._services.governance.secret("contributions")).digest()
        said = f"{organisation}\0{key}".encode()
        found = hashlib.blake2b(said, key=secret, digest_size=10).digest()
        return base64.b32encode(found).decode().lower()


def _same(known: Job, mark: str) -> Job:
    """A contribution, if it is of what was sent now. Raises Conflict for another."""
    if known.params.get("mark") != mark:
        raise Conflict(
            "Something else was sent under this key",
            parameter="Idempotency-Key",
            allowed="another key for another body",
            message_ja="このキーでは別の内容が送信済みです",
            allowed_ja="別の内容には別のキー",
        )
    return known


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mark(content: str, name: str, provider: str, options: Options) -> str:
    said: list[Any] = [content, name, provider, asdict(options)]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
