"""Places for slow clients: never all threads, never all places to one client."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from geoshare.api.gate import HELD_BYTES, Gate

THREADS = 16


class Started:
    def __call__(self, status: str, headers: list, exc_info: object = None) -> None:
        self.status, self.headers = status, dict(headers)


class Body:
    """An answer that tells whether it was closed."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.closed = pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None:
        self.closed += 1


def ask(gate: Gate, method: str = "GET", address: str = "a") -> tuple[Started, Iterable[bytes]]:
    environ = {"REQUEST_METHOD": method, "REMOTE_ADDR": address, "wsgi.input": io.BytesIO()}
    started = Started()
    return started, gate(environ, started)


def answering(body: Body, length: int | None) -> Gate:
    def app(environ: dict, start_response: Started) -> Iterable[bytes]:
        headers = [] if length is None else [("Content-Length", str(length))]
        start_response("200 OK", headers)
        return body

    return Gate(app, THREADS)


@pytest.mark.parametrize("pieces", [[], [b"x"], [b"x" * 3_000_000], [b"a", b"b", b"c"]])
def test_an_answer_that_is_whole_is_handed_over_at_once_and_closed(pieces: list[bytes]) -> None:
    body = Body(pieces)
    started, answer = ask(answering(body, sum(map(len, pieces))))
    assert isinstance(answer, list)  # which is what the server takes without holding the thread
    assert b"".join(answer) == b"".join(pieces)
    assert started.status == "200 OK"
    assert body.closed == 1


def test_a_large_answer_in_pieces_comes_whole_and_takes_a_place_until_it_is_closed() -> None:
    pieces = [b"x" * 1000] * (HELD_BYTES // 1000 + 1)
    gate = answering(Body(pieces), sum(map(len, pieces)))
    held = [ask(gate, address=str(n // 3))[1] for n in range(THREADS // 2)]
    assert all(not isinstance(answer, list) for answer in held)
    assert b"".join(held[0]) == b"".join(pieces)
    assert ask(gate, address="new")[0].status.startswith("503")
    held[0].close()
    held[0].close()  # a second time gives nothing more back
    assert ask(gate, address="new")[0].status == "200 OK"
    assert ask(gate, address="new")[0].status.startswith("503")


def test_one_client_gets_three_places_and_others_go_on() -> None:
    gate = answering(Body([b"x"] * 5), None)
    first = [ask(gate) for _ in range(4)]
    assert [started.status[:3] for started, _ in first] == ["200", "200", "200", "503"]
    assert first[3][0].headers["Retry-After"]
    assert ask(gate, address="b")[0].status == "200 OK"


def test_a_refused_answer_is_closed() -> None:
    body = Body([b"x"] * 5)
    gate = answering(body, None)
    for _ in range(4):
        ask(gate)
    assert body.closed == 1


def test_readers_and_senders_together_never_hold_all_threads() -> None:
    sending = []

    def app(environ: dict, start_response: Started) -> Iterable[bytes]:
        start_response("200 OK", [])
        if environ["REQUEST_METHOD"] == "POST":
            sending.append(len(sending))
            if len(sending) < THREADS:  # the next one comes while this one still sends
                ask(gate, "POST", f"sender{len(sending)}")
            readers.append(ask(gate, address=f"reader{len(readers)}")[0].status[:3])
        return Body([b"x"] * 5)

    readers: list[str] = []
    gate = Gate(app, THREADS)
    ask(gate, "POST", "sender0")
    held = len(sending) + readers.count("200")
    assert len(sending) == THREADS // 2
    assert held <= THREADS * 3 // 4


def test_small_bodies_hold_a_place_only_while_they_are_on_their_way() -> None:
    """What is done with them may take its time: a gateway's batches come side by side."""
    seen: list[bytes] = []

    def app(environ: dict, start_response: Started) -> Iterable[bytes]:
        seen.append(environ["wsgi.input"].read())
        if len(seen) < 10:  # the next one comes while this one is worked on
            post(b"x" * len(seen), len(seen))
        start_response("200 OK", [])
        return [b""]

    def post(body: bytes, length: int) -> None:
        environ = {"REQUEST_METHOD": "POST", "REMOTE_ADDR": "a", "CONTENT_LENGTH": str(length)}
        started = Started()
        gate(environ | {"wsgi.input": io.BytesIO(body)}, started)
        statuses.append(started.status[:3])

    statuses: list[str] = []
    gate = Gate(app, THREADS)
    post(b"", 0)
    assert (statuses, seen) == (["200"] * 10, [b"x" * number for number in range(10)])
    seen.clear()
    statuses.clear()
    post(b"x" * 100_000, 100_000)  # a large one is read as it is worked on
    assert Counter(statuses) == {"200": 10}
    seen[:] = [b""] * 20
    post(b"torn", 10)
    assert seen[-1] == b"torn"
