"""Writing tiers: read, check, compare, draft and publish them as change sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from geoshare.access.findings import Finding, findings
from geoshare.access.gains import Difference, differences
from geoshare.access.tiers import Tiers, load_tiers
from geoshare.errors import BadRequest, NotFound
from geoshare.model.policy import canonical_json
from geoshare.publish import Packs
from geoshare.query.detail import detail_rule
from geoshare.services.written import Author, act
from geoshare.store.policy_kinds import Change

if TYPE_CHECKING:
    from geoshare.services import Services

ADMIN = "admin"


class TierDesk:
    """Tiers on their way into force."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.policies

    def read(self, file: Path | None) -> Tiers:
        """The tiers of a TOML file; of the operator's file or the built-in ones if none is named."""
        if file is None:
            return self._services.policies.from_file()
        return load_tiers(file, self._services.policies.collections)

    def check(self, tiers: Tiers) -> list[Finding]:
        """Warnings about tiers. Raises BadRequest where they cannot be published."""
        found = list(
            findings(
                tiers,
                self._services.policies.collections,
                Packs(self._services.packs_dir),
                self._services.clock.now_us(),
                _detail_columns,
                self._before(tiers),
            )
        )
        for item in found:
            if item.level == "error":
                raise BadRequest(
                    f"{item.place}: {item.text}",
                    code="bad-tier",
                    parameter=item.place[:200],
                    message_ja=item.text_ja,
                )
        self._check_agreements(tiers)
        return found

    def _before(self, tiers: Tiers) -> Tiers:
        """What tiers come after: those in force; the delivered ones for those in force themselves."""
        held = self._services.tiers
        return held if held.document() != tiers.document() else load_tiers()

    def diff(self, after: Tiers, before: Tiers | None = None) -> list[dict[str, Any]]:
        """Who gains and loses what if tiers are published in place of others, or of those in force."""
        holdings = self._services.policies.holdings()
        old = holdings if before is None else holdings.with_tiers(before)
        new = holdings.with_tiers(after)
        now_us = self._services.clock.now_us()
        collections, rate = self._services.policies.collections, self._services.settings.rate_per_minute
        return [_plain(item) for item in differences(old, new, collections, now_us, rate)]

    def tiers(self, number: int | None = None) -> tuple[Change, Tiers]:
        """A change set, or the one in force, and its tiers. Raises NotFound."""
        change = self._rows.tiers(number)
        if change is None or change.document is None:
            raise NotFound("no such change set")
        source = f"change set {change.number}"
        return change, self._services.policies.checked(orjson.loads(change.document), source)

    def draft(self, document: Any, by: Author) -> int:
        """Keep tiers for others to look at; nothing changes."""
        tiers = self._services.policies.checked(document, "tiers")
        self.check(tiers)
        return self._put(tiers, by, "draft", ADMIN, None)

    def publish(self, document: Any, by: Author, source: str, base: int | None = None) -> int:
        """Put tiers in force; ``base``: only while that change set is."""
        tiers = self._services.policies.checked(document, "tiers")
        self.check(tiers)
        return self._put(tiers, by, "publish", source, base)

    def changes(self, after: int = 0) -> list[Change]:
        """Change sets of every kind, newest first."""
        return self._rows.changes(after=after)

    def _put(self, tiers: Tiers, by: Author, what: str, source: str, base: int | None) -> int:
        document = canonical_json(tiers.document()).decode()
        number = self._rows.put_tiers(act(self._services, by), what, document, source, base)
        self._services.policies.forget()
        return number

    def _check_agreements(self, tiers: Tiers) -> None:
        """Refuse to drop a tier or a release class that an agreement names: it must end before."""
        holdings = self._services.policies.holdings()
        for organisation, held in holdings.agreements.items():
            for agreement in held:
                gone = [name for name in agreement.tiers if name not in tiers.tiers]
                gone += [name for name in agreement.release_classes if name not in tiers.class_names]
                if gone:
                    raise BadRequest(
                        f"{organisation} holds {gone[0]} by the agreement {agreement.id}.",
                        code="bad-tier",
                        parameter=gone[0],
                        allowed="end the agreement first",
                    )


def _detail_columns(collection: str) -> Iterable[str]:
    return detail_rule(collection).min_zoom_by_value


def _plain(item: Difference) -> dict[str, Any]:
    return {
        "who": item.who,
        "gains": [str(right) for right in item.gains],
        "loses": [str(right) for right in item.loses],
    }
