"""How a raster may be shown: which styles its bands allow, and the default among them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geoshare.errors import BadRequest
from geoshare.model.batch import Band
from geoshare.model.rasters import RasterAsset, RasterLimits
from tiles.render import DEPTH, RAIN, RAMPS, Palette

# Names by which files call a colour, lower case. B2, B3, B4 are blue, green, red on Sentinel-2 and on
# Landsat 8 and 9; near infrared has another number on each, so only its names count.
_ROLES = {
    "blue": {"blue", "b", "b02", "b2", "青"},
    "green": {"green", "g", "b03", "b3", "緑"},
    "red": {"red", "r", "b04", "b4", "赤"},
    "nir": {"nir", "n", "near infrared", "near_infrared", "nir08", "b08", "b8", "近赤外"},
    "swir": {"swir", "swir1", "swir16", "b11", "短波長赤外"},
}
_RADAR = {"hh", "hv", "vh", "vv"}
_RAIN_UNITS = {"mm/h", "mm h-1", "mm/hr", "mm h^-1", "mm", "kg m-2", "kg m**-2"}
_RAIN_WORDS = ("rain", "precip", "降水", "雨")
_FOR_THE_EYE = {"true-colour", "composite"}  # styles whose 8-bit numbers are shown as they are
_DEPTH_WORDS = ("depth", "浸水")


@dataclass(frozen=True, slots=True)
class Style:
    """A way to show a raster; ``bands`` are 0-based: three for red, green, blue, or one for colours.

    With one band either ``palette`` gives fixed colours for its values, or ``ramp`` names colours to
    be stretched over what the raster holds (in decibels if ``decibel``).
    """

    name: str
    title: str
    title_ja: str
    bands: tuple[int, ...]
    palette: Palette | None = None
    ramp: str = ""
    gamma: float = 1.0
    decibel: bool = False
    nearest: bool = False

    def as_dict(self) -> dict[str, str]:
        """Name and titles, as the API lists them."""
        return {"name": self.name, "title": self.title, "title_ja": self.title_ja}


def styles_of(asset: RasterAsset, limits: RasterLimits) -> tuple[Style, ...]:
    """List the styles that the asset's visible bands allow; the first is the default."""
    visible = limits.band_indexes(asset)
    if not visible:
        return ()
    found = _composites(asset, visible)
    for number in visible:
        found += _single(asset.bands[number], number, alone=len(visible) == 1)
    return tuple(found)


def choose_style(asset: RasterAsset, limits: RasterLimits, name: str | None) -> Style | None:
    """Pick the style of that name, or the default; None if this asset does not have it."""
    styles = styles_of(asset, limits)
    return next((style for style in styles if name is None or style.name == name), None)


def unknown_style(assets: list[RasterAsset], limits: RasterLimits) -> BadRequest:
    """Build the error for a style that no asset has, naming those there are."""
    names = dict.fromkeys(style.name for asset in assets[:50] for style in styles_of(asset, limits))
    return BadRequest("there is no such style", parameter="style", allowed=", ".join(names))


def _gamma(asset: RasterAsset, shown: tuple[int, ...]) -> float:
    """Brighten forest and water where reflectances are stretched; 8-bit pictures have it done."""
    return 1.0 if all(asset.bands[number].dtype == "uint8" for number in shown) else 1.25


def _role(bands: tuple[Band, ...], visible: tuple[int, ...], role: str) -> int | None:
    names = _ROLES[role]
    return next((number for number in visible if bands[number].name.strip().lower() in names), None)


def _composites(asset: RasterAsset, visible: tuple[int, ...]) -> list[Style]:
    blue, green, red, nir, swir = (_role(asset.bands, visible, role) for role in _ROLES)
    found = []
    if red is not None and green is not None and blue is not None:
        found.append(
            Style(
                "true-colour",
                "True colour",
                "自然な色",
                (red, green, blue),
                gamma=_gamma(asset, (red, green, blue)),
            )
        )
    if swir is not None and nir is not None and red is not None:
        found.append(
            Style(
                "short-wave",
                "Short-wave infrared, near infrared, red",
                "短波長赤外合成",
                (swir, nir, red),
            )
        )
    if nir is not None and red is not None and green is not None:
        found.append(
            Style("false-colour", "False colour (vegetation red)", "植生強調(赤)", (nir, red, green))
        )
    if not found and len(visible) >= 3 and len(visible) <= 16:
        found.append(
            Style("composite", "Composite of the first three bands", "最初の3バンドの合成", visible[:3])
        )
    return found


def _single(band: Band, number: int, *, alone: bool) -> list[Style]:
    """Styles of one band: fixed colours where its meaning is known, else ramps."""
    name = band.name.strip() or f"band {number + 1}"
    key = "" if alone else f"-{_slug(name, number)}"
    words = f"{band.name} {band.title}".lower()
    found = []
    if band.unit in _RAIN_UNITS and (
        band.unit.startswith("mm/h") or any(word in words for word in _RAIN_WORDS)
    ):
        found.append(
            Style(f"rain{key}", RAIN.title, RAIN.title_ja, (number,), palette=RAIN, nearest=True)
        )
    elif band.unit == "m" and any(word in words for word in _DEPTH_WORDS):
        found.append(
            Style(f"depth{key}", DEPTH.title, DEPTH.title_ja, (number,), palette=DEPTH, nearest=True)
        )
    elif _is_radar(band):
        found.append(
            Style(
                f"backscatter{key}",
                f"Backscatter {name} (dB)",
                f"後方散乱 {name} (dB)",
                (number,),
                ramp="grey",
                decibel=True,
            )
        )
    label = band.title or name
    for ramp in RAMPS if alone else ("grey",):
        found.append(
            Style(f"{ramp}{key}", f"{label} ({ramp})", f"{label} ({ramp})", (number,), ramp=ramp)
        )
    return found


def _is_radar(band: Band) -> bool:
    """Whether the numbers are radar amplitudes, which show well as decibels only."""
    words = set(band.name.lower().replace("_", " ").replace("-", " ").split())
    return bool(words & _RADAR) and band.unit.lower() != "db"


def _slug(name: str, number: int) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return kept.strip("-")[:40] or str(number + 1)


def calibration_db(asset: RasterAsset) -> float | None:
    """Say what to add to 20 log10 of a radar amplitude for gamma nought in decibels, if known.

    ``calibration_db`` of the asset's properties, or -83.0 for PALSAR and PALSAR-2 (JAXA: gamma nought
    = 10 log10(DN^2) - 83.0 dB).
    """
    stated = asset.properties.get("calibration_db")
    if isinstance(stated, int | float):
        return float(stated)
    words = f"{asset.properties.get('platform', '')} {asset.properties.get('instruments', '')}".upper()
    return -83.0 if "PALSAR" in words or "ALOS" in words else None


def domain(
    style: Style, bands: tuple[Band, ...], *, measured: bool = True
) -> list[tuple[float, float]] | None:
    """Find the low and high stored number of each band of a style from what is known of the bands.

    Without ``measured`` what was measured on the whole raster is left aside: it would tell of pixels
    that may not be seen. None where the numbers have to be measured first.
    """
    found = []
    for number in style.bands:
        band = bands[number]
        if band.dtype == "uint8" and style.name in _FOR_THE_EYE:
            found.append((0.0, 255.0))
        elif not measured or band.percentile_2 is None or band.percentile_98 is None:
            return None
        else:
            found.append((band.percentile_2, band.percentile_98))
    return found if all(math.isfinite(value) for pair in found for value in pair) else None
