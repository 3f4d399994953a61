"""Maps that an organisation shows to anybody who has the link: made, listed, revoked and found.

A share belongs to the organisation, whoever made it: an officer who leaves does not take the map of an
emergency along, and colleagues revoke it. One that was made with a key ends with the key.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.access.credentials.principal import ADMIN, EDITOR, Principal
from geoshare.errors import BadRequest, Denied, NotFound, Unauthenticated
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.times import clock_ja, iso
from geoshare.services.auditing import party_of
from geoshare.store.share_rows import Share

if TYPE_CHECKING:
    from geoshare.services import Services

LAYERS: Final = (
    "shelters",
    "evacuation_sites",
    "evacuation_areas",
    "events",
    "warnings",
    "water_points",
    "hazard_zones",
)
LANGUAGES: Final = ("ja", "ja-easy", "en")
MAX_HOURS: Final = 92 * 24
MAX_TITLE, MAX_NOTE = 80, 400  # letters
MAX_SIDE_DEG: Final = 4.0
MIN_SIDE_DEG: Final = 0.001
MOST: Final = 200  # of an organisation, that are shown at a time
LISTED: Final = 500
KEPT_US: Final = 400_000  # a revocation is seen by every worker within this time
MAX_KEPT: Final = 4_096
HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A share to be made; it ends after ``hours`` or at ``until``, one of which is said.

    Drills and tests are shown only where ``drills`` says so.
    """

    title: str
    note: str
    language: str
    layers: tuple[str, ...]
    box: Box
    hours: int | None = None
    until: datetime | None = None
    drills: bool = False


class Shares:
    """What organisations show to anybody. Safe to use from several threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.shares
        self._kept: dict[str, tuple[int, Share]] = {}
        self._lock = threading.Lock()

    def policy(self, organisation: str) -> Policy:
        """What may be shown to anybody in an organisation's name."""
        return self._services.policies.passed_on(organisation, "read")

    def layers(self, who: Principal) -> list[str]:
        """The layers that the caller may share. Raises as ``make`` does."""
        _check(who)
        return self._layers(who.organisation)

    def _layers(self, organisation: str) -> list[str]:
        policy = self.policy(organisation)
        built = self._services.views.names(policy)
        return [name for name in LAYERS if policy.allows(name) and name in built]

    def make(self, who: Principal, wanted: Wanted) -> dict[str, Any]:
        """Make a share and tell what it is.

        Raises
        ------
        Unauthenticated, Denied
            for who does not speak for an organisation.
        BadRequest
            naming what cannot be; also where there are too many.
        """
        _check(who)
        services, now_us = self._services, self._services.clock.now_us()
        _check_box(wanted.box)
        self._check_layers(who.organisation, wanted.layers)
        expires_us = _end(wanted, now_us)
        if self._rows.count_valid(who.organisation, now_us) >= MOST:
            raise BadRequest(
                "There are too many shares",
                parameter="title",
                allowed=f"{MOST} at a time; revoke one first",
                message_ja=f"共有が多すぎます（同時に{MOST}件まで）。不要な共有を終了してください",
                allowed_ja=f"同時に{MOST}件まで",
            )
        share = Share(
            id=services.ids.new() + services.ids.new(),  # 160 bits: nobody finds one by trying
            organisation=who.organisation,
            title=_line(wanted.title, "title", 1, MAX_TITLE),
            note=_line(wanted.note, "note", 0, MAX_NOTE),
            language=wanted.language,
            layers=tuple(name for name in LAYERS if name in wanted.layers),
            west=wanted.box.west,
            south=wanted.box.south,
            east=wanted.box.east,
            north=wanted.box.north,
            person=who.person,
            key_id="" if who.person else who.key_id,
            created_us=now_us,
            expires_us=expires_us,
            drills=wanted.drills,
        )
        said = {"layers": list(share.layers), "expires_us": expires_us}
        told = self._told("share.create", party_of(who), who.organisation, share.id, said)
        self._rows.add(share, told)
        return self._described(share, now_us)

    def listed(self, who: Principal) -> list[dict[str, Any]]:
        """The organisation's shares, the newest first, also those that ended in the last month."""
        _check(who)
        now_us = self._services.clock.now_us()
        return [self._described(share, now_us) for share in self._rows.of(who.organisation, LISTED)]

    def revoke(self, who: Principal, share: str) -> None:
        """Show it no more, in this worker at once. Raises NotFound for what is not shown."""
        _check(who)
        told = self._told("share.revoke", party_of(who), who.organisation, share, {})
        if not self._rows.revoke(share, who.organisation, self._services.clock.now_us(), told):
            raise NotFound("No such share")
        with self._lock:
            self._kept.pop(share, None)

    def all(self, organisation: str | None = None) -> list[dict[str, Any]]:
        """Shares of everybody, or of an organisation, for the operator's own hand; the newest first."""
        now_us = self._services.clock.now_us()
        return [
            {"organisation": share.organisation} | self._described(share, now_us)
            for share in self._rows.of(organisation, LISTED)
        ]

    def end(self, number: str, by: Party = COMMAND_LINE) -> None:
        """Show one no more, whosever it is: the operator's own hand. Raises NotFound."""
        share = self.find(number)
        told = self._told("share.revoke", by, share.organisation, number, {})
        self._rows.revoke(number, share.organisation, self._services.clock.now_us(), told)

    def find(self, number: str) -> Share:
        """The share of that id. Raises NotFound: the same for unknown, revoked and over."""
        now_us = self._services.clock.now_us()
        share = self._read(number, now_us)
        if share is None or not share.valid(now_us):
            raise NotFound("No such share")
        if share.key_id:
            try:
                self._services.authenticator.valid_secrets(share.key_id)
            except Unauthenticated:
                raise NotFound("No such share") from None
        return share

    def _read(self, number: str, now_us: int) -> Share | None:
        with self._lock:
            found = self._kept.get(number)
            if found is not None and 0 <= now_us - found[0] < KEPT_US:
                return found[1]
        share = self._rows.find(number) if number.isascii() and number.isalnum() else None
        with self._lock:
            if share is None:  # unknown ids are not kept: anybody can make them up
                self._kept.pop(number, None)
            else:
                if len(self._kept) >= MAX_KEPT:
                    self._kept.clear()
                self._kept[number] = now_us, share
        return share

    def _told(self, kind: str, by: Party, organisation: str, share: str, said: dict[str, Any]) -> Any:
        def tell(connection: Connection) -> None:
            trail = self._services.trail
            about = Party(organisation=organisation, subject=share)
            trail.add(connection, trail.prepare(kind, by, about, said))

        return tell

    def _check_layers(self, organisation: str, layers: tuple[str, ...]) -> None:
        held = self._layers(organisation)
        if not layers or not set(layers) <= set(held):
            raise BadRequest(
                "These layers cannot be shared",
                parameter="layers",
                allowed=", ".join(held) or "nothing: you hold nothing that may be shown to everybody",
                message_ja="共有できないレイヤーが含まれています",
                allowed_ja=", ".join(held) or "なし（一般に見せられるデータがありません）",
            )

    def _described(self, share: Share, now_us: int) -> dict[str, Any]:
        revoked = share.revoked_us
        state = "shown" if share.valid(now_us) else "over" if revoked is None else "revoked"
        return {
            "id": share.id,
            "title": share.title,
            "note": share.note,
            "language": share.language,
            "layers": list(share.layers),
            "drills": share.drills,
            "bbox": [share.west, share.south, share.east, share.north],
            "state": state,
            "made": iso(share.created_us),
            "made_by": self._maker(share),
            "until": iso(share.expires_us),
            "revoked": None if revoked is None else iso(revoked),
        }

    def _maker(self, share: Share) -> dict[str, str]:
        if not share.person:
            return {"key": share.key_id}
        found = self._services.governance.persons.person(share.person)
        return {"person": found.name if found is not None else ""}


def _check(who: Principal) -> None:
    """Raise for who may not show anything in an organisation's name."""
    if who.anonymous:
        raise Unauthenticated(
            "Sharing needs a key or a login", message_ja="共有にはログインまたはキーが必要です"
        )
    if not who.whole or not (who.may(EDITOR) or who.may(ADMIN)):
        raise Denied(
            "Sharing is for editors and administrators, and keys of an organisation",
            message_ja="共有するには「状況の更新」または「組織の管理」の権限が必要です",
        )


def _check_box(box: Box) -> None:
    width, height = box.east - box.west, box.north - box.south
    inside = box.west >= -180 and box.east <= 180 and box.south >= -85 and box.north <= 85
    if not inside or not all(MIN_SIDE_DEG <= side <= MAX_SIDE_DEG for side in (width, height)):
        raise BadRequest(
            "This is no part of the map that can be shared",
            parameter="bbox",
            allowed=f"west, south, east, north in degrees; sides of {MIN_SIDE_DEG} to {MAX_SIDE_DEG:g}",
            message_ja="地図の範囲が広すぎるか、狭すぎます。拡大・縮小してからお試しください",
            allowed_ja=f"西、南、東、北（度）。一辺{MIN_SIDE_DEG}～{MAX_SIDE_DEG:g}度",
        )


def _end(wanted: Wanted, now_us: int) -> int:
    """The moment at which a share ends."""
    if (wanted.hours is None) == (wanted.until is None):
        raise BadRequest(
            "A share ends",
            parameter="hours",
            allowed=f"hours (1 to {MAX_HOURS}), or until: one of both",
            message_ja="共有の期限を指定してください",
            allowed_ja=f"時間（1～{MAX_HOURS}）または日時のどちらか一方",
        )
    if wanted.until is None:
        return now_us + (wanted.hours or 0) * HOUR_US
    end_us = int(wanted.until.timestamp() * 1_000_000)
    if not now_us < end_us <= now_us + MAX_HOURS * HOUR_US:
        raise BadRequest(
            "A share ends in time to come",
            parameter="until",
            allowed=f"after {iso(now_us)}, by {iso(now_us + MAX_HOURS * HOUR_US)}",
            message_ja="期限は、今から92日以内の時刻にしてください",
            allowed_ja=f"{clock_ja(now_us + MAX_HOURS * HOUR_US)}まで",
        )
    return end_us


def _line(text: str, name: str, least: int, most: int) -> str:
    found = " ".join(text.split())
    if not least <= len(found) <= most:
        raise BadRequest(
            "The text does not fit",
            parameter=name,
            allowed=f"{least} to {most} letters",
            message_ja="題名または説明の長さが合いません",
            allowed_ja=f"{least}～{most}文字",
        )
    return found
