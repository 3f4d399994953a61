"""Signed notes against the example of the Go module database, which is where the format comes from."""

from __future__ import annotations

import base64

import pytest

from geoshare.access.audit.notes import Checkpoint, Signer, VerifierKey, open_note
from geoshare.access.audit.proofs import Proof
from geoshare.access.audit.tree import EMPTY_ROOT
from geoshare.errors import BadData

# golang.org/x/mod/sumdb/note: the example of its documentation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2p"
    "ZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
SIGNER = Signer("example.jp/audit", bytes(range(32)))
HEAD = Checkpoint("example.jp/audit", 0, EMPTY_ROOT)


def test_a_note_that_another_implementation_signed_is_read() -> None:
    key = VerifierKey.parse(PETER)
    assert str(key) == PETER
    assert open_note(NOTE, key).decode().startswith("If you think")


def test_the_signature_of_our_notes_verifies_under_the_published_key() -> None:
    assert open_note(SIGNER.sign(b"text\n"), VerifierKey.parse(str(SIGNER.vkey))) == b"text\n"


def test_a_checkpoint_has_origin_size_and_root_and_is_the_same_each_time() -> None:
    note = HEAD.signed(SIGNER)
    root = base64.b64encode(EMPTY_ROOT).decode()
    assert note.decode().startswith(f"example.jp/audit\n0\n{root}\n\n— example.jp/audit ")
    assert note == HEAD.signed(SIGNER)
    assert Checkpoint.open(note, SIGNER.vkey) == HEAD


def test_signatures_of_unknown_keys_are_ignored_but_do_not_suffice() -> None:
    other = Signer("witness.example", bytes(32))
    text, ours = b"text\n", SIGNER.sign(b"text\n")
    both = other.sign(text) + ours.rpartition(b"\n\n")[2]
    assert open_note(both, SIGNER.vkey) == text
    with pytest.raises(BadData):
        open_note(other.sign(text), SIGNER.vkey)


def test_a_note_with_any_byte_changed_is_refused() -> None:
    note = HEAD.signed(SIGNER)
    for at in range(len(note)):
        for change in (1, 0x80):
            torn = note[:at] + bytes([note[at] ^ change]) + note[at + 1 :]
            with pytest.raises(BadData):
                Checkpoint.open(torn, SIGNER.vkey)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"x" * 10, PETER.encode(), NOTE, b"a\n\n\xe2\x80\x94 b c\n"]
)
def test_what_is_no_checkpoint_is_refused(content: bytes) -> None:
    with pytest.raises(BadData):
        Checkpoint.open(content, SIGNER.vkey)
    with pytest.raises(BadData):
        Proof.parse(content)


@pytest.mark.parametrize(
    "text", ["", "a", "a+b", PETER[:-4], PETER.replace("c74f", "c74e"), "a b" + PETER[12:]]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadData):
        VerifierKey.parse(text)
