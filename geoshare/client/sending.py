"""``geoshare contribute --server``: files to a server, in pieces, with what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from geoshare.client.client import Client
from geoshare.client.command import read_key
from geoshare.client.http import ClientError
from geoshare.terminal import progress_bar, tell

_EXAMPLES = 10


def send_files(
    server: str, key_file: Path | None, files: Sequence[Path], options: Mapping[str, Any]
) -> bool:
    """Send files and print their reports; whether all of them were taken (or passed their checks).

    Raises
    ------
    ClientError
        for an address that is none, or a key that cannot be read.
    """
    client = Client(server, read_key(key_file))
    good = True
    for path in files:
        try:
            with progress_bar() as bar:
                found = client.contribute(path, progress=_shown(bar, path.name), **options)
        except (ClientError, OSError) as error:
            click.echo(f"error {path.name}: {error}", err=True)
            good = False
            continue
        good &= _told(path.name, found, checked=bool(options.get("check_only")))
    return good


def _shown(bar: Progress, name: str) -> Callable[[float], None]:
    """Shows how far a file is, and says where one goes on that was interrupted."""
    task = bar.add_task(name, total=1.0)
    begun = False

    def show(done: float) -> None:
        nonlocal begun
        if not begun and done > 0:
            tell(f"{name}: goes on at {done:.0%}, where it was interrupted")
        begun = True
        bar.update(task, completed=done)

    return show


def _told(name: str, found: Mapping[str, Any], *, checked: bool) -> bool:
    """Print what became of a file; whether that is good."""
    report = found.get("report") or {}
    taken = ", ".join(f"{count} {what}" for what, count in report.get("taken", {}).items())
    refused = found["status"] == "refused"
    done = "found" if checked else "taken"
    tell(f"{name}: {found['status']}, {taken or 'nothing'} {done}, {report.get('refused', 0)} refused")
    if refused:
        allowed = (found.get("error") or {}).get("allowed")
        tell(f"  {found['message']} / {found['message_ja']}" + (f" ({allowed})" if allowed else ""))
    for refusal in report.get("refusals", [])[:_EXAMPLES]:
        message = refusal["message"]
        tell(f"  refused row {refusal['row']}: {message['en']} / {message['ja']}")
    for note in report.get("notes", []):
        tell(f"  note: {note['en']} / {note['ja']}")
    grave = int(report.get("found", {}).get("error", 0))
    if grave:
        tell(f"  {grave} findings of severity error")
    return not refused and not (checked and grave)
