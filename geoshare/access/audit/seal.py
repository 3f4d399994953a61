"""The files that go into an extract: its entry, the proof that it is logged, how to check both."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import orjson

from geoshare.access.audit.entries import commitment, parse
from geoshare.access.audit.notes import Checkpoint, VerifierKey
from geoshare.access.audit.proofs import Proof
from geoshare.access.audit.trail import Receipt
from geoshare.errors import BadData

ENTRY: Final = "audit-entry.json"
PROOF: Final = "audit.tlog-proof"
OPENINGS: Final = "audit-openings.json"
SIGNATURE: Final = "manifest.sig"
TEXT: Final = "AUDIT.txt"
MANIFEST: Final = "manifest.json"
SEALED: Final = ("extract.create", "provider.erase")  # kinds of entries that hold a manifest's hash
_TEXT: Final = """監査記録 / Audit record
========================

この抽出データの目録 (manifest.json) の SHA-256 は、運用者の改ざん検知ログに記録されています。
The SHA-256 of this extract's manifest (manifest.json) is recorded in the operator's tamper-evident log.

  manifest.sig         運用者の鍵による目録の署名 (C2SP signed-note)。
                       The operator's signature of the manifest (C2SP signed note).
  audit-entry.json     記録そのもの。組織名などは塩付きハッシュです。
                       The entry itself; names are salted commitments.
  audit-openings.json  貴組織に関する塩。社外に渡すと、記録が貴組織のものと分かります。
                       The salts of your own names. Whoever has them can tell that the entry is yours.
  audit.tlog-proof     記録が署名済みのログに含まれる証明 (C2SP tlog-proof)。
                       The proof that the entry is in the signed log (C2SP tlog-proof).

確認の方法 / How to check
  geoshare verify THIS.zip --vkey "$(cat VKEY-FILE)"
  geoshare audit verify --public THIS.zip VKEY-FILE

VKEY-FILE は運用者が /audit/vkey で公開する鍵です。抽出データ以外の経路で入手してください。
VKEY-FILE is the key that the operator publishes at /audit/vkey. Get it by another way than this file.
このときの鍵 / The key at the time: {vkey}

手作業での確認 / By hand
  1. manifest.json の各ファイルの SHA-256 を計算して比べる。
     Compute the SHA-256 of each file that manifest.json lists, and compare.
  2. manifest.json の SHA-256 が audit-entry.json の manifest_sha256 と同じであること。
     The SHA-256 of manifest.json is the manifest_sha256 of audit-entry.json.
  3. SHA-256(0x00 || audit-entry.json) から証明の各ハッシュをたどると、署名された根に一致する。
     From SHA-256(0x00 || audit-entry.json), the hashes of the proof lead to the signed root (RFC 6962).
"""


def seal_files(receipt: Receipt, proof: Proof, key: VerifierKey) -> dict[str, bytes]:
    """Return the files by name. Raises BadData where the proof does not hold."""
    proof.check(receipt.leaf, key)
    openings = [
        {"side": item.side, "what": item.what, "value": item.value, "salt": item.salt.hex()}
        for item in receipt.openings
    ]
    return {
        ENTRY: receipt.leaf,
        PROOF: proof.text(),
        OPENINGS: orjson.dumps(openings, option=orjson.OPT_INDENT_2),
        TEXT: _TEXT.format(vkey=key).encode(),
    }


def check_extract(files: Mapping[str, bytes], key: VerifierKey) -> Checkpoint:
    """Return the signed checkpoint under which an extract's manifest is recorded.

    Parameters
    ----------
    files
        The small files of the extract by name: manifest, entry, proof and, where kept, openings.

    Raises
    ------
    BadData
        saying what does not hold.
    """
    for name in (MANIFEST, ENTRY, PROOF):
        if name not in files:
            raise BadData(f"{name} is missing")
    said = parse(files[ENTRY])
    expected = said["detail"].get("manifest_sha256")
    if said["kind"] not in SEALED or hashlib.sha256(files[MANIFEST]).hexdigest() != expected:
        raise BadData("The manifest is not the one that is recorded")
    for item in orjson.loads(files.get(OPENINGS, b"[]")):
        made = commitment(item["side"], item["what"], item["value"], bytes.fromhex(item["salt"]))
        if said.get(item["side"], {}).get(item["what"]) != made:
            raise BadData(f"A name in {OPENINGS} is not the one that is recorded")
    return Proof.parse(files[PROOF]).check(files[ENTRY], key)
