"""How contributions lie against each other, after epochs are removed: a report for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from geoshare.ingest import report_from_json
from geoshare.merge.shift import estimate
from geoshare.store.nearby import providers_of, shapes_of

if TYPE_CHECKING:
    from geoshare.services import Services

MOST = 20_000  # claims of each provider that are compared


def shifts(services: Services, collection: str, within_m: float) -> Iterator[dict[str, Any]]:
    """For each two providers of a collection, by how much one lies beside the other.

    What correction grids took off before (``epochs``) and the shift that is left are told apart.
    """
    record = services.record
    with record.snapshot() as connection:
        shapes = {
            name: shapes_of(connection, collection, name, MOST)
            for name in providers_of(connection, collection)
        }
    for first, second in combinations(shapes, 2):
        found = estimate(shapes[first], shapes[second], within_m)
        yield {
            "collection": collection,
            "of": first,
            "against": second,
            "shift": None
            if found is None
            else {
                "east_m": found.east_m,
                "north_m": found.north_m,
                "up_m": found.up_m,
                "spread_m": found.spread_m,
                "places": found.count,
                "across_only": found.across_only,
            },
            "epochs": {name: epochs(services, name) for name in (first, second)},
        }


def epochs(services: Services, provider: str) -> list[dict[str, Any]]:
    """What grids took off a provider's contributions, newest first."""
    found = []
    for contribution in services.record.contributions(provider, 100):
        report = report_from_json(contribution.report)
        for grid, (count, east, north, up, longest) in report.moved.items():
            found.append(
                {
                    "contribution": contribution.id,
                    "file": contribution.file_name,
                    "epoch": report.datum.epoch,
                    "grid": grid,
                    "places": int(count),
                    "east_m": east,
                    "north_m": north,
                    "up_m": up,
                    "longest_m": longest,
                }
            )
    return found
