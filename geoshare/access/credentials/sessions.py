"""Browser sessions and the invites they begin with: shown once, stored as HMACs, ended within a second.

Both texts read ``<id>_<secret>`` behind a prefix. The secret has 256 random bits, so a plain
HMAC-SHA256 under the server's own secret is enough to store it, and there is nothing to be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from geoshare.access.credentials.authenticator import Standing, refuse
from geoshare.access.credentials.keys import mark
from geoshare.access.credentials.principal import (
    CONTRIBUTOR,
    OPERATOR,
    VIEWER,
    Principal,
)
from geoshare.access.credentials.remembered import Remembered
from geoshare.model.clock import Clock, Ids
from geoshare.store.person_kinds import Invite, Person, Session

SESSION, INVITE = "gb", "gi"
_FORM: Final = re.compile(r"(gb|gi)_([0-9a-z]{8,32})_([0-9a-f]{64})")
_NOBODY: Final = b"\0" * 32
Found = tuple[Session, Person]


class SessionStore(Protocol):
    """Where sessions are kept."""

    def session(self, session: str) -> Found | None:
        """Return the session of that id and whose it is, also when it is over."""
        ...


@dataclass(frozen=True, slots=True)
class Life:
    """How long a session lasts: in all, and without being used; microseconds."""

    whole_us: int
    idle_us: int


class Sessions:
    """Tells whose browser asks. Sessions are remembered for half a second, so that revocation counts.

    ``standing`` and ``used`` are as ``Authenticator``'s: what the person's organisation holds, and what
    is told of each use and must not wait.
    """

    def __init__(
        self,
        store: SessionStore,
        pepper: bytes,
        clock: Clock,
        standing: Standing,
        life: Life,
        used: Callable[[str, int], None] = lambda session, now_us: None,
    ) -> None:
        self._pepper, self._clock = pepper, clock
        self._standing, self._used, self.life = standing, used, life
        self._remembered: Remembered[Found] = Remembered(store.session)

    def authenticate(self, text: str) -> Principal:
        """Return whose browser it is.

        Raises
        ------
        Unauthenticated
            the same for a session that is malformed, unknown, wrong, revoked, over, not used for too
            long, or of a person who is let in no more.
        """
        parts = split(text, SESSION)
        if parts is None:
            refuse()
        session_id, secret = parts
        now = self._clock.now_us()
        found = self._remembered.find(session_id, now)
        given = mark(self._pepper, session_id, secret)
        # An unknown id costs the same comparison as a wrong secret.
        right = hmac.compare_digest(found[0].hmac if found is not None else _NOBODY, given)
        if found is None or not right or not self._live(found, now):
            refuse()
        self._used(session_id, now)
        return self._principal(*found)

    def token(self, session: str) -> str:
        """Return what a page sends back to show that it is this server's own: of a session's id."""
        return hmac.digest(self._pepper, f"csrf:{session}".encode(), hashlib.sha256).hex()

    def forget(self) -> None:
        """Drop what is remembered, so that the next request reads every session again."""
        self._remembered.forget()

    def _live(self, found: Found, now: int) -> bool:
        session, person = found
        idle = now - max(session.last_used_us, session.created_us) >= self.life.idle_us
        return session.revoked_us is None and now < session.expires_us and not idle and person.active

    def _principal(self, session: Session, person: Person) -> Principal:
        roles = tuple(name for name in person.roles.split(",") if name)
        # A person without any role has what everybody has: () stands for no tier, None for all.
        tiers, role = self._standing(person.organisation, None if roles else ())
        return Principal(
            person.organisation,
            tiers,
            person.id,
            _role(role, roles),
            via="session",
            person=person.id,
            department=person.department or "",
            roles=roles,
            session=session.id,
        )


def new_session(
    person: str,
    how: str,
    life: Life,
    *,
    invited_by: str | None = None,
    pepper: bytes,
    clock: Clock,
    ids: Ids,
) -> tuple[Session, str]:
    """Make a session: what is to be stored, and the text that the browser keeps."""
    session_id, secret = ids.new(), secrets.token_hex(32)
    now = clock.now_us()
    stored = Session(
        id=session_id,
        person=person,
        hmac=mark(pepper, session_id, secret),
        how=how,
        created_us=now,
        expires_us=now + life.whole_us,
        last_used_us=now,
        invited_by=invited_by,
    )
    return stored, f"{SESSION}_{session_id}_{secret}"


def new_invite(
    person: str,
    life_us: int,
    *,
    made_by: str | None = None,
    pepper: bytes,
    clock: Clock,
    ids: Ids,
) -> tuple[Invite, str]:
    """Make an invite: what is to be stored, and the text that is shown once."""
    invite_id, secret = ids.new(), secrets.token_hex(32)
    now = clock.now_us()
    stored = Invite(
        id=invite_id,
        person=person,
        hmac=mark(pepper, invite_id, secret),
        created_us=now,
        expires_us=now + life_us,
        made_by=made_by,
    )
    return stored, f"{INVITE}_{invite_id}_{secret}"


def invited(
    text: str,
    find: Callable[[str], tuple[Invite, Person] | None],
    *,
    pepper: bytes,
    now_us: int,
) -> tuple[Invite, Person]:
    """Return an open invite and whom it is for.

    Raises
    ------
    Unauthenticated
        the same for an invite that is malformed, unknown, wrong, used, revoked, over, or for a person
        who is let in no more.
    """
    parts = split(text, INVITE)
    if parts is None:
        refuse()
    found = find(parts[0])
    given = mark(pepper, *parts)
    right = hmac.compare_digest(found[0].hmac if found is not None else _NOBODY, given)
    if found is None or not right:
        refuse()
    invite, person = found
    is_open = invite.used_us is None and invite.revoked_us is None and now_us < invite.expires_us
    if not is_open or not person.active:
        refuse()
    return found


def split(text: str, prefix: str) -> tuple[str, str] | None:
    """Return id and secret; None for what has not the form."""
    match = _FORM.fullmatch(text)
    return None if match is None or match[1] != prefix else (match[2], match[3])


def _role(held: str, roles: tuple[str, ...]) -> str:
    """What a person is to this server: what the organisation is, as far as the person acts for it."""
    needed = {"operator": OPERATOR, "provider": CONTRIBUTOR}.get(held, VIEWER)
    if needed == VIEWER or any(name.partition(":")[0] == needed for name in roles):
        return held
    return "consumer"
