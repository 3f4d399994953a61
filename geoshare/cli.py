"""The command line. Works on the same data folder as a running server, and beside it."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from geoshare import __version__
from geoshare.cli_audit import audit
from geoshare.cli_diff import diff
from geoshare.cli_extract import extract, verify
from geoshare.cli_keys import keys
from geoshare.cli_organisations import organisations
from geoshare.cli_organisations import provider as known_provider
from geoshare.cli_people import PEOPLE, address, login_link, said_address
from geoshare.cli_policies import GROUPS
from geoshare.cli_print import print_map
from geoshare.cli_providers import providers
from geoshare.cli_report import show_report
from geoshare.cli_shares import shares
from geoshare.cli_shift import shift
from geoshare.cli_sync import sync
from geoshare.client.sending import send_files
from geoshare.errors import GeoshareError
from geoshare.extracts.archive import ZOOMS
from geoshare.model.box import Box
from geoshare.model.findings import SEVERITIES
from geoshare.services import build_services
from geoshare.services.doctor import doctor
from geoshare.services.exports import export_pmtiles
from geoshare.services.keeping import run_keeper, run_worker
from geoshare.services.local import Local, demo_invite, init_demo
from geoshare.settings import Settings, load
from geoshare.settings import table as settings_table
from geoshare.terminal import ERRORS, Compiling, progress_bar
from tiles.compiled import told_of_compiling
from tiles.warm import warm


class Group(click.Group):
    """Turns our own errors into one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; KeyboardInterrupt is exit code 130."""
        try:
            with told_of_compiling(Compiling()):
                return super().invoke(ctx)
        except GeoshareError as error:
            hint = f" (allowed: {error.allowed})" if error.allowed else ""
            ERRORS.print(f"[red]error[/red] {error.message}{hint}", markup=True)
            sys.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has gone
                raise
            where = f"{error.filename}: " if error.filename else ""
            ERRORS.print(f"[red]error[/red] {escape(where + (error.strerror or str(error)))}")
            sys.exit(1)
        except KeyboardInterrupt:
            ERRORS.print("interrupted")
            sys.exit(130)


@click.group(cls=Group)
@click.version_option(__version__)
@click.option(
    "--settings", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of settings."
)
@click.pass_context
def main(context: click.Context, settings: Path | None) -> None:
    """One shared map of many contributors, served to each consumer by its contract."""
    context.obj = load(settings)


@main.command()
@click.option(
    "--sample",
    type=click.Path(path_type=Path, exists=True),
    help="Load the sample town of this folder.",
)
@click.pass_obj
def init(settings: Settings, sample: Path | None) -> None:
    """Make the data folder, and a demo in it if asked."""
    warm()  # all of the engine, so that `serve` does not start by compiling what is left of it
    services = build_services(settings)
    if sample is None:
        _ = services.record
        services.trail.catch_up()
        click.echo(f"Data folder ready: {settings.data}")
        return
    with progress_bar() as bar:
        task = bar.add_task("sample town", total=1.0)
        keys = init_demo(
            services, sample, lambda done, text="": bar.update(task, completed=done, description=text)
        )
    services.trail.catch_up()
    if not said_address(settings):
        click.echo("Paths below go after the address that `geoshare serve` prints")
    click.echo(f"map        {said_address(settings)}/map")
    for name, key in keys.items():
        click.echo(f"{name:<10} {key}")
    click.echo(f"officer    {login_link(settings, demo_invite(services))}  (works once)")


@main.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """Serve: web workers, the keeper and a worker for jobs."""
    from geoshare.processes import serve as run  # noqa: PLC0415 - the server is heavy to import

    click.echo(f"map        {address(settings)}/map")
    run(settings)


@main.command()
@click.pass_obj
def worker(settings: Settings) -> None:
    """Run jobs (one is started by serve)."""
    run_worker(build_services(settings))


@main.command(hidden=True)
@click.pass_obj
def keeper(settings: Settings) -> None:
    """Publish what the record takes in (started by serve)."""
    run_keeper(build_services(settings))


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--provider", help="The organisation in whose name; with --server: that of the key.")
@click.option("--server", metavar="URL", help="Send them to a server, in pieces that can be resumed.")
@click.option(
    "--key-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the API key."
)
@click.option("--collection", help="The collection the features belong to.")
@click.option("--mapping", help="A mapping profile.")
@click.option("--crs", help="The horizontal datum where a file has none, e.g. EPSG:6677.")
@click.option(
    "--offset",
    help="X,Y[,Z[,HEADING]]: where a road map's own origin lies in its CRS, if its header is wrong.",
)
@click.option(
    "--accuracy-m",
    type=click.FloatRange(min=0, min_open=True, max=10_000),
    help="Metres within which positions are right: a feature that moves by no more has not changed.",
)
@click.option("--observed", help="When it was seen: a date, or an RFC 3339 time.")
@click.option(
    "--licence", default="LicenseRef-unstated", show_default=True, help="SPDX licence expression."
)
@click.option(
    "--release-class",
    metavar="CLASS",
    help="To whom it may be released; left out: as its provider's agreement states, else open.",
)
@click.option(
    "--epoch", type=click.FloatRange(1900, 2200), help="Decimal year that the coordinates are of."
)
@click.option(
    "--vertical", help="What heights refer to: ellipsoidal, or a vertical CRS such as EPSG:6695."
)
@click.option(
    "--refuse-on",
    type=click.Choice([*SEVERITIES, "none"]),
    help="Refuse a file with findings as grave as this, or graver; left out: as its provider decided.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="The file is all there is of its collections: what the provider's earlier files said and it "
    "does not is withdrawn; with --check-only it is told how many would be.",
)
@click.option(
    "--dataset",
    help="What the file is a new state of, where that is not its name; with --complete: only what "
    "earlier files of this dataset said is withdrawn.",
)
@click.option("--within", metavar="W,S,E,N", help="With --complete: only what lies wholly inside.")
@click.option(
    "--remove-most",
    is_flag=True,
    help="With --complete: also where more than half of what stands is withdrawn.",
)
@click.option(
    "--check-only",
    is_flag=True,
    help="Record nothing, say what the checks find; exit code 1 on any finding of severity error.",
)
@click.option("--new-provider", is_flag=True, help="Take a name that is almost another provider's.")
@click.pass_obj
def contribute(
    settings: Settings,
    /,
    files: tuple[Path, ...],
    provider: str | None,
    server: str | None,
    key_file: Path | None,
    new_provider: bool,
    **options: Any,
) -> None:
    """Take files into the record, or send them to a server; returns when they are visible."""
    if server is not None:
        sys.exit(not send_files(server, key_file, files, {"provider": provider, **options}))
    if provider is None:
        raise click.UsageError("Missing option '--provider', or '--server'.")
    services = build_services(settings)
    local, provider = Local(services), known_provider(services, provider, new=new_provider)
    failed = False
    for file in files:
        with progress_bar() as bar:
            task = bar.add_task(file.name, total=1.0)

            def say(fraction: float, message: str = "") -> None:
                bar.update(task, completed=fraction)  # noqa: B023 - called before the loop goes on

            try:
                report = local.contribute(file, provider, progress=say, **options)
            except GeoshareError as error:
                failed = True
                bar.stop()
                ERRORS.print(f"[red]refused[/red] {file.name}: {error.message}")
                continue
        show_report(report, checked=options["check_only"])
        failed |= options["check_only"] and report.found.get("error", 0) > 0
    local.wait_until_visible()
    sys.exit(1 if failed else 0)


@main.group(invoke_without_command=True)
@click.pass_context
def collections(context: click.Context) -> None:
    """List the collections and how many features each has; or export some."""
    if context.invoked_subcommand is None:
        _list_collections(context.obj)


@collections.command("export")
@click.argument("names")
@click.option(
    "--pmtiles",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; it appears whole or not at all.",
)
@click.option(
    "--tier", default="open", show_default=True, help="Whose view: what this tier may download."
)
@click.option("--min-zoom", default=ZOOMS[0], show_default=True, type=int, help="First zoom.")
@click.option("--max-zoom", default=ZOOMS[1], show_default=True, type=int, help="Last zoom.")
@click.option(
    "--bbox", nargs=4, type=float, help="West, south, east, north in degrees: tiles that meet it."
)
@click.pass_obj
def export(
    settings: Settings,
    /,
    names: str,
    pmtiles: Path,
    tier: str,
    min_zoom: int,
    max_zoom: int,
    bbox: tuple[float, float, float, float] | None,
) -> None:
    """Write all tiles of collections (NAME[,NAME...]) to one file."""
    services = build_services(settings)
    with progress_bar() as bar:
        task = bar.add_task(pmtiles.name, total=1.0)
        made = export_pmtiles(
            services,
            names.split(","),
            pmtiles,
            tier=tier,
            zooms=(min_zoom, max_zoom),
            bbox=None if bbox is None else Box(*bbox),
            report=lambda done: bar.update(task, completed=done),
        )
    click.echo(f"{pmtiles}: {made['tiles']} tiles, {made['size']} bytes, sha256 {made['sha256']}")


def _list_collections(settings: Settings) -> None:
    for name, count in Local(build_services(settings)).counts().items():
        click.echo(f"{count:>10}  {name}")


@main.command("doctor")
@click.pass_obj
def doctor_command(settings: Settings) -> None:
    """Check databases, packs and files; exit code 1 if something is wrong."""
    findings = doctor(build_services(settings))
    for finding in findings or ["everything is in order"]:
        click.echo(finding)
    sys.exit(1 if findings else 0)


@main.command("settings")
def show_settings() -> None:
    """List every setting, its default and what it is for."""
    for name, default, text in settings_table():
        click.echo(f"{name:<30} {default:<28} {text}")


main.add_command(audit)
main.add_command(diff)
main.add_command(extract)
main.add_command(verify)
main.add_command(keys)
main.add_command(print_map)
main.add_command(providers)
main.add_command(shares)
main.add_command(shift)
main.add_command(sync)
for group in (organisations, *GROUPS, *PEOPLE):
    main.add_command(group)


if __name__ == "__main__":
    main()
