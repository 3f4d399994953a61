"""``python -m tests.bench.sharing``: a shared map on a bad line, and thousands who open it at once.

The sample town is served and a part of it shared. First, Chromium opens the link as a phone does: a
throttled 4G line and a processor four times slower than this one; told are the bytes that came over the
wire by kind, and the seconds until the map was drawn with all its tiles. Then people open the link at
even moments, each on an own connection, and fetch what the page fetches: the page, its scripts and
styles, and the tiles in sight. Generator and server share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
from playwright.sync_api import sync_playwright

from tests.bench.process import cpu_s
from tests.bench.watching import serving

SHARED = {
    "title": "台風12号 避難所と通行止め",
    "note": "避難の前にご確認ください。",
    "layers": [
        "shelters",
        "evacuation_sites",
        "evacuation_areas",
        "events",
        "warnings",
        "hazard_zones",
    ],
    "bbox": [140.88, 36.238, 140.93, 36.26],
    "hours": 6,
}
LINES = {  # milliseconds there and back, bits per second down and up
    "slow 4G (Lighthouse)": (150, 1_638_400, 750_000),
    "4G (Chromium's Fast 4G)": (60, 9_000_000, 1_500_000),
}
SLOWER = 4  # times, than this processor
PHONE = {"width": 390, "height": 844}
ARGUMENTS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
READY = "body[data-share=ready]"
PATIENCE_S = 30.0
ACCEPTED = "gzip, deflate, br, zstd"


@dataclass
class First:
    """One opening of the link in a browser."""

    seconds: float
    bytes_by_kind: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    thread_s: float = 0.0  # of the page's main thread, slowed


def first_map(address: str, line: tuple[int, int, int]) -> First:
    """Open a link on a throttled line until its map is drawn, with nothing in any cache."""
    milliseconds, down, up = line
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(
            viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True, locale="ja-JP"
        )
        page = context.new_page()
        page.goto("about:blank")
        found = First(0.0)
        kinds: dict[str, str] = {}
        wire = context.new_cdp_session(page)
        wire.on(
            "Network.responseReceived", lambda said: kinds.update({said["requestId"]: said["type"]})
        )

        def ended(said: dict) -> None:
            found.bytes_by_kind[kinds.get(said["requestId"], "Other")] += said["encodedDataLength"]
            found.requests += 1

        wire.on("Network.loadingFinished", ended)
        wire.send("Network.enable")
        wire.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": milliseconds,
                "downloadThroughput": down / 8,
                "uploadThroughput": up / 8,
            },
        )
        wire.send("Performance.enable", {"timeDomain": "threadTicks"})
        wire.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(address, wait_until="commit")
        page.wait_for_selector(READY)
        found.seconds = page.evaluate("performance.getEntriesByName('first-map')[0].startTime") / 1000
        told = {item["name"]: item["value"] for item in wire.send("Performance.getMetrics")["metrics"]}
        found.thread_s = told["TaskDuration"]
        page.wait_for_timeout(500)
        browser.close()
    return found


@dataclass
class Crowd:
    """What people met, in milliseconds by part."""

    waits: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    opened: int = 0


async def person(port: int, parts: Sequence[tuple[str, str]], crowd: Crowd) -> None:
    """Fetch what a page fetches, on one connection."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), PATIENCE_S)
        for kind, path in parts:
            began = time.perf_counter()
            said = (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: {ACCEPTED}\r\n\r\n"
            )
            writer.write(said.encode())
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).lower()
            found = re.search(rb"content-length: (\d+)", head)
            await asyncio.wait_for(reader.readexactly(int(found[1]) if found else 0), PATIENCE_S)
            crowd.waits[kind].append((time.perf_counter() - began) * 1000)
            crowd.statuses[head.split(b" ", 2)[1].decode()] += 1
        writer.close()
        crowd.opened += 1
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        crowd.statuses[type(error).__name__] += 1


async def crowd_of(people: int, seconds: float, port: int, parts: Sequence[tuple[str, str]]) -> Crowd:
    """Let people come at even moments."""
    crowd, began = Crowd(), time.perf_counter()
    tasks = []
    for number in range(people):
        due = began + number * seconds / people
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(person(port, parts, crowd)))
    await asyncio.gather(*tasks)
    return crowd


def parts_of(address: str) -> list[tuple[str, str]]:
    """What the page of a share fetches until its map is drawn: kind and path, in order."""
    asked: list[tuple[str, str]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = browser.new_page(viewport=PHONE)
        page.on(
            "request", lambda request: asked.append((kind_of(request.url), urlsplit(request.url).path))
        )
        page.goto(address)
        page.wait_for_selector(READY)
        browser.close()
    return asked


def kind_of(address: str) -> str:
    """Page, data, tile, asset."""
    path = urlsplit(address).path
    if path.startswith("/map/"):
        return "asset"
    return "tile" if "/tiles/" in path else "data" if path.endswith(".json") else "page"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shelters", type=int, default=100, help="more than the sample town has")
    parser.add_argument("--data", type=Path, help="a data folder that is there already")
    said = parser.parse_args()
    with serving(said.shelters, said.data) as (port, keys, root):
        base = f"http://127.0.0.1:{port}"
        headers = {"X-API-Key": keys["municipal"], "Content-Type": "application/json"}
        made = urlopen(Request(f"{base}/me/shares", json.dumps(SHARED).encode(), headers))
        address = json.load(made)["href"]
        parts = parts_of(address)
        for name, line in LINES.items():
            found = [first_map(address, line) for _ in range(said.rounds)]
            sizes = found[0].bytes_by_kind
            total_kb = sum(sizes.values()) / 1000
            print(f"{name}, CPU / {SLOWER}: first map {median(one.seconds for one in found):.2f} s")
            print(f"  {total_kb:.1f} KB in {found[0].requests} answers: {dict(sizes)}")
            print(f"  main thread: {median(one.thread_s for one in found):.2f} s of processor time")
        print(f"load of the machine before the crowd: {os.getloadavg()}")
        before = sum(cpu_s(root).values())
        began = time.perf_counter()
        crowd = asyncio.run(crowd_of(said.people, said.seconds, port, parts))
        took, used = time.perf_counter() - began, sum(cpu_s(root).values()) - before
        print(f"{crowd.opened} of {said.people} opened in {took:.1f} s, answers {dict(crowd.statuses)}")
        for kind, waits in crowd.waits.items():
            p50, p95, p99 = np.percentile(waits, (50, 95, 99))
            print(f"  {kind:<6}{len(waits):>7} answers  p50 {p50:.1f}  p95 {p95:.1f}  p99 {p99:.1f} ms")
        print(f"server: {used:.1f} s of processor time, {1000 * used / said.people:.2f} ms a person")
        print(f"load of the machine after the crowd: {os.getloadavg()}")


if __name__ == "__main__":
    main()
