"""``python -m tests.bench.batches``: ten thousand tiny batches in a minute.

Gateways send batches of two features over keep-alive connections, each under an ``Idempotency-Key``;
one in seven is sent twice, of one in ten half is invalid. Who is told to come again (503, 429) does so
after the time that was said. Measured is how long until each has its 202; then, how long until all are
read, and whether each has its report, nothing was lost and nothing is there twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from geoshare.services import build_services
from geoshare.settings import Settings
from tests.bench.serving import Served, load_said, prepare, serving

TIERS = {
    "gateway": '[[gateway.grants]]\nactions = ["contribute"]\ncollections = ["places"]',
    "reader": '[[reader.grants]]\nactions = ["discover", "read", "stream"]\n'
    'collections = ["places"]\ncolumns = ["name"]',
}
LON, LAT = (139.6, 139.8), (35.6, 35.8)
HALF_OF, AGAIN_OF = 10, 7  # one batch in so many is half invalid, or sent twice
HEAD = (
    "POST /contributions?collection=places HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-API-Key: {key}\r\n"
    "Content-Type: application/geo+json\r\nIdempotency-Key: {once}\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass
class Sent:
    """What became of what was sent."""

    ids: dict[str, set[str]] = field(default_factory=dict)  # by key: contributions it was answered with
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)


class Gateway:
    """One connection that sends what it is given and comes again when it is told to."""

    def __init__(self, port: int, key: str, sent: Sent) -> None:
        self._port, self._key, self._sent = port, key, sent
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, once: str, body: bytes) -> None:
        """Send one until it is taken."""
        head = HEAD.format(port=self._port, key=self._key, once=once, length=len(body)).encode()
        while True:
            begun = time.perf_counter()
            status, wait_s, found = await self._ask(head + body)
            self._sent.statuses[status] += 1
            if status == 202:
                self._sent.times.append(time.perf_counter() - begun)
                self._sent.ids.setdefault(once, set()).add(json.loads(found)["id"])
                return
            if status not in (409, 429, 503):
                raise SystemExit(f"{status}: {found!r}")
            await asyncio.sleep(wait_s)

    async def _ask(self, said: bytes) -> tuple[int, float, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(said)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        names = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        found = await reader.readexactly(int(names[b"content-length"]))
        return int(head.split(b" ", 2)[1]), float(names.get(b"retry-after", b"0.2")), found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.batches", description=__doc__)
    parser.add_argument("--batches", type=int, default=10_000)
    parser.add_argument("--connections", type=int, nargs="*", default=[6])
    parser.add_argument(
        "--data", type=Path, help="where to put the folder; a temporary one unless said"
    )
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="do not wait for the reading"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoshare-batches-", dir=arguments.data) as folder:
        data = Path(folder, "data")
        keys = prepare(data, TIERS)
        with serving(data) as served:
            wrong = [
                _sending(served, keys["gateway"], data, number, connections, arguments)
                for number, connections in enumerate(arguments.connections)
            ]
    print(load_said())
    return int(any(wrong))


def _sending(
    served: Served, key: str, data: Path, number: int, connections: int, arguments: argparse.Namespace
) -> bool:
    """Send them all over so many connections; whether anything is lost or double."""
    bodies = {f"b{number}-{at}": batch(f"{number}-{at}", at) for at in range(arguments.batches)}
    sent, before, begun = Sent(), served.used_s(), time.monotonic()
    own = time.process_time()
    asyncio.run(_send(served.port, key, bodies, connections, sent))
    lasted = time.monotonic() - begun
    used = {who: round(s - before.get(who, 0), 1) for who, s in served.used_s().items()}
    p50, p95, p99 = np.percentile(np.array(sent.times) * 1000, (50, 95, 99))
    print(
        f"{connections} connections: {len(bodies):,} batches taken in {lasted:.1f} s,"
        f" {len(bodies) / lasted * 60:,.0f} a minute; p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms;"
        f" answers {dict(sent.statuses)}; processor s {used}, client {time.process_time() - own:.1f}"
    )
    if not arguments.wait:
        return False
    return _count(data, sent, begun, sorted(bodies))


async def _send(port: int, key: str, bodies: dict[str, bytes], connections: int, sent: Sent) -> None:
    order = [*bodies, *(name for at, name in enumerate(bodies) if at % AGAIN_OF == 0)]
    random.Random(3).shuffle(order)
    left = iter(order)

    async def work() -> None:
        gateway = Gateway(port, key, sent)
        for name in left:
            await gateway.send(name, bodies[name])

    await asyncio.gather(*(work() for _ in range(connections)))


def _count(data: Path, sent: Sent, begun: float, names: list[str]) -> bool:
    """Wait until all are read, and compare what is there with what was sent."""
    services = build_services(Settings(data=data))
    ids = {next(iter(found)) for found in sent.ids.values()}
    while left := [one for one in services.queue.newest(None, 1_000_000) if not one.is_over]:
        print(f"\r{len(left):,} wait ", end="", file=sys.stderr, flush=True)
        time.sleep(2)
    lasted = time.monotonic() - begun
    jobs = {one.id: one for one in services.queue.newest(None, 1_000_000) if one.id in ids}
    reports = [one.result["report"] for one in jobs.values() if one.result and one.state == "done"]
    taken = [one.id for one in services.record.contributions(limit=1_000_000) if one.id in ids]
    refused = sum(report["refused"] for report in reports)
    features = sum(sum(report["taken"].values()) for report in reports)
    half = sum(is_half(int(name.rsplit("-", 1)[1])) for name in names)
    wrong = {
        "batches under more than one contribution": sum(len(found) > 1 for found in sent.ids.values()),
        "batches without an answer": len(set(names) - set(sent.ids)),
        "contributions without a job": len(ids - set(jobs)),
        "jobs without a report": len(ids) - len(reports),
        "contributions not in the record": len(ids - set(taken)),
        "contributions there twice": len(taken) - len(set(taken)),
        "rows told as refused beside those sent": refused - half,
        "features beside those sent": features - (2 * len(names) - half),
    }
    print(f"\rall read after {lasted:.0f} s: {features:,} features, {refused:,} rows refused by name")
    for what, number in wrong.items():
        if number:
            print(f"WRONG: {what}: {number}")
    return any(wrong.values())


def is_half(at: int) -> bool:
    """Whether the batch of that number has a feature that is none."""
    return at % HALF_OF == 0


def batch(name: str, at: int) -> bytes:
    """Two features of their own."""
    chance = random.Random(name)
    features = []
    for part in range(2):
        lon = "x" if part and is_half(at) else round(chance.uniform(*LON), 7)
        features.append(
            {
                "type": "Feature",
                "id": f"{name}-{part}",
                "geometry": {"type": "Point", "coordinates": [lon, round(chance.uniform(*LAT), 7)]},
                "properties": {"id": f"{name}-{part}", "name": f"{name}-{part}", "class": "sign"},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


if __name__ == "__main__":
    sys.exit(main())
