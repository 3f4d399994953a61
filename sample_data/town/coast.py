# ruff: noqa: E501 - outlines read better with many points a line
"""The island: coastline, bay, harbour and river."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter1d
from shapely.geometry import LineString, Polygon, box

from sample_data.town.curves import smooth_line, smooth_ring, tapered
from sample_data.town.frame import Array, random_numbers

# Counter-clockwise from the tip of the western cape, along the bay, around the island.
OUTLINE = [
    (-1440, -1960), (-1290, -1690), (-1300, -1420), (-1180, -1200), (-1165, -960), (-1040, -800),
    (-860, -690), (-620, -610), (-380, -560), (-120, -545), (120, -575), (330, -650), (470, -710),
    (610, -715), (760, -680), (880, -640), (1010, -560), (1280, -600), (1500, -720), (1660, -900), (1690, -1110),
    (1800, -1300), (1840, -1560), (2050, -1800), (2330, -1880), (2600, -1640), (2780, -1230),
    (3250, -1010), (3700, -1080), (4180, -640), (4420, -60), (4980, 380), (5060, 1080), (5330, 1640),
    (5010, 2330), (4380, 2600), (4260, 3160), (3540, 3480), (2960, 3960), (2050, 4120), (1360, 4620),
    (420, 4560), (-260, 4960), (-1300, 4780), (-1980, 4980), (-2840, 4420), (-3260, 3700), (-4050, 3420),
    (-4420, 2700), (-5060, 2240), (-5120, 1500), (-4700, 860), (-4930, 120), (-4420, -480), (-3900, -700),
    (-3500, -1240), (-2900, -1330), (-2480, -1180), (-2180, -1400), (-2030, -1800), (-1720, -2130),
]  # fmt: skip

RIVER = [
    (-760, 3350), (-520, 2900), (-640, 2500), (-330, 2150), (-210, 1780), (40, 1500), (60, 1230), (240, 980),
    (250, 760), (390, 540), (350, 320), (400, 110), (360, -110), (430, -300), (405, -480), (440, -760),
]  # fmt: skip
RIVER_WIDTHS = [(0, 7), (0.25, 13), (0.5, 26), (0.7, 40), (0.85, 54), (0.95, 66), (1, 90)]
BRANCH = [(385, 30), (440, -70), (560, -190), (640, -330), (690, -480), (775, -600), (820, -790)]
BRANCH_WIDTHS = [(0, 24), (0.4, 32), (0.8, 44), (1, 85)]
TRIBUTARY = [
    (1690, 2040),
    (1430, 1830),
    (1350, 1640),
    (1120, 1530),
    (1010, 1360),
    (800, 1290),
    (690, 1130),
    (520, 1060),
    (430, 930),
    (250, 850),
]
TRIBUTARY_WIDTHS = [(0, 4), (0.5, 9), (1, 16)]

QUAYS = [
    [(-835, -600), (-835, -672), (-700, -672), (-700, -640), (-560, -640), (-560, -745), (-515, -745),
     (-515, -640), (-330, -640), (-330, -600), (-130, -600), (-130, -690), (-40, -690), (-40, -560),
     (-400, -480)],
]  # fmt: skip
BREAKWATERS = [
    [(-1150, -1010), (-960, -1040), (-800, -1010), (-690, -940)],
    [(-85, -685), (-95, -860), (-190, -985), (-330, -1030)],
    [(-590, -1120), (-420, -1165)],
]
GROYNES = [
    [(300, -620), (345, -850)], [(985, -560), (1000, -680)], [(1140, -565), (1155, -670)], [(1290, -590), (1320, -690)],
]  # fmt: skip
ISLETS = [
    ((-1700, -2330), 62),
    ((-1560, -2260), 28),
    ((2620, -2080), 75),
    ((780, -1380), 54),
    ((850, -1330), 24),
]


@dataclass(frozen=True)
class Coast:
    """Land and water in local metres.

    Attributes
    ----------
    island : the land with its rivers, quays and islets; breakwaters apart
    breakwaters : breakwaters and groynes as polygons
    sea : everything around the island out to 30 km
    river, branch, tributary : centre lines, downstream
    rivers : polygons of (Japanese name, English name, geometry), down to the coast
    ponds : polygons of (Japanese name, English name, geometry)
    """

    island: shapely.Geometry
    breakwaters: list[tuple[str, str, LineString, shapely.Geometry]]
    sea: shapely.Geometry
    river: LineString
    branch: LineString
    tributary: LineString
    rivers: list[tuple[str, str, shapely.Geometry]]
    ponds: list[tuple[str, str, shapely.Geometry]]
    harbour: shapely.Geometry

    @property
    def fresh_water(self) -> shapely.Geometry:
        """Rivers and ponds as one geometry."""
        return shapely.union_all([part[2] for part in [*self.rivers, *self.ponds]])


def make_coast() -> Coast:
    """Draw the island."""
    shore = _ragged(smooth_ring(OUTLINE, 14.0))
    quays = shapely.union_all([Polygon(points) for points in QUAYS])
    islets = [_islet(centre, radius, k) for k, (centre, radius) in enumerate(ISLETS)]
    harbour_water = box(-1000, -800, -20, -560).difference(quays)
    land = Polygon(shore).buffer(0)
    # The quay front is straight: fill behind it, then cut away what lies before it.
    in_front = Polygon([(-835, -600), (-835, -760), (-40, -760), (-40, -600)]).difference(quays)
    land = shapely.union_all([land.difference(in_front), quays, *islets])
    land = shapely.union_all([part for part in shapely.get_parts(land) if part.area > 900])
    river, branch = smooth_line(RIVER, 10), smooth_line(BRANCH, 10)
    tributary = smooth_line(TRIBUTARY, 10)
    river_band = tapered(river, RIVER_WIDTHS)
    branch_band = tapered(branch, BRANCH_WIDTHS)
    tributary_band = tapered(tributary, TRIBUTARY_WIDTHS).difference(river_band)
    main = shapely.union_all([river_band, branch_band]).intersection(land)
    breakwaters = _breakwaters()
    dry = shapely.union_all([land, *(part[3] for part in breakwaters)])
    # The wide mouth belongs to the sea's edge, so that no sliver of land stands between them.
    sea = box(-30_000, -30_000, 30_000, 30_000).difference(dry)
    ponds = [
        ("鏡ヶ池", "Kagami Pond", _islet((-1010, 1130), 58, 11)),
        ("新田ため池", "Shinden Reservoir", _islet((1180, 1130), 46, 12)),
    ]
    return Coast(
        island=land,
        breakwaters=breakwaters,
        sea=sea,
        river=river,
        branch=branch,
        tributary=tributary,
        rivers=[
            ("潮見川", "Shiomi River", main),
            ("沢田川", "Sawada River", tributary_band.intersection(land)),
        ],
        ponds=ponds,
        harbour=harbour_water,
    )


def _breakwaters() -> list[tuple[str, str, LineString, shapely.Geometry]]:
    names = [
        ("西防波堤", "West Breakwater"),
        ("東防波堤", "East Breakwater"),
        ("沖防波堤", "Outer Breakwater"),
    ]
    made = []
    for (name, name_en), points in zip(names, BREAKWATERS, strict=True):
        line = LineString(points)
        made.append((name, name_en, line, line.buffer(8, cap_style="square", join_style="mitre")))
    for number, points in enumerate(GROYNES, 1):
        line = LineString(points)
        made.append((f"突堤{number}号", f"Groyne {number}", line, line.buffer(5, cap_style="square")))
    return made


def _ragged(ring: Array) -> Array:
    """The smooth outline with coves and headlands: much on open coast, little inside the bay."""
    rng = random_numbers("coast")
    count = len(ring)
    noise = np.zeros(count)
    for sigma, height in ((14, 46), (5, 19), (1.6, 7)):
        wave = gaussian_filter1d(rng.standard_normal(count), sigma, mode="wrap")
        noise += height * wave / wave.std()
    calm = 1 / (1 + np.exp(-(np.hypot(ring[:, 0] - 150, ring[:, 1] + 500) - 1500) / 170))
    along = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
    along /= np.hypot(*along.T)[:, None]
    normal = np.column_stack([along[:, 1], -along[:, 0]])
    return ring + normal * (noise * (0.1 + 0.9 * calm))[:, None]


def _islet(centre: tuple[float, float], radius_m: float, number: int) -> Polygon:
    rng = random_numbers(f"islet {number}")
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    radius = radius_m * (1 + 0.16 * rng.standard_normal(14).clip(-1.5, 1.5))
    points = [
        (centre[0] + 1.35 * r * np.cos(a), centre[1] + r * np.sin(a))
        for a, r in zip(angle, radius, strict=True)
    ]
    return Polygon(smooth_ring(points, 6.0)).buffer(0)
