"""Files that are all their provider has to say: what it said before, and does not any more, ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadData
from geoshare.ingest.naming import Namer
from geoshare.merge import Conformer
from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.box import Box
from geoshare.model.report import Message, Report
from geoshare.store import Record, places
from geoshare.store.said import Said, said_in_files, shapes_of

Fences = Callable[[str], BaseGeometry | None]
"""Where a sender may contribute to a collection, in longitude and latitude; None: everywhere."""

_MARGIN_DEG: Final = 0.0005  # about 50 m, as where features are let in
_NAMED: Final = 5
_AT_ONCE: Final = 5_000
KEPT = Message(
    "nothing-withdrawn",
    "Rows of the file were refused, so it is not all there is: nothing was withdrawn. "
    "Mend them and send it again.",
    "受け付けられない行があったため、このファイルを全件とはみなさず、何も取り下げていません。"
    "修正して再送してください。",
)


@dataclass(frozen=True, slots=True)
class Complete:
    """Of what a file is all that its provider has to say.

    Parameters
    ----------
    dataset
        Only of what its files of the same name (or dataset) said; otherwise of all that it has
        contributed by files to the collections in the file.
    within
        Only of what lies wholly inside this box.
    remove_most
        Also where more than half of that goes.
    """

    dataset: bool = False
    within: Box | None = None
    remove_most: bool = False


def everywhere(collection: str) -> BaseGeometry | None:
    """No fence."""
    return None


class Spoken:
    """The features that a file speaks of, as they would be were it taken in."""

    def __init__(self, record: Record, provider: str, series: str, release_class: str) -> None:
        self._namer = Namer(record, provider, series, release_class)
        self._provider = provider
        self._report = Report("")  # of a file that is only looked at nothing else is told
        self._features: dict[str, set[str]] = {}
        with record.snapshot() as connection:
            self._homes = places.homes(connection)

    @property
    def refused(self) -> int:
        """Rows that would be refused as they are taken in."""
        return self._report.refused

    @property
    def collections(self) -> Collection[str]:
        """The collections it speaks of."""
        return self._features.keys()

    def look(self, item: FeatureBatch | RasterItem) -> None:
        """Note what a batch speaks of. Raises BadData for rasters, and what no file may hold."""
        batch = features_only(item)
        about = self._namer.collection(batch, self._report)
        conformed = Conformer(about, self._namer.identities, self._provider).conform(
            batch, self._report
        )
        record_ids = [batch.record_ids[row] for row in conformed.rows]
        spoken = self._features.setdefault(about.name, set())
        homes = self._homes.get(about.name, {})
        ids = self._namer.features(about, record_ids, conformed.identity)
        alone = self._namer.of_records(about, record_ids)
        for feature, own in zip(ids, alone, strict=True):
            found = homes.get(feature, feature)
            spoken.add(found if found not in spoken else homes.get(own, own))

    def says(self, collection: str, claim: Said) -> bool:
        """Whether the file speaks of what a claim is of."""
        return claim.feature in self._features[collection]


def features_only(item: FeatureBatch | RasterItem) -> FeatureBatch:
    """A batch of features; of a raster nobody could say that there are no others. Raises BadData."""
    if isinstance(item, FeatureBatch):
        return item
    raise BadData(
        "The file holds rasters, which are not withdrawn by a file that is all there is",
        code="complete-rasters",
        parameter="complete",
        allowed="files of features",
        message_ja="ラスタのファイルは「これで全件」として送れません",
    )


def gone(
    record: Record,
    provider: str,
    series: str,
    complete: Complete,
    collection: str,
    fence: BaseGeometry | None,
    says: Callable[[str, Said], bool],
    release_class: str,
) -> list[Said]:
    """Claims in force that a complete file ends, in the order in which they came.

    Parameters
    ----------
    provider, series
        Whose file it is, and which of its series.
    fence
        Where its sender may contribute.
    says
        Whether the file says what a claim is of.
    release_class
        What was contributed under another one stays.

    Raises
    ------
    BadData
        ``removes-most``: more than half of what stands would go.
    """
    found: list[Said] = []
    count = 0
    wanted = series if complete.dataset else None
    with record.snapshot() as connection:
        standing = said_in_files(connection, provider, collection, wanted, release_class)
        while some := list(islice(standing, _AT_ONCE)):
            if complete.within is not None or fence is not None:
                shapes = shapes_of(connection, collection, [claim.version for claim in some])
                some = [
                    claim
                    for claim in some
                    if _inside(shapes.get(claim.version), complete.within, fence)
                ]
            count += len(some)
            found += [claim for claim in some if not says(collection, claim)]
    if len(found) * 2 > count and not complete.remove_most:
        raise BadData(
            f"{len(found)} of the {count} features of {collection} that were contributed before "
            "are not in the file, more than half of them: is it all there is?",
            code="removes-most",
            parameter="remove_most",
            allowed="remove_most (--remove-most) where they are to go",
            message_ja=f"{collection}のこれまでの{count}件のうち、半数を超える{len(found)}件が"
            "このファイルにありません。全件が入っているか確認してください",
            allowed_ja="本当に取り下げる場合は remove_most(--remove-most)を指定",
        )
    return sorted(found)


def tell(report: Report, found: Mapping[str, list[Said]]) -> None:
    """Say in a report what goes, or would go."""
    for collection, claims in found.items():
        if not claims:
            continue
        report.withdrawn[collection] = len(claims)
        names = ", ".join(claim.record_id for claim in claims[:_NAMED])
        names += ", ..." if len(claims) > _NAMED else ""
        report.note(
            Message(
                "withdrawn",
                f"Not in the file, and so withdrawn: {len(claims)} of {collection} ({names})",
                f"ファイルにないため取り下げる地物: {collection} {len(claims)}件({names})",
            )
        )


def _inside(content: bytes | None, within: Box | None, fence: BaseGeometry | None) -> bool:
    """Whether a shape lies wholly in a box and, as far as features are let in, inside a fence."""
    if content is None:
        return within is None  # who may contribute it may withdraw it
    shape = shapely.from_wkb(content)
    if within is not None:
        west, south, east, north = shape.bounds
        if not (within.west <= west and east <= within.east):
            return False
        if not (within.south <= south and north <= within.north):
            return False
    return fence is None or bool(shapely.dwithin(fence, shape, _MARGIN_DEG))
