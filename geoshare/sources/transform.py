"""Which datum a layer stands on, and the way from there to CRS84h."""

from __future__ import annotations

from geoshare.model.datum import ELLIPSOIDAL, Transform, to_foundation
from geoshare.model.report import Report
from geoshare.sources import messages
from geoshare.sources.plan import Plan
from geoshare.sources.request import ReadRequest

_GEOJSON = ("EPSG:4326", "EPSG:4979", "OGC:CRS84")


def layer_transform(
    request: ReadRequest,
    report: Report,
    *,
    found: str,
    published: str,
    has_height: bool,
    what: str = "",
    assumed: bool = False,
) -> Transform:
    """The way to CRS84h: as declared, as the file says, as such data is published, or refused.

    GeoJSON says CRS84 by its specification (RFC 7946).
    """
    vertical = request.vertical
    if what == "GeoJSON" and found == "EPSG:4979":  # RFC 7946: heights are above the ellipsoid
        vertical = vertical or ELLIPSOIDAL
    if request.crs:
        crs, source = request.crs, "declared"
    elif found and not (what == "GeoJSON" and found in _GEOJSON and published):
        crs, source = found, "file"
    elif published:
        crs, source = published, "assumed" if assumed else "profile"
        message = messages.crs_assumed if assumed else messages.datum_from_profile
        report.note(message(published))
    else:
        raise messages.refuse_and_note(report, messages.no_crs("layer", "レイヤ"))
    transform = to_foundation(
        crs,
        has_height=has_height,
        vertical=vertical,
        epoch=request.epoch,
        source=source,
        grids_dir=request.grids_dir,
        watch=report.moved_by,
    )
    report.datum = transform.datum
    if has_height and transform.datum.vertical is None:
        report.note(messages.vertical_unknown())
    if transform.accuracy_m is not None and transform.accuracy_m > 1.0:
        report.note(messages.accuracy(transform.accuracy_m, transform.datum.horizontal or crs))
    return transform


def note_mapping(plan: Plan, report: Report) -> None:
    """Name the profile in the report; several layers may use several."""
    if plan.profile.name not in report.mapping.split(", "):
        report.mapping = ", ".join(filter(None, [report.mapping, plan.profile.name]))
