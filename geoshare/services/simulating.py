"""What would be decided about a request of somebody, and by which grants; nothing is read for it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from geoshare.access.holdings import Holding, Holdings
from geoshare.access.words import words_of
from geoshare.errors import BadRequest
from geoshare.model.collections import is_name
from geoshare.model.policy import ACTIONS, Action, Grant

if TYPE_CHECKING:
    from geoshare.services import Services

_C: Final = r"/collections/(?P<names>[^/]+)"
ROUTES: Final[tuple[tuple[str, str, Action], ...]] = (
    ("GET", rf"{_C}", "discover"),
    ("GET", rf"{_C}/(schema|queryables|sortables|codelists/[^/]+)", "discover"),
    ("GET", rf"{_C}/items(/[^/]+(/explain|/photo)?)?", "read"),
    ("GET", rf"{_C}/(locate|horizon|openlr|items/[^/]+/along)", "read"),
    ("GET", rf"{_C}/(map/)?tiles(/[^/]+){{0,4}}", "tile"),
    ("GET", rf"{_C}/styles(/[^/]+(/metadata)?)?", "tile"),
    ("GET", r"/styles/(?P<names>[^/]+)(/metadata)?", "tile"),
    ("GET", r"/tiles/(?P<names>[^/]+)/\d+/\d+/\d+(\.mvt|(@2x)?\.(png|webp|jpg))", "tile"),
    ("GET", r"/tiles/(?P<names>[^/]+)\.json", "tile"),
    ("GET", r"(/map)?/tiles/\w+/\d+/\d+/\d+\?(.*&)?collections=(?P<names>[^&]+)(&.*)?", "tile"),
    ("GET", r"/raster/(?P<names>[^/]+)/\d+/\d+/\d+\.\w+", "tile"),
    ("GET", r"/raster/(?P<names>[^/]+)\.json", "tile"),
    ("GET", rf"{_C}/(changes|changes/stream)", "stream"),
    ("GET", r"/changes\?(.*&)?collections=(?P<names>[^&]+)(&.*)?", "stream"),
)
"""Method and path of every route about collections, and the action it asks for.

``POST /extracts`` asks for ``download`` of the collections in its body, ``/search`` reads, and
``/contributions`` contributes: for those a simulation names action and collections itself.
"""


class Simulated(BaseModel):
    """A consumer and a request: an action on collections, or a method and a path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: str = Field("", max_length=200, description="Who asks; empty: anybody")
    tiers: tuple[str, ...] | None = Field(
        None, max_length=100, description="Tiers the credential is for; left out: all it holds"
    )
    action: Action | None = Field(None, description=f"One of {', '.join(ACTIONS)}")
    collections: tuple[str, ...] = Field((), max_length=100, description="Names of collections")
    method: Literal["GET", "HEAD"] = Field("GET", description="GET or HEAD")
    path: str | None = Field(None, max_length=2_000, description="An address on this server")
    at: AwareDatetime | None = Field(None, description="When; left out: now")


def simulate(services: Services, asked: Simulated) -> dict[str, Any]:
    """Say for each collection whether the action is allowed, and what each grant has to do with it."""
    action, names = _what(asked)
    holdings = services.policies.holdings()
    now_us = services.clock.now_us() if asked.at is None else int(asked.at.timestamp() * 1e6)
    held = holdings.held(asked.organisation, now_us, asked.tiers)
    policy = holdings.policy(held, action, now_us)
    return {
        "organisation": asked.organisation,
        "action": action,
        "allowed": all(policy.may(action, name) for name in names),
        "holds": [{"tier": item.tier, "agreement": item.agreement} for item in held],
        "collections": [
            {
                "collection": name,
                "allowed": policy.may(action, name),
                "grants": list(_grants(holdings, held, action, name, now_us)),
            }
            for name in names
        ],
    }


def _what(asked: Simulated) -> tuple[Action, tuple[str, ...]]:
    if asked.path is None:
        if asked.action is None or not asked.collections:
            raise BadRequest(
                "Say what is asked for",
                parameter="action",
                allowed="action and collections, or method and path",
            )
        return asked.action, asked.collections
    path = asked.path.partition("?")[0]
    for method, pattern, action in ROUTES:
        match = re.fullmatch(pattern, asked.path if "collections=" in pattern else path)
        if match is not None and asked.method in (method, "HEAD"):
            names = tuple(match["names"].split(","))
            if all(is_name(name) for name in names):
                return action, names
    raise BadRequest(
        "That address asks for no collection",
        parameter="path",
        allowed="an address of a collection, its items or its tiles; else action and collections",
    )


def _grants(
    holdings: Holdings, held: tuple[Holding, ...], action: Action, name: str, now_us: int
) -> list[dict[str, Any]]:
    """Every grant that speaks of the collection, and whether it counts or why it does not."""
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    found = []
    for item in held:
        for number, grant in enumerate(holdings.tiers.tiers[item.tier].grants):
            if grant.covers(name):
                found.append(
                    {
                        "tier": item.tier,
                        "agreement": item.agreement,
                        "grant": f"{item.tier}.grants[{number}]",
                        "decides": _why_not(grant, action, now) is None,
                        "why_not": _why_not(grant, action, now),
                        **words_of(grant, item.area),
                    }
                )
    return found


def _why_not(grant: Grant, action: Action, now: datetime) -> str | None:
    if action not in grant.actions:
        return f"it does not allow to {action}"
    if not grant.in_force(now):
        return "it is not in force at that time"
    return None
