"""Views share what they are made of: each part is mapped once, and so are the bitmaps of each view."""

from __future__ import annotations

import gc
from pathlib import Path

import shapely

from geoshare.access.build import build_views
from geoshare.access.memory import Memory
from geoshare.access.view import View
from geoshare.access.views import Views
from tests.access.town import Town, policy

VIEWS, PARTS = 300, 20


def mapped(folder: Path) -> list[str]:
    """Files of a folder that this process has mapped, once for each mapping."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line.split(maxsplit=5)[5] for line in lines if str(folder) in line]


def test_300_views_of_20_parts_stay_far_below_the_limit_of_mappings(tmp_path):
    town = Town(tmp_path)
    at = [shapely.Point(139.7 + number / 1000, 35.6) for number in range(PARTS * 10)]
    rows = [(f"s{n}", at[n], {"name": f"name {n}", "max_capacity": n}) for n in range(PARTS * 10)]
    town.packs.publish("shelters", *(rows[first::PARTS] for first in range(PARTS)))
    held = [
        policy(
            {
                "collections": ["shelters"],
                "columns": ["name"],
                "rows": {"op": ">", "args": [{"property": "max_capacity"}, number / 10]},
            }
        )
        for number in range(VIEWS)
    ]
    build_views(held, town.packs, town.views_dir, memory=Memory())
    gc.collect()
    own = len(mapped(tmp_path))  # of what the builder still has open
    views = Views(town.views_dir, town.packs.folder)
    opened = [views.get(one, "shelters") for one in held]
    assert all(isinstance(view, View) and view.count > 150 for view in opened)
    assert len({part for view in opened for layer in view.layers for part in layer.pack.parts}) == PARTS
    assert len(mapped(tmp_path)) - own <= VIEWS + PARTS
    assert len(mapped(town.views_dir)) > 20  # it does map them
    # nothing stays mapped when the views are gone
    del opened, views
    gc.collect()
    assert len(mapped(tmp_path)) <= own
