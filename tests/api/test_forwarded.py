"""What proxies say counts where they are trusted, and is a text like any other where they are not."""

from __future__ import annotations

import subprocess

import pytest

from geoshare.api.address import base_url
from geoshare.api.forwarded import Forwarded
from geoshare.api.strict import Strict
from geoshare.errors import BadRequest
from geoshare.secure import certificate
from geoshare.settings import Settings, load

TRUSTED = ("10.0.0.0/8", "2001:db8::/32")
HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


def seen(peer: str, trusted: tuple[str, ...] = TRUSTED, **headers: str) -> dict:
    """The request as the application sees it."""
    found: dict = {}
    app = Forwarded(lambda environ, start: found.update(environ) or [], trusted)
    said = {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in headers.items()}
    list(
        app(
            {"REMOTE_ADDR": peer, "HTTP_HOST": "inside:8080", "wsgi.url_scheme": "http"} | said,
            lambda *_: None,
        )
    )
    return found


def test_a_trusted_proxy_says_client_scheme_and_host():
    found = seen("10.1.2.3", **{"for": "203.0.113.9", "proto": "https", "host": "map.example.jp"})
    assert found["REMOTE_ADDR"] == "203.0.113.9"
    assert found["wsgi.url_scheme"] == "https"
    settings = Settings(trusted_hosts=("map.example.jp",))
    assert base_url(settings, found) == "https://map.example.jp"
    assert base_url(Settings(), found) == "http://127.0.0.1:8080"  # a host nobody has allowed


@pytest.mark.parametrize("peer", ["203.0.113.9", "::1", "", "no address"])
def test_what_anybody_else_says_is_taken_out(peer):
    found = seen(peer, **{"for": "10.0.0.1", "proto": "https", "host": "evil.example"})
    assert (found["REMOTE_ADDR"], found["wsgi.url_scheme"]) == (peer, "http")
    assert found["HTTP_HOST"] == "inside:8080"
    assert not any(name in found for name in HEADERS)


def test_nobody_is_trusted_unless_it_is_set():
    assert seen("127.0.0.1", (), **{"for": "203.0.113.9"})["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the first one the client has made up
        ("203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("[2001:4860::1]:4711", "2001:4860::1"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("::ffff:10.2.2.2", "10.1.2.3"),
        ("203.0.113.9, <script>", "10.1.2.3"),
        ("", "10.1.2.3"),
        (",".join(["10.0.0.1"] * 5_000), "10.1.2.3"),
    ],
)
def test_the_client_is_the_last_one_that_is_no_trusted_proxy(said, client):
    assert seen("10.1.2.3", **{"for": said})["REMOTE_ADDR"] == client


def test_other_spellings_never_pass():
    found: dict = {}
    said = {"HTTP_X_REAL_IP": "1.1.1.1", "HTTP_FORWARDED": "for=1.1.1.1", "REMOTE_ADDR": "10.0.0.1"}
    list(
        Forwarded(lambda environ, _: found.update(environ) or [], TRUSTED)(dict(said), lambda *_: None)
    )
    assert found == {"REMOTE_ADDR": "10.0.0.1"}


def test_a_network_that_is_none_is_refused_by_name():
    with pytest.raises(BadRequest, match="trusted_proxies") as caught:
        load(environ={"GEOSHARE_TRUSTED_PROXIES": "10.0.0.0/8, everywhere"})
    assert caught.value.parameter == "trusted_proxies"


@pytest.mark.parametrize(
    ("scheme", "seconds", "told"), [("https", 600, True), ("http", 600, False), ("https", 0, False)]
)
def test_browsers_are_told_to_come_by_https_only_by_https_and_only_where_that_is_set(
    scheme, seconds, told
):
    said: list = []

    def app(environ, start):
        start("200 OK", [])
        return []

    Strict(app, seconds)({"wsgi.url_scheme": scheme}, lambda status, headers: said.extend(headers))
    assert (("Strict-Transport-Security", f"max-age={seconds}") in said) is told


SELF_SIGNED = [
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=localhost",
    "-days",
    "1",
]


def _pair(folder, name):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [*SELF_SIGNED, "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_a_certificate_is_taken_with_its_own_key_alone(tmp_path):
    (cert, key), (_, other) = _pair(tmp_path, "a"), _pair(tmp_path, "b")
    assert certificate(Settings(tls_certificate=cert, tls_key=key)) == (cert, key)
    assert certificate(Settings()) is None
    (tmp_path / "empty.key").write_text("")
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked],
        check=True,
        capture_output=True,
    )
    for said, named, words in (
        ({"tls_certificate": cert}, "tls_key", "is missing"),
        ({"tls_key": key}, "tls_certificate", "is missing"),
        ({"tls_certificate": tmp_path / "no.pem", "tls_key": key}, "tls_certificate", "No such file"),
        ({"tls_certificate": cert, "tls_key": tmp_path}, "tls_key", "Is a directory"),
        ({"tls_certificate": cert, "tls_key": other}, "tls_key", "is not the key of"),
        ({"tls_certificate": cert, "tls_key": tmp_path / "empty.key"}, "tls_key", "cannot be used"),
        ({"tls_certificate": cert, "tls_key": locked}, "tls_key", "cannot be used"),
    ):
        with pytest.raises(BadRequest, match=words) as caught:
            certificate(Settings(**said))
        assert caught.value.parameter == named
