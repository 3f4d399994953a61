"""One tree of errors. Only ``geoshare.api.errors`` knows which HTTP status each one has.

GeoshareError
├── BadRequest      the caller's input is wrong; names the parameter and what is allowed
├── BadData         a contributed file cannot be read as what it says it is
├── Unauthenticated a credential was sent and is not valid
├── Denied          known to the caller, but not in what the caller holds
├── NotFound        not there, or hidden: the two are the same
│   └── Withheld    there and known to the caller, who does not hold what is asked for
├── Gone            was there once, and is not kept any more
├── Conflict        the state has moved on
│   └── Stale       somebody else has changed what the caller is changing
├── Unseen          a change that does not say which state it rests on
├── TooLarge        more than one request may ask for
├── TooMany         faster than the caller's contract allows
├── NotPublished    recorded, but what holds it cannot be shown until that is mended
└── Unavailable     cannot be answered now (never an allow)
"""

from __future__ import annotations


class GeoshareError(Exception):
    """Base of all errors that are meant for a user's eyes.

    ``code`` is a stable word for programs, ``message`` one sentence for people (``message_ja`` in
    Japanese where there is one), ``parameter`` the name of the offending input and ``allowed`` what
    it may be (``allowed_ja`` where the words for it are others in Japanese).
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        parameter: str | None = None,
        allowed: str | None = None,
        retry_after_s: int | None = None,
        message_ja: str = "",
        allowed_ja: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.message_ja = message_ja
        self.allowed_ja = allowed_ja
        self.code = code or type(self).code
        self.parameter = parameter
        self.allowed = allowed
        self.retry_after_s = retry_after_s


class BadRequest(GeoshareError):
    """The caller's input is wrong."""

    code = "bad-request"


class BadData(GeoshareError):
    """A contributed file cannot be read as what it says it is."""

    code = "bad-data"


class Unauthenticated(GeoshareError):
    """A credential was sent and is not valid."""

    code = "unauthenticated"


class Denied(GeoshareError):
    """Known to the caller, but not in what the caller holds."""

    code = "denied"


class NotFound(GeoshareError):
    """Not there, or hidden: the two are the same."""

    code = "not-found"


class Withheld(NotFound):
    """There, and known to the caller, who does not hold what is asked for.

    To those who take what they can get it is as if it were not there. ``members`` tell how it can be
    had, as values that JSON can hold.
    """

    code = "not-held"

    def __init__(self, message: str, *, members: dict[str, object], message_ja: str = "") -> None:
        super().__init__(message, message_ja=message_ja)
        self.members = members


class Gone(GeoshareError):
    """It was there once, and is not kept any more."""

    code = "gone"


class Conflict(GeoshareError):
    """The state has moved on since the caller read it."""

    code = "conflict"


class Stale(Conflict):
    """Somebody else has changed what the caller is changing; nothing was done.

    ``members`` tell both sides, as values that JSON can hold.
    """

    code = "stale"

    def __init__(self, message: str, *, members: dict[str, object], message_ja: str = "") -> None:
        super().__init__(message, parameter="If-Match", message_ja=message_ja)
        self.members = members


class Unseen(GeoshareError):
    """A change that does not say which state of the thing it rests on."""

    code = "unseen"


class TooLarge(GeoshareError):
    """More than one request may ask for."""

    code = "too-large"


class TooMany(GeoshareError):
    """Faster than the caller's contract allows."""

    code = "too-many"


class NotPublished(GeoshareError):
    """Recorded, but what holds it cannot be shown until that is mended; to ask again is no use."""

    code = "not-published"


class Unavailable(GeoshareError):
    """Cannot be answered now; never an allow."""

    code = "unavailable"
