"""The OpenID Connect issuer of the settings: asked where one is set and somebody logs in by it."""

from __future__ import annotations

import base64
import hmac
import http.client
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from geoshare.access.audit import Party
from geoshare.access.credentials.oidc import (
    Flow,
    authorisation,
    new_flow,
    sealed,
    subject,
    unsealed,
)
from geoshare.access.credentials.principal import Principal
from geoshare.errors import Conflict, Denied, NotFound, Unauthenticated, Unavailable
from geoshare.store.person_kinds import Person

if TYPE_CHECKING:
    from geoshare.services import Services

SECRET: Final = "oidc-flow"  # noqa: S105 - the name of one
TIMEOUT_S: Final = 5
MAX_ANSWER: Final = 262_144
KEPT_US: Final = 600_000_000  # what the issuer says of itself
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Issuer:
    """Begins logins at the issuer, and ends them with one of our persons: it never makes one."""

    def __init__(self, services: Services) -> None:
        self._services, self._settings = services, services.settings
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, Any]] = {}
        self._opener = urllib.request.build_opener(_NoRedirects())

    @property
    def configured(self) -> bool:
        """Whether there is one."""
        return bool(self._settings.oidc_issuer and self._settings.oidc_client_id)

    def begin(self, redirect_uri: str, who: Principal | None = None) -> tuple[str, str]:
        """Begin a login: where the browser goes, and what it keeps.

        With ``who`` the account will belong to that person from then on. Raises NotFound where no
        issuer is set, Denied for a caller that is no person, Unavailable where it does not answer.
        """
        if not self.configured:
            raise NotFound("No such resource")
        if who is not None and not who.person:
            raise Denied("Only a person who is logged in can do this")
        flow = new_flow(self._services.clock.now_us(), "" if who is None else who.person)
        endpoint = self._endpoint("authorization_endpoint")
        href = authorisation(flow, endpoint, self._settings.oidc_client_id, redirect_uri)
        return href, sealed(flow, self._services.governance.secret(SECRET))

    def end(self, kept: str, state: str, code: str, redirect_uri: str) -> tuple[str, Person]:
        """End a login: the text of a session, and whose it is.

        Raises
        ------
        Unauthenticated
            the same for whatever does not fit: another browser, a token that does not count, an account
            of none of our persons.
        Unavailable
            where the issuer does not answer.
        """
        if not self.configured:
            raise NotFound("No such resource")
        services = self._services
        flow = unsealed(kept, services.governance.secret(SECRET), services.clock.now_us())
        if not hmac.compare_digest(flow.state.encode(), state.encode()):
            raise Unauthenticated("The credential is not valid.")
        who = self._subject(self._token(code, flow, redirect_uri), flow)
        try:
            if flow.connects:
                self._connect(flow.connects, who)
            person = services.governance.identities.person(self._settings.oidc_issuer, who)
            if person is None:
                raise NotFound("No such person")
            return services.people.begin(person, "oidc"), person
        except (NotFound, Conflict) as error:
            raise Unauthenticated("The credential is not valid.") from error

    def _connect(self, person: str, who: str) -> None:
        services = self._services
        found = services.people.person(person)
        party = Party(found.organisation, found.id)
        entry = services.trail.prepare("person.connect", party, party)
        services.governance.identities.add(
            self._settings.oidc_issuer,
            who,
            person,
            services.clock.now_us(),
            lambda connection: services.trail.add(connection, entry),
        )

    def _subject(self, token: str, flow: Flow) -> str:
        def read() -> str:
            return subject(
                token,
                self._keys(),
                issuer=self._settings.oidc_issuer,
                client_id=self._settings.oidc_client_id,
                nonce=flow.nonce,
                now_us=self._services.clock.now_us(),
            )

        try:
            return read()
        except Unauthenticated:  # it may have new keys
            if not self._forget("keys"):
                raise
            return read()

    def _token(self, code: str, flow: Flow, redirect_uri: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.oidc_client_id,
            "code_verifier": flow.verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._settings.oidc_secret_file is not None:
            secret = self._settings.oidc_secret_file.read_text("utf-8").strip()
            pair = f"{quote(self._settings.oidc_client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = self._ask(self._endpoint("token_endpoint"), urlencode(form).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Unauthenticated("The credential is not valid.")
        return token

    # What the issuer says of itself

    def _endpoint(self, name: str) -> str:
        said = self._remembered("itself", self._discover)
        return self._checked(str(said.get(name, "")))

    def _discover(self) -> dict[str, Any]:
        issuer = self._settings.oidc_issuer
        said = self._ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise Unavailable("The issuer calls itself by another name")
        return said

    def _keys(self) -> KeySet:
        found: KeySet = self._remembered("keys", self._read_keys)
        return found

    def _read_keys(self) -> KeySet:
        said = self._ask(self._endpoint("jwks_uri"))
        try:
            return KeySet.import_key_set(said)  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unavailable("The issuer's keys cannot be read") from error

    def _remembered(self, name: str, read: Any) -> Any:
        now_us = self._services.clock.now_us()
        with self._lock:
            found = self._kept.get(name)
        if found is None or not 0 <= now_us - found[0] < KEPT_US:
            found = now_us, read()
            with self._lock:
                self._kept[name] = found
        return found[1]

    def _forget(self, name: str) -> bool:
        """Read it again next time, but not more than once a minute; whether that is so."""
        now_us = self._services.clock.now_us()
        with self._lock:
            found = self._kept.get(name)
            if found is None or now_us - found[0] < 60_000_000:
                return False
            del self._kept[name]
            return True

    def _checked(self, address: str) -> str:
        """An address that may be asked: by HTTPS, or on this machine."""
        parts = urlsplit(address)
        local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not (parts.scheme == "https" or local) or not parts.hostname or parts.fragment:
            raise Unavailable("The issuer names an address that is not secure")
        return address

    def _ask(
        self, address: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked
            self._checked(address), body, {"Accept": "application/json", **(headers or {})}
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                said = orjson.loads(answer.read(MAX_ANSWER))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (400, 401, 403):  # a code that is not valid
                raise Unauthenticated("The credential is not valid.") from error
            raise Unavailable("The issuer does not answer", retry_after_s=5) from error
        except (OSError, http.client.HTTPException, orjson.JSONDecodeError) as error:
            raise Unavailable("The issuer does not answer", retry_after_s=5) from error
        if not isinstance(said, dict):
            raise Unavailable("The issuer does not answer", retry_after_s=5)
        return said


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What the issuer is told goes to the addresses it has named, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse."""
        return
