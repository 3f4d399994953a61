"""A town of two providers, of whom one is about to leave, and where its traces may be."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from sqlalchemy import create_engine, inspect, text

from geoshare.services.extracts import KIND as EXTRACT
from geoshare.store.files import Files
from geoshare.store.governance import Upload
from tests.api.conftest import Own

CANARY = "kanaria-7f3"
COLUMN = "kanaria_7f3"
M = 1 / 111_319.49
SIGNS = {"collection": "roadside_features", "accuracy_m": 1.0}


def write(path: Path, rows: dict[str, tuple[Any, dict[str, Any]]]) -> Path:
    features = [
        {"type": "Feature", "id": id_, "properties": said | {"id": id_}, "geometry": shape}
        for id_, (shape, said) in rows.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def point(north_m: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [139.0, 35.0 + north_m * M]}


def road(north_m: float) -> dict[str, Any]:
    at = 35.0 + north_m * M
    return {"type": "LineString", "coordinates": [[139.0, at], [139.002, at], [139.004, at]]}


def who_stays(own: Own, folder: Path) -> None:
    """What the provider who stays says."""
    signs = {"a1": (point(0), {"class": "sign", "subtype": "327"})}
    roads = {"a2": (road(0), {"class": "primary", "name": "本通り"})}
    both = {"p": (point(9), {"note": "here", "size": 3})}
    own.contribute(write(folder / "s.geojson", signs), provider="stays", **SIGNS)
    own.contribute(write(folder / "r.geojson", roads), provider="stays", collection="segments")
    own.contribute(write(folder / "b.geojson", both), provider="stays", collection="both_layer")


def who_leaves(own: Own, folder: Path) -> None:
    """What the other says, a part of it twice, so that there is a past."""
    signs = {
        f"{CANARY}-1": (point(0.4), {"class": "sign", "subtype": f"{CANARY}-x"}),
        f"{CANARY}-2": (point(60), {"class": "pole", "subtype": f"{CANARY}-y"}),
    }
    roads = {f"{CANARY}-3": (road(300), {"class": "primary", "name": f"{CANARY}-z"})}
    for number in (1, 2):
        for row in signs.values():
            row[1]["height_m"] = number + 0.5
        roads[f"{CANARY}-3"][1]["lane_count"] = number
        own.contribute(write(folder / f"{CANARY}-s.geojson", signs), provider="leaves", **SIGNS)
        file = write(folder / f"{CANARY}-r.geojson", roads)
        own.contribute(file, provider="leaves", collection="segments")
    layer = write(folder / "l.geojson", {"q": (point(5), {"note": f"{CANARY}-n"})})
    own.contribute(layer, provider="leaves", collection="own_layer")
    both = {"q": (point(19), {"note": f"{CANARY}-m", "size": 0.5, COLUMN: 1})}
    own.contribute(
        write(folder / f"{CANARY}-b.geojson", both), provider="leaves", collection="both_layer"
    )


def a_scene(own: Own, folder: Path) -> None:
    """A satellite scene of the one who leaves."""
    path = folder / f"{CANARY}-scene.tif"
    about = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint8"}
    place = {"crs": "EPSG:4326", "transform": Affine(0.001, 0.0, 139.0, 0.0, -0.001, 35.1)}
    with rasterio.open(path, "w", **about, **place) as file:
        file.write(np.frombuffer(CANARY.encode().ljust(64, b"."), "uint8").reshape(1, 8, 8))
        file.update_tags(note=CANARY)
    own.contribute(path, provider="leaves", collection="satellite")


def leftovers(own: Own) -> Path:
    """What jobs, uploads and processes that were killed have left of it; a file of others' data."""
    data, services = own.settings.data, own.services
    for collection in ("segments", "water"):
        request = {"request": {"collections": [collection]}}
        path = services.extracts.path_of(services.queue.enqueue(EXTRACT, request, "org-developer"))
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{CANARY if collection == 'segments' else 'others'}")
    arriving = data / "incoming" / "upload1"
    arriving.mkdir(parents=True)
    (arriving / "half.geojson").write_text(CANARY)
    said = {"provider": CANARY}
    services.governance.add_upload(Upload("upload1", "leaves", CANARY, 9, 3, said, 0, 2**60))
    part = Files(data).raw("00" * 32) / f".{'0' * 16}.{_dead()}.part"
    part.parent.mkdir(parents=True)
    part.write_text(CANARY)
    view = next(one for one in (data / "views").iterdir() if one.is_dir())
    (view / ".segments.past.00000000").write_text(CANARY)
    return path


def _dead() -> str:
    """The name of a writer that is not there any more."""
    return f"{socket.gethostname()}|999999999|1"


def holding(data: Path) -> list[str]:
    """Files of a data folder that hold the canary, in their content or their name."""
    wanted = (CANARY.encode(), COLUMN.encode())
    return sorted(
        str(path.relative_to(data))
        for path in data.rglob("*")
        if any(one in str(path.relative_to(data)).encode() for one in wanted)
        or (path.is_file() and any(one in path.read_bytes() for one in wanted))
    )


def analyse(url: str) -> None:
    """Let PostgreSQL look at what values there are, as it does by itself once in a while."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


def told(url: str) -> list[str]:
    """Tables of a PostgreSQL database, and what it knows of their values, that hold the canary."""
    engine, found = create_engine(url), list[str]()
    with engine.connect() as connection:
        for table in [*inspect(engine).get_table_names(), "pg_stats"]:
            rows = connection.execute(text(f'SELECT t::text FROM "{table}" t')).scalars()
            if any(_holds(row) for row in rows):
                found.append(table)
    engine.dispose()
    return found


def _holds(row: str) -> bool:
    wanted = (CANARY, COLUMN, CANARY.encode().hex(), COLUMN.encode().hex())
    return any(one in row for one in wanted)


def checkpoint(data: Path) -> None:
    """Move what the logs of the databases hold into them, so that a copy of the files is whole."""
    for path in data.glob("*.db"):
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


def shown(own: Own, key: str) -> dict[str, Any]:
    """What a consumer sees of the collections that the two have contributed to."""
    found: dict[str, Any] = {"/collections": json.loads(own.get("/collections", key).data)}
    for name in ("segments", "roadside_features", "both_layer", "own_layer", "satellite", "claims"):
        for part in ("", "/schema", "/queryables", "/items?limit=1000"):
            path = f"/collections/{name}{part}"
            answer = own.get(path, key)
            said = json.loads(answer.data) if answer.data else {}
            said.pop("timeStamp", None)
            found[path] = (answer.status_code, said)
    return found
