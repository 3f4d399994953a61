"""A small town for maps: a few features of most kinds, one of them hidden from whoever looks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import shapely
import shapely.affinity
from shapely import LineString, Point, box

from geoshare.access.build import build_views
from geoshare.extracts.maps import drawn_views
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.query import View
from tests.access.town import Town, policy

CANARY = "canary7391"
CENTRE = (140.90, 36.25)
AREA = Box(140.89, 36.242, 140.91, 36.258)
PUBLISHED = {"op": "<>", "args": [{"property": "name"}, f"{CANARY} hidden"]}
GRANTS: tuple[dict, ...] = (
    {"collections": ["shelters"], "rows": PUBLISHED, "columns": [
        "name", "name_en", "address", "max_capacity", "status", "status_updated_at", "people_count",
        "pets_accepted", "is_welfare_shelter",
    ]},
    {"collections": ["evacuation_sites"], "columns": [
        "name", "name_en", "address", "max_capacity", "hazard_flood", "hazard_tsunami",
        "hazard_landslide",
    ]},
    {"collections": ["segments"], "columns": ["class", "name", "subtype"]},
    {"collections": ["hazard_zones"], "columns": [
        "hazard_type", "depth_min_m", "depth_max_m", "zone_class",
    ]},
    {"collections": ["evacuation_areas"], "columns": ["kind", "level", "status", "valid_from"]},
    {"collections": ["events"], "columns": ["kind", "regulation_category", "status", "name"]},
    {"collections": ["places"], "columns": ["name", "name_en", "class", "rank"]},
    {"collections": ["admin_areas"], "columns": ["code", "name", "level"]},
    {"collections": ["water"], "columns": ["class", "name"]},
)  # fmt: skip
MOMENT = datetime(2026, 9, 17, 5, 30, tzinfo=UTC)


def publish(town: Town) -> None:
    """Fill the town's packs."""
    x, y = CENTRE
    at = {"status_updated_at": MOMENT}
    town.packs.publish(
        "shelters",
        [
            ("a", Point(x, y), {"name": "髙﨑小学校", "address": "潮見市中央1-2", "status": "open",
                                "people_count": 12, "max_capacity": 300, "pets_accepted": True, **at}),
            ("b", Point(x + 0.004, y + 0.002), {"name": "辻\U000e0100公民館", "status": "full",
                                                "max_capacity": 80}),
            ("c", Point(x + 0.002, y - 0.002), {"name": f"{CANARY} hidden", "address": f"{CANARY} 1",
                                                "status": "closed", "max_capacity": 736152893}),
        ],
    )  # fmt: skip
    town.packs.publish(
        "evacuation_sites",
        [
            ("d", Point(x + 0.0001, y), {"name": "髙﨑小学校", "hazard_flood": True,
                                         "hazard_tsunami": False}),
            ("e", Point(x - 0.003, y + 0.001), {"name": "中央公園", "hazard_flood": False,
                                               "hazard_landslide": True}),
        ],
    )  # fmt: skip
    roads = [
        ("r1", LineString([(x - 0.01, y), (x + 0.01, y)]), {"class": "primary", "name": "中央通り"}),
        (
            "r2",
            LineString([(x, y - 0.01), (x, y + 0.01)]),
            {"class": "residential", "name": "避難所通り"},
        ),
        ("r3", LineString([(x - 0.01, y - 0.004), (x + 0.01, y + 0.004)]), {"subtype": "rail"}),
    ]
    town.packs.publish("segments", roads)
    zones = [
        (f"{kind}{low}",
         shapely.affinity.translate(box(x, y, x + 0.0018, y + 0.0009), 0.002 * k, 0.001 * i),
         {"hazard_type": kind, "depth_min_m": low, "depth_max_m": None})
        for k, kind in enumerate(("flood", "tsunami", "storm_surge"))
        for i, low in enumerate((0.0, 0.5, 3.0, 5.0))
    ]  # fmt: skip
    zones.append(("l", box(x - 0.006, y, x - 0.004, y + 0.002),
                  {"hazard_type": "landslide", "zone_class": "special_warning"}))  # fmt: skip
    town.packs.publish("hazard_zones", zones)
    areas = [
        (f"level{level}", box(x - 0.008 + 0.003 * i, y - 0.006, x - 0.006 + 0.003 * i, y - 0.003),
         {"level": level, "status": "active", "valid_from": MOMENT})
        for i, level in enumerate((3, 4, 5))
    ]  # fmt: skip
    town.packs.publish("evacuation_areas", areas)
    closed = {
        "kind": "closure",
        "regulation_category": "closedWeather",
        "status": "active",
        "name": "川端通り",
    }
    town.packs.publish("events", [("x", LineString([(x + 0.004, y), (x + 0.008, y)]), closed)])
    town.packs.publish(
        "places",
        [
            (
                "p",
                Point(x, y + 0.004),
                {"name": "潮見市", "name_en": "Shiomi City", "class": "city", "rank": 1},
            )
        ],
    )
    city = box(x - 0.05, y - 0.05, x + 0.05, y + 0.05)
    town.packs.publish(
        "admin_areas", [("m", city, {"code": "08999", "name": "潮見市", "level": "city"})]
    )
    town.packs.publish(
        "water", [("w", shapely.buffer(Point(x - 0.008, y + 0.005), 0.002), {"class": "pond"})]
    )


def make_town(folder: Path, *more: dict) -> tuple[Town, Policy]:
    """Make the town and its views under a policy."""
    town = Town(folder)
    publish(town)
    held = policy(*GRANTS, *more)
    build_views([held], town.packs, town.views_dir)
    return town, held


def views_of(made: tuple[Town, Policy]) -> dict[str, View]:
    """The views that a map is drawn from."""
    return drawn_views(made[1], made[0].views)
