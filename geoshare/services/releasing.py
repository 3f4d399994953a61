"""Under which release classes the caller contributes and edits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from geoshare.access.classes import Contributing
from geoshare.access.credentials import Principal
from geoshare.errors import Denied
from geoshare.model.policy import OPEN_CLASS

if TYPE_CHECKING:
    from geoshare.services import Services


def contributing_of(services: Services, who: Principal, provider: str | None = None) -> Contributing:
    """Release classes of the caller, or of a provider that an operator speaks for.

    An operator is held to what the provider's agreements state, too.
    """
    if who.role != "operator":
        return services.policies.contributing(who.organisation, who.tiers)
    return of_provider(services, provider or who.organisation)


def of_provider(services: Services, provider: str) -> Contributing:
    """Release classes of a provider for whom an operator speaks; any for one without an agreement."""
    found = services.policies.contributing(provider)
    return found if found.names else Contributing(services.tiers.class_names, OPEN_CLASS)


def check_classes(services: Services, who: Principal, classes: Iterable[str]) -> None:
    """Raise Denied where the caller sees features of a release class and does not contribute to it."""
    if not set(classes) <= set(contributing_of(services, who).names):
        raise Denied(
            "Your agreement does not let you edit this feature",
            parameter="id",
            message_ja="契約によりこの地物の編集は認められていません",
        )
