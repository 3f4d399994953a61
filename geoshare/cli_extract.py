"""``geoshare extract`` makes an area extract, ``geoshare verify`` checks one without a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import ValidationError

from geoshare.access.audit.manifests import verify_extract
from geoshare.errors import BadRequest
from geoshare.extracts import ExtractRequest
from geoshare.extracts.request import FileFormat, Projector
from geoshare.services import build_services
from geoshare.services.exports import export_extract
from geoshare.settings import Settings
from geoshare.terminal import progress_bar

_SEVERAL = ("collections", "mesh", "columns")


@click.command("extract")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--collections", required=True, help="NAME[,NAME...]")
@click.option(
    "--format", "-f", type=click.Choice(get_args(FileFormat)), default="gpkg", show_default=True
)
@click.option("--bbox", nargs=4, type=float, help="West, south, east, north in degrees.")
@click.option("--area", help="An administrative code or name, or a file of a GeoJSON polygon.")
@click.option("--mesh", help="CODE[,CODE...] of JIS X 0410 squares, 80 km to 125 m.")
@click.option("--mode", type=click.Choice(["whole", "clip"]), default="whole", show_default=True)
@click.option("--crs", help="OGC:CRS84 or EPSG:CODE, such as EPSG:6677.")
@click.option("--columns", help="NAME[,NAME...]; left out: all that the tier shows.")
@click.option("--filter", help="CQL2 text.")
@click.option("--datetime", help="An RFC 3339 instant or interval.")
@click.option("--geometry-as", type=click.Choice(["auto", "wkt", "lon_lat"]), help="Of csv and xlsx.")
@click.option("--headings", type=click.Choice(["auto", "names", "ja"]), help="Of csv and xlsx.")
@click.option("--bom/--no-bom", default=True, show_default=True, help="Of csv.")
@click.option(
    "--grids-as", type=click.Choice(["auto", "cog", "netcdf", "csv"]), help="Of grids over time."
)
@click.option("--min-zoom", type=int, help="Of pmtiles.")
@click.option("--max-zoom", type=int, help="Of pmtiles.")
@click.option(
    "--projector",
    type=click.Choice(get_args(Projector)),
    help="Of lanelet2 and autoware; left out: MGRS where the map lies in one square.",
)
@click.option(
    "--tier", default="open", show_default=True, help="Whose view: what this tier may download."
)
@click.pass_obj
def extract(settings: Settings, /, file: Path, tier: str, **said: Any) -> None:
    """Write an area of collections with its terms, data dictionary and signed manifest to a zip."""
    asked = {name: value for name, value in said.items() if value is not None}
    for name in _SEVERAL:
        if name in asked:
            asked[name] = asked[name].split(",")
    if "area" in asked and Path(asked["area"]).is_file():
        asked["area"] = json.loads(Path(asked["area"]).read_text("utf-8"))
    try:
        request = ExtractRequest.model_validate_json(json.dumps(asked))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]).replace("_", "-") if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        raise BadRequest(
            f"--{name}: {message}" if name else message, parameter=f"--{name}" if name else None
        ) from error
    with progress_bar() as bar:
        task = bar.add_task(file.name, total=1.0)
        made = export_extract(
            build_services(settings),
            request,
            file,
            tier=tier,
            report=lambda done, text: bar.update(task, completed=done),
        )
    counts = ", ".join(f"{count} {name}" for name, count in made["features"].items())
    click.echo(f"{file}: {counts}, {made['size']} bytes, sha256 {made['sha256']}")


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--vkey", help="The operator's public key, as text; default: the one the file names.")
def verify(file: Path, vkey: str | None) -> None:
    """Check an extract (a zip, its folder or a page) without a server; exit code 1 if it is wrong."""
    found = verify_extract(file, vkey)
    for line in [*found.good, *found.notes]:
        click.echo(line)
    for line in found.findings:
        click.echo(f"WRONG {line}")
    click.echo("something is wrong" if found.findings else "everything is in order")
    sys.exit(1 if found.findings else 0)
