"""What a kind of warning means: hazard, severity, and the alert level where one is defined.

Level 警戒レベル: said by the name since the level-based telegrams of May 2026 (レベル４大雨危険警報);
before that by the Cabinet Office's guideline on evacuation information (避難情報に関するガイドライン,
2021), for heavy rain, floods, landslides and storm surge alone. Storms, snow, waves and tsunami have
no level, and unknown stays unknown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_LEVEL = re.compile(r"レベル([1-5])")
_HAZARDS = (  # the first word found in the name decides
    ("土砂災害", "landslide"),
    ("津波", "tsunami"),
    ("高潮", "storm_surge"),
    ("氾濫", "flood"),
    ("洪水", "flood"),
    ("大雨", "heavy_rain"),
    ("線状降水帯", "heavy_rain"),
    ("暴風雪", "snow"),
    ("大雪", "snow"),
    ("風雪", "snow"),
    ("暴風", "storm"),
    ("強風", "storm"),
    ("竜巻", "storm"),
    ("波浪", "wave"),
)
_BEFORE_2026 = {  # (hazard, severity) -> level
    ("heavy_rain", "advisory"): 2,
    ("heavy_rain", "warning"): 3,
    ("heavy_rain", "special"): 5,
    ("flood", "advisory"): 2,
    ("flood", "warning"): 3,
    ("storm_surge", "advisory"): 2,
    ("storm_surge", "warning"): 4,
    ("storm_surge", "special"): 4,
    ("landslide", "danger"): 4,
}
FLOOD_LEVELS = {"2": 2, "3": 3, "4": 4, "5": 5}  # first digit of a flood forecast's kind code
FLOOD_SEVERITY = {2: "advisory", 3: "warning", 4: "danger", 5: "special"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of warning means; ``level`` None: none is defined or known."""

    hazard: str  # other, where none of those we know
    severity: str  # special, danger, warning, advisory, report, forecast
    level: int | None


def plain(text: str) -> str:
    """Text with full-width digits and letters made plain, for comparing."""
    return unicodedata.normalize("NFKC", text).strip()


def kind_of(name: str) -> Kind:
    """What a kind means, by its name as the telegram has it.

    >>> kind_of("レベル４土砂災害危険警報")
    Kind(hazard='landslide', severity='danger', level=4)
    >>> kind_of("暴風警報").level is None
    True
    """
    folded = plain(name)
    hazard = next((found for word, found in _HAZARDS if word in folded), "other")
    severity = _severity(folded)
    said = _LEVEL.search(folded)
    level = int(said.group(1)) if said else _BEFORE_2026.get((hazard, severity))
    return Kind(hazard, severity, level)


def flood_kind(code: str, name: str) -> Kind:
    """What a flood forecast's kind means: by its code, else by its name."""
    level = FLOOD_LEVELS.get(code[:1])
    if level is None:
        return kind_of(name)
    return Kind("flood", FLOOD_SEVERITY[level], level)


def _severity(name: str) -> str:
    if "特別警報" in name or "大津波警報" in name:
        return "special"
    if "危険警報" in name or name == "土砂災害警戒情報":
        return "danger"
    if "注意報" in name:
        return "advisory"
    if "予報" in name:
        return "forecast"
    return "warning" if "警報" in name else "report"
