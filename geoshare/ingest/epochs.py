"""Whether what a provider sends is of the day of what it has sent: mixed epochs hide real shifts."""

from __future__ import annotations

from typing import Final

from geoshare.ingest.reports import report_from_json
from geoshare.model.findings import Finding
from geoshare.model.reduction import REFERENCE_EPOCHS, is_reference
from geoshare.model.report import Report
from geoshare.store import Record

MIXED: Final = "geoshare:datum.epochs_mixed"
_NEWEST: Final = 20  # contributions that are compared with
_SAME_YEARS: Final = 0.5


def epoch_of(report: Report) -> float | None:
    """The decimal year that a contribution's places are of in the record; None: not known."""
    said = report.datum.epoch
    if said is not None and (report.moved or is_reference(said)):
        return REFERENCE_EPOCHS[-1]  # both reference epochs are one datum
    return said


def mixed_epochs(record: Record, provider: str, report: Report) -> list[Finding]:
    """A finding where a provider's places of one collection are of different days.

    Contributions that state no epoch say nothing either way.
    """
    own = epoch_of(report)
    if own is None:
        return []
    for earlier in record.contributions(provider, _NEWEST):
        before = report_from_json(earlier.report)
        other = epoch_of(before)
        shared = sorted(report.taken.keys() & before.taken.keys())
        if other is None or not shared or abs(other - own) <= _SAME_YEARS:
            continue
        return [
            Finding(
                MIXED,
                "warning",
                shared[0],
                f"These places are of {own:g}, those of {earlier.file_name} of {other:g}: the "
                "ground has moved in between. Supply that year's grid, or send both of one day.",
                f"この座標は{own:g}年、{earlier.file_name}は{other:g}年のもので、その間に地殻変動があります。"
                "年度の補正パラメータを用意するか、時点をそろえてください。",
            )
        ]
    return []
