"""Telegrams from a folder and from an address, into the record and onto the map."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from geoshare.cli import main
from geoshare.errors import BadData, BadRequest, Denied, Unavailable
from geoshare.model.clock import RandomIds
from geoshare.model.policy import Grant, Policy
from geoshare.publish import Packs
from geoshare.services import Services, build_services
from geoshare.services.contributions import Contributions
from geoshare.services.keeping import make_keeper
from geoshare.services.local import Local
from geoshare.services.warning_feed import Answer, Https, read_feed
from geoshare.services.warning_folder import PATIENCE_S, SETTLED_S, Folder
from geoshare.services.warnings import Warnings
from geoshare.settings import Settings
from geoshare.store import reading
from geoshare.store import telegrams as kept_telegrams
from sample_data.formats import telegrams as made
from tiles.geometry.convert import to_shapely

FEED = "https://www.data.jma.go.jp/developer/xml/feed/extra.xml"


class Clock:
    def now_us(self) -> int:
        return int(made.RAIN.timestamp() * 1_000_000) + 86_400_000_000


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    found = build_services(
        Settings(data=tmp_path / "data", warnings_folder=inbox, warnings_url=FEED), Clock(), RandomIds()
    )
    yield found
    found.record.close()


def stored(services: Services) -> dict[str, str]:
    """State by name of every warning in the record."""
    with services.record.snapshot() as connection:
        rows = [
            json.loads(text)
            for chunk in reading.scan_features(connection, "warnings")
            for text in chunk.properties
        ]
    return {row["name"]: row["state"] for row in rows}


def test_what_is_taken_is_published_with_the_shape_of_its_municipality(services: Services) -> None:
    local = Local(services)
    areas = Path(made.FOLDER).parent / "town_data" / "municipalities_n03.geojson"
    local.contribute(areas, "shiomi-city", progress=lambda *_: None)
    local.wait_until_visible()
    taken = services.warnings.take(made.RAIN_WARNING.xml(), "a.xml")
    assert taken.error is None
    make_keeper(services).publish()
    source = Packs(services.packs_dir).source("warnings")
    assert source is not None
    (part,) = source.pack.parts
    shapes = to_shapely(part.table.geometries, np.arange(len(part), dtype=np.int32))
    assert [shape is not None and shape.area > 0 for shape in shapes] == [True] * 3
    assert not taken.report.notes


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0, 1)])
def test_the_record_holds_the_same_in_whatever_order_telegrams_come(
    services: Services, order: tuple[int, ...]
) -> None:
    sent = [
        made.RAIN_WARNING,
        made.FILES["02_heavy_rain_corrected.xml"],
        made.weather({made.TOWN: [("大雨警報", "03", "継続")]}, made.RAIN + timedelta(hours=1)),
    ]
    for number in order:
        assert services.warnings.take(sent[number].xml(), f"{number}.xml").error is None
    assert stored(services) == {
        "潮見町 大雨警報": "in_force",
        "潮見町 雷注意報": "cancelled",
        "北潮村 大雨警報": "cancelled",
    }


def test_a_replay_changes_nothing(services: Services) -> None:
    assert services.warnings.take(made.DRILL.xml(), "a.xml").sequence is not None
    head = services.record.head()
    assert services.warnings.take(made.DRILL.xml(), "b.xml").sequence is None
    assert services.record.head() == head
    assert stored(services) == {"【訓練】潮見町 レベル５大雨特別警報": "drill"}


def test_a_cancellation_that_comes_first_waits_for_what_it_cancels(services: Services) -> None:
    taken = services.warnings.take(made.FILES["03_heavy_rain_cancelled.xml"].xml(), "c.xml")
    assert (taken.error, taken.sequence) == (None, None)
    codes = [note.code for note in taken.report.notes]
    assert codes == ["telegram-former", "telegram-nothing"]
    services.warnings.take(made.RAIN_WARNING.xml(), "a.xml")
    assert set(stored(services).values()) == {"cancelled"}


def test_what_cannot_be_read_is_put_aside_as_it_came(services: Services) -> None:
    data = made.RAIN_WARNING.xml().replace(b"jmaxml1/", b"other/", 1)
    taken = services.warnings.take(data, "x.xml")
    assert isinstance(taken.error, BadData)
    folder = services.settings.data / "warnings" / "quarantine"
    (kept,) = folder.glob("*.xml")
    assert kept.read_bytes() == data
    (said,) = (orjson.loads(path.read_bytes()) for path in folder.glob("*.json"))
    assert said["error"]["code"] == "telegram-namespace"
    assert said["error"]["ja"]
    assert stored(services) == {}


def test_a_telegram_with_one_broken_reference_is_taken_and_put_aside_as_well(
    services: Services,
) -> None:
    data = made.RAIN_WARNING.xml().replace(b"<Code>0899800</Code>", b"<Code/>")
    taken = services.warnings.take(data, "x.xml")
    assert taken.error is None
    assert taken.report.refused == 1
    assert set(stored(services)) == {"潮見町 大雨警報", "潮見町 雷注意報"}
    (kept,) = (services.settings.data / "warnings" / "quarantine").glob("*.xml")
    assert kept.read_bytes() == data


def test_a_telegram_is_kept_byte_for_byte(services: Services) -> None:
    data = made.DRILL.xml()
    services.warnings.take(data, "a.xml")
    with services.record.snapshot() as connection:
        (digest,) = connection.exec_driver_sql("SELECT digest FROM telegrams").scalars()
    assert kept_telegrams.data_of(services.record.database, digest) == data
    assert kept_telegrams.data_of(services.record.database, "none") is None


def test_nobody_contributes_warnings_as_a_file() -> None:
    everything = Policy((Grant(collections="all", columns="all"),))
    assert everything.allows("warnings")
    with pytest.raises(Denied):
        Contributions.check_collection(everything, "warnings")


class Hand:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_file_is_read_once_and_when_it_has_stopped_changing(tmp_path: Path) -> None:
    hand, path = Hand(), tmp_path / "a.xml"
    folder = Folder(tmp_path, tmp_path / "state" / "seen.json", hand)
    path.write_bytes(b"<Rep")
    assert folder.settled() == []
    hand.now_s += SETTLED_S
    path.write_bytes(b"<Report></Report>")
    assert folder.settled() == []
    hand.now_s += SETTLED_S
    assert folder.settled() == [path]
    assert folder.read(path) == b"<Report></Report>"
    folder.done(path)
    assert folder.settled() == []
    again = Folder(tmp_path, tmp_path / "state" / "seen.json", hand)
    again.settled()
    hand.now_s += SETTLED_S
    assert again.settled() == []
    path.write_bytes(b"<Report>corrected</Report>")
    again.settled()
    hand.now_s += SETTLED_S
    assert again.settled() == [path]


def test_links_hidden_files_and_other_files_are_left_alone(tmp_path: Path) -> None:
    hand = Hand()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (tmp_path / "secret.xml").write_bytes(b"x")
    (inbox / "link.xml").symlink_to(tmp_path / "secret.xml")
    (inbox / ".part.xml").write_bytes(b"x")
    (inbox / "readme.txt").write_bytes(b"x")
    (inbox / "folder.xml").mkdir()
    folder = Folder(inbox, tmp_path / "seen.json", hand)
    folder.settled()
    hand.now_s += SETTLED_S
    assert folder.settled() == []
    assert Folder(tmp_path / "gone", tmp_path / "seen.json", hand).settled() == []


def test_a_half_written_file_is_waited_for_and_then_put_aside(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = services.settings.warnings_folder
    assert inbox is not None
    hand, data = Hand(), made.DRILL.xml()
    warnings = Warnings(services)
    monkeypatch.setattr(
        warnings, "_folder", Folder(inbox, services.settings.data / "warnings/f.json", hand)
    )

    def look(seconds: float) -> list[str]:
        list(warnings.sync_folder())
        hand.now_s += seconds
        return [taken.error.code if taken.error else "taken" for taken in warnings.sync_folder()]

    (inbox / "a.xml").write_bytes(data[: len(data) // 2])
    (inbox / "b.xml").write_bytes(data[: len(data) // 3])
    assert look(SETTLED_S) == []
    (inbox / "a.xml").write_bytes(data)
    assert look(SETTLED_S) == ["taken"]
    assert look(PATIENCE_S) == ["xml-broken"]
    assert look(PATIENCE_S) == []
    assert sorted(os.listdir(inbox)) == ["a.xml", "b.xml"]


def feed_of(*links: tuple[str, str]) -> bytes:
    entries = "".join(
        f'<entry><title>{title}</title><link type="application/xml" href="{url}"/></entry>'
        for title, url in links
    )
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


class Address:
    """Answers as the agency's server does, and keeps what it was asked."""

    def __init__(self, pages: dict[str, bytes], tag: str = "v1") -> None:
        self.pages, self.tag, self.asked = pages, tag, list[str]()

    def __call__(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        Https(("www.data.jma.go.jp",))._checked(url)
        self.asked.append(url)
        if url not in self.pages:
            raise Unavailable("down")
        if headers.get("If-None-Match") == self.tag:
            return Answer(304, b"", {})
        return Answer(200, self.pages[url], {"etag": self.tag})


BASE = "https://www.data.jma.go.jp/developer/xml/data/"


def test_an_address_is_asked_for_what_is_new_and_nothing_twice(services: Services) -> None:
    one, two = BASE + "1_VPWW54_089900.xml", BASE + "2_VPWW56_089900.xml"
    links = [("気象警報・注意報（Ｒ０６）（土砂）", two), ("気象警報・注意報（Ｈ２７）", one)]
    links += [("府県天気予報", BASE + "3.xml"), ("土砂災害警戒情報", "https://evil.example/4.xml")]
    address = Address({FEED: feed_of(*links), one: made.RAIN_WARNING.xml()})
    warnings = Warnings(services, address)
    rounds = warnings.sync_feed()
    taken = [next(rounds), next(rounds)]
    with pytest.raises(Unavailable):
        next(rounds)
    assert [found.name for found in taken][-1] == "1_VPWW54_089900.xml"
    assert isinstance(taken[0].error, BadRequest)  # off the list: told, never asked
    address.pages[two] = made.LEVEL_FOUR.xml()
    assert [found.error for found in warnings.sync_feed()] == [None]
    assert list(warnings.sync_feed()) == []  # the feed is whole now, and its tag is kept
    assert list(warnings.sync_feed()) == []
    assert address.asked == [FEED, one, two, FEED, two, FEED, FEED]
    assert stored(services)["潮見町 レベル４土砂災害危険警報"] == "in_force"


def test_a_telegram_that_is_gone_does_not_keep_the_others_waiting(services: Services) -> None:
    here, gone = BASE + "1.xml", BASE + "0.xml"
    title = "気象警報・注意報（Ｈ２７）"
    pages = {FEED: feed_of((title, here), (title, gone)), here: made.RAIN_WARNING.xml()}
    rounds = Warnings(services, Address(pages)).sync_feed()
    assert next(rounds).error is None
    with pytest.raises(Unavailable):
        next(rounds)


def test_the_watch_takes_what_comes_and_ends_when_told(services: Services) -> None:
    inbox = services.settings.warnings_folder
    assert inbox is not None
    (inbox / "a.xml").write_bytes(made.DRILL.xml())
    stop = threading.Event()
    warnings = Warnings(services, Address({FEED: feed_of((made.RAIN_WARNING.title, BASE + "1.xml"))}))
    both = [threading.Thread(target=warnings.watch, args=(stop,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for _ in range(300):
        if stored(services):
            break
        stop.wait(0.1)
    stop.set()
    for thread in both:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in both)
    assert stored(services) == {"【訓練】潮見町 レベル５大雨特別警報": "drill"}


def test_the_command_line_takes_files_and_the_folder(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = services.settings.warnings_folder
    assert inbox is not None
    monkeypatch.setenv("GEOSHARE_DATA", str(services.settings.data))
    monkeypatch.setenv("GEOSHARE_WARNINGS_FOLDER", str(inbox))
    files = [str(made.FOLDER / name) for name in ("04_landslide.xml", "07_drill.xml")]
    done = CliRunner().invoke(main, ["sync", "warnings", *files])
    assert (done.exit_code, "2 telegrams, 0 put aside" in done.output) == (0, True)
    (inbox / "b.xml").write_bytes(b"<Report")
    done = CliRunner().invoke(main, ["sync", "warnings"])
    assert (done.exit_code, "1 telegrams, 1 put aside" in done.output) == (1, True)
    monkeypatch.delenv("GEOSHARE_WARNINGS_FOLDER")
    done = CliRunner().invoke(main, ["sync", "warnings"])
    assert (done.exit_code, "GEOSHARE_WARNINGS_FOLDER" in done.output) == (1, True)
    assert set(stored(services)) == {"潮見町 土砂災害警戒情報", "【訓練】潮見町 レベル５大雨特別警報"}


def test_a_feed_that_is_none_is_refused(services: Services) -> None:
    with pytest.raises(BadData):
        list(Warnings(services, Address({FEED: b"<html/>"})).sync_feed())
    with pytest.raises(BadData):
        read_feed(b"<!DOCTYPE x [<!ENTITY a 'b'>]><feed/>")


@pytest.mark.parametrize(
    "url",
    [
        "http://www.data.jma.go.jp/a.xml",
        "https://www.data.jma.go.jp.evil.example/a.xml",
        "https://www.data.jma.go.jp@evil.example/a.xml",
        "https://user:pw@www.data.jma.go.jp/a.xml",
        "https://www.data.jma.go.jp:8443/a.xml",
        "https://127.0.0.1/a.xml",
        "https://www.data.jma.go.jp:x/a.xml",
        "file:///etc/passwd",
        "https://www.data.jma.go.jp/a b\r\nX: y",
        "https://www.data.jma.go.jp/" + "a" * 1_000,
        "",
    ],
)
def test_an_address_off_the_list_is_never_asked(url: str) -> None:
    with pytest.raises(BadRequest, match="may not be asked"):
        Https(("www.data.jma.go.jp",))(url, {}, 10)


class Handler(http.server.BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        moved = self.path == "/moved"
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", "/target")
        self.send_header("ETag", "x")
        self.end_headers()
        self.wfile.write(b"a" * 100)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    trusting = ssl.create_default_context(cafile=str(file))
    yield f"localhost:{server.server_port}", trusting
    server.shutdown()
    server.server_close()


def test_redirects_are_not_followed_and_long_answers_are_none(
    secure: tuple[str, ssl.SSLContext],
) -> None:
    host, trusting = secure
    Handler.seen.clear()
    ask = Https((host,), trusting)
    answer = ask(f"https://{host}/a?b=c", {}, 100)
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"a" * 100, "x")
    assert ask(f"https://{host}/moved", {}, 100).status == 302
    assert Handler.seen == ["/a?b=c", "/moved"]
    with pytest.raises(Unavailable):
        ask(f"https://{host}/a", {}, 99)
    with pytest.raises(Unavailable):  # a certificate that nobody vouches for
        Https((host,))(f"https://{host}/a", {}, 100)


def test_a_drill_never_becomes_real_by_what_the_record_holds(services: Services) -> None:
    real = made.weather({made.TOWN: [("大雨警報", "03", "発表")]})
    drill = replace(made.weather({made.TOWN: []}, made.RAIN + timedelta(minutes=30)), status="訓練")
    for telegram in (real, drill):
        services.warnings.take(telegram.xml(), "t.xml")
    assert stored(services) == {"潮見町 大雨警報": "in_force"}
