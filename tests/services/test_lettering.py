"""Letters are drawn once, whoever asks for them afterwards, and never served in part."""

from __future__ import annotations

import pytest

from geoshare.errors import Unavailable
from geoshare.extracts.maps import glyphs as drawing
from geoshare.services import lettering
from geoshare.services.lettering import FOLDER, Lettering

FONT = "Noto Sans JP Medium"


@pytest.fixture
def drawn(monkeypatch):
    """Ranges that were drawn, by a pen that is quicker than the real one."""
    found = []

    def glyphs(font, first):
        found.append(first)
        return f"{font} {first}".encode() * 100

    monkeypatch.setattr(drawing, "glyphs", glyphs)
    monkeypatch.setattr(lettering, "_generation", lambda font: "one")
    return found


def test_a_second_process_and_a_restart_read_the_very_bytes_that_were_drawn(tmp_path):
    real = drawing.glyphs(FONT, 0x2500)
    assert Lettering(tmp_path).letters(FONT, 0x2500) == real
    [path] = (tmp_path / FOLDER).glob("*/*.pbf")
    assert path.read_bytes().endswith(real)
    assert Lettering(tmp_path).letters(FONT, 0x2500) == real


def test_letters_are_drawn_once(tmp_path, drawn):
    made = [Lettering(tmp_path).letters(FONT, first) for first in (0, 256, 0, 256)]
    assert made[:2] == made[2:]
    assert drawn == [0, 256]
    assert not list((tmp_path / FOLDER).rglob(".*"))


@pytest.mark.parametrize("torn", [b"", b"short", b"-" * 500])
def test_a_torn_file_is_drawn_again_and_mended(tmp_path, drawn, torn):
    whole = Lettering(tmp_path).letters(FONT, 0)
    path = tmp_path / FOLDER / "one" / "0.pbf"
    kept = path.read_bytes()
    for content in (torn, kept[:-1], kept[:20] + b"?" + kept[21:]):
        path.write_bytes(content)
        assert Lettering(tmp_path).letters(FONT, 0) == whole
        assert path.read_bytes() == kept
    assert drawn == [0] * 4


def test_what_the_disk_does_not_take_is_drawn_all_the_same(tmp_path, drawn):
    (tmp_path / "cache").write_text("a file where the folder would be")
    found = [Lettering(tmp_path).letters(FONT, 0) for _ in range(2)]
    assert found[0] == found[1]
    assert drawn == [0, 0]


def test_another_font_or_other_code_has_a_folder_of_its_own_and_old_ones_go(
    tmp_path, drawn, monkeypatch
):
    for number in range(9):
        monkeypatch.setattr(lettering, "_generation", lambda font, number=number: f"g{number}")
        Lettering(tmp_path).letters(FONT, 0)
    assert drawn == [0] * 9
    left = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    assert left == ["g5", "g6", "g7", "g8"]


def test_the_name_of_a_folder_follows_the_font_and_the_code(monkeypatch):
    names = {lettering._generation(font) for font in drawing.FONTS}
    assert len(names) == len(drawing.FONTS)
    lettering._generation.cache_clear()
    monkeypatch.setattr(lettering, "pillow_version", "0")
    assert lettering._generation(FONT) not in names
    lettering._generation.cache_clear()


def test_a_font_that_is_not_there_is_still_refused(tmp_path, monkeypatch):
    def missing(name):
        raise Unavailable("no font")

    lettering._generation.cache_clear()
    monkeypatch.setattr(lettering, "font_file", missing)
    with pytest.raises(Unavailable):
        Lettering(tmp_path).letters(FONT, 0)
