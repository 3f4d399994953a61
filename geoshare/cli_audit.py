"""``geoshare audit``: show, open, verify and forget."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from geoshare.access.audit.public import verify_public
from geoshare.errors import BadRequest
from geoshare.model.times import iso
from geoshare.services import build_services
from geoshare.services.audit_desk import FORGETTABLE
from geoshare.settings import Settings
from geoshare.terminal import progress_bar, tell


@click.group()
def audit() -> None:
    """Read and check the audit log."""


@audit.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@click.pass_obj
def show(settings: Settings, limit: int) -> None:
    """List the newest entries, with the names that can still be opened."""
    for item in build_services(settings).desk.show(limit):
        entry = item["entry"]
        names = ", ".join(f"{o['side']}.{o['what']}={o['value']}" for o in item["opened"])
        tell(f"{iso(entry['at_us'])}  {entry['id']}  {entry['kind']:<22} {names}")


@audit.command("open")
@click.argument("entry")
@click.pass_obj
def open_entry(settings: Settings, entry: str) -> None:
    """Show one entry, its place in the log, and the salts that open its names."""
    found = build_services(settings).desk.open(entry)
    place = "pending" if found["place"] is None else found["place"]
    click.echo(f"place   {place}")
    _show(found["entry"])
    for item in found["opened"]:
        tell(f"{item['side']}.{item['what']} = {item['value']}  salt {item['salt']}")


@audit.command()
@click.argument("what", type=click.Choice(FORGETTABLE))
@click.argument("value")
@click.confirmation_option(prompt="Destroy the salts? This cannot be undone")
@click.pass_obj
def forget(settings: Settings, what: str, value: str) -> None:
    """Destroy what links entries to an organisation or a person. The log still verifies."""
    number = build_services(settings).desk.forget(what, value)
    click.echo(f"{number} entries can no longer be linked to it")


@audit.command()
@click.pass_obj
def adopt(settings: Settings) -> None:
    """Take back, after a backup was restored, the entries that only the log's files still have."""
    with progress_bar() as bar:
        task = bar.add_task("audit log", total=1.0)
        number = build_services(settings).desk.adopt(
            lambda fraction, text: bar.update(task, completed=fraction)
        )
    click.echo(f"{number} entries taken from the files")


@audit.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--public", is_flag=True, help="Check FILES alone: extracts, checkpoints, logs, a vkey.")
@click.option("--log", type=click.Path(path_type=Path), help="A copy of a log; default: this server's.")
@click.option("--vkey", help="The log's public key, as text; default: this server's.")
@click.pass_obj
def verify(
    settings: Settings, files: tuple[Path, ...], public: bool, log: Path | None, vkey: str | None
) -> None:
    """Compute every hash of the log again; exit code 1 if anything is wrong.

    Without --public: this server's files against its database, or a copy with --log.
    """
    if bool(files) != public:
        raise BadRequest("FILES go with --public", parameter="FILES", allowed="--public FILES...")
    with progress_bar() as bar:
        task = bar.add_task("audit log", total=1.0)

        def say(fraction: float, text: str) -> None:
            bar.update(task, completed=fraction)

        if public:
            report = verify_public(files, vkey, say)
            lines, findings = [*report.good, *report.notes], report.findings
        else:
            checked = build_services(settings).desk.verify(log, vkey, say)
            lines, findings = [f"{checked.entries} entries"], checked.findings
    for line in lines:
        click.echo(line)
    for line in findings:
        click.echo(f"WRONG {line}")
    click.echo("something is wrong" if findings else "everything is in order")
    sys.exit(1 if findings else 0)


def _show(entry: dict[str, Any]) -> None:
    for name, value in entry.items():
        click.echo(f"{name:<7} {value}")
