"""How probable it is that somebody is on a lane: a Gaussian position integrated over the lane's band.

A lane is a band along its centre line. The position is a bivariate normal distribution, so the weight
of a lane is its integral over the band. Along each piece of the line the integral over the width is an
error function of the lateral distance given the place along the piece (the two are correlated where
the covariance is not round), and that along the piece is taken by Gauss-Legendre quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)
REACH = 6.0  # standard deviations beyond which nothing is integrated


@dataclass(frozen=True)
class Pieces:
    """Straight pieces of n lines in metres east and north of the position."""

    line: Index  # (p,) which line
    start: Array  # (p, 2)
    end: Array  # (p, 2)
    height: Array  # (p, 2) of start and end in metres, NaN where unknown
    before_m: Array  # (p,) length of the line before the piece

    @cached_property
    def length(self) -> Array:
        """(p,) lengths in metres."""
        found: Array = np.hypot(*(self.end - self.start).T)
        return found

    @cached_property
    def direction(self) -> Array:
        """(p, 2) unit vectors along the pieces."""
        found: Array = (self.end - self.start) / self.length[:, None]
        return found

    @cached_property
    def bearing(self) -> Array:
        """(p,) degrees clockwise from north."""
        east, north = self.direction.T
        found: Array = np.degrees(np.arctan2(east, north)) % 360
        return found

    def only(self, chosen: Mask) -> Pieces:
        """Those of a selection, (p,)."""
        return Pieces(*(getattr(self, item.name)[chosen] for item in fields(self)))

    @cached_property
    def nearest(self) -> tuple[Array, Array]:
        """How far along each piece the point nearest to the position is, and its distance; metres."""
        along = np.clip((-self.start * self.direction).sum(1), 0, self.length)
        points = self.start + along[:, None] * self.direction
        return along, np.hypot(*points.T)


def pieces_of(points: Array, part: Index, line: Index) -> Pieces:
    """Take lines apart; pieces of no length are left out.

    Parameters
    ----------
    points
        (v, 3) metres east, north and height of all lines, one after the other.
    part
        (v,) which part of a line each point belongs to, ascending.
    line
        Which line each part is of, ascending: a line may have several.
    """
    firsts = np.flatnonzero(part[:-1] == part[1:])
    owner = line[part[firsts]]
    start, end = points[firsts], points[firsts + 1]
    length = np.hypot(*(end - start)[:, :2].T)
    total = np.cumsum(length) - length
    before = total - total[np.searchsorted(owner, owner)]
    kept = length > 0
    height = np.column_stack([start[:, 2], end[:, 2]])
    return Pieces(owner[kept], start[kept, :2], end[kept, :2], height[kept], before[kept])


def mass(pieces: Pieces, width_m: Array, covariance: Array) -> Array:
    """(p,) probability that the position is on the band of each piece.

    Parameters
    ----------
    pieces
        Relative to the position, which is at the origin.
    width_m
        (p,) width of the band.
    covariance
        (2, 2) of the position in square metres, east and north; positive definite.
    """
    along = pieces.direction
    across = np.column_stack([-along[:, 1], along[:, 0]])  # to the left
    along_var = np.einsum("pi,ij,pj->p", along, covariance, along)
    across_var = np.einsum("pi,ij,pj->p", across, covariance, across)
    shared = np.einsum("pi,ij,pj->p", along, covariance, across)
    spread = np.sqrt(along_var)
    slope = shared / along_var  # of the mean across, along the piece
    rest = np.sqrt(np.maximum(across_var - shared * slope, 1e-12))
    from_start = -(pieces.start * along).sum(1)  # of the position, along the piece
    from_line = -(pieces.start * across).sum(1)  # and to the left of it
    low, high = from_start - REACH * spread, from_start + REACH * spread
    # oblique to the line a narrow distribution is over the band on a short part of it
    near = (width_m / 2 + REACH * rest) / np.maximum(np.abs(slope), 1e-12)
    crossing = from_start - from_line * slope / np.maximum(slope * slope, 1e-12)
    oblique = np.abs(slope) > 1e-6  # else it is over the band everywhere
    low = np.where(oblique, np.maximum(low, crossing - near), low)
    high = np.where(oblique, np.minimum(high, crossing + near), high)
    low = np.clip(low, 0, pieces.length)
    high = np.maximum(np.clip(high, 0, pieces.length), low)
    half = (high - low) / 2
    places = low[:, None] + half[:, None] * (NODES + 1)  # (p, nodes)
    off = places - from_start[:, None]
    density = np.exp(-((off / spread[:, None]) ** 2) / 2) / (np.sqrt(2 * np.pi) * spread[:, None])
    middle = from_line[:, None] + slope[:, None] * off  # mean of across, given along
    side = width_m[:, None] / 2
    within = ndtr((side - middle) / rest[:, None]) - ndtr((-side - middle) / rest[:, None])
    found: Array = half * (density * within * WEIGHTS).sum(1)
    return found
