"""What is odd about tiers that can be published: warnings for who writes them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from geoshare.access.areas import Published, coded_area
from geoshare.access.contradictions import contradictions
from geoshare.access.gains import alone
from geoshare.access.tiers import OPEN, Tiers
from geoshare.errors import BadRequest
from geoshare.model.collections import Collection
from geoshare.model.policy import DECLARED, OPEN_CLASS, READING, Grant, Tier
from geoshare.model.policy.grants import dominates

DetailColumns = Callable[[str], Iterable[str]]
CLOSURES: Final = "events"
ROADS: Final = "segments"
_COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark, with the place it is about."""

    level: Literal["error", "warning"]
    place: str
    text: str
    text_ja: str


def findings(
    tiers: Tiers,
    collections: Mapping[str, Collection],
    published: Published,
    now_us: int,
    detail_columns: DetailColumns,
    before: Tiers,
) -> Iterator[Finding]:
    """Say what will not do what its writer may think.

    Dead grants, and grants that contradict one another; rows that tell of hidden columns; levels of
    detail that fall back to geometry alone; routes without closures as they happen; areas that nobody
    has published; and what is now open although it was protected.
    ``detail_columns`` names the columns by which a collection's level of detail chooses. What is open
    by the tiers ``before`` is not remarked on again where a contract alone protects it.
    """
    for name, tier in tiers.tiers.items():
        yield from _dead(name, tier, now_us)
        if name != OPEN and OPEN in tiers.tiers:
            yield from _idle(name, tier, tiers.tiers[OPEN])
        yield from _codes(name, tier, published)
        yield from _detail(name, tier, detail_columns)
        yield from _routing(name, tier)
        for number, text, text_ja in contradictions(tier):
            yield _warning(f"{name}.grants[{number}]", text, text_ja)
    for name in tiers.release_classes:
        if not readers_of(tiers, name):
            yield _warning(
                f"{DECLARED}.{name}",
                "no tier reads what is contributed under it",
                "この公開区分のデータを閲覧できる区分がありません",
            )
    yield from _opened(tiers, collections, before)


def readers_of(tiers: Tiers, release_class: str) -> list[str]:
    """Tiers some grant of which shows what is contributed under a release class."""
    return [
        name
        for name, tier in tiers.tiers.items()
        if any(
            set(item.actions) & set(READING) and item.releases(release_class) for item in tier.grants
        )
    ]


def _dead(name: str, tier: Tier, now_us: int) -> Iterator[Finding]:
    now = datetime.fromtimestamp(now_us / 1e6, UTC)
    for number, grant in enumerate(tier.grants):
        place = f"{name}.grants[{number}]"
        if grant.valid_until is not None and grant.valid_until <= now:
            yield _warning(place, "it has ended and gives nothing", "期限切れで効果がありません")
        if _never(grant.rows):
            yield _warning(
                place, "its rows are never true: it is dead", "条件に合う行がなく、効果がありません"
            )
        if set(grant.actions) & set(READING) and not grant.columns and not grant.bands:
            yield _warning(
                place, "it names no columns: geometry alone is shown", "属性がなく形状のみ表示します"
            )
        for other_number, other in enumerate(tier.grants):
            if other_number != number and _contains(other, grant, other_number < number):
                yield _warning(
                    place,
                    f"grants[{other_number}] gives all of it: it is dead",
                    f"grants[{other_number}]に含まれ、効果がありません",
                )
                break


def _idle(name: str, tier: Tier, open_tier: Tier) -> Iterator[Finding]:
    """Everybody holds the open tier: what it gives in full needs no other grant."""
    for number, grant in enumerate(tier.grants):
        for other_number, other in enumerate(open_tier.grants):
            if _contains(other, grant, True):
                yield _warning(
                    f"{name}.grants[{number}]",
                    f"{OPEN}.grants[{other_number}] gives all of it: it is dead",
                    f"{OPEN}.grants[{other_number}]に含まれ、効果がありません",
                )
                break


def _never(rows: Any) -> bool:
    """Whether a filter says by itself, without any row, that it is not true."""
    if not isinstance(rows, dict):
        return rows is False
    word, arguments = rows.get("op"), rows.get("args", [])
    if word == "and":
        return any(_never(item) for item in arguments)
    if word == "or":
        return all(_never(item) for item in arguments)
    compare = _COMPARED.get(word) if isinstance(word, str) else None
    if compare is None or len(arguments) != 2:
        return False
    left, right = arguments
    plain = isinstance(left, int | float) and isinstance(right, int | float)
    texts = isinstance(left, str) and isinstance(right, str)
    return (plain or texts) and not compare(left, right)


def _contains(other: Grant, grant: Grant, first: bool) -> bool:
    """Whether one grant makes another one idle; of two equal ones the later is."""
    names = other.collections == "all" or (
        grant.collections != "all" and set(grant.collections) <= set(other.collections)
    )
    times = (
        (other.valid_from is None or other.valid_from == grant.valid_from)
        and (other.valid_until is None or other.valid_until == grant.valid_until)
        and set(grant.formats) <= set(other.formats)
    )
    found = names and times and set(grant.actions) <= set(other.actions) and dominates(other, grant)
    return found and (first or not _contains(grant, other, True))


def _codes(name: str, tier: Tier, published: Published) -> Iterator[Finding]:
    for number, grant in enumerate(tier.grants):
        if isinstance(grant.area, str):
            try:
                coded_area(published, grant.area)
            except BadRequest as error:
                place = f"{name}.grants[{number}].area"
                yield Finding("error", place, error.message, error.message_ja)


def _detail(name: str, tier: Tier, detail_columns: DetailColumns) -> Iterator[Finding]:
    for number, grant in enumerate(tier.grants):
        if "tile" not in grant.actions or grant.collections == "all":
            continue
        for collection in grant.collections:
            lost = [
                column
                for column in detail_columns(collection)
                if grant.transform(column).kind != "keep"
            ]
            if lost:
                columns = ", ".join(lost)
                yield _warning(
                    f"{name}.grants[{number}]",
                    f"{collection} is thinned by geometry alone at low zooms, without {columns}",
                    f"{columns}がそのまま見えないため、{collection}は低ズームで形状のみにより間引かれます",
                )


def _routing(name: str, tier: Tier) -> Iterator[Finding]:
    """Routes that avoid only old closures, or none, look safe and are not."""
    routed = [grant for grant in tier.grants if "route" in grant.actions]
    if not any(grant.covers(ROADS) for grant in routed) or CLOSURES in tier.as_open:
        return
    closures = [grant for grant in routed if grant.covers(CLOSURES)]
    if not any(grant.delay is None for grant in closures):
        yield _warning(
            name,
            "it allows routes, but no closures without delay",
            "経路は使えますが、遅れのない通行止め情報がありません",
        )


def _opened(tiers: Tiers, collections: Mapping[str, Collection], before: Tiers) -> Iterator[Finding]:
    """Data that are the same as open ones are protected nowhere any more (限定提供データ)."""
    earlier = before.tiers[OPEN].grants if OPEN in before.tiers else ()
    open_tier = tiers.tiers.get(OPEN)
    for number, grant in enumerate(open_tier.grants if open_tier else ()):
        for name in () if grant.collections == "all" else grant.collections:
            for holder, tier in tiers.tiers.items():
                if holder == OPEN or tier.role == "operator" or tier.emergency is not None:
                    continue
                if columns := _protected(tier, grant, collections[name], earlier):
                    said = ", ".join(sorted(columns))
                    yield _warning(
                        f"{OPEN}.grants[{number}]",
                        f"{name}: {said} is open and also under terms of its own in {holder}: "
                        "identical open data ends its protection",
                        f"{name}の{said}は一般公開されており、{holder}での限定提供データとしての保護を失います",
                    )


def _protected(tier: Tier, opened: Grant, collection: Collection, earlier: Iterable[Grant]) -> set[str]:
    """Columns that a tier gives under terms of its own and that are open as they are."""
    found: set[str] = set()
    for grant in tier.grants:
        said = grant.duties or tier.duties or (grant.licence or "").startswith("LicenseRef-")
        # without a licence the contract is the terms; but what was open before lost nothing by this
        if not said and grant.licence is not None:
            continue
        reads = set(grant.actions) & set(READING)
        if not reads or not grant.covers(collection.name) or opened.snap_m > grant.snap_m:
            continue
        if not grant.releases(OPEN_CLASS):  # what it shows is none of what is open
            continue
        for item in collection.properties:
            same = opened.transform(item.name) == grant.transform(item.name)
            if not same or not opened.lists(item.name):
                continue
            if said or not _was_open(item.name, opened, collection.name, earlier):
                found.add(item.name)
    return found


def _was_open(column: str, opened: Grant, collection: str, earlier: Iterable[Grant]) -> bool:
    return any(
        grant.covers(collection) and dominates(alone(grant, column), alone(opened, column))
        for grant in earlier
        if grant.lists(column)
    )


def _warning(place: str, text: str, text_ja: str) -> Finding:
    return Finding("warning", place, text, text_ja)
