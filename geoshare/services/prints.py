"""Maps on paper: an estimate before, a job that makes the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from geoshare.access.audit import Party
from geoshare.access.credentials import Principal
from geoshare.errors import NotFound, TooLarge
from geoshare.extracts.maps.planning import PrintPlan, plan
from geoshare.extracts.maps.request import PrintRequest
from geoshare.extracts.maps.write import write_prints
from geoshare.jobs import Job, Progress
from geoshare.services.auditing import party_of
from geoshare.services.extracts import Answer, asker_of, asking
from geoshare.services.scratch import scratch_folder

if TYPE_CHECKING:
    from geoshare.services import Services

KIND: Final = "print"
SYNC_PAGES: Final = 4  # as many pages are waited for
MAX_FEATURES: Final = 2_000_000  # of all sheets together


class Prints:
    """Print jobs of the caller's organisation."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def estimate(self, who: Principal, request: PrintRequest) -> dict[str, Any]:
        """What a print would be: scale, zone, sheets with their outlines, pages, places of the list."""
        return self._plan(who, request).described()

    def ask(
        self,
        who: Principal,
        request: PrintRequest,
        map_address: str,
        charge: Callable[[int, tuple[str, ...]], object],
    ) -> Answer:
        """Check a request against the caller's views, queue it, and wait for it if it is small.

        Parameters
        ----------
        map_address
            Of this server's map, for the QR code where the request names no link.
        charge
            Is told how many features are drawn, and of which collections, before anything is queued.
        """
        services = self._services
        made = self._plan(who, request)
        charge(made.features, tuple(made.views))
        params = {
            "request": request.model_dump(mode="json"),
            "link": request.link or _place_on(map_address, made),
            **asking(who, services.policy(who, "download")),
        }
        job = services.queue.enqueue(KIND, params, who.organisation)
        return services.extracts.wait(who, job, made.pages <= SYNC_PAGES)

    def run(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Make the file of a job; called by the worker."""
        services = self._services
        who = asker_of(job)
        request = PrintRequest.model_validate(job.params["request"])
        policy = services.policy(who, "download")
        if policy.hash != job.params["policy"]:
            raise NotFound("What you hold has changed; ask again")
        made = plan(request, policy, services.views)
        target = services.extracts.path_of(job)
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(services.scratch()) as folder:
            aside = folder / "whole.pdf"
            found = write_prints(
                made,
                aside,
                link=job.params["link"],
                now_us=services.clock.now_us(),
                progress=progress,
            )
            # what has no entry in the log does not leave
            about = Party(organisation=who.organisation, subject=job.id)
            said = {"sha256": found["sha256"], "collections": list(made.views)}
            services.trail.append("print.create", party_of(who), about, said)
            os.replace(aside, target)
        return found

    def _plan(self, who: Principal, request: PrintRequest) -> PrintPlan:
        services = self._services
        for name in request.collections or ():
            services.withholding.get(who, name, "download")
        made = plan(request, services.policy(who, "download"), services.views)
        if made.features > MAX_FEATURES:
            raise TooLarge(
                "The print is too large",
                parameter="scale",
                allowed=f"{MAX_FEATURES} features on all sheets together",
                message_ja="印刷する地物が多すぎます。範囲を狭めるか、レイヤを減らしてください。",
            )
        return made


def _place_on(map_address: str, made: PrintPlan) -> str:
    """Address of the map that opens at the middle of the sheets, with what the print shows."""
    frames = made.split.frames
    frame = frames[len(frames) // 2]
    lon, lat = frame.centre_lon_lat
    zoom = frame.zoom - (0.5 if len(frames) > 1 else 0)
    request = made.request
    said = [f"map={zoom:.1f}/{lat:.5f}/{lon:.5f}"]
    if request.collections is not None:  # else what the map shows at first
        said.append(f"layers={','.join(made.views)}")
    if request.hazards is not None and len(request.hazards) == 1:
        said.append(f"show=hazard_zones@{request.hazards[0]}")
    return f"{map_address}#{'&'.join([*said, f'lang={request.language}'])}"
