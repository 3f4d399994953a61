"""``geoshare shift``: how providers' positions lie against each other."""

from __future__ import annotations

import json

import click

from geoshare.services import build_services
from geoshare.services.shifts import shifts
from geoshare.settings import Settings


@click.command("shift")
@click.argument("collection")
@click.option(
    "--within-m",
    type=click.FloatRange(0.1, 1000),
    default=10.0,
    show_default=True,
    help="How far apart counterparts may lie.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def shift(settings: Settings, /, collection: str, within_m: float, as_json: bool) -> None:
    """Tell the systematic shift between providers of COLLECTION, and apart from it that of epochs."""
    services = build_services(settings)
    count = 0
    for found in shifts(services, collection, within_m):
        count += 1
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
            continue
        left = found["shift"]
        said = "no counterparts near each other"
        if left is not None:
            up = "" if left["up_m"] is None else f", {left['up_m']:+.3f} m up"
            across = " (across the lines only)" if left["across_only"] else ""
            said = f"{left['east_m']:+.3f} m east, {left['north_m']:+.3f} m north{up}{across}; "
            said += f"{left['spread_m']:.3f} m left at {left['places']} places"
        click.echo(f"{found['of']} against {found['against']}: {said}")
        for name, removed in found["epochs"].items():
            for item in removed:
                moved = f"{item['east_m']:+.3f} m east, {item['north_m']:+.3f} m north"
                click.echo(
                    f"  before that {item['grid']} moved {name}'s {item['file']}: "
                    f"{moved}, {item['up_m']:+.3f} m up"
                )
    if not count:
        click.echo(f"{collection}: fewer than two providers")
