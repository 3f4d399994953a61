"""Questions that make files, or send them: extracts, prints, processes, jobs, contributions."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from geoshare.derive.sheet import XLSX
from tests.leaks import desk_town
from tests.leaks.asking.parts import VALUES, Parts, Question, get
from tests.leaks.town import SOUTH, WEST
from tests.leaks.twins import Request

FILES = (
    "geojson", "geojsonseq", "parquet", "fgb", "arrow", "csv", "xlsx", "shp", "dxf", "pmtiles", "html",
    "gml",
)  # fmt: skip
WHOLE = ("html", "pmtiles", "opendrive", "lanelet2", "autoware")  # formats that take no filter


def extract(asker: Parts, path: str = "/extracts") -> Request:
    rng = asker.rng
    said: dict[str, Any] = {
        "collections": [asker.collection() for _ in range(rng.choice((1, 2)))],
        "format": rng.choice(FILES),
    }
    if rng.random() < 0.25:
        lanes = rng.choice((("lanes",), ("lanes", "lane_boundaries"), ("lanes", "segments")))
        said = {"collections": lanes, "format": rng.choice(("opendrive", "lanelet2", "autoware"))}
    if rng.random() < 0.5:
        said["bbox"] = asker.box()
    if rng.random() < (0.05 if said["format"] in WHOLE else 0.3):
        said["filter"] = asker.filter()
    if rng.random() < (0.05 if said["format"] in WHOLE else 0.2):
        said["mode"] = rng.choice(("clip", "whole"))
    if rng.random() < 0.1:
        said["area"] = "089991"
    elif rng.random() < 0.1:
        said["mesh"] = ["54402698", "5440269823"]
    if said["format"] == "dxf" or rng.random() < 0.2:
        said["crs"] = "EPSG:6677"
    if rng.random() < 0.2:
        said["columns"] = [rng.choice(("name", "status", "notes", "code"))]
    return asker.post(path, json.dumps(said).encode(), "application/json")


def execution(asker: Parts) -> Request:
    """A process on a drawn area, an administrative one, or a road of any kind."""
    rng = asker.rng
    west, south, east, north = asker.box()
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    where: dict[str, Any] = rng.choice(
        (
            {"area": {"type": "Polygon", "coordinates": [ring]}},
            {"codes": [rng.choice((desk_town.CODES[0], "089991", "000000"))]},
            {"meshes": ["5440269823"]},
            {"evacuation_area": asker.feature("evacuation_areas")},
        )
    )
    kind = rng.choice(("flood", "tsunami", "x"))
    asked = {
        "area-summary": {**where, "hazard_type": kind},
        "road-exposure": {"segment": rng.choice(asker.known.ids)},
        "difference": {
            "collection": asker.collection(),
            "bbox": [WEST, SOUTH, WEST + 0.1, SOUTH + 0.1],
            "since": asker.moment(),
        },
        "nothing": {},
    }
    name = rng.choice(("area-summary", "road-exposure", "difference", "nothing"))
    said: dict[str, Any] = {"inputs": asked[name]}
    if rng.random() < 0.2:
        said["outputs"] = {"result": {"format": {"mediaType": rng.choice((XLSX, "text/csv"))}}}
    body = json.dumps(said).encode()
    return asker.post(f"/processes/{name}/execution", body, "application/json")


def print(asker: Parts, path: str) -> Request:
    """A map on paper; small sheets, since each is drawn twice."""
    rng = asker.rng
    said: dict[str, Any] = {
        "scale": rng.choice((2_500, 10_000, 10_000, 50_000, 1, 9_999_999)),
        "shelter_list": rng.random() < 0.7,
        "language": rng.choice(("ja", "en")),
    }
    if rng.random() < 0.6:
        west, south, *_ = asker.box()
        said["center"] = [west, south]
    elif rng.random() < 0.8:
        said["bbox"] = asker.box()
    else:
        said["area"] = rng.choice(("089991", "08999", "秘"))
    if rng.random() < 0.5:
        said["collections"] = [asker.collection() for _ in range(rng.choice((1, 2)))]
    if rng.random() < 0.2:
        said["title"] = rng.choice(VALUES)
    return asker.post(path, json.dumps(said).encode(), "application/json")


def contribution(path: str) -> Question:
    """A file of events in one's own name, or in another one's."""

    def ask(asker: Parts) -> Request:
        rng = asker.rng
        name = "events" if rng.random() < 0.7 else asker.collection()
        own = asker.organisation if rng.random() < 0.9 else "org-x"
        said = f"attachment; filename*=UTF-8''{rng.choice(('a.geojson', 'b.geojson', 'c.csv'))}"
        query = (("provider", own), ("collection", name), *_of_a_file(asker))
        headers = (("Content-Type", "application/octet-stream"), ("Content-Disposition", said))
        return Request("POST", path, query, headers, _events(rng, asker.box()))

    return ask


def _of_a_file(asker: Parts) -> tuple[tuple[str, str], ...]:
    """What may be said of a file beside whose it is."""
    rng = asker.rng
    there_are = (
        ("release_class", rng.choice(("open", "partners", "all", "x"))),
        ("complete", rng.choice(("true", "false"))),
        ("remove_most", "true"),
        ("within", ",".join(map(str, asker.box()))),
        ("dataset", rng.choice(("a.geojson", "d"))),
        ("refuse_on", rng.choice(("error", "none", "x"))),
        ("check_only", "true"),
    )
    return tuple(said for said in there_are if rng.random() < 0.2)


def _events(rng: random.Random, box: tuple[float, ...]) -> bytes:
    """A feature collection of a few events; not all of them can be taken."""
    found = [
        {
            "type": "Feature",
            "id": f"f{rng.randint(1, 9)}",
            "properties": {"id": f"f{rng.randint(1, 9)}", "kind": rng.choice(("closure", "flood"))},
            "geometry": {"type": "Point", "coordinates": list(box[:2]) if rng.random() < 0.9 else []},
        }
        for _ in range(rng.choice((0, 1, 2)))
    ]
    return json.dumps({"type": "FeatureCollection", "features": found}).encode()


def upload_begun(asker: Parts) -> Request:
    """A file that comes in pieces."""
    said = (
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Length", "10"),
        ("Upload-Metadata", "filename YS5nZW9qc29u"),
    )
    name = "events" if asker.rng.random() < 0.7 else asker.collection()
    own = asker.organisation if asker.rng.random() < 0.9 else "org-x"
    query = (("provider", own), ("collection", name), *_of_a_file(asker))
    return Request("POST", "/contributions/uploads", query, said)


def rules(asker: Parts) -> Request:
    """What refuses one's own contributions, or another's."""
    rng = asker.rng
    own = asker.organisation if rng.random() < 0.7 else "org-x"
    said = json.dumps({"refuse_on": rng.choice(("error", "info", "none", "all"))}).encode()
    made = asker.post("/contributions/rules", said, "application/json")
    return replace(made, method="PUT", query=(("provider", own),))


def upload(method: str) -> Question:
    """A piece of it, or how much has come."""

    def ask(asker: Parts) -> Request:
        path = f"/contributions/uploads/{asker.rng.choice(asker.known.uploads[-4:])}"
        headers = [("Tus-Resumable", "1.0.0")]
        if method == "PATCH":
            offset = asker.rng.choice(("0", "0", "4"))
            headers += [("Upload-Offset", offset), ("Content-Type", "application/offset+octet-stream")]
        return Request(method, path, (), tuple(headers), b"1234" if method == "PATCH" else None)

    return ask


ASKERS: dict[str, Question] = {
    "GET /contribute": get("/contribute"),
    "GET /contributions": get("/contributions"),
    "GET /contributions/<contribution>": get("/contributions/{contribution}"),
    "GET /contributions/<contribution>/refused.xlsx": get("/contributions/{contribution}/refused.xlsx"),
    "GET /contributions/rules": get("/contributions/rules"),
    "PUT /contributions/rules": rules,
    "POST /contributions": contribution("/contributions"),
    "POST /contributions/preview": contribution("/contributions/preview"),
    "POST /contributions/uploads": upload_begun,
    "HEAD /contributions/uploads/<upload>": upload("HEAD"),
    "PATCH /contributions/uploads/<upload>": upload("PATCH"),
    "POST /extracts": extract,
    "POST /extracts/estimate": lambda asker: extract(asker, "/extracts/estimate"),
    "POST /extracts/<job>/again": lambda asker: asker.post(
        f"/extracts/{asker.rng.choice(asker.known.jobs)}/again", b"", "application/json"
    ),
    "GET /processes": get("/processes"),
    "GET /processes/<process>": lambda asker: asker.get(
        f"/processes/{asker.rng.choice(('area-summary', 'road-exposure', 'difference'))}"
    ),
    "POST /processes/<process>/execution": execution,
    "POST /prints": lambda asker: print(asker, "/prints"),
    "POST /prints/estimate": lambda asker: print(asker, "/prints/estimate"),
    "GET /jobs": get("/jobs"),
    "GET /jobs/<job>": get("/jobs/{job}"),
    "DELETE /jobs/<job>": lambda asker: Request(
        "DELETE", f"/jobs/{asker.rng.choice(asker.known.jobs)}"
    ),
    "GET /jobs/<job>/result": get("/jobs/{job}/result"),
}
