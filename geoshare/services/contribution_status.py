"""How a contribution stands, as its sender is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from geoshare.errors import NotPublished
from geoshare.jobs import Job

STATUS: Final = {
    "queued": "received",
    "running": "reading",
    "done": "done",
    "failed": "refused",
    "cancelled": "refused",
}
_OVER: Final = {
    "done": ("Taken in, and visible", "取り込みが完了し、公開されています"),
    "checked": ("Only checked: nothing was recorded", "検査のみ行いました(記録していません)"),
}
_HERE: Final = (
    "The same was here before: nothing has changed",
    "同じ内容が登録済みのため、変更はありません",
)


def as_status(job: Job) -> dict[str, Any]:
    """The status of the contribution that a job reads; with ``message`` in both languages."""
    found: dict[str, Any] = {
        "id": job.id,
        "status": STATUS[job.state],
        "progress": job.progress,
        "message": job.message,
        "file": Path(str(job.params["path"])).name,
        "provider": job.params["options"]["provider"],
        "created_us": job.created_us,
    }
    if job.state == "running" and job.message == "publishing":
        found["status"] = "publishing"
    if job.result is not None:
        found |= job.result
        if job.result.get("error"):
            found["status"] = "refused"
        elif job.params["options"].get("check_only"):
            found["status"] = "checked"
    if job.error is not None and job.is_over:
        found["error"] = job.error  # of a try that is not the last one nothing is to be told
    if job.is_over:
        found["message"], found["message_ja"] = _end(found)
    return found


def _end(found: dict[str, Any]) -> tuple[str, str]:
    """What became of it, in English and Japanese."""
    if found["status"] != "refused":
        return _HERE if found.get("already_here") else _OVER[found["status"]]
    error = found.get("error") or {}
    why = str(error.get("message") or "it was cancelled")
    why_ja = str(error.get("message_ja") or error.get("message") or "取り消されました")
    if error.get("code") == NotPublished.code:
        return why, why_ja
    return f"Nothing was taken: {why}", f"何も取り込んでいません: {why_ja}"
