"""A small OpenID Connect issuer on the loopback address, that can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "geoshare-test", "the client's secret"


class FakeIssuer:
    """Gives a code to whoever asks, and for the code a token about ``subject``."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.subject = "subject-1"
        self.claims: dict[str, Any] = {}  # said instead of what is true
        self.header: dict[str, Any] = {}
        self.sign_with: Any = None
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def visit(self, href: str) -> dict[str, str]:
        """What a browser brings back from the issuer: it has logged in there."""
        said = dict(parse_qsl(urlsplit(href).query))
        assert said["client_id"] == CLIENT
        assert said["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = said
        return {"code": code, "state": said["state"], "iss": self.url}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.subject,
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
        } | self.claims
        header = {"alg": "RS256", "kid": "one"} | self.header
        if header["alg"] in ("none", "HS256"):  # what no library signs
            said = ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))
            # the public key as text, used as if it were a shared secret
            mark = hmac.digest(self.key.as_pem(private=False), said.encode(), hashlib.sha256)
            return f"{said}.{_b64(mark) if header['alg'] == 'HS256' else ''}"
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, kept, self.sign_with or self.key, algorithms=["RS256"])

    def _answer(self, path: str, form: dict[str, str], authorisation: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
            return 200, {"issuer": self.url} | {
                name: f"{self.url}/{end}" for name, end in names.items()
            }
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        pair = base64.b64encode(b"geoshare-test:the%20client%27s%20secret").decode()
        said = self._codes.pop(form.get("code", ""), None)
        if path != "/token" or said is None or authorisation != f"Basic {pair}":
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if proof != said["code_challenge"] or form["redirect_uri"] != said["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": self.token(said["nonce"]), "token_type": "Bearer"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply({})

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._reply({name: values[0] for name, values in parse_qs(text).items()})

            def _reply(self, form: dict[str, str]) -> None:
                issuer.asked.append(self.path)
                status, said = issuer._answer(self.path, form, self.headers.get("Authorization", ""))
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
