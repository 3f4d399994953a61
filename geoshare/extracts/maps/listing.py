"""The list of evacuation sites and shelters, by the numbers of the map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from geoshare.extracts.maps import symbols
from geoshare.extracts.maps.fonts import BOLD, MEDIUM, shortened, spelled, wrapped
from geoshare.extracts.maps.furniture import INK, SOFT, draw_footer, draw_header
from geoshare.extracts.maps.paper import EDGE, FOOTER, HEADER, Rect, page_size
from geoshare.extracts.maps.pen import FLAT, Pen
from geoshare.extracts.maps.places import Place
from geoshare.extracts.maps.words import Speaker
from geoshare.model.times import JAPAN

ROW_MM: Final = 9.4
HEAD_MM: Final = 6.0
COLUMNS: Final = (
    ("number", 0.055),
    ("kind", 0.085),
    ("name", 0.33),
    ("state", 0.12),
    ("people", 0.13),
    ("designated", 0.16),
    ("remarks", 0.12),
)


def rows_of_page(paper: str, orientation: str) -> int:
    """How many places go on a page."""
    _, height = page_size(paper, orientation)
    return int((height - 2 * EDGE - HEADER - FOOTER - HEAD_MM - 4) / ROW_MM)


def list_pages(paper: str, orientation: str, places: int) -> int:
    """How many pages a list takes; one that says so where there is nothing."""
    return max(1, -(-places // rows_of_page(paper, orientation)))


def draw_list(
    begin: Callable[[str], Pen],
    size: tuple[float, float],
    places: Sequence[Place],
    rows: int,
    title: str,
    about: Sequence[str],
    say: Speaker,
    footer: Callable[[], tuple[str, str]],
) -> None:
    """Draw the pages of the list; ``begin`` starts a page under a name, ``footer`` says its foot.

    ``about`` stands on the right of the head: when it was made, and of when the data are.
    """
    wide, high = size
    several = any(place.sheets != (1,) for place in places)
    for first in range(0, max(len(places), 1), rows):
        pen = begin(say("list"))
        header = Rect(EDGE, high - EDGE - HEADER, wide - 2 * EDGE, HEADER)
        draw_header(pen, header, f"{say('list')}　{title}", say("estimate_note"), ["", *about])
        table = Rect(EDGE, EDGE + FOOTER + 2, wide - 2 * EDGE, header.y - EDGE - FOOTER - 4)
        _draw_head(pen, table, say)
        for at, place in enumerate(places[first : first + rows]):
            y = table.top - HEAD_MM - (at + 1) * ROW_MM
            if at % 2:
                pen.rect(table.x, y, table.w, ROW_MM, fill="#f1f3f4")
            _draw_row(pen, table, y, place, say, several)
            pen.polylines([[(table.x, y), (table.right, y)]], "#c3c9ce", 0.12, cap=FLAT)
        if not places:
            pen.text(table.x, table.top - HEAD_MM - 6, spelled(say("list_none")), 3, MEDIUM, SOFT)
        draw_footer(pen, wide, *footer())


def _lefts(table: Rect) -> dict[str, tuple[float, float]]:
    """Left edge and width of each column."""
    found, x = {}, table.x
    for name, share in COLUMNS:
        found[name] = (x + 1, share * table.w - 2)
        x += share * table.w
    return found


def _draw_head(pen: Pen, table: Rect, say: Speaker) -> None:
    y = table.top - HEAD_MM
    pen.rect(table.x, y, table.w, HEAD_MM, fill="#33404a")
    for name, (x, room) in _lefts(table).items():
        text = shortened(spelled(say(name), BOLD), 2.6, room, BOLD)
        pen.text(x, y + 2.0, text, 2.6, BOLD, "#ffffff")


def _draw_row(pen: Pen, table: Rect, y: float, place: Place, say: Speaker, several: bool) -> None:
    at = _lefts(table)
    middle = y + ROW_MM / 2
    x, room = at["number"]
    symbols.number_badge(pen, x + room / 2, middle, place.number, 3.8)
    x, _ = at["kind"]
    if place.site is not None:
        symbols.site(pen, x + 3, middle, 5.6)
    if place.shelter is not None:
        symbols.shelter(pen, x + 9, middle, 5.6, place.state)
    _draw_name(pen, at["name"], y, place, say)
    _draw_state(pen, at["state"], y, place, say)
    x, room = at["people"]
    pen.text(x, middle - 1.1, shortened(spelled(_people(place, say)), 3.0, room), 3.0, MEDIUM, INK)
    _draw_designated(pen, at["designated"], middle, place, say)
    x, room = at["remarks"]
    lines = wrapped(_remarks(place, say, several), 2.2, room, 3)
    first = middle + (len(lines) - 1) * 1.35 - 0.8
    for line_at, line in enumerate(lines):
        pen.text(x, first - line_at * 2.7, line, 2.2, MEDIUM, SOFT)


def _draw_name(pen: Pen, at: tuple[float, float], y: float, place: Place, say: Speaker) -> None:
    x, room = at
    name = say.name(place.says("name"), place.says("name_en")) or say("not_stated")
    size = 3.3
    spelt = spelled(name, BOLD)
    pen.text(x, y + ROW_MM - 4.1, shortened(spelt, size, room, BOLD), size, BOLD, INK)
    address = place.says("address") or say("not_stated")
    pen.text(x, y + 1.9, shortened(spelled(address), 2.4, room), 2.4, MEDIUM, SOFT)


def _draw_state(pen: Pen, at: tuple[float, float], y: float, place: Place, say: Speaker) -> None:
    x, room = at
    if place.shelter is None:
        pen.text(x, y + ROW_MM / 2 - 1.1, spelled(say("not_stated")), 3.0, MEDIUM, SOFT)
        return
    state = place.state if place.state in symbols.STATES else "unknown"
    moment = (place.shelter or {}).get("status_updated_at")
    if moment is not None:
        when = moment.astimezone(JAPAN)
        text = say("updated", when=f"{when.month}/{when.day} {when:%H:%M}")
        pen.text(x, y + 1.9, shortened(spelled(text), 2.2, room), 2.2, MEDIUM, SOFT)
    base = y + ROW_MM - 4.1 if moment is not None else y + ROW_MM / 2 - 1.1
    bold = state in ("open", "full")
    font = BOLD if bold else MEDIUM
    word = shortened(spelled(say(state), font), 3.0, room, font)
    pen.text(x, base, word, 3.0, font, INK)


def _people(place: Place, say: Speaker) -> str:
    """Numbers of people there and of whom there is room for; what is not stated is not zero."""
    there, room = (place.shelter or {}).get("people_count"), place.says("max_capacity")
    if there is None and room is None:
        return say("not_stated")
    said = [say("not_stated") if number is None else f"{number:,}" for number in (there, room)]
    return " / ".join(said)


def _draw_designated(
    pen: Pen, at: tuple[float, float], middle: float, place: Place, say: Speaker
) -> None:
    x, room = at
    said: dict[str, Any] = place.hazards
    chosen = [name for name in symbols.HAZARDS if said.get(name)]
    if place.site is None or not chosen:
        pen.text(x, middle - 1.1, spelled(say("not_stated")), 3.0, MEDIUM, SOFT)
        return
    radius = min(1.75, room / len(symbols.HAZARDS) / 2.1)
    for name in chosen:
        left = x + radius + symbols.HAZARDS.index(name) * radius * 2.1
        symbols.hazard_mark(pen, left, middle, radius, name, say.language)


def _remarks(place: Place, say: Speaker, several: bool) -> str:
    shelter = place.shelter or {}
    words = []
    if several:
        words.append(say("on_sheet") + " " + "・".join(str(number) for number in place.sheets))
    if shelter.get("pets_accepted") is not None:
        words.append(say("pets") if shelter["pets_accepted"] else say("no_pets"))
    if shelter.get("is_welfare_shelter"):
        words.append(say("welfare"))
    return "、".join(words) if say.language == "ja" else ", ".join(words)
