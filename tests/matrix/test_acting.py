"""Who edits, follows changes and acts on warnings: as the judge says, and hidden is as missing."""

from __future__ import annotations

from typing import Any

import shapely

from geoshare.services.desk_rules import COLLECTIONS
from tests.matrix.asking import FOR_ALL, Ask, Principal, World, refused
from tests.matrix.test_matrix import ASKED
from tests.matrix.world import FENCE, at

INSIDE, BEYOND = at(0.5, 0.5), at(3.0, 0.5)
assert FENCE.contains(shapely.Point(INSIDE))
assert not FENCE.intersects(shapely.Point(BEYOND))


def status_at_desk(who: Principal, collection: str) -> int:
    """How an editor's question about a collection is answered."""
    edited = who.rights.collections("contribute")
    if who.edits is not None:
        edited &= set(who.edits)
    if who.name == "nobody in particular":
        return 401
    if not edited:
        return 403
    seen = who.rights.status("read", collection)
    editable = collection in edited and collection in COLLECTIONS
    return seen if seen != 200 or editable else 403


@FOR_ALL
def test_the_desk_is_open_to_editors_and_as_far_as_they_edit(world: World, who: Principal) -> None:
    for collection in (*ASKED, "evacuation_areas"):
        answer = world.ask(who, Ask(f"/desk/collections/{collection}/items", (("limit", "5"),)))
        if who.refused or who.reads_only:
            assert answer.status_code in ((401,) if who.refused else (401, 403))
            return
        assert answer.status_code == status_at_desk(who, collection), collection
        if answer.status_code == 404:
            missing = world.ask(who, Ask("/desk/collections/nowhere_at_all/items"))
            assert answer.data == missing.data


@FOR_ALL
def test_a_feature_is_made_where_the_agreement_says_and_nowhere_else(
    world: World, who: Principal
) -> None:
    for place, name in ((INSIDE, "inside"), (BEYOND, "beyond")):
        said = {"geometry": {"type": "Point", "coordinates": list(place)}}
        said |= {"properties": {"kind": "closure", "name": "asked"}, "name": name}
        answer = world.ask(who, Ask("/collections/events/items", (), "POST", said))
        if who.refused or who.reads_only:
            assert answer.status_code == 401
            return
        expected = status_at_desk(who, "events")
        made = 201 if name == "inside" else 400
        assert answer.status_code == (made if expected == 200 else expected)
        if answer.status_code == 400:
            assert answer.json["parameter"] == "geometry"


@FOR_ALL
def test_changes_are_told_to_who_may_follow_them(world: World, who: Principal) -> None:
    for collection in ASKED:
        answer = world.ask(who, Ask(f"/collections/{collection}/changes"))
        if refused(who, answer.status_code):
            return
        assert answer.status_code == who.rights.status("stream", collection), collection
        if answer.status_code == 200:
            assert answer.json["token"]
            assert not answer.json["features"]


@FOR_ALL
def test_a_warning_is_acted_on_by_who_sees_it_and_edits_areas(world: World, who: Principal) -> None:
    shown = who.rights.shown("read", "warnings", world.features)
    states = {item.key: item.said for item in world.features if item.collection == "warnings"}
    for key, said in states.items():
        path = f"/warnings/{world.ids['warnings', key]}/evacuation-area"
        answers = [
            world.ask(who, Ask(path)),
            world.ask(who, Ask(path, (), "POST", {"version": "seen"})),
        ]
        if who.refused or who.reads_only:
            assert {answer.status_code for answer in answers} <= {401, 403}
            return
        expected = status_at_desk(who, "evacuation_areas")
        if expected == 200:
            suggests = said["state"] == "in_force" and said["level"] >= 3
            expected = (200 if suggests else 409) if key in shown else 404
        told, confirmed = (answer.status_code for answer in answers)
        assert told == expected, key
        assert confirmed == (409 if expected == 200 else expected)  # another version was seen


@FOR_ALL
def test_who_may_know_and_does_not_hold_is_told_how_to_and_others_nothing(
    world: World, who: Principal
) -> None:
    for collection in ASKED:
        answer = world.ask(who, Ask(f"/collections/{collection}/items"))
        if refused(who, answer.status_code):
            return
        missing = world.ask(who, Ask("/collections/nowhere_at_all/items"))
        if answer.status_code == 403:
            assert answer.json["type"] == "about:blank#not-held"
            assert answer.json["offers"] == OFFERED.get(collection, [])
        elif answer.status_code == 404:
            assert answer.data == missing.data


OFFERED: dict[str, Any] = {
    "connectors": [{"id": "roads", "version": 1, "title": "Roads", "title_ja": "道路"}]
}
