"""Webhooks: an organisation's address is told that what its key sees has changed, and nothing else.

A notice is a CloudEvent with the collection and the token of the feed of changes; the data are fetched
with the key. It is signed as Standard Webhooks says (HMAC-SHA256 over ``id.timestamp.body``) and sent
at least once: a notice that is not taken is sent again, ever less often, and always with the newest
token. After days of failures a webhook is disabled, with a note for its owner.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import logging
import random
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from geoshare.access.credentials import Principal
from geoshare.errors import BadRequest, Denied, GeoshareError, NotFound, Unauthenticated, Unavailable
from geoshare.query.feed import holder
from geoshare.services.outward import Outward, Refused
from geoshare.store.webhook_rows import Webhook

if TYPE_CHECKING:
    from geoshare.services import Services

log = logging.getLogger("geoshare.webhooks")

MOST: Final = 20  # of an organisation
LOOK_S: Final = 0.5
TELLERS: Final = 16  # receivers that are told at the same time
AT_ONCE: Final = 2  # of one organisation
FIRST_US: Final = (
    5_000_000  # until the second try; each wait is twice the one before, give or take half
)
LONGEST_US: Final = 3_600_000_000
PATIENT_US: Final = 5 * 86_400_000_000  # of failures, until a webhook is disabled
KIND: Final = "org.geoshare.collection.changed"
_LOCK: Final = "webhooks.lock"


class Webhooks:
    """What an organisation does with its webhooks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.outward = Outward(services.settings.webhook_networks)
        self._root = services.governance.secret("webhooks")

    def listed(self, who: Principal) -> list[dict[str, Any]]:
        """All of the caller's organisation, without their secrets."""
        self._check(who)
        return [_described(hook) for hook in self._services.governance.webhooks.of(who.organisation)]

    def add(self, who: Principal, url: str, collections: Sequence[str]) -> tuple[dict[str, Any], str]:
        """Make one and return it with its secret; what is there now counts as told.

        Raises
        ------
        BadRequest
            for an address that cannot be used, a collection that is hidden or missing, or too many.
        Denied
            where webhooks are switched off, or the caller is no key of an organisation.
        """
        self._check(who)
        services = self._services
        self.outward.check(url)
        if len(services.governance.webhooks.of(who.organisation)) >= MOST:
            raise BadRequest("There are too many webhooks", parameter="url", allowed=f"{MOST} webhooks")
        now_us = services.clock.now_us()
        hook = Webhook(
            id=services.ids.new(),
            organisation=who.organisation,
            key_id=who.key_id,
            url=url,
            collections=tuple(dict.fromkeys(collections)),
            created_us=now_us,
            told={name: self._token(who, name) for name in collections},
            due_us=now_us,
        )
        services.audit(who, "webhook.create", hook.id, {"collections": len(hook.collections)})
        services.governance.webhooks.add(hook)
        return _described(hook), secret_text(self.secret(hook))

    def remove(self, who: Principal, hook: str) -> None:
        """Delete one. Raises NotFound for any that is not the organisation's."""
        self._check(who)
        if hook not in {item.id for item in self._services.governance.webhooks.of(who.organisation)}:
            raise NotFound("No such webhook")
        self._services.audit(who, "webhook.delete", hook, {})
        self._services.governance.webhooks.remove(hook, who.organisation)

    def secret(self, hook: Webhook) -> bytes:
        """What notices are signed with; it is made of the id, and kept nowhere."""
        return hashlib.blake2b(hook.id.encode(), key=self._root, digest_size=32).digest()

    @property
    def base(self) -> str:
        """The address that what is told of begins with."""
        return self._services.settings.public_url.rstrip("/")

    def ready(self, who: Principal, hook: str) -> None:
        """Raise BadRequest unless a webhook is the caller's own and works."""
        known = {item.id for item in self._services.governance.webhooks.of(who.organisation)}
        if who.anonymous or not self._services.settings.webhooks or hook not in known:
            raise BadRequest(
                "There is no such webhook",
                parameter="notify",
                allowed="the id of a webhook of yours (/me/webhooks)",
                message_ja="そのWebhookはありません",
            )

    def notify(
        self, organisation: str, hook: str, number: str, kind: str, path: str, said: dict[str, Any]
    ) -> None:
        """Tell one webhook of something else than a change. Raises Refused, NotFound."""
        found = {item.id: item for item in self._services.governance.webhooks.of(organisation)}
        if hook not in found:
            raise NotFound("No such webhook")
        self.send(found[hook], number, f"{self.base}{path}", kind, path.rsplit("/", 1)[-1], said)

    def send(
        self, hook: Webhook, number: str, source: str, kind: str, subject: str, said: dict[str, Any]
    ) -> None:
        """Send one signed CloudEvent, of that number however often it is sent. Raises Refused."""
        now_s = self._services.clock.now_us() // 1_000_000
        body = orjson.dumps(
            {
                "specversion": "1.0",
                "id": number,
                "source": source,
                "type": kind,
                "subject": subject,
                "time": datetime.fromtimestamp(now_s, UTC).isoformat().replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": said,
            }
        )
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "geoshare",
            "webhook-id": number,
            "webhook-timestamp": str(now_s),
            "webhook-signature": signature(self.secret(hook), number, now_s, body),
        }
        try:
            self.outward.check(hook.url)
        except BadRequest as error:  # the operator has closed a network since
            raise Refused(error.message) from error
        self.outward.post(hook.url, body, headers)

    def _check(self, who: Principal) -> None:
        if who.anonymous:
            raise Unauthenticated("Webhooks need a key")
        if not self._services.settings.webhooks:
            raise Denied("Webhooks are switched off on this server")
        if not who.whole or who.person:
            raise Denied("Webhooks belong to a key of an organisation")

    def _token(self, who: Principal, name: str) -> str:
        try:
            return self._services.feed.token(self._services.view(who, name, "stream"), holder(who))
        except (NotFound, Denied, BadRequest) as error:
            raise BadRequest(
                "There is no such collection",
                parameter="collections",
                allowed="collections of features that you may read",
                message_ja="そのコレクションはありません",
            ) from error


class Notifier:
    """Tells what has changed; one at a time for a data folder.

    Several receivers are told at the same time, at most two of one organisation, so that one that is
    slow holds up nobody but itself, and its organisation nobody else.
    """

    def __init__(self, services: Services, hooks: Webhooks) -> None:
        self._services = services
        self._hooks = hooks
        self._tellers = ThreadPoolExecutor(TELLERS, thread_name_prefix="webhook")
        self._under_way: dict[str, tuple[str, Future[int]]] = {}  # by webhook: its organisation

    def run(self, stop: threading.Event) -> None:
        """Tell until ``stop`` is set; waits while another process does."""
        with (self._services.settings.data / _LOCK).open("a") as file:
            held = False
            while not stop.wait(LOOK_S):
                try:
                    if not held:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        held = True
                    self.begin()
                except BlockingIOError:
                    continue
                except Exception:  # a database that is away must not end it
                    log.exception("webhooks are not told; it is tried again")

    def tell(self) -> int:
        """Send every notice that is due, and wait for it; returns how many were taken."""
        return sum(future.result() for future in self.begin())

    def begin(self) -> list[Future[int]]:
        """Begin to send what is due and not under way, as far as there is room; waits for nothing.

        Each result is how many notices were taken. One that goes wrong is logged and tried again.
        """
        now_us = self._services.clock.now_us()
        self._under_way = {
            name: about for name, about in self._under_way.items() if not about[1].done()
        }
        busy = Counter(organisation for organisation, _ in self._under_way.values())
        begun = []
        for hook in self._services.governance.webhooks.active():
            if hook.due_us > now_us or hook.id in self._under_way or not self._behind(hook):
                continue
            if busy[hook.organisation] >= AT_ONCE or len(self._under_way) >= TELLERS:
                continue
            busy[hook.organisation] += 1
            future = self._tellers.submit(self._told, hook)
            self._under_way[hook.id] = (hook.organisation, future)
            begun.append(future)
        return begun

    def _behind(self, hook: Webhook) -> bool:
        """Whether there is something to do for a webhook."""
        try:
            who = self._who(hook)
        except Unauthenticated:
            return True
        tokens = {name: self._token(who, name) for name in hook.collections}
        return any(token not in (None, hook.told.get(name)) for name, token in tokens.items())

    def _told(self, hook: Webhook) -> int:
        try:
            return self._tell(hook)
        except Exception:  # a database that is away must not end it
            log.exception("a webhook is not told; it is tried again")
            return 0

    def _tell(self, hook: Webhook) -> int:
        """Send the notices of one webhook, up to the first that is not taken."""
        now_us, rows = self._services.clock.now_us(), self._services.governance.webhooks
        sent = 0
        try:
            who = self._who(hook)
        except Unauthenticated:
            rows.update(replace(hook, disabled_us=now_us, note="its key is not valid any more"))
            return 0
        for name in hook.collections:
            token = self._token(who, name)
            if token is None or token == hook.told.get(name):
                continue
            try:
                self._send(hook, name, token)
            except Refused as error:
                rows.update(self._after_failure(hook, str(error)))
                return sent
            hook, sent = hook.succeeded(name, token), sent + 1
            rows.update(hook)
        return sent

    def _who(self, hook: Webhook) -> Principal:
        found = self._services.authenticator.valid_secrets(hook.key_id)
        if found is None:
            raise Unauthenticated("The key is gone")
        return found[0]

    def _token(self, who: Principal, name: str) -> str | None:
        """The token of now; None while there is nothing to tell of."""
        try:
            return self._services.feed.token(self._services.view(who, name, "stream"), holder(who))
        except (Unavailable, GeoshareError):
            return None

    def _send(self, hook: Webhook, name: str, token: str) -> None:
        number = hashlib.blake2b(f"{hook.id} {name} {token}".encode(), digest_size=12).hexdigest()
        source = f"{self._hooks.base}/collections/{name}"
        said = {"collection": name, "token": token, "changes": f"{source}/changes"}
        self._hooks.send(hook, number, source, KIND, name, said)

    def _after_failure(self, hook: Webhook, why: str) -> Webhook:
        now_us = self._services.clock.now_us()
        wait_us = min(LONGEST_US, FIRST_US * 2 ** min(hook.failures, 20))
        due_us = now_us + int(wait_us * random.uniform(0.5, 1.5))
        after = hook.failed(now_us, due_us, why)
        if after.failing_since_us is not None and now_us - after.failing_since_us >= PATIENT_US:
            days = PATIENT_US // 86_400_000_000
            return replace(after, disabled_us=now_us, note=f"disabled after {days} days: {why}")
        return after


def signature(secret: bytes, number: str, timestamp_s: int, body: bytes) -> str:
    """Sign a notice as Standard Webhooks 1.0 says: version 1, HMAC-SHA256, base64."""
    said = f"{number}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, said, "sha256")).decode()


def secret_text(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return "whsec_" + base64.b64encode(secret).decode()


def _described(hook: Webhook) -> dict[str, Any]:
    state = "disabled" if hook.disabled_us else "failing" if hook.failures else "active"
    said = {"id": hook.id, "url": hook.url, "collections": hook.collections, "state": state}
    if hook.note:
        said["note"] = hook.note
    return said
