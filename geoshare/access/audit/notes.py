"""Signed notes and checkpoints: C2SP signed-note and tlog-checkpoint, with Ed25519 signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from geoshare.access.audit.tree import HASH_BYTES
from geoshare.errors import BadData

ED25519: Final = b"\x01"  # signature type identifier byte
MAX_NOTE_BYTES: Final = 64_000
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]+")
_SIGNATURE: Final = re.compile("\u2014 ([^\\s+]+) ([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A log's public key, written ``name+key id+base64(type || key)`` (a vkey)."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Key id: SHA-256(name || 0x0A || 0x01 || public key)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_encoded(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey. Raises BadData where it is none, or its id does not fit."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        content = decoded(encoded)
        if not _NAME.fullmatch(name) or content[:1] != ED25519 or len(content) != 1 + HASH_BYTES:
            raise BadData("This is no Ed25519 verifier key")
        found = cls(name, content[1:])
        if found.id.hex() != key_id:
            raise BadData("The verifier key does not fit its key id")
        return found

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature of the text is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """Signs notes under a name, with the Ed25519 key of a 32-byte seed."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise BadData("A log's name has no spaces and no plus sign")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = VerifierKey(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """Make the note: text, an empty line, one signature line."""
        signature = _encoded(self.vkey.id + self._key.sign(text))
        return text + f"\n\u2014 {self.vkey.name} {signature}\n".encode()


def open_note(note: bytes, key: VerifierKey) -> bytes:
    """Return the text of a note that the key has signed; signatures of others are ignored.

    Raises
    ------
    BadData
        where it is no note, or not signed by this key.
    """
    text, separator, lines = note.rpartition(b"\n\n")
    if len(note) > MAX_NOTE_BYTES or not separator or not lines.endswith(b"\n"):
        raise BadData("This is no signed note")
    text += b"\n"
    try:
        text.decode()
        signatures = lines.decode()[:-1].split("\n")
    except UnicodeDecodeError as error:
        raise BadData("This is no signed note") from error
    if any(byte < 0x20 and byte != 0x0A for byte in note):
        raise BadData("A signed note has no control characters")
    good = False
    for line in signatures:
        match = _SIGNATURE.fullmatch(line)
        content = decoded(match[2]) if match else b""
        if match is None or len(content) <= 4:
            raise BadData("A signature line cannot be read")
        if match[1] == key.name and content[:4] == key.id:
            if not key.verifies(text, content[4:]):
                raise BadData("The signature is wrong")
            good = True
    if not good:
        raise BadData("The note is not signed by this key")
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: which log, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """Return the note text of three lines."""
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\n".encode()

    def signed(self, signer: Signer) -> bytes:
        """Return the checkpoint as it is published. The same head gives the same bytes."""
        return signer.sign(self.text())

    @classmethod
    def open(cls, note: bytes, key: VerifierKey) -> Checkpoint:
        """Read a checkpoint that the key has signed under its own name. Raises BadData."""
        text = open_note(note, key)
        lines = text.decode().split("\n")
        if len(lines) != 4 or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
            raise BadData("This is no checkpoint")
        found = cls(lines[0], int(lines[1]), decoded(lines[2]))
        if found.origin != key.name or len(found.root) != HASH_BYTES or found.text() != text:
            raise BadData("The checkpoint is not one of this log")
        return found


def decoded(text: str) -> bytes:
    """Decode strict base64 (RFC 4648, section 4). Raises BadData."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadData("This is no base64") from error
    if _encoded(content) != text:
        raise BadData("This is no base64")
    return content


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()
