"""What a server offers, as Python calls: features, changes, copies, extracts, contributions."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import uuid4

import orjson

from geoshare.client.http import Answer, ClientError, Http
from geoshare.client.transfer import Uploads, fetched

if TYPE_CHECKING:
    import geopandas

Feature = dict[str, Any]
BBox = tuple[float, float, float, float]
"""West, south, east, north in degrees (CRS84)."""
PAGE: Final = 10_000
ASK_EVERY_S: Final = 0.5
# Of jobs and of contributions.
UNDER_WAY: Final = ("queued", "running", "received", "reading", "publishing")
GONE: Final = 410


@dataclass(frozen=True)
class Changes:
    """What has changed since a token.

    ``features`` are those that were created or updated, as they are now; ``deleted`` are ids. ``token``
    is what to go on with; ``matched``, how many features a copy has then.
    """

    features: list[Feature]
    deleted: list[str]
    token: str
    matched: int

    def __bool__(self) -> bool:
        """Whether anything has changed."""
        return bool(self.features or self.deleted)


@dataclass
class Copied:
    """A copy of a collection (or of a part of it), by id, and the token to bring it up to date with."""

    collection: str
    bbox: BBox | None
    token: str
    features: dict[str, Feature] = field(default_factory=dict)


class Client:
    """A client of one server; of one thread.

    Parameters
    ----------
    url
        Address of the server.
    key
        An API key; None: what is open to everybody.
    pause
        Waits so many seconds.
    """

    def __init__(
        self, url: str, key: str | None = None, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self.http = Http(url, key, pause)
        self.pause = pause

    def collections(self) -> list[dict[str, Any]]:
        """The collections that may be known."""
        said = self.http.get("/collections").json()
        found = said.get("collections") if isinstance(said, dict) else None
        if not isinstance(found, list):
            raise ClientError(f"{self.http.base} is no geoshare server", parameter="url")
        return found

    def schema(self, collection: str) -> dict[str, Any]:
        """JSON Schema of a collection's properties."""
        found: dict[str, Any] = self.http.get(f"{_of(collection)}/schema").json()
        return found

    def items(
        self,
        collection: str,
        bbox: BBox | None = None,
        *,
        datetime: str | None = None,
        filter: str | None = None,
        properties: Sequence[str] | None = None,
        as_of: str | None = None,
        page: int = PAGE,
    ) -> Iterator[Feature]:
        """All features, page by page.

        Parameters
        ----------
        bbox
            West, south, east, north in degrees.
        datetime
            An RFC 3339 instant or interval: features of that time of the world.
        filter
            CQL2 text.
        properties
            Those wanted; None: all.
        as_of
            An RFC 3339 instant: features as they were known then.
        page
            How many at a time.
        """
        query = {
            "limit": page,
            "bbox": _box(bbox),
            "datetime": datetime,
            "filter": filter,
            "properties": None if properties is None else ",".join(properties),
            "as_of": as_of,
        }
        for answer in self._pages(f"{_of(collection)}/items", query):
            yield from answer["features"]

    def item(self, collection: str, feature: str, *, as_of: str | None = None) -> Feature:
        """One feature. Raises ClientError with status 404 where there is none."""
        path = f"{_of(collection)}/items/{quote(feature, safe='')}"
        found: Feature = self.http.get(path, {"as_of": as_of}).json()
        return found

    def frame(self, collection: str, bbox: BBox | None = None, **asked: Any) -> geopandas.GeoDataFrame:
        """Features as a GeoDataFrame in CRS84, indexed by id; takes what :meth:`items` takes."""
        from geoshare.client.frames import frame_of  # noqa: PLC0415 - pandas is slow to import

        return frame_of(self.items(collection, bbox, **asked))

    def changes(self, collection: str, since: str | None = None, bbox: BBox | None = None) -> Changes:
        """What has changed since a token, all of it; without one nothing has, and the token is of now.

        Raises ClientError with status 410 where that is not known any more: take a new copy.
        """
        features: list[Feature] = []
        deleted: list[str] = []
        page: dict[str, Any] = {}
        query = {"since": since, "bbox": _box(bbox), "limit": None if since is None else PAGE}
        for page in self._pages(f"{_of(collection)}/changes", query):
            features += page["features"]
            deleted += page["deleted"]
        return Changes(features, deleted, page["token"], page["numberMatched"])

    def first_change(self, collection: str, since: str, bbox: BBox | None = None) -> str | None:
        """None where anything has changed since a token, else the token to go on from.

        It raises as :meth:`changes` does, and asks for one change at most.
        """
        query = {"since": since, "bbox": _box(bbox), "limit": 1}
        page = self.http.get(f"{_of(collection)}/changes", query).json()
        token: str | None = page.get("token")
        return None if page["features"] or page["deleted"] else token

    def changed(self, tokens: dict[str, str]) -> set[str]:
        """Which of some collections may have changed since the tokens that are known of them."""
        found: set[str] = set()
        names = list(tokens)
        for at in range(0, len(names), 32):
            some = names[at : at + 32]
            query = {"collections": ",".join(some), "since": ",".join(tokens[name] for name in some)}
            found |= set(self.http.get("/changes", query).json()["collections"])
        return found

    def copy(self, collection: str, bbox: BBox | None = None) -> Copied:
        """A copy of a collection: the token first, then the features."""
        made = Copied(collection, bbox, self.changes(collection, bbox=bbox).token)
        made.features = {item["id"]: item for item in self.items(collection, bbox)}
        return made

    def update(self, copied: Copied) -> Changes:
        """Bring a copy up to date, and return what has changed.

        Where that is not known any more the copy is taken anew, and all of it is told as changed.
        """
        try:
            found = self.changes(copied.collection, copied.token, copied.bbox)
        except ClientError as error:
            if error.status != GONE:
                raise
            return self._anew(copied)
        copied.features |= {item["id"]: item for item in found.features}
        for gone in found.deleted:
            copied.features.pop(gone, None)
        copied.token = found.token
        return found

    def extract(
        self,
        collections: Sequence[str],
        path: Path,
        *,
        format: str = "gpkg",
        bbox: BBox | None = None,
        **asked: Any,
    ) -> Path:
        """Have an extract made and write it to ``path``; a download that breaks off is gone on with.

        ``asked`` is what else an extract may say: ``area``, ``mode``, ``filter``, ``datetime``.
        """
        href = self.extract_at(collections, format=format, bbox=bbox, **asked)
        return fetched(self.http, href, path, self.pause)

    def extract_at(
        self,
        collections: Sequence[str],
        *,
        format: str = "gpkg",
        bbox: BBox | None = None,
        **asked: Any,
    ) -> str:
        """Have an extract made, and return its address. It takes what :meth:`extract` takes."""
        wanted: dict[str, Any] = {"collections": list(collections), "format": format, **asked}
        if bbox is not None:
            wanted["bbox"] = list(bbox)
        headers = {"Content-Type": "application/json", "Prefer": "respond-async"}
        answer = self.http.ask("POST", "/extracts", body=orjson.dumps(wanted), headers=headers)
        done = self._waited(f"/jobs/{answer.json()['job']}", ("done",))
        href: str = next(link["href"] for link in done["links"] if link["rel"] == "enclosure")
        return href

    def contribute(
        self,
        path: Path,
        *,
        progress: Callable[[float], object] = lambda fraction: None,
        wait: bool = True,
        **options: Any,
    ) -> dict[str, Any]:
        """Send a file in pieces and return what became of it, with its report.

        An upload that was interrupted, also in another process, goes on where the server has it.

        Parameters
        ----------
        options
            What the server takes with a file: ``collection``, ``mapping``, ``crs``, ``licence``, ...
        wait
            Whether to wait until it has been read; otherwise it is told that it was taken.
        """
        said = {name: _asked(value) for name, value in options.items() if value not in (None, False)}
        taken = Uploads(self.http, self.pause).send(path, said, progress)
        if not wait:
            return taken
        return self._waited(f"/contributions/{taken['id']}", ("done", "checked", "refused"))

    def observe(
        self, features: Sequence[Mapping[str, Any]], collection: str, **options: Any
    ) -> dict[str, Any]:
        """Send a small batch of GeoJSON features (1 MB) and return that it was taken in hand.

        While the server is busy it is sent again after the time that the server names. It carries a key
        of its own, so that it is taken once also where the line broke before the answer came.

        Parameters
        ----------
        options
            What the server takes with a file: ``accuracy_m``, ``observed``, ``licence``, ...
        """
        said = {name: _asked(value) for name, value in options.items() if value not in (None, False)}
        body = orjson.dumps({"type": "FeatureCollection", "features": list(features)})
        headers = {"Content-Type": "application/geo+json", "Idempotency-Key": uuid4().hex}
        query = {"collection": collection, **said}
        found: dict[str, Any] = self.http.ask("POST", "/contributions", query, body, headers).json()
        return found

    def sync(self, folder: Path, area: BBox | None, format: str = "gpkg", **asked: Any) -> Any:
        """Keep files of an area up to date; see :func:`geoshare.client.sync.sync`."""
        from geoshare.client.sync import sync  # noqa: PLC0415 - it builds on this class

        return sync(self, folder, area, format, **asked)

    def _anew(self, copied: Copied) -> Changes:
        made = self.copy(copied.collection, copied.bbox)
        deleted = [key for key in copied.features if key not in made.features]
        copied.features, copied.token = made.features, made.token
        return Changes(list(made.features.values()), deleted, made.token, len(made.features))

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        page = self.http.get(path, query).json()
        while True:
            yield page
            follow = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            if follow is None:
                return
            page = self.http.get(follow).json()

    def _waited(self, path: str, told: tuple[str, ...]) -> dict[str, Any]:
        """What became of work under way; ClientError where it ended as nothing that can be ``told``."""
        while True:
            found: dict[str, Any] = self.http.get(path).json()
            if found["status"] in told:
                return found
            if found["status"] not in UNDER_WAY:
                raise _failed(found)
            self.pause(ASK_EVERY_S)


def _failed(found: dict[str, Any]) -> ClientError:
    """Why work ended, in the server's words."""
    said = found.get("error") or found.get("message") or found["status"]
    if not isinstance(said, dict):
        return ClientError(str(said))
    message = str(said.get("message", found["status"]))
    return ClientError(message, parameter=said.get("parameter"), allowed=said.get("allowed"))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of(collection: str) -> str:
    return f"/collections/{quote(collection, safe='')}"


def _asked(value: Any) -> Any:
    """A value as it stands in an address: numbers of a box, or of an offset, between commas."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value))
    return "true" if value is True else value


def _box(bbox: BBox | None) -> str | None:
    return None if bbox is None else ",".join(map(repr, bbox))


__all__ = ["Answer", "BBox", "Changes", "Client", "Copied", "Feature", "sha256_of"]
