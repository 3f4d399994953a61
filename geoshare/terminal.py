"""What all commands show on a terminal: errors, and how far they are."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)


def progress_bar() -> Progress:
    """A bar on standard error that goes when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=ERRORS, transient=True)
