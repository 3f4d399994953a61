"""Who asks, whatever credential tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from geoshare.model.policy import Rated

Via = Literal["nothing", "key", "link", "session", "token"]
VIEWER, EDITOR, CONTRIBUTOR, ADMIN, OPERATOR = "viewer", "editor", "contributor", "admin", "operator"
ROLES: Final = {
    VIEWER: "reads what the organisation holds",
    EDITOR: "sets the live status of what the organisation may contribute to",
    CONTRIBUTOR: "contributes files in the organisation's name",
    ADMIN: "manages the organisation's persons, keys and links",
    OPERATOR: "administers this geoshare; for persons of the operator alone",
}
NARROWED: Final = (EDITOR, CONTRIBUTOR)  # ``editor:shelters``: in one collection alone
NO_LIMITS: Final = Rated.model_validate({})


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed link goes on with: its key, and its end in seconds since 1970."""

    key_id: str
    expires_s: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. ``key_id`` is what counts for rates: a key's id, a person's, empty for nobody's.

    ``collections`` are the only ones that the credential is for (None: all that its tiers allow),
    ``scope`` those that it limits itself to, ``rates`` its own share of requests and cost. ``above`` is
    the key that made this one: what is asked counts against both. A browser session names its
    ``person``, their ``department`` and what they may do beside reading (``roles``, see ``ROLES``);
    ``session`` is its own id.
    """

    organisation: str
    tiers: tuple[str, ...]
    key_id: str = ""
    role: str = "consumer"  # consumer, provider or operator
    collections: tuple[str, ...] | None = None
    rates: Rated = NO_LIMITS
    above: Principal | None = None
    via: Via = "nothing"
    link: Link | None = None
    person: str = ""
    department: str = ""
    roles: tuple[str, ...] = ()
    session: str = ""
    scope: tuple[str, ...] | None = None
    replaced: bool = field(default=False, compare=False)  # its secret has a successor already
    secret: bytes = field(default=b"", compare=False, repr=False)  # the mark of a key's secret

    @property
    def whole(self) -> bool:
        """Whether it speaks for the organisation itself, not for who was given a part of its data."""
        return bool(self.key_id) and self.above is None and self.link is None and self.scope is None

    @property
    def anonymous(self) -> bool:
        """Whether nobody in particular asks, under the open agreement."""
        return not self.key_id

    def within(self, role: str) -> tuple[str, ...] | None:
        """Return the collections in which it may act in a role; None: in all of them.

        A person may as their roles say. A whole key of an organisation edits and contributes in its
        name, and does nothing that needs a person. What the tiers allow is asked beside this.
        """
        if not self.person:
            return None if self.whole and role in (VIEWER, EDITOR, CONTRIBUTOR) else ()
        if role in self.roles or (role == VIEWER and self.roles):
            return None
        named = (item.partition(":") for item in self.roles)
        return tuple(collection for name, _, collection in named if name == role)

    def may(self, role: str, collection: str | None = None) -> bool:
        """Whether it may act in a role, in a collection or, where none is named, in any."""
        names = self.within(role)
        return names is None or (bool(names) if collection is None else collection in names)


ANONYMOUS: Final = Principal("", ("open",))
