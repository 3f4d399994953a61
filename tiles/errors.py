"""Errors of the engine.

TileError
├── BadGeometry         coordinates or geometry types the arrays cannot hold
├── BadColumn           values that do not fit the kind of their column
├── SelectionMismatch   a row selection made for other rows than the pack's
└── PartError           a file that cannot be read as a part
    ├── PartMissing     there is no such file
    ├── ForeignFile     the file is something else
    ├── TornPart        the file is cut short, or its arrays do not fit together
    └── WrongChecksum   the bytes are not the ones that were written
"""

from __future__ import annotations


class TileError(Exception):
    """Base of all errors the engine raises on purpose."""


class BadGeometry(TileError):
    """Coordinates or geometry types the arrays cannot hold."""


class BadColumn(TileError):
    """Values that do not fit the kind of their column, or columns that do not fit together."""


class SelectionMismatch(TileError):
    """A row selection made for other rows than the pack's."""


class PartError(TileError):
    """A file that cannot be read as a part of a pack."""


class PartMissing(PartError):
    """There is no such file."""


class ForeignFile(PartError):
    """The file is something else than a part."""


class TornPart(PartError):
    """The file is cut short, or its arrays do not fit together."""


class WrongChecksum(PartError):
    """The bytes are not the ones that were written."""
