"""Every route, and who makes questions for it."""

from __future__ import annotations

from tests.leaks.asking import desk, features, files, operators, own, pages, people, styles, tiles
from tests.leaks.asking.parts import PLACE, Question

AREAS = desk, features, files, operators, own, pages, people, styles, tiles
ASKERS: dict[str, Question] = {
    rule: question for area in AREAS for rule, question in area.ASKERS.items()
}
# Rules that are asked more often than the others: what most of the data goes out through.
OFTEN = (
    "GET /collections/<collection>/items",
    "GET /collections/<collection>/changes",
    "GET /tiles/<collections>/<int:z>/<int:x>/<int:y>.mvt",
    "GET /raster/<collection>/<int:z>/<int:x>/<int:y>.<image_format>",
    "GET /collections/<collection>/items/<feature_id>",
    "GET /jobs/<job>/result",
    "POST /extracts",
    "POST /processes/<process>/execution",
)
# And others that are computed from what there is.
SOMETIMES = (
    "GET /collections",
    "GET /collections/<collection>",
    "GET /collections/<collection>/items/<feature_id>/explain",
    "GET /collections/<collection>/queryables",
    "GET /collections/<collection>/schema",
    "GET /collections/<collection>/sortables",
    f"GET /collections/<collection>/tiles/{PLACE}",
    "GET /raster/<collection>.json",
    "GET /search",
    "GET /tiles/<collections>.json",
)
RULES = tuple(sorted(ASKERS))
