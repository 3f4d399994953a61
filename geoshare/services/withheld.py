"""What one may know and does not hold: refused with the offers by which it can be had.

Only of a collection that the caller may discover. Of every other one nothing is said, and it answers as
one that does not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geoshare.access.credentials import Principal
from geoshare.access.view import RasterView, View
from geoshare.errors import NotFound, Withheld
from geoshare.model.policy import Action

if TYPE_CHECKING:
    from geoshare.services import Services

Kind = type[View] | type[RasterView]
MAX_OFFERS = 20  # named in one answer
MAX_REMEMBERED = 1_000
SAID = {
    "read": ("read its features", "地物を読むこと"),
    "tile": ("see it as tiles", "タイルの表示"),
    "download": ("take it away", "ダウンロード"),
    "stream": ("follow its changes", "変更履歴の取得"),
    "aggregate": ("have it summed up", "集計"),
    "route": ("route on it", "経路探索"),
    "process": ("process it", "処理"),
    "explain": ("ask why it is so", "根拠の照会"),
    "contribute": ("contribute to it", "データの提供"),
}


class Withholding:
    """Tells what is hidden from what is only not held."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._offers: dict[tuple[str, str], list[dict[str, object]]] = {}
        self._version = -1

    def get(
        self,
        who: Principal,
        name: str,
        action: Action,
        kind: type[View] | type[RasterView] | None = None,
    ) -> View | RasterView:
        """What the caller sees of a collection, for an action.

        Parameters
        ----------
        kind
            What the action can be done with; a collection of another kind is not there for it.

        Raises
        ------
        Withheld
            where the caller may know the collection, and holds nothing that allows the action.
        NotFound, Unavailable
            as ``Views.get``; the first is the same for what is hidden and what does not exist.
        """
        services = self._services
        policy = services.policy(who, action)
        held = policy.allows(name)
        found = services.views.get(policy if held else services.policy(who, "discover"), name)
        if kind is not None and not isinstance(found, kind):
            raise NotFound("No such collection")
        if not held:
            raise self._withheld(name, action)
        return found

    def _withheld(self, name: str, action: Action) -> Withheld:
        english, japanese = SAID.get(action, (action, action))
        return Withheld(
            f"What you hold does not let you {english}",
            message_ja=f"お持ちの契約では{japanese}は認められていません",
            members={"offers": self.offers(name, action)},
        )

    def offers(self, name: str, action: Action) -> list[dict[str, object]]:
        """Published offers of which some tier allows the action now; remembered by change set."""
        services = self._services
        version = services.policies.version
        if version != self._version or len(self._offers) > MAX_REMEMBERED:
            self._version, self._offers = version, {}
        found = self._offers.get((name, action))
        if found is None:
            tiers = services.tiers.tiers
            now = datetime.fromtimestamp(services.clock.now_us() / 1e6, UTC)
            found = self._offers[name, action] = [
                {key: offer[key] for key in ("id", "version", "title", "title_ja")}
                for offer in services.agreements.offers()
                if any(
                    action in grant.actions and grant.covers(name) and grant.in_force(now)
                    for tier in offer["tiers"]
                    if tier in tiers
                    for grant in tiers[tier].grants
                )
            ][:MAX_OFFERS]
        return found
