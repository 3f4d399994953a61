"""``geoshare print``: a map on paper from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from geoshare.errors import BadRequest
from geoshare.extracts.maps.request import PrintRequest
from geoshare.services import build_services
from geoshare.services.exports import export_print
from geoshare.settings import Settings
from geoshare.terminal import progress_bar


@click.command("print")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--bbox", nargs=4, type=float, help="West, south, east, north in degrees.")
@click.option("--center", nargs=2, type=float, help="Longitude and latitude of one sheet's middle.")
@click.option("--area", help="An administrative code, such as 08999.")
@click.option("--scale", type=int, help="10000 for 1:10,000; left out: the area fits one sheet.")
@click.option("--paper", type=click.Choice(["A4", "A3"]), default="A4", show_default=True)
@click.option(
    "--orientation",
    type=click.Choice(["portrait", "landscape"]),
    default="landscape",
    show_default=True,
)
@click.option("--collections", help="NAME[,NAME...]; left out: what the map shows at first.")
@click.option("--title", default="", help="At most 100 characters.")
@click.option("--note", default="", help="At most 300 characters.")
@click.option("--link", help="Address of the QR code; left out: the public address of the map.")
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True)
@click.option("--no-list", is_flag=True, help="Without the list of sites and shelters.")
@click.option(
    "--tier", default="open", show_default=True, help="Whose view: what this tier may download."
)
@click.pass_obj
def print_map(settings: Settings, /, file: Path, tier: str, no_list: bool, **said: Any) -> None:
    """Draw a map on A4 or A3 sheets at true scale, and write it to a PDF."""
    services = build_services(settings)
    names = said.pop("collections")
    asked = {name: value for name, value in said.items() if value is not None}
    if names:
        asked["collections"] = names.split(",")
    try:
        request = PrintRequest.model_validate_json(json.dumps({**asked, "shelter_list": not no_list}))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        field = PrintRequest.model_fields.get(name)
        message = first["msg"].removeprefix("Value error, ")
        raise BadRequest(
            f"{f'--{name}: ' if name else ''}{message}",
            parameter=f"--{name}" if name else None,
            allowed=field.description if field else None,
        ) from error
    with progress_bar() as bar:
        task = bar.add_task(file.name, total=1.0)
        made = export_print(
            services, request, file, tier=tier, report=lambda done: bar.update(task, completed=done)
        )
    click.echo(
        f"{file}: {made['pages']} pages at 1:{made['scale']:,} in {made['crs']},"
        f" {made['size']} bytes, sha256 {made['sha256']}"
    )
