"""Offers, agreements and published tiers: what an operator does, each act with author and reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from geoshare.access.areas import coded_area
from geoshare.access.audit import Party
from geoshare.access.grant_faults import area_faults
from geoshare.access.tiers import OPEN
from geoshare.errors import BadRequest, NotFound
from geoshare.model.policy import OPEN_CLASS, Agreement, Offer, canonical_json
from geoshare.model.times import iso
from geoshare.publish import Packs
from geoshare.services.policies import read_agreement
from geoshare.services.written import MAX_REASON, Author, act, written
from geoshare.store.policy_kinds import AgreementRow

if TYPE_CHECKING:
    from geoshare.services import Services

OPERATOR = "operator"


class Agreements:
    """Offers and agreements. What changes takes effect within a second in every process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rows = services.governance.policies

    # Offers

    def offer(self, name: str, document: Any, by: Author) -> str:
        """Publish a version of an offer; returns ``name@version``."""
        offer = written(Offer, document, "offer")
        _check_id(name)
        self._check_tiers(offer.tiers)
        self._refuse_operators(offer.tiers, "an offer is for anybody")
        said = canonical_json(offer.model_dump(mode="json")).decode()
        version = self._rows.put_offer(act(self._services, by), name, said)
        return f"{name}@{version}"

    def withdraw(self, name: str, by: Author) -> str:
        """Withdraw an offer; agreements made of it stay."""
        self._rows.withdraw_offer(act(self._services, by), name)
        return name

    def offers(self) -> list[dict[str, Any]]:
        """Offers that stand, the newest version of each; none of a tier that is the operator's now."""
        newest = {row.id: row for row in self._rows.offers() if row.withdrawn_us is None}
        return [
            {"id": row.id, "version": row.version, "sha256": row.sha256} | document
            for row in newest.values()
            for document in (orjson.loads(row.document),)
            if not self._operators(document["tiers"])
        ]

    # Agreements

    def draw_up(self, document: Any, by: Author, *, operator: bool = False) -> AgreementRow:
        """Add a version of an agreement for its parties to sign.

        ``operator``: also of a tier with the role operator, for an organisation that holds none yet.
        """
        agreement = written(Agreement, document, "agreement")
        self._check_tiers(agreement.tiers)
        if not operator and not self._is_operator(agreement.consumer):
            self._refuse_operators(agreement.tiers, "or say operator to make it an operator")
        self._check_classes(agreement.release_classes)
        for name in ("area", "contribute_area"):
            self._check_area(f"agreement.{name}", getattr(agreement, name))
        said = canonical_json(agreement.document()).decode()
        head = act(self._services, by, agreement.consumer)
        self._rows.put_agreement(head, agreement.id, agreement.consumer, said)
        return self.row(agreement.id, agreement.version)

    def sign(self, name: str, version: int, organisation: str, signatory: str, by: Author) -> bool:
        """Record that a person signed for one party; true where the agreement is whole by now."""
        if not signatory.strip() or len(signatory) > MAX_REASON:
            raise BadRequest("A signature needs a name.", parameter="name", allowed="1 to 500 letters")
        signature = {"organisation": organisation, "name": signatory}
        head = act(self._services, by, self.row(name, version).organisation)
        whole = self._rows.sign(head, name, version, signature)
        self._services.policies.forget()
        return whole

    def end(self, name: str, by: Author) -> str:
        """End an agreement: its tiers are no longer held within a second."""
        self._rows.end_agreement(act(self._services, by, self.row(name).organisation), name)
        self._services.policies.forget()
        return name

    def agree(
        self,
        organisation: str,
        tiers: Iterable[str],
        by: Author,
        *,
        days: int = 365,
        area: Any = None,
        contribute_area: Any = None,
        signatories: tuple[str, str] = ("operator", "consumer"),
        operator: bool = False,
        release_classes: Iterable[str] = (),
    ) -> AgreementRow:
        """Draw up an agreement of a tier bundle from now on and record both signatures."""
        services = self._services
        now_us = services.clock.now_us()
        if services.governance.organisation(organisation) is None:
            services.governance.add_organisation(organisation, organisation, now_us)
            services.trail.append("organisation.add", by.party, Party(organisation=organisation))
        starts = datetime.fromtimestamp(now_us / 1e6, UTC)
        if not 1 <= days <= 36_525:
            raise BadRequest("An agreement has a term.", parameter="days", allowed="1 to 36525")
        row = self.draw_up(
            {
                "id": services.ids.new(),
                "parties": [
                    {"organisation": OPERATOR, "part": "provider"},
                    {"organisation": organisation, "part": "consumer"},
                ],
                "tiers": list(tiers),
                "area": area,
                "contribute_area": contribute_area,
                "release_classes": list(release_classes) or [OPEN_CLASS],
                "term": {"starts": starts, "ends": starts + timedelta(days=days)},
            },
            by,
            operator=operator,
        )
        sides = dict.fromkeys((OPERATOR, organisation))
        for side, signatory in zip(sides, signatories, strict=False):
            self.sign(row.id, row.version, side, signatory, by)
        return self.row(row.id, row.version)

    def _check_classes(self, classes: Iterable[str]) -> None:
        """Raise BadRequest for a release class that the tiers' file does not declare."""
        there_are = self._services.tiers.class_names
        for name in classes:
            if name not in there_are:
                raise BadRequest(
                    f"There is no release class {name!r}.",
                    parameter="agreement.release_classes",
                    allowed=", ".join(there_are),
                    message_ja=f"公開区分{name}はありません",
                )

    def _check_area(self, parameter: str, area: Any) -> None:
        """Raise BadRequest for a fence that is no polygon, and for the code of no published area."""
        if isinstance(area, dict):
            for _, message, allowed in area_faults(area):
                raise BadRequest(message, parameter=parameter, allowed=allowed)
        elif area is not None:
            coded_area(Packs(self._services.packs_dir), area)

    def row(self, name: str, version: int | None = None) -> AgreementRow:
        """One version of an agreement, the newest if none is named. Raises NotFound."""
        found = [
            row for row in self._rows.agreements() if row.id == name and version in (None, row.version)
        ]
        if not found:
            raise NotFound(f"no agreement {name!r}")
        return found[-1]

    def rows(self, organisation: str | None = None) -> list[AgreementRow]:
        """All versions of all agreements, or of one organisation's."""
        return self._rows.agreements(organisation)

    def _is_operator(self, organisation: str) -> bool:
        """Whether an organisation is the operator itself, or holds a tier of operators now."""
        now_us = self._services.clock.now_us()
        holdings = self._services.policies.holdings()
        return (
            organisation == OPERATOR or holdings.role(holdings.held(organisation, now_us)) == OPERATOR
        )

    def _operators(self, names: Iterable[str]) -> list[str]:
        """Those of some tiers whose holders run the service."""
        tiers = self._services.tiers.tiers
        return [name for name in names if name in tiers and tiers[name].role == OPERATOR]

    def _refuse_operators(self, names: Iterable[str], why: str) -> None:
        for name in self._operators(names):
            raise BadRequest(
                f"Who holds the tier {name} runs the service.",
                parameter="tiers",
                allowed=f"tiers with another role; {why}",
            )

    def _check_tiers(self, names: Iterable[str]) -> None:
        tiers = self._services.tiers
        for name in names:
            if tiers.tier(name).emergency is not None or name == OPEN:
                allowed = [
                    key for key, tier in tiers.tiers.items() if tier.emergency is None and key != OPEN
                ]
                raise BadRequest(
                    f"The tier {name} is not held by agreement.",
                    parameter="tiers",
                    allowed=", ".join(allowed),
                )


def described(row: AgreementRow, now_us: int) -> dict[str, Any]:
    """An agreement as people read it: document, state, signatures."""
    agreement = read_agreement(row)
    return agreement.document() | {
        "sha256": row.sha256,
        "state": state(row, now_us),
        "signatures": [
            {"organisation": item["organisation"], "name": item["name"], "at": iso(item["at_us"])}
            for item in row.signatures
        ],
        "ended": None if row.ended_us is None else iso(row.ended_us),
        "end_reason": row.end_reason,
    }


def state(row: AgreementRow, now_us: int) -> str:
    """offered, in-force, coming, expired or ended."""
    if row.ended_us is not None:
        return "ended"
    if row.signed_us is None:
        return "offered"
    term = read_agreement(row).term
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    if term.holds(now):
        return "in-force"
    return "coming" if now < term.starts else "expired"


def _check_id(name: str) -> None:
    plain = name.isascii() and name[:1].isalnum() and all(c.isalnum() or c in "._-" for c in name)
    if not plain or len(name) > 64:
        raise BadRequest(
            "An id is a plain word.", parameter="id", allowed="1 to 64 of letters, digits, . _ -"
        )
