"""Questions about styles, and about the letters and signs that they name."""

from __future__ import annotations

from typing import Any

from tests.leaks.asking.parts import Parts, Question, get

FONTS = ("/fonts/Noto Sans JP Medium/0-255.pbf", "/fonts/Other/0-255.pbf", "/fonts/Other/1-2.pbf")


def style(asker: Parts) -> str:
    """The address of a style of many collections, of one, or of none."""
    name = asker.collection()
    if asker.rng.random() < 0.4:
        name = asker.rng.choice(("default-map", "hazard-map", "no-map"))
    return f"/styles/{name}"


def style_of_one(asker: Parts) -> str:
    name = asker.collection()
    own = name if asker.rng.random() < 0.8 else asker.collection()
    return f"/collections/{name}/styles/{own}"


def form(asker: Parts) -> list[tuple[str, Any]]:
    """How a style is asked to be written."""
    if asker.rng.random() < 0.6:
        return []
    return [asker.rng.choice((("language", "en"), ("f", "html"), ("f", "mapbox"), ("f", "sld")))]


ASKERS: dict[str, Question] = {
    "GET /styles": get("/styles"),
    "GET /styles/<style_id>": lambda asker: asker.get(style(asker), *form(asker)),
    "GET /styles/<style_id>/metadata": lambda asker: asker.get(f"{style(asker)}/metadata"),
    "GET /collections/<collection>/styles": get("/collections/{collection}/styles"),
    "GET /collections/<collection>/styles/<style_id>": lambda asker: asker.get(
        style_of_one(asker), *form(asker)
    ),
    "GET /collections/<collection>/styles/<style_id>/metadata": lambda asker: asker.get(
        f"{style_of_one(asker)}/metadata"
    ),
    "GET /fonts/<fontstack>/<span>.pbf": lambda asker: asker.get(asker.rng.choice(FONTS)),
    "GET /sprites/<name>": lambda asker: asker.get(
        f"/sprites/{asker.rng.choice(('map.json', 'map@2x.png', 'map.gif'))}"
    ),
}
