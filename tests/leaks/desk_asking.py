"""Questions that change something in an organisation's own name: at the desk, of people and keys."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.leaks import desk_town
from tests.leaks.twins import Request

if TYPE_CHECKING:
    from tests.leaks.asking import Asker

JSON = "application/json"
STATES = {
    "events": ("active", "ended", "x"),
    "evacuation_areas": ("active", "lifted", "test"),
    "damage_reports": ("reported", "resolved"),
}
NAMES = ("本通り", "秘密", "Station Road", "asked")

# What people alone may ask, with a session; a key gets the same refusal in both records.
PEOPLE = (
    "DELETE /me/organisation/keys/<key>",
    "DELETE /me/persons/<person>",
    "DELETE /me/persons/<person>/invite",
    "DELETE /me/sessions/<session>",
    "GET /me/access",
    "GET /me/departments",
    "GET /me/organisation/keys",
    "GET /me/persons",
    "GET /me/sessions",
    "PATCH /me/persons/<person>",
    "POST /login/invite",
    "POST /login/issuer",
    "POST /logout",
    "POST /me/departments",
    "POST /me/issuer",
    "POST /me/organisation/keys",
    "POST /me/organisation/keys/<key>/links",
    "POST /me/organisation/keys/<key>/rotate",
    "POST /me/persons",
    "POST /me/persons/<person>/invite",
)


def person(rule: str) -> Callable[[Asker], Request]:
    """Something that a page asks for somebody who is logged in."""
    method, path = rule.split()

    def ask(asker: Asker) -> Request:
        rng, known = asker.rng, asker.known
        lists = {"key": known.keys, "person": known.persons, "session": known.sessions}
        there = re.sub("<([^>]+)>", lambda found: rng.choice(lists[found[1]][-6:]), path)
        said = (("Origin", "http://localhost"), ("Content-Type", JSON))
        if method in ("GET", "DELETE"):
            return Request(method, there, (), said)
        body = (
            rng.choice((b"{}", b"[")) if rng.random() < 0.1 else json.dumps(_said(rule, asker)).encode()
        )
        return Request(method, there, (), said, body)

    return ask


def _said(rule: str, asker: Asker) -> dict[str, Any]:
    """A body that mostly fits."""
    rng, known = asker.rng, asker.known
    roles = rng.sample(("viewer", "editor", "editor:events", "admin", "operator", "x"), 1)
    department = rng.choice((None, None, known.departments[-1]))
    return {
        "POST /me/persons": {"name": rng.choice(NAMES), "roles": roles, "department": department},
        "PATCH /me/persons/<person>": rng.choice(
            ({"roles": roles}, {"name": rng.choice(NAMES)}, {"disabled": rng.random() < 0.5})
        ),
        "POST /me/persons/<person>/invite": {"hours": rng.choice((1, 72, 0))},
        "POST /me/departments": {"name": f"{rng.choice(NAMES)} {rng.randint(1, 99)}"},
        "POST /me/organisation/keys": {"label": rng.choice(NAMES), "days": rng.choice((1, 20, 0))},
        "POST /me/organisation/keys/<key>/rotate": {"overlap_hours": rng.choice((0, 1))},
        "POST /me/organisation/keys/<key>/links": {
            "path": f"/collections/{asker.collection()}/items", "seconds": rng.choice((60, 600))
        },
        "POST /login/invite": {"invite": rng.choice(known.invites[-3:]), "look": rng.random() < 0.5},
    }.get(rule, {"name": "asked"})  # fmt: skip


def said(asker: Asker, collection: str) -> dict[str, Any]:
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


def _values(asker: Asker, collection: str) -> dict[str, Any]:
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


def desk_collection(asker: Asker) -> str:
    """Mostly one that is edited."""
    return asker.rng.choice(desk_town.EDITED) if asker.rng.random() < 0.85 else asker.collection()


def edit(method: str) -> Callable[[Asker], Request]:
    """An edit of one feature, with a version that was seen, or with none."""

    def ask(asker: Asker) -> Request:
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


def edits(asker: Asker) -> Request:
    """Several edits at once."""
    made = []
    for _ in range(asker.rng.choice((1, 2))):
        name = desk_collection(asker)
        made.append({"action": "create", "collection": name} | said(asker, name))
    return asker.post("/desk/edits", json.dumps({"edits": made}).encode(), JSON)


def sheet_taken(asker: Asker) -> Request:
    """A list of the desk as a spreadsheet."""
    said = ("f", asker.rng.choice(("xlsx", "csv", "pdf"))), ("lang", asker.rng.choice(("ja", "en")))
    return asker.get(f"/desk/collections/{desk_collection(asker)}/sheet", *said)


def sheet_sent(asker: Asker) -> Request:
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


def sheet_applied(asker: Asker) -> Request:
    """Consent to a sheet that was sent, or to none."""
    name, revision = asker.rng.choice(asker.known.sheets[-3:])
    body = json.dumps({"revision": revision}).encode()
    return asker.post(f"/desk/sheets/{name}/apply", body, JSON)


def at_desk(template: str) -> Callable[[Asker], Request]:
    """A GET of the desk."""

    def ask(asker: Asker) -> Request:
        name = desk_collection(asker)
        return asker.get(template.format(collection=name, feature=asker.feature(name)))

    return ask


def photo_shown(asker: Asker) -> Request:
    """The photo of a feature, mostly of a damage report."""
    name = "damage_reports" if asker.rng.random() < 0.8 else asker.collection()
    return asker.get(f"/collections/{name}/items/{asker.feature(name)}/photo")


def photo_sent(asker: Asker) -> Request:
    """A picture, or what is none."""
    if asker.rng.random() < 0.2:
        return asker.post("/desk/photos", b"\xff\xd8\xff", "image/jpeg")
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (asker.rng.randrange(256), 10, 20)).save(file, "JPEG")
    return asker.post("/desk/photos", file.getvalue(), "image/jpeg")


def proposal(asker: Asker) -> Request:
    """What follows from a warning."""
    return asker.get(f"/warnings/{asker.feature('warnings')}/evacuation-area")


def confirmation(asker: Asker) -> Request:
    """An evacuation area of a proposal that was seen."""
    rng = asker.rng
    warning = rng.choice([*asker.known.warned, asker.feature("warnings")])
    said = {"version": asker.known.warned.get(warning, "seen")}
    if rng.random() < 0.5:
        said |= {"area_codes": [rng.choice(desk_town.CODES)]}
    body = json.dumps(said).encode()
    return asker.post(f"/warnings/{warning}/evacuation-area", body, JSON)


def contribution(path: str) -> Callable[[Asker], Request]:
    """A file of events in one's own name, or in another one's."""

    def ask(asker: Asker) -> Request:
        rng = asker.rng
        name = "events" if rng.random() < 0.7 else asker.collection()
        own = asker.organisation if rng.random() < 0.9 else "org-x"
        said = f"attachment; filename*=UTF-8''{rng.choice(('a.geojson', 'b.geojson', 'c.csv'))}"
        query = (("provider", own), ("collection", name))
        headers = (("Content-Type", "application/octet-stream"), ("Content-Disposition", said))
        return Request("POST", path, query, headers, _events(rng, asker.box()))

    return ask


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


def upload_begun(asker: Asker) -> Request:
    """A file that comes in pieces."""
    said = (
        ("Tus-Resumable", "1.0.0"),
        ("Upload-Length", "10"),
        ("Upload-Metadata", "filename YS5nZW9qc29u"),
    )
    name = "events" if asker.rng.random() < 0.7 else asker.collection()
    own = asker.organisation if asker.rng.random() < 0.9 else "org-x"
    query = (("provider", own), ("collection", name))
    return Request("POST", "/contributions/uploads", query, said)


def upload(method: str) -> Callable[[Asker], Request]:
    """A piece of it, or how much has come."""

    def ask(asker: Asker) -> Request:
        path = f"/contributions/uploads/{asker.rng.choice(asker.known.uploads[-4:])}"
        headers = [("Tus-Resumable", "1.0.0")]
        if method == "PATCH":
            offset = asker.rng.choice(("0", "0", "4"))
            headers += [("Upload-Offset", offset), ("Content-Type", "application/offset+octet-stream")]
        return Request(method, path, (), tuple(headers), b"1234" if method == "PATCH" else None)

    return ask
