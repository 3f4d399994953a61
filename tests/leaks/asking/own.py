"""Questions about what is one's own: keys, links, tokens, shared maps, webhooks, entries of the log."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from tests.leaks.asking.parts import Parts, Question, get
from tests.leaks.twins import Request


def sub_key(asker: Parts) -> Request:
    """A key of one's own key, for collections of any kind."""
    said: dict[str, Any] = {"days": asker.rng.choice((1, 20, 0))}
    if asker.rng.random() < 0.6:
        said["collections"] = [asker.collection()]
    return asker.post("/me/keys", json.dumps(said).encode(), "application/json")


def token(asker: Parts) -> Request:
    """An access token for one's own key, for collections of any kind."""
    _, key, secret, _ = asker.key.split("_")
    said = [("grant_type", asker.rng.choice(("client_credentials",) * 9 + ("password",)))]
    if asker.rng.random() < 0.6:
        said.append(("scope", " ".join(asker.collection() for _ in range(asker.rng.randint(1, 2)))))
    said += [("client_id", key), ("client_secret", secret)]
    form = urlencode(said).encode()
    return asker.post("/oauth/token", form, "application/x-www-form-urlencoded")


def share(asker: Parts) -> Request:
    """A map of layers of any kind to be shared."""
    west, south, east, north = asker.box()
    said = {
        "title": asker.rng.choice(("避難所", "避難所", "避難所", "通行止め", "<b>", "")),
        "layers": [asker.rng.choice((*("events",) * 6, asker.collection())) for _ in range(2)],
        "bbox": [west, south, max(east, west + 0.002), max(north, south + 0.002)],
        "hours": asker.rng.choice((1, 2, 24, 24, 48, 0)),
    }
    return asker.post("/me/shares", json.dumps(said).encode(), "application/json")


def shared(asker: Parts, part: str) -> Request:
    """A part of a shared map, most often of one that was made."""
    known = asker.known.shares
    return asker.get(f"/s/{known[-1] if asker.rng.random() < 0.8 else known[0]}{part}")


def signed_link(asker: Parts) -> Request:
    """A link to items or a tile of a collection of any kind."""
    z, x, y = asker.tile()
    place = f"/collections/{asker.collection()}/items", f"/tiles/{asker.several()}/{z}/{x}/{y}.mvt"
    said = {"path": asker.rng.choice((*place, "/collections/segments/items?limit=2", "no"))}
    return asker.post("/me/links", json.dumps(said).encode(), "application/json")


ASKERS: dict[str, Question] = {
    "GET /me/keys": get("/me/keys"),
    "POST /me/keys": sub_key,
    "POST /me/keys/<key>/rotate": lambda asker: asker.post(
        f"/me/keys/{asker.rng.choice(asker.known.keys)}/rotate",
        asker.rng.choice((b"{}", b'{"overlap_seconds": 60}', b'{"overlap_seconds": -1}')),
        "application/json",
    ),
    "POST /me/links": signed_link,
    "POST /oauth/token": token,
    "GET /.well-known/oauth-authorization-server": get("/.well-known/oauth-authorization-server"),
    "DELETE /me/keys/<key>": lambda asker: Request(
        "DELETE", f"/me/keys/{asker.rng.choice(asker.known.keys)}"
    ),
    "GET /me/audit": lambda asker: asker.get(
        "/me/audit",
        *((("limit", asker.rng.choice((1, 5, 1001))),) if asker.rng.random() < 0.4 else ()),
        *((("before", asker.rng.choice(asker.known.entries)),) if asker.rng.random() < 0.3 else ()),
    ),
    "GET /me/audit/<entry>/proof": lambda asker: asker.get(
        f"/me/audit/{asker.rng.choice(asker.known.entries)}/proof"
    ),
    "GET /me/shares": get("/me/shares"),
    "POST /me/shares": share,
    "DELETE /me/shares/<share>": lambda asker: Request(
        "DELETE", f"/me/shares/{asker.rng.choice(asker.known.shares)}"
    ),
    "GET /s/<share>": lambda asker: shared(asker, ""),
    "GET /s/<share>/data.json": lambda asker: shared(asker, "/data.json"),
    "GET /s/<share>/preview.png": lambda asker: shared(asker, "/preview.png"),
    "GET /s/<share>/code.svg": lambda asker: shared(asker, "/code.svg"),
    "GET /s/<share>/tiles/<int:z>/<int:x>/<int:y>.mvt": lambda asker: shared(
        asker, "/tiles/{}/{}/{}.mvt".format(*asker.tile())
    ),
    "GET /me/webhooks": get("/me/webhooks"),
    "POST /me/webhooks": lambda asker: asker.post(
        "/me/webhooks",
        json.dumps({"url": "https://hook.example/x", "collections": [asker.collection()]}).encode(),
        "application/json",
    ),
    "DELETE /me/webhooks/<hook>": lambda asker: Request(
        "DELETE", f"/me/webhooks/{asker.rng.choice(asker.known.hooks)}"
    ),
    "GET /me": get("/me"),
}
