"""A server for one measurement: a data folder with tiers and keys of its own, and who serves it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from tests.bench.peers import wait_for
from tests.bench.process import cpu_s, free_port

RATE = 1_000_000  # a minute: counted, never reached
WORKERS = 2


@dataclass(frozen=True)
class Served:
    """A server that answers: its address and its process."""

    base: str
    pid: int

    @property
    def port(self) -> int:
        """Of the address."""
        return urlsplit(self.base).port or 80

    def used_s(self) -> dict[str, float]:
        """Seconds of processor time so far, by kind of process."""
        return cpu_s(self.pid)


def prepare(
    folder: Path, tiers: Mapping[str, str], fill: Callable[[Local], None] = lambda _: None
) -> dict[str, str]:
    """Make a data folder: tiers (name: the TOML of its grants), what ``fill`` contributes, and keys.

    Returns
    -------
    A key for each tier, held by an organisation called after it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiers.toml").write_text(_tiers(tiers), "utf-8")
    local = Local(build_services(Settings(data=folder)))
    fill(local)
    local.wait_until_visible()
    keys = {}
    for tier in tiers:
        local.agree(f"{tier}-org", (tier,), days=365, reason="measuring", operator=True)
        keys[tier] = local.create_key(f"{tier}-org", (tier,), days=365)
    return keys


@contextmanager
def serving(folder: Path, log: Path | None = None, **more: str) -> Iterator[Served]:
    """Serve a data folder with two web workers until the block is left."""
    port = free_port()
    environ = os.environ | {
        "GEOSHARE_DATA": str(folder.resolve()),
        "GEOSHARE_PORT": str(port),
        "GEOSHARE_WORKERS": str(WORKERS),
        "GEOSHARE_LOG_LEVEL": "error",
        **more,
    }
    out = (log or folder / "serve.log").open("ab")
    with (
        out,
        subprocess.Popen(
            [sys.executable, "-m", "geoshare.cli", "serve"], env=environ, stdout=out, stderr=out
        ) as process,
    ):
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(f"{base}/readyz", seconds=240.0, pause=0.05)
            yield Served(base, process.pid)
        finally:
            process.terminate()
            process.wait(60)


def load_said() -> str:
    """What a figure must be read with."""
    return f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _tiers(tiers: Mapping[str, str]) -> str:
    said = '[open]\ntitle = "Open"\ntitle_ja = "公開"\n'
    for name, grants in tiers.items():
        said += f'\n[{name}]\ntitle = "{name}"\ntitle_ja = "{name}"\nrequests_per_minute = {RATE}\n'
        said += f'role = "provider"\n{grants}\n' if '"contribute"' in grants else f"{grants}\n"
    return said
