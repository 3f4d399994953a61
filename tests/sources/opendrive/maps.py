"""Small OpenDRIVE maps for tests."""

from __future__ import annotations

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
