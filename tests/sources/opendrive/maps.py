"""Small OpenDRIVE maps for tests."""

from __future__ import annotations

import math

from scipy.integrate import quad

PLANE_9 = "+proj=tmerc +lat_0=36 +lon_0=139.8333333333333 +k=0.9999 +x_0=0 +y_0=0 +datum=WGS84 +units=m"


def lane(number: int, more: str = "", width: float = 3.5, kind: str = "driving") -> str:
    widths = f'<width sOffset="0" a="{width}" b="0" c="0" d="0"/>' if width >= 0 else ""
    return f'<lane id="{number}" type="{kind}" level="false">{more}{widths}</lane>'


def section(left: str = "", right: str = "", s: float = 0.0, more: str = "") -> str:
    sides = f"<left>{left}</left>" if left else ""
    return (
        f'<laneSection s="{s}" {more}>{sides}<center><lane id="0" type="none"/></center>'
        + (f"<right>{right}</right>" if right else "")
        + "</laneSection>"
    )


def geometry(
    x: float = 0.0,
    y: float = 0.0,
    length: float = 100.0,
    s: float = 0.0,
    shape: str = "<line/>",
    heading: float = 0.0,
) -> str:
    return f'<geometry s="{s}" x="{x}" y="{y}" hdg="{heading}" length="{length}">{shape}</geometry>'


def road(
    key: str = "1",
    plan: str | None = None,
    lanes: str | None = None,
    length: float = 100.0,
    link: str = "",
    more: str = "",
    attributes: str = "",
    junction: str = "-1",
) -> str:
    plan = geometry(length=length) if plan is None else plan
    lanes = section(lane(1), lane(-1)) if lanes is None else lanes
    return (
        f'<road name="" length="{length}" id="{key}" junction="{junction}" {attributes}>'
        f"<link>{link}</link><planView>{plan}</planView><lanes>{lanes}</lanes>{more}</road>"
    )


def xodr(
    *parts: str, reference: str = PLANE_9, offset: str = "", version: str = "1.7", box: str = ""
) -> str:
    major, minor = version.split(".")
    said = f"<geoReference><![CDATA[{reference}]]></geoReference>" if reference else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OpenDRIVE><header revMajor="{major}" revMinor="{minor}" name="test" {box}>{said}{offset}'
        f"</header>{''.join(parts)}</OpenDRIVE>"
    )


def wide(a: float, b: float = 0.0, c: float = 0.0, d: float = 0.0, s: float = 0.0) -> str:
    return f'<width sOffset="{s}" a="{a}" b="{b}" c="{c}" d="{d}"/>'


def _lanes(*more: str) -> str:
    """Two lanes to the right, the outer of which grows, and one to the left, behind an offset."""
    outer = wide(0) + wide(0, 0, 0.0105, -0.00014, 20) + wide(3.5, s=70)
    link = "<link>{}</link>"
    return (
        '<laneOffset s="10" a="0" b="0" c="0.003" d="-0.00004"/>'
        '<laneOffset s="60" a="2.5" b="0" c="0" d="0"/>'
        + (
            section(
                lane(1, link.format('<successor id="1"/>')),
                lane(-1, link.format('<successor id="-1"/>'))
                + f'<lane id="-2" type="exit">{outer}</lane>',
            )
            + section(
                lane(1, link.format('<predecessor id="1"/>'), 3.25),
                lane(-1, link.format('<predecessor id="-1"/>'))
                + lane(-2, '<height sOffset="0" inner="0.12" outer="0.12"/>', 2.0, "sidewalk"),
                s=90.0,
            )
        )
    )


def chain(*pieces: tuple[float, float, float]) -> tuple[str, float]:
    """A plan view of (length, curvature at start, at end), joined by SciPy's quadrature."""
    found, s, x, y, heading = "", 0.0, 0.0, 0.0, 0.0
    for length, start, end in pieces:
        shape = f'<spiral curvStart="{start}" curvEnd="{end}"/>'
        if start == end:
            shape = f'<arc curvature="{start}"/>' if start else "<line/>"
        found += geometry(x, y, length, s, shape, heading)
        east, north = run(heading, start, (end - start) / length, length)
        s, x, y = s + length, x + east, y + north
        heading += (start + end) / 2 * length
    return found, s


def run(heading: float, curvature: float, rate: float, length: float) -> tuple[float, float]:
    """How far a curve of steadily changing curvature comes, by adaptive quadrature."""

    def turned(at: float) -> float:
        return heading + curvature * at + rate * at * at / 2

    east = quad(lambda at: math.cos(turned(at)), 0, length, epsabs=1e-12)[0]
    return east, quad(lambda at: math.sin(turned(at)), 0, length, epsabs=1e-12)[0]


def cubic(u: tuple[float, ...], v: tuple[float, ...], limit: float, kind: str) -> tuple[str, float]:
    """A parametric cubic as long as SciPy's quadrature says."""

    def speed(p: float) -> float:
        return math.hypot(*(c[1] + 2 * c[2] * p + 3 * c[3] * p * p for c in (u, v)))

    numbers = " ".join(
        f'{letter}{axis}="{value}"'
        for axis, side in (("U", u), ("V", v))
        for letter, value in zip("abcd", side, strict=True)
    )
    length = quad(speed, 0, limit, epsabs=1e-12)[0]
    return f'<paramPoly3 pRange="{kind}" {numbers}/>', length


def shapes(version: str = "1.7") -> str:
    """Every geometry, with offsets, widths that change, heights and tilts: one road for each."""
    profile = (
        '<elevationProfile><elevation s="0" a="12" b="0.02" c="0" d="0"/>'
        '<elevation s="50" a="13" b="0.02" c="-0.0004" d="0.000002"/></elevationProfile>'
    )
    tilted = profile + (
        '<lateralProfile><superelevation s="0" a="0" b="0" c="0" d="0"/>'
        '<superelevation s="40" a="0" b="0.001" c="0" d="0"/></lateralProfile>'
    )
    curves, long_1 = chain((30, 0, 0), (40, 0, 0.02), (40, 0.02, 0.02), (20, 0.02, -0.01))
    by_length, long_2 = cubic((0, 1, 0, 0), (0, 0, 2e-4, -1e-6), 120, "arcLength")
    normal, long_3 = cubic((0, 120, 5, -9), (0, 0, 40, -20), 1, "normalized")
    right, left = 'rule="RHT"', 'rule="LHT"'
    third = geometry(0, 400, long_3, shape=normal)
    fourth = geometry(0, 600, 110, shape='<poly3 a="0" b="0" c="0.002" d="-0.00001"/>')
    return xodr(
        road("1", curves, _lanes(), long_1, more=profile, attributes=right),
        road("2", geometry(0, 200, long_2, shape=by_length), _lanes(), long_2, attributes=left),
        road("3", third, _lanes(), long_3, more=profile, attributes=right),
        road("4", fourth, _lanes(), 110),
        road("5", geometry(0, 800), _lanes(), more=tilted, attributes=left),
        version=version,
    )
