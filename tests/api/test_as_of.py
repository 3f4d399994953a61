"""As-of queries and changes of an area over HTTP: what was answered then is answered again."""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

SHELTERS = "/collections/shelters"
BOX = (139.7005, 35.59, 139.7055, 35.61)


def row(id_: int, at: int, name: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": str(id_),
        "geometry": {"type": "Point", "coordinates": [139.7 + at / 1000, 35.6]},
        "properties": {"id": str(id_), "name": name, "phone": f"03-{id_}"},
    }


@pytest.fixture
def publish(own, tmp_path):
    """Publish a whole list of shelters and return the moment at which it stands."""

    def run(rows: list[dict[str, Any]]) -> str:
        path = tmp_path / "list.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
        own.contribute(path, collection="shelters")
        moment = datetime.fromtimestamp(own.services.clock.now_us() / 1e6, UTC).isoformat()
        time.sleep(0.002)
        return quote(moment)

    return run


def ask(own, path: str, key: str | None = "municipal", status: int = 200) -> dict[str, Any]:
    answer = own.get(path, key)
    assert answer.status_code == status, answer.data
    return json.loads(answer.data)


def features(own, query: str, key: str | None = "municipal") -> list[dict[str, Any]]:
    """All pages, three at a time."""
    found, path = [], f"{SHELTERS}/items?limit=3&{query}"
    while path:
        page = ask(own, path, key)
        found += page["features"]
        follow = [urlsplit(link["href"]) for link in page["links"] if link["rel"] == "next"]
        path = f"{follow[0].path}?{follow[0].query}" if follow else ""
    return found


def edited(rng: random.Random, rows: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The list with some rows moved, renamed, added and left out."""
    after = dict(rows)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, 11)
        if at in after and rng.random() < 0.4:
            del after[at]
        else:
            after[at] = row(at, rng.randint(0, 10), rng.choice("abc"))
    return after or {0: row(0, 0, "a")}


def test_copies_of_all_and_of_an_area_follow_and_every_time_is_answered_as_it_was(own, publish):
    rng = random.Random(5)
    box = "bbox=" + ",".join(map(str, BOX))
    rows = {at: row(at, at, "a") for at in range(8)}
    moments = [publish(list(rows.values()))]
    copies = {query: {item["id"]: item for item in features(own, query)} for query in ("", box)}
    tokens = {query: ask(own, f"{SHELTERS}/changes?{query}")["token"] for query in copies}
    then = {moments[0]: answers(own, box)}
    for _ in range(6):
        rows = edited(rng, rows)
        moments.append(publish(list(rows.values())))
        then[moments[-1]] = answers(own, box)
        for query, copy in copies.items():
            page = ask(own, f"{SHELTERS}/changes?since={tokens[query]}&{query}")
            copy |= {item["id"]: item for item in page["features"]}
            for gone in page["deleted"]:
                copy.pop(gone, None)
            tokens[query] = page["token"]
            assert copy == {item["id"]: item for item in features(own, query)}
            assert page["numberMatched"] == len(copy)
    for moment, said in then.items():
        assert answers(own, box, f"as_of={moment}") == said
    token = ask(own, f"{SHELTERS}/changes?as_of={moments[2]}")["token"]
    page = ask(own, f"{SHELTERS}/changes?since={token}")
    copy = {item["id"]: item for item in then[moments[2]][0]}
    copy |= {item["id"]: item for item in page["features"]}
    assert {key: item for key, item in copy.items() if key not in page["deleted"]} == {
        item["id"]: item for item in features(own, "")
    }


def answers(own, box: str, when: str = "") -> tuple[Any, ...]:
    """What two tiers are told: all, in a box, by a filter; and one feature."""
    chosen = quote("name = 'a'")
    lists = [features(own, f"{query}&{when}") for query in ("", box, f"filter={chosen}")]
    public = features(own, when, None)
    one = own.get(f"{SHELTERS}/items/{lists[0][0]['id']}?{when}", "municipal")
    said = json.loads(one.data)
    del said["links"]
    return *lists, public, said


def test_an_area_is_told_nothing_of_what_happens_elsewhere(own, publish):
    rows = {at: row(at, at, "a") for at in range(12)}
    publish(list(rows.values()))
    query = "bbox=" + ",".join(map(str, BOX))
    token = ask(own, f"{SHELTERS}/changes?{query}")["token"]
    publish([*list(rows.values())[:11], row(11, 10, "b")])
    page = ask(own, f"{SHELTERS}/changes?since={token}&{query}")
    assert (page["numberReturned"], page["features"], page["deleted"]) == (0, [], [])


def test_what_left_the_area_is_deleted_and_what_entered_it_is_told(own, publish):
    rows = {at: row(at, at, "a") for at in range(12)}
    publish(list(rows.values()))
    query = "bbox=" + ",".join(map(str, BOX))
    token = ask(own, f"{SHELTERS}/changes?{query}")["token"]
    publish([*(rows[at] for at in range(12) if at not in (2, 9)), row(2, 9, "a"), row(9, 3, "a")])
    left = {item["properties"]["phone"]: item["id"] for item in features(own, "")}["03-2"]
    page = ask(own, f"{SHELTERS}/changes?since={token}&{query}&limit=1")
    follow = urlsplit(next(link["href"] for link in page["links"] if link["rel"] == "next"))
    pages = [page, ask(own, f"{follow.path}?{follow.query}")]
    assert [gone for page in pages for gone in page["deleted"]] == [left]
    assert [item["properties"]["phone"] for page in pages for item in page["features"]] == ["03-9"]


def test_nonsense_is_refused_what_was_never_shown_is_gone_and_hidden_is_not_found(own, publish):
    publish([row(1, 1, "a")])
    for nonsense in ("yesterday", "2026-01-01/2026-02-01", "", "x" * 600):
        for path in ("items?", "items/1?", "changes?"):
            found = ask(own, f"{SHELTERS}/{path}as_of={nonsense}", status=400)
            assert found["parameter"] == "as_of"
    old = "as_of=2001-01-01T00:00:00Z"
    for path in ("items?", "items/1?", "changes?"):
        assert ask(own, f"{SHELTERS}/{path}{old}", status=410)["parameter"] == "as_of"
        hidden, missing = (
            own.get(f"/collections/{name}/{path}{old}", None) for name in ("lanes", "nothing")
        )
        assert hidden.status_code == missing.status_code == 404
        assert hidden.data == missing.data
    token = ask(own, f"{SHELTERS}/changes")["token"]
    found = ask(own, f"{SHELTERS}/changes?since={token}&{old}", status=400)
    assert found["parameter"] == "as_of"


def test_the_process_tells_what_changed_between_two_times(own, publish):
    rows = {at: row(at, at, "a") for at in range(12)}
    first = publish(list(rows.values()))
    second = publish(
        [*(rows[at] for at in range(11) if at not in (2, 3)), row(2, 2, "b"), row(3, 4, "a")]
    )
    said = {"collection": "shelters", "bbox": [139, 35, 140, 36], "since": unquote(first)}

    def run(said, key="municipal", **more):
        path, headers = "/processes/difference/execution", {"X-API-Key": own.keys[key]}
        return own.client.post(path, json={"inputs": said, **more}, headers=headers)

    found = run(said)
    assert found.status_code == 200, found.data
    counts = found.json["summary"]["shelters"]
    assert (counts["removed"], counts["moved"], counts["attributes"]) == (0, 1, 1)
    assert (counts["added"], counts["unchanged"]) == (0, 10)
    same = run(said | {"since": unquote(second), "until": unquote(second)})
    assert same.json["features"] == []
    png = run(said, outputs={"result": {"format": {"mediaType": "image/png"}}})
    assert png.data.startswith(b"\x89PNG")
    assert run(said | {"since": "2001-01-01"}).status_code == 410
    ahead = run(said | {"since": "2101-01-01"})
    assert (ahead.status_code, ahead.json["parameter"]) == (400, "since")
    today = own.services.clock.now_us() // 86_400_000_000
    day = (datetime(1970, 1, 1) + timedelta(days=today)).date().isoformat()
    assert run(said | {"until": day}).status_code == 200  # it ends later, and has begun
    assert run(said | {"bbox": [0, 1, 0, -1]}).status_code == 400
    hidden, missing = (run(said | {"collection": name}, "developer") for name in ("lanes_x", "nothing"))
    assert (
        (hidden.status_code, hidden.data) == (missing.status_code, missing.data) == (404, hidden.data)
    )
