"""What those who decide ask of a place: who and what is there, and what a road lies in.

Everything is computed from the caller's views. Figures about people and buildings need the action
``aggregate``; what may be aggregated and not read is told of squares of a fixed grid alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from geoshare.access.credentials import Principal
from geoshare.access.view import RasterView, View
from geoshare.derive import roads
from geoshare.derive.reading import find_area
from geoshare.derive.requests import AreaInputs, RoadInputs
from geoshare.derive.summary import Sources, summarise
from geoshare.errors import NotFound
from geoshare.model.policy import Action
from geoshare.model.times import iso

if TYPE_CHECKING:
    from geoshare.services import Services

RAIN: Final = "rain"
_METHOD_JA: Final = (
    "人口・世帯数は推計です。統計の区画の値を面積の割合で按分しています。",
    "10単位に四捨五入し、10未満は「10未満」と表示します。",
    "秘匿値・値のない区画を含む場合は「以上」「秘匿」「不明」とし、0として扱いません。",
    "建物は、内部の1点が範囲に入るものを、外形が触れる最も深い(危険な)区分で数えています。",
    "「想定区域外または未調査」は、安全であることを意味しません。",
)
_METHOD_EN: Final = (
    "People and households are estimates: figures of statistical cells, divided by area.",
    "They are rounded to tens; fewer than ten are told so; withheld or missing cells are never zero.",
    "A building counts where a point of it lies in the area, in the worst class its footprint touches.",
    "Outside the zones, or not surveyed, does not mean safe.",
)
_GRID_JA: Final = (
    "個別の値を閲覧できないデータは、250mメッシュ単位で集計し、10未満のメッシュは秘匿しています。"
)
_GRID_EN: Final = (
    "Data whose rows you may not read are told by squares of 250 m; fewer than ten are withheld."
)


class Deciding:
    """Summaries of areas and exposure of roads. Safe to use from several threads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def area_summary(self, who: Principal, said: AreaInputs) -> dict[str, Any]:
        """People and buildings of an area by class of a hazard.

        Raises
        ------
        BadRequest, TooLarge, Unavailable
            as :func:`find_area`, :func:`summarise` and the views do.
        """
        area = find_area(said, self._view(who, "admin_areas"), self._view(who, "evacuation_areas"))
        sources = Sources(
            self._view(who, "hazard_zones"),
            self._view(who, "statistics", "aggregate"),
            self._open(who, "statistics"),
            self._view(who, "buildings", "aggregate"),
            self._open(who, "buildings"),
        )
        found = summarise(area, said, sources)
        grid = any(found["fixed_grid"].values())
        return found | {
            "made_at": iso(self._services.clock.now_us() // 1_000_000 * 1_000_000),
            "method": {
                "ja": [*_METHOD_JA, *([_GRID_JA] if grid else [])],
                "en": [*_METHOD_EN, *([_GRID_EN] if grid else [])],
            },
            "sources": _sources(sources, found["figures"]),
        }

    def road_exposure(self, who: Principal, said: RoadInputs) -> dict[str, Any]:
        """What is known of a road: hazards, closures, structures, rain.

        Raises
        ------
        NotFound
            for a road that is hidden or does not exist.
        BadRequest, TooLarge, Unavailable
            for a time that cannot be read, and as the views do.
        """
        road = roads.find_road(self._view(who, "segments"), said.segment)
        if not road.rows or road.shapes[0] is None:
            raise NotFound("No such feature")
        return {
            "segment": roads.about(road, said.segment),
            "hazards": roads.hazards(road, self._view(who, "hazard_zones")),
            "closures": roads.closures(road, said.segment, self._view(who, "events")),
            "structures": roads.structures(road, said.segment, self._view(who, "structures")),
            "rain": self._rain(who, road.shapes[0], said.datetime),
        }

    def _rain(self, who: Principal, line: Any, when: str | None) -> dict[str, Any]:
        nothing = {"state": "unknown", "value": None, "unit": None, "datetime": None}
        try:
            view = self._services.raster_view(who, RAIN)
        except NotFound:
            return nothing
        middle = line.interpolate(0.5, normalized=True)
        found = self._services.rasters.value(view, (middle.x, middle.y), when)
        if found is None:
            return nothing
        state = "unknown" if found.value is None else "known"
        return {
            "state": state,
            "value": None if found.value is None else round(found.value, 2),
            "unit": found.unit,
            "datetime": iso(found.datetime_us),
        }

    def _view(self, who: Principal, name: str, action: Action = "read") -> View | None:
        """What the caller sees of a collection; None of one that is hidden or does not exist."""
        try:
            return self._services.view(who, name, action)
        except NotFound:
            return None

    def _open(self, who: Principal, name: str) -> bool:
        """Whether the caller may read all that they may aggregate."""
        said = [
            [grant.data() for grant in self._services.policy(who, action).grants_for(name)]
            for action in ("read", "aggregate")
        ]
        return all(grant in said[0] for grant in said[1])


def _sources(sources: Sources, figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the summary rests on: collections, and of statistics year and size of the cells."""
    found = []
    views: tuple[View | RasterView | None, ...] = (
        sources.hazard_zones, sources.statistics, sources.buildings,
    )  # fmt: skip
    for view in views:
        if view is None:
            continue
        about = view.collection
        detail_ja, detail = "", ""
        if about.name == "statistics":
            told = next((item for item in figures if item["cells"]), None)
            if told is None:
                continue
            size = f"{told['mesh_size_m']:g}" if told["mesh_size_m"] and told["mesh_size_m"] > 0 else ""
            detail_ja = f"{told['year'] or '年不明'}年、" + (f"{size}mメッシュ" if size else "行政区域")
            detail = f"{told['year'] or 'year unknown'}, " + (
                f"{size} m mesh" if size else "administrative areas"
            )
        found.append(
            {
                "collection": about.name,
                "title": about.title,
                "title_ja": about.title_ja,
                "detail": detail,
                "detail_ja": detail_ja or "最新の登録内容",
            }
        )
    return found
