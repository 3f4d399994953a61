"""Certificates of deletion: what was removed, and the proof that the audit log holds it."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any, Final

import orjson

from geoshare.access.audit import COMMAND_LINE, Audit, Party
from geoshare.access.audit.seal import MANIFEST
from geoshare.model.times import iso
from geoshare.services.auditing import sealing

CERTIFICATE: Final = "certificate.json"
_STATEMENT: Final = {
    "en": "What this provider contributed was removed: files as received, rows and their history,"
    " claims, packs, views, tiles and stored extracts. What rested on it was decided anew from what"
    " others contribute. The hashes of the files stay in the audit log. Copies that consumers took"
    " before are told to remove it by the change feed; backups expire by their own terms.",
    "ja": "この提供者が提供したデータ(受領ファイル、行とその履歴、主張、パック、ビュー、タイル、"
    "保存された抽出データ)を削除しました。これに基づいていた内容は、他の提供者のデータから改めて決定しました。"
    "ファイルのハッシュ値は監査記録に残ります。"
    "利用者が以前に取得した写しには、更新フィードで削除を通知します。バックアップは、それぞれの保存期限に従います。",
}


def certify(trail: Audit, state: dict[str, Any], finished_us: int, path: Path) -> None:
    """Write the certificate of one who has left; done again, it has the same entry in the log.

    Parameters
    ----------
    state
        What was asked for and what was removed, as ``Leaving`` keeps it.
    finished_us
        When it was done; the same whenever this is called for the same state.
    path
        Of the certificate, a ZIP archive.
    """
    said = {
        "id": state["id"],
        "provider": state["provider"],
        "asked_at": iso(state["asked_us"]),
        "finished_at": iso(finished_us),
        "collections": state["collections"],
        "contributions": [
            {"sha256": one["sha256"], "bytes": one["bytes"], "received_at": iso(one["received_us"])}
            for one in state["given"]
        ],
        "erased": state["erased"] | {"stored_files": state["stored"]},
        "statement": _STATEMENT,
    }
    content = orjson.dumps(said, option=orjson.OPT_INDENT_2)
    listed = {"name": CERTIFICATE, "sha256": hashlib.sha256(content).hexdigest()}
    manifest = orjson.dumps({"files": [listed]}, option=orjson.OPT_INDENT_2)
    about = Party(organisation=state["provider"], subject=state["id"])
    seal = sealing(trail, COMMAND_LINE, about, "provider.erase", once=f"erase {state['id']}")
    files = {CERTIFICATE: content, MANIFEST: manifest}
    files |= seal(hashlib.sha256(manifest).hexdigest())
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
