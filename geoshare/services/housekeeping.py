"""What the keeper clears away: what nobody may ask for any more, and what the dead have left."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from geoshare.services.extracts import SUFFIXES
from geoshare.services.scratch import sweep_scratch

if TYPE_CHECKING:
    from geoshare.services import Services

HOUSEKEEPING_US = 3_600_000_000
SCRATCH_LOOK_US = 60_000_000
SHARES_KEPT_US = 30 * 86_400_000_000
JOBS_KEPT_US = 100 * 86_400_000_000  # so that last month's extract can be asked for again
ORPHANS_US = 600_000_000  # whoever receives a file writes to it, or ends
FILES_KEPT_S = 30 * 86_400


class Housekeeping:
    """Forgets, once in a while, what nobody may ask for any more."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._due_us = self._scratch_due_us = 0

    def tick(self, now_us: int) -> None:
        """Delete what is over: files after a month, jobs after three, uploads, folders of the dead."""
        if now_us >= self._scratch_due_us:
            self._scratch_due_us = now_us + SCRATCH_LOOK_US
            sweep_scratch(self._services.scratch())
        if now_us < self._due_us:
            return
        self._due_us = now_us + HOUSEKEEPING_US
        data, governance = self._services.settings.data, self._services.governance
        _remove_old(data / "extracts", now_us / 1e6 - FILES_KEPT_S)
        for job in governance.jobs.forget(now_us - JOBS_KEPT_US):
            for suffix in SUFFIXES.values():
                (data / "extracts" / f"{job}{suffix}").unlink(missing_ok=True)
            (data / "reports" / f"{job}.xlsx").unlink(missing_ok=True)
            shutil.rmtree(data / "incoming" / job, ignore_errors=True)
        governance.sheets.forget(now_us)
        governance.shares.forget_before(now_us - SHARES_KEPT_US)
        for upload in governance.expired_uploads(now_us):
            shutil.rmtree(data / "incoming" / upload.id, ignore_errors=True)
            governance.remove_upload(upload.id)
        sweep_incoming(self._services, now_us)


def sweep_incoming(services: Services, now_us: int) -> None:
    """Remove what arrived of files for which nobody lived long enough to queue a job."""
    governance = services.governance
    kept = {upload.id for upload in governance.expired_uploads(2**62)}
    for path in (services.settings.data / "incoming").glob("*"):
        try:
            written_us = max(one.stat().st_mtime for one in (path, *path.iterdir())) * 1e6
        except OSError:  # gone at this moment
            continue
        orphan = path.name not in kept and written_us < now_us - ORPHANS_US
        if orphan and governance.jobs.get(path.name) is None:
            shutil.rmtree(path, ignore_errors=True)


def _remove_old(folder: Path, before_s: float) -> None:
    """Remove files that were last written before a moment (seconds since 1970)."""
    for path in folder.glob("*"):
        if path.is_file() and path.stat().st_mtime < before_s:
            path.unlink(missing_ok=True)
