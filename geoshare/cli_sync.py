"""``geoshare sync``: take what others publish."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from geoshare.client.command import area
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.services.warnings import Taken
from geoshare.settings import Settings
from geoshare.terminal import ERRORS

AREA = "area"


class Sync(click.Group):
    """A command of its own with one command below it: what is none of those is an area's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let all but the names of commands be said to ``area``."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [AREA, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Sync)
def sync() -> None:
    """Take what others publish: files of an area (the usual), or the weather service's warnings."""


sync.add_command(area, AREA)


@sync.command("warnings")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.pass_obj
def warnings(settings: Settings, /, files: tuple[Path, ...]) -> None:
    """Take JMA telegrams: FILES, else the folder and the address of the settings.

    A server looks by itself. Returns when the warnings are visible.
    """
    local = Local(build_services(settings))
    count = failed = 0
    for taken in (local.take_telegram(file) for file in files) if files else local.sync_warnings():
        count += 1
        failed += taken.error is not None
        _show(taken)
    local.wait_until_visible()
    click.echo(f"{count} telegrams, {failed} put aside")
    sys.exit(1 if failed else 0)


def _show(taken: Taken) -> None:
    if taken.error is not None:
        ERRORS.print(f"[red]put aside[/red] {taken.name}: {taken.error.message}")
        return
    click.echo(
        f"{taken.name}: {taken.report.rows_read} warnings stated, {taken.report.refused} unusable"
    )
    for refusal in taken.report.refusals[:10]:
        click.echo(f"  item {refusal.row}: {refusal.message.en} / {refusal.message.ja}")
    for note in taken.report.notes:
        click.echo(f"  note: {note.en} / {note.ja}")
