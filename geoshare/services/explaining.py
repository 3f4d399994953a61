"""What a caller holds, in words: ``/me``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoshare.access.credentials import Principal
from geoshare.access.holdings import Holding
from geoshare.access.tiers import OPEN
from geoshare.access.words import grant_words
from geoshare.model.collections import known
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.times import iso
from geoshare.services.agreements import described
from geoshare.services.releasing import contributing_of

if TYPE_CHECKING:
    from geoshare.services import Services


def describe_caller(services: Services, who: Principal, address: str = "") -> dict[str, Any]:
    """Organisation, agreements, tiers and their grants in words, what is left of them, until when.

    ``address`` is where nobody in particular asks from: it is what their limits count by.
    """
    organisation = services.governance.organisation(who.organisation) if who.organisation else None
    holdings = services.policies.holdings()
    held = services.policies.held(who.organisation, who.tiers)
    rates = services.policies.standing(who.organisation, who.tiers).rates
    return {
        "anonymous": who.anonymous,
        "organisation": who.organisation,
        "organisation_name": organisation.name if organisation else "",
        "role": who.role,
        "person": services.people.described(who),
        "tiers": [_tier(services, item) for item in held],
        "agreements": _agreements(services, who),
        "emergencies": emergencies(services, {item.tier for item in held}),
        "collections": sorted(services.visible(who)),
        "can_contribute": not who.anonymous and bool(services.contributions.policy(who).grants),
        "can_edit": services.live.rules.editor(who),
        "contributable": _contributable(services, who),
        "release_classes": _release_classes(services, who),
        "requests_per_minute": rates.requests_per_minute,
        "rates": rates.model_dump(exclude_none=True),
        "quota": services.quotas.described(who, address),
        "grants": [
            {"tier": item.tier, "agreement": item.agreement, **words}
            for item in held
            if who.collections is None and who.scope is None  # or they would name others
            for words in grant_words(holdings.tiers.tiers[item.tier], item)
        ],
    }


def emergencies(services: Services, tiers: set[str] | None = None) -> list[dict[str, Any]]:
    """Emergencies that are on: everybody may know where, why and until when.

    ``tiers`` tells which emergency tiers the caller holds.
    """
    holdings = services.policies.holdings()
    found = []
    for item in holdings.on(services.clock.now_us()):
        tier = holdings.tiers.tiers.get(item.activation.tier)
        if tier is None:
            continue
        found.append(
            {
                "id": item.activation.id,
                "title": tier.title,
                "title_ja": tier.title_ja,
                "reason": item.activation.reason,
                "reason_ja": item.activation.reason_ja or item.activation.reason,
                "area": item.activation.area,
                "since": iso(item.since_us),
                "until": iso(item.until_us),
                "held": tiers is not None and item.activation.tier in tiers,
            }
        )
    return found


def _tier(services: Services, item: Holding) -> dict[str, Any]:
    tier = services.tiers.tier(item.tier)
    return {
        "id": item.tier,
        "title": tier.title,
        "title_ja": tier.title_ja,
        "agreement": item.agreement,
        "until": None if item.until_us is None else iso(item.until_us),
        "duties": [duty.model_dump(mode="json", exclude_defaults=True) for duty in tier.duties],
    }


def _agreements(services: Services, who: Principal) -> list[dict[str, Any]]:
    """The caller's own agreements that are offered or in force; the standing one for everybody."""
    open_tier = services.tiers.tier(OPEN)
    standing = {
        "id": OPEN,
        "title": open_tier.title,
        "title_ja": open_tier.title_ja,
        "tiers": [OPEN],
        "state": "in-force",
        "licence": open_tier.licence,
    }
    if not who.whole:
        return [standing]
    now_us = services.clock.now_us()
    own = [described(row, now_us) for row in services.agreements.rows(who.organisation)]
    return [standing, *(item for item in own if item["state"] != "ended")]


def _release_classes(services: Services, who: Principal) -> list[dict[str, Any]]:
    """Classes under which the caller may contribute; the ``usual`` one counts where none is said."""
    if who.anonymous or not services.contributions.policy(who).grants:
        return []
    found, declared = contributing_of(services, who), services.tiers.release_classes
    titles = {name: (item.title, item.title_ja) for name, item in declared.items()}
    titles[OPEN_CLASS] = ("Open to whoever may see it", "閲覧できる全員")
    return [
        {
            "id": name,
            "title": titles[name][0],
            "title_ja": titles[name][1],
            "usual": name == found.usual,
        }
        for name in found.names
    ]


def _contributable(services: Services, who: Principal) -> list[dict[str, str]]:
    """Collections of the product that the caller may contribute to."""
    policy = services.contributions.policy(who)
    if who.anonymous:
        return []
    return [
        {"id": name, "title": about.title, "title_ja": about.title_ja}
        for name, about in known().items()
        if policy.allows(name)
    ]
