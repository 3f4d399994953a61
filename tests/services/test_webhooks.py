"""Webhooks: signed notices, sent until they are taken, and to nobody who must not be spoken to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from geoshare.errors import BadRequest, Denied
from geoshare.services import webhooks
from geoshare.services.outward import Outward, Refused
from geoshare.services.webhooks import Notifier
from tests.api.conftest import Own
from tests.api.test_changes import contribute  # noqa: F401 (a fixture)

LOOPBACK = "127.0.0.0/8"


class Receiver:
    """An address that takes notices, or does not."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("Location", receiver.url)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *said: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def own(tmp_path) -> Own:
    return Own(tmp_path / "data", webhooks=True, webhook_networks=(LOOPBACK,))


class Hooked:
    """An organisation with a webhook, and who tells it."""

    def __init__(self, own: Own, receiver: Receiver, tier: str = "municipal") -> None:
        self.own = own
        self.key = own.key("org-hook", tier)
        self.notifier = Notifier(own.services, own.services.webhooks)
        body = {"url": receiver.url, "collections": ["shelters"]}
        answer = own.client.post("/me/webhooks", json=body, headers={"X-API-Key": self.key})
        assert answer.status_code == 201, answer.data
        assert answer.headers["Cache-Control"] == "no-store"
        self.said = answer.json

    def ask(self, path: str = "/me/webhooks", method: str = "GET", key: str = "") -> Any:
        return self.own.client.open(path, method=method, headers={"X-API-Key": key or self.key})

    def wait(self, seconds: float) -> None:
        """Let time pass for the webhook."""
        rows = self.own.services.governance.webhooks
        for hook in rows.active():
            since = hook.failing_since_us
            earlier = None if since is None else since - int(seconds * 1e6)
            rows.update(replace(hook, due_us=0, failing_since_us=earlier))


@pytest.fixture
def hooked(own, receiver, contribute) -> Hooked:  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    return Hooked(own, receiver)


def test_a_change_is_told_once_with_its_token_and_without_data(hooked, receiver, contribute):  # noqa: F811
    assert hooked.notifier.tell() == 0  # what was there is told already
    contribute({"id": "2", "name": "秘密の避難所"})
    assert hooked.notifier.tell() == 1
    assert hooked.notifier.tell() == 0
    ((headers, body),) = receiver.got
    event = json.loads(body)
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["type"]) == ("1.0", webhooks.KIND)
    assert event["subject"] == event["data"]["collection"] == "shelters"
    assert event["id"] == headers["webhook-id"]
    feed = hooked.ask("/collections/shelters/changes")
    assert event["data"]["token"] == feed.json["token"]
    assert "秘密".encode() not in body
    assert b"features" not in body


def test_a_notice_is_signed_as_standard_webhooks_says(hooked, receiver, contribute):  # noqa: F811
    contribute({"id": "2", "name": "b"})
    hooked.notifier.tell()
    ((headers, body),) = receiver.got
    secret = base64.b64decode(hooked.said["secret"].removeprefix("whsec_"))
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_what_is_hidden_from_the_key_is_not_told(own, receiver, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校", "opening_hours": "9-17"})
    hooked = Hooked(own, receiver, "developer")
    columns = hooked.ask("/collections/shelters/schema").json["properties"]
    hidden = next(name for name in ("notes", "phone", "manager") if name not in columns)
    contribute({"id": "1", "name": "東小学校", "opening_hours": "9-17", hidden: "x"})
    assert hooked.notifier.tell() == 0
    assert receiver.got == []


def test_a_notice_that_is_not_taken_is_sent_again_later_with_the_newest_token(
    hooked,
    receiver,
    contribute,  # noqa: F811
):
    receiver.status = 500
    contribute({"id": "2", "name": "b"})
    assert hooked.notifier.tell() == 0
    assert hooked.ask().json["webhooks"][0]["state"] == "failing"
    assert "500" in hooked.ask().json["webhooks"][0]["note"]
    hooked.notifier.tell()  # not due yet
    assert len(receiver.got) == 1
    contribute({"id": "3", "name": "c"})
    receiver.status = 204
    hooked.wait(10)
    assert hooked.notifier.tell() == 1
    token = hooked.ask("/collections/shelters/changes").json["token"]
    assert json.loads(receiver.got[-1][1])["data"]["token"] == token
    assert hooked.ask().json["webhooks"][0]["state"] == "active"


def test_waits_grow_and_after_days_it_is_disabled_with_a_note(hooked, receiver, contribute):  # noqa: F811
    receiver.status = 404
    contribute({"id": "2", "name": "b"})
    waits = []
    for _ in range(16):
        hooked.wait(0)
        hooked.notifier.tell()
        (hook,) = hooked.own.services.governance.webhooks.active()
        waits.append(hook.due_us - hooked.own.services.clock.now_us())
    assert waits[3] > 2 * waits[0]
    assert max(waits) <= 1.5 * webhooks.LONGEST_US
    hooked.wait(6 * 86_400)
    hooked.notifier.tell()
    (said,) = hooked.ask().json["webhooks"]
    assert said["state"] == "disabled"
    assert "404" in said["note"]
    sent = len(receiver.got)
    hooked.notifier.tell()
    assert len(receiver.got) == sent


def test_a_slow_receiver_holds_up_nobody_else(own, hooked, receiver, contribute, monkeypatch):  # noqa: F811
    key, free = own.key("org-slow", "municipal"), threading.Event()
    for _ in range(webhooks.AT_ONCE + 1):
        body = {"url": receiver.url + "&slow", "collections": ["shelters"]}
        own.client.post("/me/webhooks", json=body, headers={"X-API-Key": key})
    real = Outward.post

    def post(self: Outward, url: str, body: bytes, headers: Any) -> None:
        if url.endswith("slow"):
            assert free.wait(20)
        real(self, url, body, headers)

    monkeypatch.setattr(Outward, "post", post)
    receiver.got.clear()
    contribute({"id": "1", "name": "西小学校"})
    begun = hooked.notifier.begin()
    assert len(begun) == 1 + webhooks.AT_ONCE
    assert begun[0].result(20) == 1  # while the others wait
    assert len(receiver.got) == 1
    assert not hooked.notifier.begin()
    free.set()
    told = sum(future.result(20) for future in begun)
    while begun := hooked.notifier.begin():
        told += sum(future.result(20) for future in begun)
    assert told == len(receiver.got) == 2 + webhooks.AT_ONCE
    assert len({header["webhook-id"] for header, _ in receiver.got}) == told


def test_redirects_are_not_followed(hooked, receiver, contribute):  # noqa: F811
    receiver.status = 302
    contribute({"id": "2", "name": "b"})
    assert hooked.notifier.tell() == 0
    assert len(receiver.got) == 1


def test_a_key_that_is_revoked_is_told_nothing_any_more(hooked, receiver, contribute):  # noqa: F811
    services = hooked.own.services
    (key,) = services.governance.keys("org-hook")
    services.governance.revoke_key(key.id, services.clock.now_us())
    services.authenticator.forget()
    contribute({"id": "2", "name": "b"})
    assert hooked.notifier.tell() == 0
    assert receiver.got == []
    assert services.governance.webhooks.active() == []


def test_webhooks_are_of_their_organisation_alone(hooked):
    number, other = hooked.said["id"], hooked.own.keys["developer"]
    assert hooked.ask(key=other).json == {"webhooks": []}
    for hook in (number, "nothing"):
        assert hooked.ask(f"/me/webhooks/{hook}", "DELETE", other).status_code == 404
    assert "secret" not in hooked.ask().text
    assert hooked.ask(f"/me/webhooks/{number}", "DELETE").status_code == 204
    assert hooked.ask().json == {"webhooks": []}


def test_a_hidden_collection_and_a_missing_one_are_refused_alike(own, receiver):
    who = own.services.principal(own.keys["developer"])
    said = []
    for name in ("regulatory_elements", "nothing", "../x"):
        with pytest.raises(BadRequest) as told:
            own.services.webhooks.add(who, receiver.url, [name])
        said.append((told.value.message, told.value.parameter, told.value.allowed))
    assert len(set(said)) == 1


def test_without_the_setting_there_are_none(tmp_path):
    own = Own(tmp_path / "data")
    with pytest.raises(Denied):
        own.services.webhooks.listed(own.services.principal(own.keys["developer"]))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1%eth0",
        "fd00::1",
    ],
)
def test_addresses_that_are_not_public_are_refused(address):
    for found in ([address], ["93.184.215.14", address]):
        outward = Outward(resolve=lambda host, port, found=found: found)
        with pytest.raises(Refused, match="public"):
            outward.post("https://hook.example/", b"", {})


def test_without_tls_only_allowed_networks_are_spoken_to():
    outward = Outward([LOOPBACK], resolve=lambda host, port: ["93.184.215.14"])
    with pytest.raises(Refused, match="public"):
        outward.post("http://hook.example/", b"", {})


def test_the_address_that_was_checked_is_the_one_that_is_used(receiver):
    """A name that means another address the second time leads nowhere else."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    outward = Outward([LOOPBACK], resolve=lambda host, port: next(answers))
    url = receiver.url.replace("127.0.0.1", "hook.example")
    outward.post(url, b"x", {"webhook-id": "1"})
    assert receiver.got[0][0]["host"].startswith("hook.example")
    with pytest.raises(Refused):
        outward.post(url, b"x", {})


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/",
        "ftp://a.example/",
        "https://",
        "https://user@a.example/",
        "https://a.example/#x",
        "https://a.example/ x",
        "https://a.example/\r\nX: y",
        "https://a.example:99999/",
        "https://é.example/",
        "https://a.example/" + "x" * 1000,
        "file:///etc/passwd",
        "https://10.1.2.3/",
        "https://127.1/",
        "https://0x7f000001:8443/hook",
        "https://[::1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest",
        "https://localhost/",
    ],
)
def test_what_is_no_https_address_is_refused_by_name(url):
    with pytest.raises(BadRequest) as told:
        Outward().check(url)
    assert told.value.parameter == "url"


def test_an_address_of_an_allowed_network_may_be_given():
    allowed = Outward(["127.0.0.0/8", "10.1.0.0/16"])
    for url in ("http://10.1.2.3/", "http://localhost:8000/", "https://8.8.8.8/", "https://a.example/"):
        allowed.check(url)
    for url in ("https://10.2.0.1/", "http://8.8.8.8/"):
        with pytest.raises(BadRequest) as told:
            allowed.check(url)
        assert (told.value.parameter, "10.1.0.0/16" in str(told.value.allowed)) == ("url", True)
