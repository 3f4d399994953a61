"""Mail that tells a person of an extract: at their own address, by one server, and without data."""

from __future__ import annotations

import email
import email.policy
import itertools
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from geoshare.errors import BadRequest, NotFound
from geoshare.services.keeping import make_worker
from geoshare.services.outward import Refused
from geoshare.settings import load
from tests.api.conftest import Own
from tests.api.test_faults import places
from tests.people import Browser

ASKED = {"collections": ["places"], "format": "csv", "notify": "email"}
HAD: dict[str, Any] = {"mail_host": "127.0.0.1", "mail_from": "map@example.jp", "mail_security": "none"}


_NUMBERS = itertools.count()


class _Said(socketserver.StreamRequestHandler):
    """As little of RFC 5321 as a client needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 post\r\n")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                content = b""
                for part in self.rfile:
                    if part == b".\r\n":
                        break
                    content += part
                self.server.got.append(content)  # type: ignore[attr-defined]
            elif word == b"RCPT":
                self.server.to.append(line.decode().strip())  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 post\r\n")


class Post(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Said)
        self.got: list[bytes] = []
        self.to: list[str] = []

    @property
    def letter(self) -> EmailMessage:
        (content,) = self.got
        found = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    found = Own(folder / "data", **HAD)
    found.contribute(places(folder, 0), collection="places")
    worker = make_worker(found.services)
    found.services.extracts.pause = lambda wait_s: worker.run_one()
    return found


def to(own: Own, post: Post, **said: Any) -> None:
    """Have mail go there."""
    port = post.server_address[1]
    own.services.mail._settings = own.settings.model_copy(
        update={"mail_port": port, "public_url": "https://map.example.jp", **said}
    )


def person(own: Own, address: str | None = "hanako@city.example.jp") -> Browser:
    organisation = f"org-{next(_NUMBERS)}"
    own.key(organisation, "operator")
    found = Browser(own, organisation).log_in()
    if address is not None:
        own.services.governance.persons.change(found.person, {"email": address}, lambda line: None)
    return found


def notices(own: Own, who: Browser) -> list[Any]:
    owner = own.services.governance.persons.person(who.person).organisation
    return [job for job in own.services.queue.newest(owner) if job.kind == "extract-notice"]


def test_a_person_is_written_to_at_their_own_address_and_told_no_data(own: Own, post: Post) -> None:
    to(own, post)
    who = person(own)
    answer = who.ask("POST", "/extracts", ASKED)
    assert answer.status_code == 200, answer.data
    (notice,) = notices(own, who)
    assert own.services.extracts.tell(notice, lambda fraction, text="": None) == {"told": True}
    assert post.to == ["rcpt TO:<hanako@city.example.jp>"]
    assert post.letter["From"] == "map@example.jp"
    assert post.letter["Subject"] == "データの抽出が完了しました"
    assert f"https://map.example.jp/jobs/{notice.params['job']}/result" in post.letter.get_content()
    for hidden in (b"places", who.cookie.encode(), b"key="):
        assert hidden not in post.got[0]
    assert who.ask("GET", f"/jobs/{notice.params['job']}/result").data == answer.data


def test_who_has_no_address_or_is_no_person_is_refused(own: Own, post: Post) -> None:
    to(own, post)
    refused = person(own, None).ask("POST", "/extracts", ASKED)
    assert (refused.status_code, refused.json["parameter"]) == (400, "notify")
    for key in (None, own.keys["operator"]):
        answer = own.client.post("/extracts", json=ASKED, headers={"X-API-Key": key} if key else {})
        assert (answer.status_code, answer.json["parameter"]) == (400, "notify")


def test_nothing_is_sent_where_no_server_is_named(own: Own, post: Post) -> None:
    to(own, post, mail_host="")
    assert person(own).ask("POST", "/extracts", ASKED).json["parameter"] == "notify"


def test_a_server_that_offers_no_encryption_gets_no_mail_unless_that_is_allowed(
    own: Own, post: Post
) -> None:
    to(own, post, mail_security="starttls")
    with pytest.raises(Refused):
        own.services.mail.tell(person(own).person, "1", done=True)
    assert post.got == []


@pytest.mark.parametrize("address", ["a,b@example.jp", "x@example.jp>\r\nBcc: <y@example.jp", "a@b@c"])
def test_an_address_is_one_address(own: Own, post: Post, address: str) -> None:
    to(own, post)
    with pytest.raises((NotFound, Refused)):
        own.services.mail.tell(person(own, address).person, "1", done=True)
    assert post.to == []


def test_who_may_not_log_in_any_more_is_told_nothing(own: Own, post: Post) -> None:
    to(own, post)
    who = person(own)
    own.services.governance.persons.disable(who.person, 1, lambda line: None)
    with pytest.raises(NotFound):
        own.services.mail.tell(who.person, "1", done=True)
    assert post.got == []


def test_a_notice_that_is_not_taken_is_sent_later(own: Own, post: Post) -> None:
    to(own, post, mail_port=1)
    who = person(own)
    assert who.ask("POST", "/extracts", ASKED).status_code == 200
    (notice,) = notices(own, who)
    assert own.services.extracts.tell(notice, lambda fraction, text="": None)["told"] is False
    assert {job.params["tries"] for job in notices(own, who)} == {0, 1}


@pytest.mark.parametrize(
    "said",
    [
        {"mail_host": "post", "mail_from": "nobody"},
        {"mail_host": "post", "mail_from": "a@b", "mail_user": "u", "mail_security": "none"},
    ],
)
def test_settings_that_would_send_a_password_in_the_clear_are_refused(
    said: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(BadRequest):
        load(environ={f"GEOSHARE_{name.upper()}": value for name, value in said.items()})
