"""Ready means: what is published can be served by this version."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from geoshare.services.keeping import make_keeper
from tests.api.conftest import Own
from tests.api.test_faults import places, versions

TILE = "/tiles/places/9/453/203.mvt"


def publish_anew(own: Own) -> None:
    """What a keeper does when it begins."""
    keeper = make_keeper(own.services)
    with keeper.lock():
        keeper.publish(everything=True)


def rewrite(path: Path, **said: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | said))


def test_a_folder_without_anything_is_ready(own: Own) -> None:
    assert own.get("/readyz", None).status_code == 200


def test_packs_of_an_older_format_are_not_ready_until_the_keeper_has_published_them_anew(
    own: Own, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    assert own.get("/readyz", None).status_code == 200
    packs = own.settings.data / "packs"
    rewrite(packs / "places" / "manifest.json", format=1)
    rewrite(packs / "published.json", form="manifest 1, part 1, view 1")
    for manifest in (own.settings.data / "views").glob("*/places.json"):
        rewrite(manifest, format=1)
    assert own.get(TILE, None).status_code == 503
    answer = own.get("/readyz", None)
    assert answer.status_code == 503
    assert b"publish" not in answer.data
    with caplog.at_level(logging.WARNING):
        publish_anew(own)
    assert "places: the pack is of another format and is built anew" in caplog.text
    assert own.get("/readyz", None).status_code == 200
    assert own.get(TILE, None).status_code in (200, 204)
    assert versions(own) == {"0"}


def test_a_change_that_is_published_meanwhile_makes_nothing_ready(own: Own, tmp_path: Path) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    rewrite(own.settings.data / "packs" / "published.json", form="older")
    own.contribute(places(tmp_path, 1), collection="places")
    assert own.get("/readyz", None).status_code == 503


def test_a_collection_that_cannot_be_published_does_not_keep_the_others_from_being_ready(
    own: Own, tmp_path: Path
) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    packs = own.settings.data / "packs"
    rewrite(packs / "published.json", form="older")
    rewrite(packs / "places" / "manifest.json", format=1)
    for part in (packs / "places").glob("*.arrow"):
        part.unlink()
    (packs / "places" / "manifest.json").rename(packs / "kept")
    (packs / "places").rmdir()
    (packs / "places").write_bytes(b"in the way")
    keeper = make_keeper(own.services)
    with keeper.lock():
        keeper.publish(everything=True)
    assert own.get("/readyz", None).status_code == 200


@pytest.mark.parametrize("content", ["hello", "[]", "{}"])
def test_a_manifest_that_is_none_is_written_anew(own: Own, tmp_path: Path, content: str) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    (own.settings.data / "packs" / "places" / "manifest.json").write_text(content)
    publish_anew(own)
    assert versions(own) == {"0"}
