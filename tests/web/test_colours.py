"""What the browser's map and shared maps draw with is the data that the server draws with."""

from __future__ import annotations

import re
from pathlib import Path

import geoshare
from geoshare.extracts.maps.words import WORDS
from geoshare.model.appearance import STYLE
from geoshare.model.collections import known
from geoshare.model.hazards import NAMES, WARNED_OF

SOURCES = Path(geoshare.__file__).parent / "web/src"
DRAWING = (
    *(SOURCES / "map/layers").glob("*.ts"),
    *(SOURCES / name for name in ("map/images.ts", "share/paint.ts", "share/signs.ts")),
)
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
EVERYBODYS = {"#ffffff"}  # paper, and what is written on a colour


def colours(value: object) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(colours, value.values()))
    if isinstance(value, list):
        return set().union(set(), *map(colours, value))
    return {value} if isinstance(value, str) and COLOUR.fullmatch(value) else set()


def test_no_colour_of_the_appearance_is_written_a_second_time():
    own = {"hatches"}  # of paper alone
    shared = colours({name: said for name, said in STYLE.items() if name not in own}) - EVERYBODYS
    assert len(shared) > 60
    for path in DRAWING:
        twice = {*COLOUR.findall(path.read_text().lower())} & shared
        assert twice <= {"#8796a3"}, f"{path.name}: {twice}"  # the edge of legends' swatches


def test_hazards_have_one_name_wherever_they_are_named():
    assert set(STYLE["hazards"]) == set(NAMES)
    assert {name: WORDS[f"h_{name}"] for name in NAMES} == NAMES
    warned = known()["warnings"].property("hazard")
    assert set(WARNED_OF) <= set(warned.enum)
    written = "".join(path.read_text() for path in DRAWING)
    words = ("heavy rain", *(ja for ja, _ in NAMES.values()))
    assert not [word for word in words if f"'{word}'" in written]
