"""``geoshare diff``: what really changed between two maps."""

from __future__ import annotations

import json
from pathlib import Path

import click

from geoshare.merge.difference import ACCURACY_M, Changes, as_geojson
from geoshare.services import build_services
from geoshare.services.contribution_options import read_offset
from geoshare.services.differing import compare_files, compare_times, picture_of
from geoshare.services.scratch import scratch_folder
from geoshare.settings import Settings

_MAPS = ("lanelet2_map.osm", "geoshare.osm", "geoshare.xodr", "map.gpkg", "geoshare.gpkg")
_COUNTED = (
    ("added", "+"),
    ("removed", "-"),
    ("moved", "moved "),
    ("height", "heights "),
    ("attributes", "attributes "),
    ("topology", "topology "),
    ("renamed", "renamed "),
)


@click.command("diff")
@click.argument("before")
@click.argument("after", required=False)
@click.option("--from", "since", metavar="TIME", help="A collection as it was known at this time ...")
@click.option("--to", "until", metavar="TIME", help="... and at this one; left out: now.")
@click.option(
    "--accuracy-m",
    type=click.FloatRange(min=0, min_open=True, max=1_000),
    default=ACCURACY_M,
    show_default=True,
    help="Metres within which a place or a height is the same.",
)
@click.option("--crs", help="The horizontal datum where a file has none, e.g. EPSG:6677.")
@click.option(
    "--offset",
    help="X,Y[,Z[,HEADING]]: where road maps' own origin lies in their CRS, if headers are wrong.",
)
@click.option(
    "--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw it to this PNG file."
)
@click.option("--language", type=click.Choice(["ja", "en"]), default="ja", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write the change set as GeoJSON.")
@click.pass_obj
def diff(
    settings: Settings,
    /,
    before: str,
    after: str | None,
    since: str | None,
    until: str | None,
    accuracy_m: float,
    crs: str | None,
    offset: str | None,
    picture: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Tell what changed: between two files, or of a collection between two times.

    BEFORE and AFTER are maps in any format that can be contributed, or folders of such a map as
    extracts and sync make them; or BEFORE is the name of a collection in the data folder, and --from
    says when.
    """
    services = build_services(settings)
    if (after is None) == (since is None):
        raise click.UsageError("give two files, or a collection and --from")
    if after is None:
        found = compare_times(services, before, since or "", until, accuracy_m)
    else:
        with scratch_folder(services.scratch()) as folder:
            found = compare_files(
                _map_of(Path(before)),
                _map_of(Path(after)),
                folder,
                accuracy_m=accuracy_m,
                crs=crs,
                offset=None if offset is None else read_offset(offset),
                grids_dir=settings.grids,
            )
    if picture is not None:
        picture.write_bytes(picture_of(found, language=language))
    click.echo(json.dumps(as_geojson(found), ensure_ascii=False) if as_json else _said(found))


def _map_of(path: Path) -> Path:
    """A file, or the map in the folder of an extract."""
    inside = (path / name for name in _MAPS)
    return next((found for found in inside if found.is_file()), path) if path.is_dir() else path


def _said(found: Changes) -> str:
    lines = [f"accuracy {found.accuracy_m} m, matched by {'id' if found.ids_believed else 'geometry'}"]
    for kind, counts in found.summary().items():
        parts = [f"{word}{counts[name]:,}" for name, word in _COUNTED if counts[name]]
        lines.append(f"{kind}: {', '.join(parts) or 'no change'} ({counts['unchanged']:,} unchanged)")
        for what, types in counts["types"].items():
            lines.append(
                f"  {what}: " + ", ".join(f"{count:,} {name}" for name, count in types.items())
            )
    return "\n".join(lines)
