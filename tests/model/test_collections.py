"""Names of collections: one rule, and a lawful name for a layer of any name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest
from geoshare.model.collections import check_name, is_name, known, slug
from tests.names import UNLAWFUL


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_an_unlawful_name_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        check_name(name)
    assert refused.value.parameter == "collection"
    assert refused.value.allowed
    assert refused.value.message.isascii()
    assert len(refused.value.message) < 600


@pytest.mark.parametrize("name", [*known(), "a", "a" * 63, "trees_2024", "console", "evil"])
def test_a_lawful_name_is_itself(name: str) -> None:
    assert check_name(name) == name == slug(name)


@pytest.mark.parametrize("text", UNLAWFUL.values(), ids=UNLAWFUL)
def test_a_bad_text_becomes_a_lawful_name(text: str) -> None:
    assert is_name(slug(text))


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=100))
def test_every_text_becomes_a_lawful_name_and_keeps_it(text: str) -> None:
    name = slug(text)
    assert is_name(name)
    assert slug(name) == name
    assert slug(f" {text.upper().lower()} ") == slug(text.upper().lower())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sidewalk Trees", "sidewalk_trees"),
        ("../../../evil", "evil"),
        ("a/b/c", "a_b_c"),
        ("2024", "layer_2024"),
        ("nul", "layer_nul"),
        ("", "layer"),
        ("Ｔｒｅｅｓ", "trees"),
    ],
)
def test_letters_and_digits_of_a_layer_name_stay(text: str, name: str) -> None:
    assert slug(text) == name


def test_different_japanese_layers_stay_apart_and_equal_ones_agree() -> None:
    names = ["街路樹", "街灯", "道路 1", "道路 2", "Road 道路", "Road 橋", "a" * 100, "a" * 101]
    assert len({slug(name) for name in names}) == len(names)
    assert slug("街路樹") == slug(" 街路樹 ") == "layer_1a7ed907"
