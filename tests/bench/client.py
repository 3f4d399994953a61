"""The load client: one keep-alive client for all servers; wrk where it is installed."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

CONNECTIONS = 4

_SCRIPT = """
local paths, headers = {}, {%s}
for line in io.lines("%s") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], headers)
end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %%d %%d %%d %%f %%f\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.read + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000))
end
"""


@dataclass(frozen=True)
class Measurement:
    """One run of a few seconds."""

    per_second: float
    median_ms: float
    p95_ms: float
    errors: int


def run(base: str, paths: Sequence[str], headers: Mapping[str, str], seconds: float) -> Measurement:
    """Ask for ``paths`` in turn over four connections for so many seconds."""
    if shutil.which("wrk"):
        return _wrk(base, paths, headers, seconds)
    return _threads(base, paths, headers, seconds)


def _wrk(base: str, paths: Sequence[str], headers: Mapping[str, str], seconds: float) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        listing, script = Path(folder, "paths"), Path(folder, "script.lua")
        listing.write_text("\n".join(paths))
        pairs = ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())
        script.write_text(_SCRIPT % (pairs, listing))
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            str(script),
            base,
        ]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", output)
    if found is None:
        raise RuntimeError(output)
    requests, microseconds, errors = (int(found[number]) for number in (1, 2, 3))
    return Measurement(requests / (microseconds / 1e6), float(found[4]), float(found[5]), errors)


def _threads(
    base: str, paths: Sequence[str], headers: Mapping[str, str], seconds: float
) -> Measurement:
    times: list[float] = []
    errors: list[int] = []
    deadline = time.perf_counter() + seconds

    def work(first: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        at = first
        while (begin := time.perf_counter()) < deadline:
            connection.request("GET", paths[at % len(paths)], headers=dict(headers))
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 400:
                errors.append(answer.status)
            times.append(time.perf_counter() - begin)
            at += CONNECTIONS

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    milliseconds = np.array(times) * 1000
    return Measurement(
        len(times) / seconds,
        float(np.median(milliseconds)),
        float(np.percentile(milliseconds, 95)),
        len(errors),
    )
