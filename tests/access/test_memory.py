"""What a builder of views remembers: no more than its budget, and nothing of parts that are gone."""

from __future__ import annotations

from pathlib import Path

from shapely import Point

from geoshare.access.build import build_views
from geoshare.access.memory import Memory
from tests.access.town import Town, policy


def test_what_belongs_to_a_part_goes_with_the_last_look_at_it() -> None:
    memory = Memory()
    for part in ("old", "both"):
        memory.put(("draft", part), part, part=part)
        memory.put(("facts", part), part, part=part)
    memory.put("other", 1)
    memory.has_parts("view", frozenset({"old", "both"}))
    memory.has_parts("view", frozenset({"both", "new"}))
    assert memory.get(("draft", "old")) is memory.get(("facts", "old")) is None
    assert memory.get(("draft", "both")) == "both"
    assert memory.get("other") == 1


def test_a_stream_of_changes_leaves_no_more_behind_than_a_few(tmp_path: Path) -> None:
    """A part of each second would be held open for good, with its mapping of a removed file."""
    town, memory = Town(tmp_path), Memory()
    views = [
        policy({"collections": ["places"], "columns": ["name"]}),
        policy({"collections": ["places"], "columns": ["name"], "precision_m": 100}),
    ]
    sizes = []
    for number in range(12):
        rows = [(f"p{place}", Point(139, 35), {"name": f"{number}"}) for place in range(5)]
        town.packs.publish("places", rows)
        build_views(views, town.packs, town.views_dir, memory=memory)
        sizes.append(len(memory))
    assert len(set(sizes[2:])) == 1
