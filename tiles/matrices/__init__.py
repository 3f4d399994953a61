"""Tile matrix sets: definitions, where their tiles lie, and rows in their coordinates."""

from tiles.matrices.rows import in_matrix_set
from tiles.matrices.sets import (
    MATRIX_SETS,
    WEB_MERCATOR_QUAD,
    WORLD_CRS84_QUAD,
    MatrixSet,
    definition,
)

__all__ = [
    "MATRIX_SETS",
    "WEB_MERCATOR_QUAD",
    "WORLD_CRS84_QUAD",
    "MatrixSet",
    "definition",
    "in_matrix_set",
]
