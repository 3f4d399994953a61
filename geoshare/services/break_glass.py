"""Break-glass: a person of the operator opens a raw file, for a time, and its provider sees it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from geoshare.access.audit import Party
from geoshare.access.credentials.principal import OPERATOR, Principal
from geoshare.errors import BadRequest, Denied, NotFound
from geoshare.model.times import iso
from geoshare.services.auditing import party_of
from geoshare.store.break_glass_rows import Access, Also
from geoshare.store.files import Files, parts_of
from geoshare.store.rows import Contribution

if TYPE_CHECKING:
    from geoshare.services import Services

MINUTE_US: Final = 60_000_000
MAX_MINUTES: Final = 8 * 60


class BreakGlass:
    """Access to raw contributions; without it nobody of the operator sees any by this server."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.break_glass

    def open(self, who: Principal, contribution: str, reason: str, minutes: int) -> dict[str, Any]:
        """Give the caller access to a contribution's file for some minutes, with a reason."""
        services = self._services
        _operator(who)
        if not 1 <= minutes <= MAX_MINUTES:
            raise BadRequest(
                "Access ends by itself.", parameter="minutes", allowed=f"1 to {MAX_MINUTES}"
            )
        found = self._contribution(contribution)
        now_us = services.clock.now_us()
        access = Access(
            id=services.ids.new(),
            person=who.person,
            organisation=found.provider,
            contribution=found.id,
            reason=reason,
            created_us=now_us,
            expires_us=now_us + minutes * MINUTE_US,
        )
        told = self._told("breakglass.open", who, access, {"minutes": minutes})
        self._rows.add(access, told)
        return self._described(access)

    def end(self, who: Principal, access: str) -> None:
        """End an access of one's own before its time."""
        _operator(who)
        found = next((item for item in self._rows.listed() if item.id == access), None)
        if found is None:
            raise NotFound("No such access")
        told = self._told("breakglass.end", who, found, {})
        self._rows.end(access, who.person, self._services.clock.now_us(), told)

    def original(self, who: Principal, contribution: str, work_dir: Path) -> tuple[Path, str]:
        """The file as it came, and its name: several parts as one zip, made in ``work_dir``.

        Raises
        ------
        Denied
            without an access that is open now: then nothing of the contribution is said.
        """
        self.check(who, contribution)
        found = self._contribution(contribution)
        folder = Files(self._services.settings.data).raw(found.file_sha256)
        path = folder / found.file_name
        if not path.is_file():
            raise NotFound("No such file")
        parts = parts_of(path)
        if len(parts) == 1:
            return path, found.file_name
        packed = work_dir / f"{path.stem}.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in parts:
                archive.write(part, part.name)
        return packed, packed.name

    def check(self, who: Principal, contribution: str) -> None:
        """Let who has an open access through, and note its use before anything leaves."""
        _operator(who)
        now_us = self._services.clock.now_us()
        access = self._rows.open(who.person, contribution, now_us)
        if access is None:
            raise Denied("Open access to this contribution first, with a reason")
        about = Party(organisation=access.organisation, subject=contribution)
        said = {"access": access.id}
        self._services.trail.append("breakglass.read", party_of(who), about, said)

    def listed(self, organisation: str | None = None) -> list[dict[str, Any]]:
        """Accesses, newest first: all, or to one provider's contributions."""
        return [self._described(item) for item in self._rows.listed(organisation=organisation)]

    def of_provider(self, who: Principal) -> list[dict[str, Any]]:
        """Who of the operator opened the caller's contributions, why, and until when."""
        return self.listed(who.organisation) if who.whole else []

    def _contribution(self, contribution: str) -> Contribution:
        found = self._services.record.contribution(contribution)
        if found is None:
            raise NotFound("No such contribution")
        return found

    def _told(self, kind: str, who: Principal, access: Access, said: dict[str, Any]) -> Also:
        trail = self._services.trail
        about = Party(organisation=access.organisation, subject=access.contribution)

        def tell(connection: Connection) -> None:
            entry = trail.prepare(kind, party_of(who), about, {"access": access.id, **said})
            trail.add(connection, entry)

        return tell

    def _described(self, access: Access) -> dict[str, Any]:
        person = self._services.governance.persons.person(access.person)
        now_us = self._services.clock.now_us()
        is_open = access.ended_us is None and now_us < access.expires_us
        return {
            "id": access.id,
            "contribution": access.contribution,
            "provider": access.organisation,
            "reason": access.reason,
            "by": person.name if person is not None and person.name else "(erased)",
            "state": "open" if is_open else "over",
            "from": iso(access.created_us),
            "until": iso(access.ended_us or access.expires_us),
        }


def _operator(who: Principal) -> None:
    """Only a person answers for a reason."""
    if who.role != "operator" or not who.person or not who.may(OPERATOR):
        raise Denied("Only a person of the operator who is logged in can do this")
