"""The lanes that a position may be on, ranked, each with its probability."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.model.box import Box
from geoshare.network.bands import REACH, Pieces, mass, pieces_of
from geoshare.network.plane import Plane
from tiles.arrays import Kind

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

WIDTH_M = 3.0  # of a lane whose width is not known
WIDEST_M = 30.0  # a lane farther away than half of this and the reach cannot be meant
MOST_ACCURATE_M, LEAST_ACCURATE_M = 0.01, 100.0
OUTLIERS = 0.02  # of all headings and heights, so many are wrong and say nothing
HEIGHT_RANGE_M = 100.0  # wrong heights are anywhere in this


@dataclass(frozen=True)
class Position:
    """Where somebody believes to be.

    ``lon``, ``lat`` are degrees (CRS84); ``height_m`` is in the collection's heights;
    ``covariance`` is east-east, east-north, north-north in square metres; ``heading_deg`` is clockwise
    from north.
    """

    lon: float
    lat: float
    covariance: tuple[float, float, float]
    height_m: float | None = None
    height_accuracy_m: float = 3.0
    heading_deg: float | None = None
    heading_accuracy_deg: float = 10.0

    @property
    def matrix(self) -> Array:
        """(2, 2) covariance.

        Raises
        ------
        BadRequest
            for what is no covariance of an accuracy between a centimetre and a hundred metres.
        """
        east, shared, north = self.covariance
        found = np.array([[east, shared], [shared, north]])
        if not np.isfinite(found).all():
            least, most = 0.0, 0.0
        else:
            least, most = np.sqrt(np.maximum(np.linalg.eigvalsh(found), 0))
        if not MOST_ACCURATE_M <= least <= most <= LEAST_ACCURATE_M:
            raise BadRequest(
                "The covariance is not one of a position that is known to 0.01 to 100 m",
                message_ja="共分散は精度0.01〜100 mの位置のものではありません",
                parameter="covariance",
                allowed="ee,en,nn in square metres with ee*nn > en*en",
            )
        return found


@dataclass(frozen=True)
class Candidate:
    """One lane that may be meant.

    ``at`` is the fraction of the line's length at its point nearest to the position, ``lon_lat`` that
    point; ``offset_m`` is how far to the left of the line the position is (right: negative).
    """

    id: str
    probability: float
    at: float
    lon_lat: tuple[float, float]
    distance_m: float
    offset_m: float
    bearing_deg: float
    against: bool  # headed against the line, on a lane that may be used in both directions
    width_m: float
    width_known: bool

    def said(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "probability": round(self.probability, 6),
            "at": round(self.at, 9),
            "point": [round(side, 9) for side in self.lon_lat],
            "distance_m": round(self.distance_m, 3),
            "offset_m": round(self.offset_m, 3),
            "bearing_deg": round(self.bearing_deg, 2),
            "against": self.against,
            "width_m": round(self.width_m, 3),
            "width_known": self.width_known,
        }


def locate(view: View, position: Position, limit: int) -> tuple[list[Candidate], float]:
    """Rank the lanes of a view by the probability that somebody is on them.

    The position's distribution is integrated over each lane's band (its width, where the view shows
    ``width_m``; else three metres). Heading and height weigh each piece of a lane by how well it fits:
    a normal distribution around the piece's own, mixed with 2 % that say nothing. Bands may overlap, as
    in junctions: what they have together is then shared among them.

    Returns
    -------
    At most ``limit`` candidates, most probable first, ties by id; and the probability that the position
    is on none of the view's lanes.

    Raises
    ------
    BadRequest
        for a collection without lines, or a covariance that is none.
    """
    if view.collection.geometry != "line":
        raise BadRequest(
            "The collection has no lines to be on",
            message_ja="このコレクションに線はありません",
            parameter="collection",
            allowed="a collection of lines, as lanes and segments",
        )
    covariance = position.matrix
    spread = float(np.sqrt(np.linalg.eigvalsh(covariance)[-1]))
    plane = Plane(position.lon, position.lat)
    lanes = _read(view, Box(*plane.box(REACH * spread + WIDEST_M)), plane)
    pieces = lanes.pieces
    width = lanes.width_m[pieces.line]
    near = pieces.nearest[1] <= REACH * spread + width / 2  # less than 2e-8 lies over all others
    band = np.zeros(len(width))
    band[near] = mass(pieces.only(near), width[near], covariance)
    weight, against = _fit(lanes, position)
    share = np.bincount(pieces.line, band * weight, len(lanes.ids))
    none = max(0.0, 1.0 - float(band.sum())) * _unfit(position)
    total = float(share.sum()) + none
    if total <= 0:
        return [], 1.0
    order = sorted(np.flatnonzero(share > 0), key=lambda line: (-share[line], lanes.ids[line]))
    foot = _Foot(*pieces.nearest, against, plane)
    found = [_candidate(lanes, int(line), share[line] / total, foot) for line in order[:limit]]
    return found, none / total


@dataclass(frozen=True)
class _Foot:
    """Of each piece the point nearest to the position, and whether it is headed against there."""

    along_m: Array  # (p,) from the piece's start
    distance_m: Array  # (p,)
    against: Mask  # (p,)
    plane: Plane


@dataclass(frozen=True)
class _Lanes:
    """The lanes near a position."""

    ids: list[str]
    pieces: Pieces
    width_m: Array  # (n,), assumed where it is not known
    width_known: Mask
    forward: Mask  # (n,) may be used along the line
    backward: Mask  # and against it


def _read(view: View, box: Box, plane: Plane) -> _Lanes:
    wanted = [name for name in ("width_m", "one_way") if view.has_column(name)]
    table = view.materialise(view.search(box), wanted)
    shapes = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    parts, line = shapely.get_parts(shapes, return_index=True)
    points, part = shapely.get_coordinates(parts, include_z=True, return_index=True)
    points[:, :2] = plane.metres(points)
    width = np.full(len(shapes), np.nan)
    if "width_m" in wanted:
        width = table.column("width_m").to_numpy(zero_copy_only=False).astype(float)
    said = table.column("one_way").to_pylist() if "one_way" in wanted else [None] * len(shapes)
    # of a lane of which nothing is said Lanelet2 assumes one way; roads say "no", or nothing, for both
    roads = "one_way" in wanted and view.fields["one_way"] is Kind.STRING
    both = [value in (None, "no") if roads else value is False for value in said]
    known = np.isfinite(width) & (width > 0)
    return _Lanes(
        table.column("id").to_pylist(),
        pieces_of(points, part, line),
        np.where(known, width, WIDTH_M),
        known,
        np.array([free or value != "backward" for free, value in zip(both, said, strict=True)], bool),
        np.array([free or value == "backward" for free, value in zip(both, said, strict=True)], bool),
    )


def _fit(lanes: _Lanes, position: Position) -> tuple[Array, Mask]:
    """(p,) how well heading and height fit each piece, and whether better against its direction."""
    pieces = lanes.pieces
    weight, against = np.ones(len(pieces.line)), ~lanes.forward[pieces.line]
    if position.heading_deg is not None:
        off = (position.heading_deg - pieces.bearing + 180) % 360 - 180
        back = (off + 360) % 360 - 180
        along = np.where(lanes.forward[pieces.line], np.abs(off), np.inf)
        other = np.where(lanes.backward[pieces.line], np.abs(back), np.inf)
        against = other < along
        weight *= _mixed(np.minimum(along, other), position.heading_accuracy_deg, 360.0)
    if position.height_m is not None:
        # within a piece the height is that of its point nearest to the position; unknown ones fit
        share = pieces.nearest[0] / pieces.length
        height = pieces.height[:, 0] * (1 - share) + pieces.height[:, 1] * share
        fits = _mixed(np.abs(height - position.height_m), position.height_accuracy_m, HEIGHT_RANGE_M)
        weight *= np.where(
            np.isfinite(height), fits, _mixed(np.zeros(1), position.height_accuracy_m, HEIGHT_RANGE_M)
        )
    return weight, against


def _unfit(position: Position) -> float:
    """How well heading and height fit who is on no lane: any of them is as good."""
    found = 1.0 if position.heading_deg is None else 1 / 360.0
    return found if position.height_m is None else found / HEIGHT_RANGE_M


def _mixed(off: Array, accuracy: float, span: float) -> Array:
    """Density of a deviation: normal, but for the share of outliers that are anywhere in a span."""
    normal = np.exp(-((off / accuracy) ** 2) / 2) / (math.sqrt(2 * math.pi) * accuracy)
    found: Array = (1 - OUTLIERS) * normal + OUTLIERS / span
    return found


def _candidate(lanes: _Lanes, line: int, probability: float, foot: _Foot) -> Candidate:
    pieces = lanes.pieces
    own = np.flatnonzero(pieces.line == line)
    piece = own[np.argmin(foot.distance_m[own])]
    along = foot.along_m[piece]
    east, north = pieces.direction[piece]
    point = pieces.start[piece] + along * pieces.direction[piece]
    lon, lat = foot.plane.degrees(point[None])[0]
    left = float(point[0] * north - point[1] * east)  # of the position, seen along the line
    return Candidate(
        lanes.ids[line],
        float(probability),
        float((pieces.before_m[piece] + along) / pieces.length[own].sum()),
        (float(lon), float(lat)),
        float(foot.distance_m[piece]),
        left,
        float(pieces.bearing[piece]),
        bool(foot.against[piece]),
        float(lanes.width_m[line]),
        bool(lanes.width_known[line]),
    )
