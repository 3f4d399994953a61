"""What is said of parametric road maps (OpenDRIVE)."""

from __future__ import annotations

from geoshare.model.report import Message


def geo_reference_wrong(detail: str) -> Message:
    return Message(
        "geo-reference-wrong",
        f"The map does not say believably where it lies ({detail}); it was not placed. "
        "State its CRS (--crs), and its offset if need be (--offset).",
        f"地図の位置の記述が信用できないため({detail})、配置しませんでした。"
        "座標参照系(--crs)と、必要なら原点のずれ(--offset)を指定してください。",
    )


def geo_reference_completed() -> Message:
    return Message(
        "geo-reference-completed",
        "The geoReference names an origin and no projection; transverse Mercator was assumed.",
        "geoReferenceに投影法がないため、横メルカトル図法とみなしました。",
    )


def datum_not_named() -> Message:
    return Message(
        "geo-reference-datum",
        "The geoReference names an ellipsoid and no datum; WGS 84 was assumed, its epoch is unknown.",
        "geoReferenceに測地系がないため、WGS 84(元期不明)とみなしました。",
    )


def geoid_left_out() -> Message:
    return Message(
        "geo-reference-geoid",
        "The geoReference names a geoid grid; heights are kept as they are, state their datum to have "
        "them converted.",
        "geoReferenceのジオイドは使わず、高さは値のまま残しました。変換するには鉛直の基準を指定してください。",
    )


def not_in_metres(crs: str) -> Message:
    return Message(
        "geo-reference-wrong",
        f"A road map counts in metres, and '{crs}' does not; state a projected CRS (--crs).",
        f"道路地図はメートル単位ですが、「{crs}」は違います。投影座標系を指定してください(--crs)。",
    )


def roads_apart(kilometres: float, count: int) -> Message:
    return Message(
        "roads-far-apart",
        f"{count} road(s) lie up to {kilometres:.0f} km from the middle of the map: is a place wrong?",
        f"地図の中心から最大{kilometres:.0f} km離れた道路が{count}本あります。位置を確認してください。",
    )


def header_box(metres: float) -> Message:
    return Message(
        "header-box",
        f"Roads lie up to {metres:.0f} m outside the box that the header states.",
        f"ヘッダの範囲から最大{metres:.0f} mはみ出す道路があります。",
    )


def largest_error(metres: float, bound_m: float) -> Message:
    return Message(
        "approximation",
        f"Curves became polylines; the largest distance between both is {metres * 1000:.1f} mm "
        f"(bound {bound_m * 1000:g} mm). The parametric geometry is kept beside them.",
        f"曲線を折れ線にしました。ずれは最大{metres * 1000:.1f} mm(上限{bound_m * 1000:g} mm)です。"
        "元の式も保存しています。",
    )


def not_taken(what: dict[str, int]) -> Message:
    listed = ", ".join(f"{name} {count}" for name, count in sorted(what.items()))[:300]
    return Message(
        "elements-kept-raw",
        f"Elements that the vocabulary has no place for were kept with their road alone: {listed}.",
        f"対応する項目のない要素は、道路の元データとしてのみ保存しました: {listed}",
    )


def not_kept(what: dict[str, int]) -> Message:
    listed = ", ".join(f"{name} {count}" for name, count in sorted(what.items()))[:300]
    return Message(
        "elements-dropped",
        f"Elements beside the roads were not taken: {listed}.",
        f"道路以外の次の要素は取り込みませんでした: {listed}",
    )


def links_missing(count: int, examples: str) -> Message:
    return Message(
        "links-missing",
        f"{count} link(s) lead to roads or lanes that are not in the file, for example {examples}.",
        f"ファイルにない道路や車線への接続が{count}件あります(例: {examples})。",
    )


def left_hand_early(version: str) -> Message:
    return Message(
        "rule-before-1.7",
        f"Roads state their rule of traffic, which OpenDRIVE {version} does not know; it was believed.",
        f"OpenDRIVE {version}にはない通行方向(rule)の記述がありましたが、採用しました。",
    )


def self_crossing(count: int, examples: str) -> Message:
    return Message(
        "self-crossing",
        f"{count} road(s) cross themselves (for example {examples}): places along them are ambiguous.",
        f"自分自身と交差する道路が{count}本あります(例: {examples})。道路上の位置が定まりません。",
    )


def lane_heights(metres: float) -> Message:
    return Message(
        "lane-heights",
        f"Lanes are raised by up to {metres:.2f} m over the road surface: their centre lines are, "
        "their boundaries lie on the surface.",
        f"路面から最大{metres:.2f} m高い車線があります。中心線は高さを反映し、境界線は路面上です。",
    )


def marks_joined(count: int) -> Message:
    return Message(
        "road-marks-joined",
        f"{count} boundary line(s) change their marking on the way; the longest one names the line.",
        f"途中で表示の変わる境界線が{count}本あります。最も長い区間の種別としました。",
    )


def plan_gaps(metres: float, count: int) -> Message:
    return Message(
        "plan-view-gaps",
        f"Reference lines have {count} gap(s) of up to {metres:.3f} m between their pieces.",
        f"基準線の区間の間に{count}か所、最大{metres:.3f} mの隙間があります。",
    )


def curve_lengths(metres: float, count: int) -> Message:
    return Message(
        "curve-lengths",
        f"{count} cubic curve(s) are up to {metres:.3f} m longer or shorter than stated; stations were "
        "spread over the curve.",
        f"3次曲線{count}本の長さが記載と最大{metres:.3f} m異なるため、距離程を曲線に合わせました。",
    )


def road_broken(detail: str) -> Message:
    return Message(
        "road-broken",
        f"The road cannot be built ({detail}).",
        f"道路の形が決まりません({detail})。",
    )


def lane_broken(detail: str) -> Message:
    return Message(
        "lane-broken",
        f"The lane's id or numbers are contradictory or unusable ({detail}).",
        f"車線の番号または数値が矛盾しているか使えません({detail})。",
    )


def thing_broken(detail: str) -> Message:
    return Message(
        "object-broken",
        f"The object or signal has no usable place ({detail}).",
        f"地物または信号・標識の位置が決まりません({detail})。",
    )


def road_twice() -> Message:
    return Message(
        "road-twice",
        "The file has another road of this id; the first was taken.",
        "同じIDの道路がファイル内に二つあります(最初の道路を採用)。",
    )


def section_overlaps() -> Message:
    return Message(
        "lane-section-overlaps",
        "The lane section lies outside its road or on another section.",
        "車線区間が道路の外にあるか、他の区間と重なっています。",
    )


def sections_sorted() -> Message:
    return Message(
        "lane-sections-sorted",
        "Lane sections out of order were sorted.",
        "順序の乱れた車線区間を並べ替えました。",
    )


def road_length() -> Message:
    return Message(
        "road-length",
        "The stated length of a road was replaced by that of its reference line.",
        "道路の長さを基準線の長さに合わせました。",
    )


def geometry_without_length() -> Message:
    return Message(
        "geometry-without-length",
        "Pieces of a reference line without length were left out.",
        "長さのない基準線の区間を除きました。",
    )


def stations_apart() -> Message:
    return Message(
        "stations-apart",
        "Stations of a reference line that do not follow from its lengths were counted anew.",
        "基準線の距離程が長さと合わないため、数え直しました。",
    )


def width_missing() -> Message:
    return Message(
        "lane-width-missing",
        "A lane without width or border was taken with width zero.",
        "幅のない車線は幅0としました。",
    )


def width_begins_late() -> Message:
    return Message(
        "lane-width-late",
        "A lane whose first width begins after its section was taken with width zero before.",
        "幅の記述が区間の途中から始まる車線は、それまで幅0としました。",
    )


def lanes_not_consecutive() -> Message:
    return Message(
        "lanes-not-consecutive",
        "Lane ids that leave numbers out were taken in their order.",
        "車線番号が連続しないため、番号順に並んでいるとみなしました。",
    )
