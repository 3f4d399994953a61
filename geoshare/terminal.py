"""What all commands show on a terminal: errors, and how far they are."""

from __future__ import annotations

import unicodedata

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)
_STEP = 25  # per cent between two lines


def tell(line: str) -> None:
    """Print a line that holds texts of others; what could forge or hide another line is escaped."""
    click.echo("".join(map(_harmless, line)))


def _harmless(letter: str) -> str:
    if letter.isprintable() or unicodedata.category(letter) == "Zs":
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def progress_bar() -> Progress:
    """A bar on standard error that goes when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    return Progress(*columns, TimeElapsedColumn(), console=ERRORS, transient=True)


class Compiling:
    """Says, in lines that a log can hold too, that the engine is being compiled and how far that is."""

    def __init__(self) -> None:
        self._said = -1

    def __call__(self, done: int, about: int) -> None:
        """Take notice of a kernel that is compiled after ``done`` others, of ``about`` so many."""
        step = min(100 * done // max(about, 1), 99) // _STEP
        if step <= self._said:
            return
        if self._said < 0:
            ERRORS.print("Compiling the engine, about a minute, once")
        else:
            ERRORS.print(f"Compiling the engine: {step * _STEP} %")
        self._said = step
