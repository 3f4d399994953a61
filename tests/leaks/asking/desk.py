"""Questions at the desk: edits, sheets, photos, and what follows from a warning."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image

from tests.leaks import desk_town
from tests.leaks.asking.parts import Parts, Question, get
from tests.leaks.twins import Request

JSON = "application/json"
STATES = {
    "events": ("active", "ended", "x"),
    "evacuation_areas": ("active", "lifted", "test"),
    "damage_reports": ("reported", "resolved"),
}
NAMES = ("本通り", "秘密", "Station Road", "asked")


def said(asker: Parts, collection: str) -> dict[str, Any]:
    """What might be said of a feature at a desk: mostly something that can be said there."""
    rng = asker.rng
    west, south, east, north = asker.box()
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    shapes: tuple[dict[str, Any], ...] = (
        {"type": "Point", "coordinates": [west, south]},
        {"type": "LineString", "coordinates": [[west, south], [east, north]]},
        {"type": "Polygon", "coordinates": [ring]},
    )
    fits = {"events": (0, 1, 2), "evacuation_areas": (2,), "damage_reports": (0,)}
    values = _values(asker, collection)
    if rng.random() < 0.1:
        values[asker.column()] = rng.choice(NAMES)
    chosen = {name: value for name, value in values.items() if rng.random() < 0.9}
    if "area_codes" in chosen:
        return {"properties": chosen}
    index = rng.choice(fits.get(collection, (0,))) if rng.random() < 0.9 else rng.randrange(3)
    return {"properties": chosen} | ({"geometry": shapes[index]} if rng.random() < 0.8 else {})


def _values(asker: Parts, collection: str) -> dict[str, Any]:
    rng, known = asker.rng, asker.known
    if collection == "evacuation_areas":
        codes = rng.sample((*desk_town.CODES, "089991090"), rng.choice((1, 2)))
        drawn = {} if rng.random() < 0.5 else {"area_codes": codes}
        return {"level": rng.choice((3, 4, 5)), "name": rng.choice(NAMES)} | drawn
    if collection == "damage_reports":
        photo = {"photo": rng.choice(known.photos)} if rng.random() < 0.5 else {}
        severity = rng.choice(("minor", "severe"))
        return {"kind": "road", "severity": severity, "name": rng.choice(NAMES)} | photo
    segments = known.features.get("segments", known.ids)
    linked = {"segment_ids": [rng.choice(segments)]} if rng.random() < 0.3 else {}
    return {
        "kind": rng.choice(("closure", "flood", "roadwork", "incident")),
        "name": rng.choice(NAMES),
    } | linked


def desk_collection(asker: Parts) -> str:
    """Mostly one that is edited."""
    return asker.rng.choice(desk_town.EDITED) if asker.rng.random() < 0.85 else asker.collection()


def edit(method: str) -> Question:
    """An edit of one feature, with a version that was seen, or with none."""

    def ask(asker: Parts) -> Request:
        rng, name = asker.rng, desk_collection(asker)
        feature = asker.feature(name)
        if rng.random() < 0.7:  # one whose version was seen
            seen = [key for key in asker.known.features.get(name, ()) if key in asker.known.versions]
            feature = rng.choice(seen or [feature])
        path = f"/collections/{name}/items" + ("" if method == "POST" else f"/{feature}")
        headers = [("Content-Type", JSON)]
        if rng.random() < 0.9:
            headers.append(("If-Match", f'"{asker.known.versions.get(feature, "none")}"'))
        if rng.random() < 0.2:
            headers.append(("Idempotency-Key", rng.choice(("a", "b", "c"))))
        body = None if method == "DELETE" else json.dumps(said(asker, name)).encode()
        return Request(method, path, (), tuple(headers), body)

    return ask


def edits(asker: Parts) -> Request:
    """Several edits at once."""
    made = []
    for _ in range(asker.rng.choice((1, 2))):
        name = desk_collection(asker)
        made.append({"action": "create", "collection": name} | said(asker, name))
    return asker.post("/desk/edits", json.dumps({"edits": made}).encode(), JSON)


def sheet_taken(asker: Parts) -> Request:
    """A list of the desk as a spreadsheet."""
    said = ("f", asker.rng.choice(("xlsx", "csv", "pdf"))), ("lang", asker.rng.choice(("ja", "en")))
    return asker.get(f"/desk/collections/{desk_collection(asker)}/sheet", *said)


def sheet_sent(asker: Parts) -> Request:
    """A list of the desk as somebody may have made it in a spreadsheet."""
    rng, name = asker.rng, desk_collection(asker)
    own = {"evacuation_areas": "level"}.get(name, "kind")
    other = asker.column() if rng.random() < 0.2 else "status"
    lines = [",".join(["geoshare_id", own, "name", other, "lat", "lon"])]
    for _ in range(rng.choice((1, 3))):
        west, south, _, _ = asker.box()
        feature = asker.feature(name) if rng.random() < 0.7 else ""
        value = {"evacuation_areas": "4", "damage_reports": "road"}.get(name, "closure")
        values = [feature, value, rng.choice(NAMES), rng.choice(STATES.get(name, ("x",)))]
        lines.append(",".join([*values, *(("", "") if feature else (str(south), str(west)))]))
    body = "\r\n".join(lines).encode()
    return asker.post("/desk/sheets", body, "text/csv", ("collection", name))


def sheet_applied(asker: Parts) -> Request:
    """Consent to a sheet that was sent, or to none."""
    name, revision = asker.rng.choice(asker.known.sheets[-3:])
    body = json.dumps({"revision": revision}).encode()
    return asker.post(f"/desk/sheets/{name}/apply", body, JSON)


def at_desk(template: str) -> Question:
    """A GET of the desk."""

    def ask(asker: Parts) -> Request:
        name = desk_collection(asker)
        return asker.get(template.format(collection=name, feature=asker.feature(name)))

    return ask


def photo_shown(asker: Parts) -> Request:
    """The photo of a feature, mostly of a damage report."""
    name = "damage_reports" if asker.rng.random() < 0.8 else asker.collection()
    return asker.get(f"/collections/{name}/items/{asker.feature(name)}/photo")


def photo_sent(asker: Parts) -> Request:
    """A picture, or what is none."""
    if asker.rng.random() < 0.2:
        return asker.post("/desk/photos", b"\xff\xd8\xff", "image/jpeg")
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (asker.rng.randrange(256), 10, 20)).save(file, "JPEG")
    return asker.post("/desk/photos", file.getvalue(), "image/jpeg")


def proposal(asker: Parts) -> Request:
    """What follows from a warning."""
    return asker.get(f"/warnings/{asker.feature('warnings')}/evacuation-area")


def confirmation(asker: Parts) -> Request:
    """An evacuation area of a proposal that was seen."""
    rng = asker.rng
    warning = rng.choice([*asker.known.warned, asker.feature("warnings")])
    said = {"version": asker.known.warned.get(warning, "seen")}
    if rng.random() < 0.5:
        said |= {"area_codes": [rng.choice(desk_town.CODES)]}
    body = json.dumps(said).encode()
    return asker.post(f"/warnings/{warning}/evacuation-area", body, JSON)


ASKERS: dict[str, Question] = {
    "GET /desk": get("/desk"),
    "GET /desk/collections": get("/desk/collections"),
    "GET /desk/collections/<collection>/items": at_desk("/desk/collections/{collection}/items"),
    "GET /desk/collections/<collection>/items/<feature_id>": at_desk(
        "/desk/collections/{collection}/items/{feature}"
    ),
    "GET /desk/collections/<collection>/items/<feature_id>/history": at_desk(
        "/desk/collections/{collection}/items/{feature}/history"
    ),
    "GET /desk/edits": lambda asker: asker.get(
        "/desk/edits",
        *((("before", asker.rng.choice(asker.known.edits)),) if asker.rng.random() < 0.3 else ()),
    ),
    "GET /desk/edits/<edit>": lambda asker: asker.get(
        f"/desk/edits/{asker.rng.choice(asker.known.edits)}"
    ),
    "GET /desk/collections/<collection>/sheet": sheet_taken,
    "POST /desk/sheets": sheet_sent,
    "POST /desk/sheets/<sheet>/apply": sheet_applied,
    "POST /desk/edits": edits,
    "POST /desk/edits/<edit>/undo": lambda asker: asker.post(
        f"/desk/edits/{asker.rng.choice(asker.known.edits)}/undo", b"{}", "application/json"
    ),
    "POST /desk/photos": photo_sent,
    "GET /collections/<collection>/items/<feature_id>/photo": photo_shown,
    "POST /collections/<collection>/items": edit("POST"),
    "PUT /collections/<collection>/items/<feature_id>": edit("PUT"),
    "PATCH /collections/<collection>/items/<feature_id>": edit("PATCH"),
    "DELETE /collections/<collection>/items/<feature_id>": edit("DELETE"),
    "GET /warnings/<warning>/evacuation-area": proposal,
    "POST /warnings/<warning>/evacuation-area": confirmation,
}
