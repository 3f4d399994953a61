"""The comparison of twins notices leaks: each of these is built in on purpose, a sample finds it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geoshare.access import compile as compile_
from geoshare.access import views as views_module
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.api import me, pages, reply
from geoshare.model.box import Box
from geoshare.query import items
from geoshare.query.items import ItemsPage
from geoshare.query.search import search_names
from geoshare.services import tiles
from tests.leaks.comparing import compare
from tests.leaks.town import layers
from tests.leaks.twins import Twins
from tiles.arrays import Rows
from tiles.grid import world_to_lon_lat

TIER = "rows"
SAMPLE = 400
MOST = 2_000  # the first difference ends it, mostly within a few dozen
SEED = 1
Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    twins = Twins(tmp_path_factory.mktemp("twins"))
    twins.load(layers(TIER, full=False), layers(TIER, full=True))
    return twins


def counts_know_a_hidden_row(patch: Patch) -> None:
    """One more matches where there is a row that the view does not show."""
    real = pages.items

    def counted(view: View, *said: Any) -> ItemsPage:
        page = real(view, *said)
        more = int(_rows_of_packs(view) > view.count)
        return ItemsPage(
            page.view, page.rows, page.number_matched + more, page.next_cursor, page.columns
        )

    patch.setattr(pages, "items", counted)


def _rows_of_packs(view: View) -> int:
    return sum(len(part) for layer in view.layers[:1] for part in layer.pack.parts)


def grants_show_every_release_class(patch: Patch) -> None:
    """Rows are shown whatever class they were contributed under."""
    patch.setattr(compile_, "released", lambda classes, table, rows: np.ones(len(rows), bool))


def tags_depend_on_the_version_of_the_pack(patch: Patch) -> None:
    opened, tag, versions = views_module.open_view, reply.entity_tag, {}

    def open_view(policy: str, manifest: Any, files: Any) -> View:
        versions[manifest.collection] = manifest.source["version"]
        return opened(policy, manifest, files)

    patch.setattr(views_module, "open_view", open_view)
    patch.setattr(reply, "entity_tag", lambda body, coding: tag(body + repr(versions).encode(), coding))


def schemas_list_values_of_hidden_rows(patch: Patch) -> None:
    """Each text column says how many different values the pack has of it."""
    real = View.schema

    def schema(view: View) -> dict[str, Any]:
        found = real(view)
        for layer, column in itertools.product(view.layers, view.columns):
            for part in layer.pack.parts:
                there = {item.name: item for item in part.table.columns}.get(column.name)
                if there is not None and there.dictionary_offsets is not None:
                    said = {"x-distinct": len(there.dictionary_offsets)}
                    found["properties"][column.name] = {**found["properties"][column.name], **said}
        return found

    patch.setattr(View, "schema", schema)


def extents_are_those_of_the_pack(patch: Patch) -> None:
    real = View.__init__

    def init(view: View, *said: Any) -> None:
        real(view, *said)
        boxes = [part.boxes for layer in view.layers for part in layer.pack.parts]
        if boxes:
            every = np.concatenate(boxes)
            low, high = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
            (west, south), (east, north) = world_to_lon_lat(np.stack([low, high])).tolist()
            view.extent = Box(west, south, east, north)

    patch.setattr(View, "__init__", init)


def pages_are_ordered_by_places_among_hidden_rows(patch: Patch) -> None:
    real = items.leading

    def leading(rows: Rows, count: int, after: Any = None) -> Rows:
        found = real(rows, count, after)
        turned = [numbers[np.argsort(numbers * 7 % 13, kind="stable")] for numbers in found.numbers]
        return Rows(found.tables, tuple(turned))

    patch.setattr(items, "leading", leading)


def tiles_are_kept_whoever_asks(patch: Patch) -> None:
    """The key of a kept tile lacks what the view shows."""
    patch.setattr(tiles, "_key", lambda digests, place, coding: (len(digests), place, coding))


def hidden_collections_are_refused_in_other_words(patch: Patch) -> None:
    real = Views.get

    def get(views: Views, policy: Any, name: str) -> Any:
        if not policy.allows(name) and (views._files.packs_dir / name).is_dir():
            raise views_module.Unavailable("The view is being prepared.")
        return real(views, policy, name)

    patch.setattr(Views, "get", get)


def search_looks_into_hidden_rows(patch: Patch) -> None:
    """How many names there are to look through decides how many are returned."""

    def search(views: list[View], text: str, limit: int = 10) -> Any:
        return search_names(views, text, limit)[: max(1, sum(map(_rows_of_packs, views)) % 3)]

    patch.setattr(me, "search_names", search)


LEAKS: tuple[Callable[[Patch], None], ...] = (
    counts_know_a_hidden_row,
    grants_show_every_release_class,
    tags_depend_on_the_version_of_the_pack,
    schemas_list_values_of_hidden_rows,
    extents_are_those_of_the_pack,
    pages_are_ordered_by_places_among_hidden_rows,
    tiles_are_kept_whoever_asks,
    hidden_collections_are_refused_in_other_words,
    search_looks_into_hidden_rows,
)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_leak_that_is_built_in_is_found(
    leak: Callable[[Patch], None], loaded: Twins, tmp_path: Path, monkeypatch: Patch, same_secrets: None
) -> None:
    twins = loaded.copied(tmp_path)
    leak(monkeypatch)
    twins.open()
    assert compare(twins, TIER, MOST, SEED).difference is not None


def test_without_a_leak_the_same_sample_finds_nothing(
    loaded: Twins, tmp_path: Path, same_secrets: None
) -> None:
    twins = loaded.copied(tmp_path)
    twins.open()
    assert compare(twins, TIER, SAMPLE, SEED).difference is None
