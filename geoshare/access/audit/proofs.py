"""Proofs that need nothing else: C2SP tlog-proof, the receipt that leaves with an extract."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Final

from geoshare.access.audit.notes import Checkpoint, VerifierKey, decoded
from geoshare.access.audit.tree import HASH_BYTES, leaf_hash, proves_inclusion
from geoshare.errors import BadData

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_PATH: Final = 64
MAX_PROOF_BYTES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Proof:
    """Where an entry is, the path from it to the root, and the checkpoint that signs the root."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def text(self) -> bytes:
        """Return the proof as the file ``.tlog-proof`` has it."""
        lines = [HEADER, f"index {self.index}"]
        lines += [base64.b64encode(item).decode() for item in self.path]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def parse(cls, content: bytes) -> Proof:
        """Read a proof. Raises BadData."""
        head, separator, checkpoint = content.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise BadData("This is no proof") from error
        if len(content) > MAX_PROOF_BYTES or not separator or lines.pop(0) != HEADER:
            raise BadData("This is no proof")
        if lines and lines[0].startswith("extra "):
            lines.pop(0)
        match = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines.pop(0)) if lines else None
        path = tuple(map(decoded, lines))
        if match is None or len(path) > MAX_PATH or any(len(item) != HASH_BYTES for item in path):
            raise BadData("This is no proof")
        return cls(int(match[1]), path, checkpoint)

    def check(self, entry: bytes, key: VerifierKey) -> Checkpoint:
        """Return the signed checkpoint under which the entry is in the log.

        Raises
        ------
        BadData
            where the signature or the path does not hold.
        """
        head = Checkpoint.open(self.checkpoint, key)
        if not proves_inclusion(leaf_hash(entry), self.index, head.size, self.path, head.root):
            raise BadData("The entry is not in the signed tree")
        return head
