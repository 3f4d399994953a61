"""Pages of filters beside tipg, alone: requests a second, and processor time of a request.

``python -m tests.bench.filtering [ROUNDS [SECONDS]]`` on the data of ``make bench``.
What the servers took of the processors (for tipg with its database's) tells more than the clock where
other work is going on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from tests.bench import __main__ as bench
from tests.bench import check, client, data
from tests.bench.geoshare_server import GeoshareServer

ROADS, BUILDINGS = 1_000_000, 200_000
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Compare contents, measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    bench.RESULTS.mkdir(exist_ok=True)
    roads, buildings = data.write(bench.RESULTS / "data", ROADS, BUILDINGS)
    asked = argparse.Namespace(peers=["tipg"], roads=ROADS, rounds=rounds, seconds=seconds)
    with ExitStack() as stack:
        own = stack.enter_context(GeoshareServer(bench.RESULTS / f"geoshare-{ROADS}", roads, buildings))
        peers = bench.start_peers(stack, asked, roads, buildings)
        work = bench.work_of(roads)
        for peer in peers:
            check.filtered(own, peer, work)
        for name in bench.FILTERS:
            contenders = {"geoshare": (own.base, own.paths(name, work[name]), own.headers("whole"))}
            contenders |= {
                peer.name: (peer.base, bench.peer_paths(peer, name, work[name]), {}) for peer in peers
            }
            _show(name, contenders, rounds, seconds)


def _show(name: str, contenders: dict, rounds: int, seconds: float) -> None:
    counts, used, rates = dict.fromkeys(contenders, 0.0), dict.fromkeys(contenders, 0.0), {}
    for turn in range(rounds + 1):
        for who, (base, paths, headers) in contenders.items():
            before = _processor_s()
            found = client.run(base, paths, headers, seconds)
            if turn:  # the first turn warms up
                used[who] += _processor_s() - before
                counts[who] += found.per_second * seconds
                rates.setdefault(who, []).append(found.per_second)
    cost = {who: used[who] / counts[who] * 1e3 for who in contenders if counts[who]}
    for who in cost:
        middle = sorted(rates[who])[len(rates[who]) // 2]
        ratio = cost[who] / cost["geoshare"]
        print(f"{name} {who}: {middle:.1f}/s, {cost[who]:.2f} ms of processor time ({ratio:.1f}x)")


def _processor_s() -> float:
    """Processor seconds of the servers: of all that this program has started, and what that has."""
    parents, spent = {}, {}
    for pid, parent, ticks in _processes():
        parents[pid], spent[pid] = parent, ticks
    own, total = os.getpid(), 0
    for pid, ticks in spent.items():
        above = parents.get(pid)
        while above not in (None, own, 0):
            above = parents.get(above)
        total += ticks if above == own else 0
    return total / TICKS


def _processes() -> Iterator[tuple[int, int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        yield int(path.parent.name), int(said[1]), int(said[11]) + int(said[12])


if __name__ == "__main__":
    main()
