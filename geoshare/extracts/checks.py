"""Members of a request for an extract that do not go together: each is named, with what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NoReturn

from geoshare.errors import BadRequest
from geoshare.extracts.areas import check_box, mesh_area
from geoshare.extracts.projection import projection
from geoshare.extracts.road_maps import LANES, OF_FORMAT
from geoshare.model.box import Box

if TYPE_CHECKING:
    from geoshare.extracts.request import ExtractRequest

DEGREES_ONLY: Final = ("geojson", "geojsonseq")  # RFC 7946 and RFC 8142 know CRS84 alone
WHOLE_MAPS: Final = ("pmtiles", *OF_FORMAT, "html")  # made of all of a place, in a CRS of their own
_LEFT_OUT: Final[dict[str, tuple[str, ...]]] = {  # what makes no sense with a format
    **dict.fromkeys(DEGREES_ONLY, ("crs",)),
    **dict.fromkeys(WHOLE_MAPS, ("crs", "columns", "mode", "filter", "datetime")),
}
_OF_OTHERS: Final[dict[str, tuple[str, ...]]] = {  # members that are of these formats alone
    "min_zoom": ("pmtiles",),
    "max_zoom": ("pmtiles",),
    "projector": ("lanelet2", "autoware"),
}


def check(request: ExtractRequest) -> None:
    """Raise BadRequest for the first member that does not fit the others."""
    _check_area(request)
    _check_collections(request)
    _check_members(request)
    wanted = projection(request.crs)
    if request.format == "dxf" and not wanted.metric:
        _refuse(
            "crs",
            "dxf is a drawing in metres",
            "dxfには平面座標系が必要です",
            "EPSG:3857 or EPSG:6669 to EPSG:6687, such as EPSG:6677",
        )
    if request.zooms[0] > request.zooms[1]:
        _refuse(
            "min_zoom" if request.min_zoom is not None else "max_zoom",
            "min_zoom must not be above max_zoom",
            "min_zoomはmax_zoom以下にしてください",
            f"min_zoom up to {request.zooms[1]}, max_zoom from {request.zooms[0]}",
        )


def _check_area(request: ExtractRequest) -> None:
    given = [name for name in ("bbox", "area", "mesh") if getattr(request, name) is not None]
    if len(given) > 1:
        _refuse(
            given[1],
            "The area is given in several ways",
            "範囲の指定が重複しています",
            "one of bbox, area and mesh",
        )
    if request.bbox is not None:
        check_box(Box(*request.bbox))
    if request.mesh is not None:
        mesh_area(request.mesh)


def _check_collections(request: ExtractRequest) -> None:
    if len(set(request.collections)) != len(request.collections):
        _refuse(
            "collections",
            "A collection is named twice",
            "同じコレクションが重複しています",
            "each collection once",
        )
    if isinstance(request.filter, Mapping) and request.is_filtered_by_name:
        _check_filters(request.filter)
    for member in ("columns", "filter"):
        said = getattr(request, member)
        is_by_name = member == "columns" or request.is_filtered_by_name
        if isinstance(said, Mapping) and is_by_name and not set(said) <= set(request.collections):
            _refuse(
                member,
                "It speaks of a collection that is not asked for",
                "要求していないコレクションの指定があります",
                ", ".join(request.collections),
            )
    of_roads = OF_FORMAT.get(request.format)
    if of_roads is not None and (
        LANES not in request.collections or not set(request.collections) <= set(of_roads)
    ):
        _refuse(
            "collections",
            f"{request.format} is made of roads",
            f"{request.format}は道路のデータだけで作られます",
            f"{LANES} and, if wanted, {', '.join(of_roads[1:])}",
        )


def _check_filters(said: Mapping[str, object]) -> None:
    """Each is a text or an object; others could not be read as CQL2."""
    for name, part in said.items():
        if not isinstance(part, str | Mapping):
            _refuse(
                "filter",
                f"The filter of {name[:64]} is neither a text nor an object",
                "フィルターは文字列またはCQL2 JSONのオブジェクトで指定してください",
                "CQL2 text, or an object of CQL2 JSON",
            )


def _check_members(request: ExtractRequest) -> None:
    """Each format has members that it leaves no choice for, and some have members of their own."""
    for member in _LEFT_OUT.get(request.format, ()):
        usual = type(request).model_fields[member].default
        given = getattr(request, member)
        if given == usual or (member == "crs" and not _moves(given, request.format)):
            continue
        _refuse(
            member,
            f"The format {request.format} leaves no choice of {member}",
            f"{request.format}では{member}を指定できません",
            f"leave {member} out" if usual is None else str(usual),
        )
    for member, formats in _OF_OTHERS.items():
        if getattr(request, member) is not None and request.format not in formats:
            _refuse(
                member,
                f"{member} is of other formats",
                f"{member}はほかの形式のための指定です",
                f"only with the format {' or '.join(formats)}",
            )


def _moves(crs: str, form: str) -> bool:
    """Whether a system that is named is another one than the format's own."""
    return form not in DEGREES_ONLY or projection(crs).moves


def _refuse(parameter: str, said: str, said_ja: str, allowed: str) -> NoReturn:
    raise BadRequest(f"{said}.", parameter=parameter, allowed=allowed, message_ja=f"{said_ja}。")
