"""Peers measured beside geoshare, each started from what `tests/bench/peers.sh` installs.

PostgreSQL with PostGIS holds the same rows with GiST indexes; tipg and MapServer serve them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self
from urllib.parse import quote

import geopandas
import psycopg

WORKERS = 2
COLUMNS = ("id", "route_number", "class", "level", "name", "surface", "width_m", "lane_count")
COLUMNS += ("speed_limit_kmh", "is_bridge")
PEER_VENV = Path(os.environ.get("GEOSHARE_BENCH_PEERS", ".venv-peers")).resolve()


WORLD_M = 40_075_016.685578488
# classes that geoshare shows at a low zoom; peers get a table of just these roads for it
LOW_ZOOMS = {
    6: ("motorway", "trunk"),
    10: ("motorway", "trunk", "primary", "secondary"),
}


def table_at(z: int) -> str:
    """The table from which peers make tiles of a zoom."""
    return f"roads_z{z}" if z in LOW_ZOOMS else "roads"


def _binary(name: str) -> str | None:
    found = shutil.which(name)
    if found:
        return found
    folders = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    return str(folders[0]) if folders else None


def wait_for(url: str, seconds: float = 60.0, pause: float = 0.3) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(pause)


class PostGis:
    """A PostgreSQL cluster of its own on a loopback port, with both layers loaded."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.dsn = f"postgresql://bench@127.0.0.1:{port}/bench"
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def missing() -> str:
        """What is not installed; empty where nothing is."""
        if not _binary("initdb"):
            return "PostgreSQL"
        return (
            "" if list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")) else "PostGIS"
        )

    def start(self, roads: Path, buildings: Path) -> None:
        """Start it, and load the layers where the cluster is new."""
        fresh = not (self.folder / "PG_VERSION").exists()
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if fresh:
            self.folder.mkdir(parents=True, exist_ok=True)
            if user:
                shutil.chown(self.folder, "postgres")
            initdb = [_binary("initdb"), "-D", str(self.folder), "-U", "bench", "-A", "trust"]
            subprocess.run([*user, *initdb], check=True, stdout=subprocess.DEVNULL, cwd="/")
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "shared_buffers": "2GB",
            "jit": "off",
            "max_parallel_workers_per_gather": 0,
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [*user, _binary("postgres"), "-D", str(self.folder), *flags]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        self._wait()
        if fresh:
            self._load("roads", roads)
            self._load("buildings", buildings)
            for z, classes in LOW_ZOOMS.items():
                self._thin(z, classes)

    def version(self) -> str:
        """Versions of PostgreSQL and PostGIS."""
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), postgis_lib_version()"
            ).fetchone()
        return f"PostgreSQL {row[0]}, PostGIS {row[1]}" if row else ""

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def _thin(self, z: int, classes: tuple[str, ...]) -> None:
        """A table of the roads that geoshare shows at a zoom, as an operator makes one."""
        side = 2 * WORLD_M / 2**z / 4096  # two tile units
        wide = "ST_XMax(geom_3857) - ST_XMin(geom_3857)"
        high = "ST_YMax(geom_3857) - ST_YMin(geom_3857)"
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                f"CREATE TABLE roads_z{z} AS SELECT * FROM roads"
                f" WHERE class = ANY(%s) AND greatest({wide}, {high}) >= %s",
                (list(classes), side),
            )
            connection.execute(f"ALTER TABLE roads_z{z} ADD PRIMARY KEY (id)")
            for column in ("geom", "geom_3857"):
                connection.execute(f"CREATE INDEX ON roads_z{z} USING gist ({column})")
            connection.execute(f"CLUSTER roads_z{z} USING roads_z{z}_geom_idx")
            connection.execute(f"VACUUM ANALYZE roads_z{z}")

    def _wait(self) -> None:
        address = f"postgresql://bench@127.0.0.1:{self.port}/postgres"
        for _ in range(200):
            try:
                with psycopg.connect(address, autocommit=True) as connection:
                    if not connection.execute(
                        "SELECT 1 FROM pg_database WHERE datname = 'bench'"
                    ).fetchone():
                        connection.execute("CREATE DATABASE bench")
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start")

    def _load(self, table: str, path: Path) -> None:
        frame = geopandas.read_parquet(path)
        kinds = {"int64": "bigint", "float64": "double precision", "bool": "boolean"}
        names = [name for name in frame.columns if name != "geometry"]
        columns = ", ".join(f'"{name}" {kinds.get(str(frame[name].dtype), "text")}' for name in names)
        wkb = frame.geometry.to_wkb(hex=True)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            connection.execute(f"CREATE TABLE {table} ({columns}, geom geometry(Geometry, 4326))")
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for values in zip(*(frame[name].tolist() for name in names), wkb, strict=True):
                    copy.write_row((*values[:-1], "SRID=4326;" + values[-1]))
            connection.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
            connection.execute(f"ALTER TABLE {table} ADD COLUMN geom_3857 geometry(Geometry, 3857)")
            connection.execute(f"UPDATE {table} SET geom_3857 = ST_Transform(geom, 3857)")
            for column in ("geom", "geom_3857"):
                connection.execute(f"CREATE INDEX ON {table} USING gist ({column})")
            connection.execute(f"CLUSTER {table} USING {table}_geom_idx")
            connection.execute(f"VACUUM ANALYZE {table}")


class Tipg:
    """tipg on uvicorn with two workers."""

    name = "tipg"

    def __init__(self, database: PostGis, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._database, self._port = database, port

    @staticmethod
    def missing() -> str:
        """What is not installed; empty where nothing is."""
        return "" if (PEER_VENV / "bin/uvicorn").exists() else "tipg (tests/bench/peers.sh)"

    def __enter__(self) -> Self:
        environ = os.environ | {
            "DATABASE_URL": self._database.dsn,
            "TIPG_MAX_FEATURES_PER_TILE": "1000000",
            "TIPG_DEFAULT_MINZOOM": "0",
            "TIPG_TILE_RESOLUTION": "4096",
        }
        command = [
            str(PEER_VENV / "bin/uvicorn"),
            "tipg.main:app",
            "--port",
            str(self._port),
            "--workers",
            str(WORKERS),
            "--log-level",
            "error",
        ]
        self._process = subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=sys.stderr
        )
        wait_for(self.base + "/healthz")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def version(self) -> str:
        """Version of tipg and of what it stands on."""
        command = [str(PEER_VENV / "bin/python"), "-c", "import tipg; print(tipg.__version__)"]
        own = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        return f"{own}, {self._database.version()}"

    def tile(self, z: int, x: int, y: int) -> str:
        """Path of a tile of roads."""
        table = f"public.{table_at(z)}"
        return f"/collections/{table}/tiles/WebMercatorQuad/{z}/{x}/{y}?geom-column=geom"

    def items(self, box: tuple[float, float, float, float], limit: int) -> str:
        """Path of a page of roads."""
        corners = ",".join(f"{value:.6f}" for value in box)
        return (
            f"/collections/public.roads/items?bbox={corners}&limit={limit}&geom-column=geom&f=geojson"
        )

    def filtered(self, box: tuple[float, float, float, float], limit: int, text: str) -> str:
        """Path of a page of the roads that a filter leaves of those in a box."""
        said = quote(text.format(geometry="geom"))
        return f"{self.items(box, limit)}&filter={said}&filter-lang=cql2-text"


_MAP = """MAP
  NAME bench
  PROJECTION "init=epsg:3857" END
  EXTENT 15400000 4100000 15700000 4400000
  OUTPUTFORMAT NAME mvt DRIVER MVT FORMATOPTION "EXTENT=4096" FORMATOPTION "EDGE_BUFFER=64" END
  WEB METADATA "ows_enable_request" "*" END END
{layers}
END
"""

_LAYER = """  LAYER
    NAME {table} TYPE LINE STATUS ON
    CONNECTIONTYPE POSTGIS CONNECTION "host=127.0.0.1 port={port} user=bench dbname=bench"
    PROCESSING "CLOSE_CONNECTION=DEFER"
    DATA "geom_3857 from ({query}) as t using unique id using srid=3857"
    METADATA "gml_include_items" "all" "ows_include_items" "all" END
    PROJECTION "init=epsg:3857" END
  END
"""


class MapServer:
    """MapServer behind nginx, two FastCGI processes."""

    name = "mapserver"

    def __init__(self, database: PostGis, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._database, self._port, self._folder = database, port, folder.resolve()
        self._processes: list[subprocess.Popen[bytes]] = []

    @staticmethod
    def missing() -> str:
        """What is not installed; empty where nothing is."""
        needed = ("mapserv", "spawn-fcgi", "nginx")
        places = [
            shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/cgi-bin")
            for name in needed
        ]
        return ", ".join(name for name, place in zip(needed, places, strict=True) if not place)

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        mapfile = self._folder / "bench.map"
        columns, port = ", ".join(COLUMNS), self._database.port
        layers = "".join(
            _LAYER.format(table=table, query=f"select {columns}, geom_3857 from {table}", port=port)
            for table in ("roads", *map(table_at, LOW_ZOOMS))
        )
        mapfile.write_text(_MAP.format(layers=layers))
        mapserv = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
        settings = self._folder / "mapserver.conf"
        settings.write_text(
            f'CONFIG\n ENV\n  MS_MAP_PATTERN "."\n  MS_MAPFILE "{mapfile}"\n END\nEND\n'
        )
        environ = os.environ | {"MAPSERVER_CONFIG_FILE": str(settings), "MS_MAPFILE": str(mapfile)}
        ports = [self._port + 1 + number for number in range(WORKERS)]
        for port in ports:
            command = ["spawn-fcgi", "-n", "-a", "127.0.0.1", "-p", str(port), "--", mapserv]
            self._processes.append(subprocess.Popen(command, env=environ))
        upstream = " ".join(f"server 127.0.0.1:{port};" for port in ports)
        config = self._folder / "nginx.conf"
        config.write_text(
            f"daemon off; error_log stderr error; pid {self._folder}/nginx.pid; events {{}}\n"
            f"http {{ access_log off; upstream ms {{ {upstream} keepalive 4; }}\n"
            f"server {{ listen 127.0.0.1:{self._port}; location / {{\n"
            "fastcgi_pass ms; fastcgi_keep_conn on;\n"
            "fastcgi_param QUERY_STRING $query_string; fastcgi_param REQUEST_METHOD $request_method;\n"
            "fastcgi_param CONTENT_LENGTH $content_length;\n"
            "fastcgi_param CONTENT_TYPE $content_type; } } }\n"
        )
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self._processes.append(subprocess.Popen([nginx, "-c", str(config), "-p", str(self._folder)]))
        try:
            wait_for(self.base + self.tile(14, 14500, 6450))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.kill()  # mapserv notices a polite end only at its next request
                process.wait(20)

    def version(self) -> str:
        """Version of MapServer."""
        mapserv = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
        said = subprocess.run([mapserv, "-v"], capture_output=True, text=True, check=True).stdout
        return " ".join(said.split()[:3])

    def tile(self, z: int, x: int, y: int) -> str:
        """Path of a tile of roads."""
        return f"/?mode=tile&tilemode=gmap&tile={x}+{y}+{z}&layers={table_at(z)}&map.imagetype=mvt"
