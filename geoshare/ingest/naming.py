"""Which features the rows of a provider's file speak of."""

from __future__ import annotations

from collections.abc import Sequence

from geoshare.errors import BadData
from geoshare.ingest.claims import CLAIMS
from geoshare.merge import Identities, inferred, widened
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import Collection, check_name, known
from geoshare.model.policy import OPEN_CLASS
from geoshare.model.report import Message, Report
from geoshare.store import Record

OF_A_CLASS = Message(
    "layer-of-a-class",
    "a layer of no schema of ours is of the open release class; who reads it, its grants say",
    "独自レイヤーには公開区分を指定できません(閲覧範囲は権限で設定してください)",
)


def of_its_own(name: str) -> Message:
    """What is said of a layer of no schema of ours, whether or not there is one of its name."""
    return Message(
        f"layer-of-its-own:{name}",
        f"{name} is no collection of the vocabulary, so this is a layer of its own: only whose grants "
        "name it see it, beside the operator. If another was meant, withdraw this and say its name.",
        f"「{name}」は共通語彙にないため、独自レイヤーとして登録しました。運用者と、権限で指定された利用者だけが"
        "閲覧できます。別の種類のつもりだった場合は、取り下げて正しい名前で送ってください。",
    )


def check_layer(collection: str, release_class: str) -> None:
    """Refuse layers of no schema of ours of other classes: their columns would tell of what came.

    Raises
    ------
    BadData
        ``layer-of-a-class``.
    """
    if collection not in known() and release_class != OPEN_CLASS:
        raise BadData(OF_A_CLASS.en, code=OF_A_CLASS.code, message_ja=OF_A_CLASS.ja)


class Namer:
    """Knows the collections of a record and the ids of features in them.

    Parameters
    ----------
    provider, series, release_class
        Whose file it is, which of its series, and of what release class.
    """

    def __init__(self, record: Record, provider: str, series: str, release_class: str) -> None:
        self.collections = record.collections()
        self.stored = dict(self.collections)
        self.identities = Identities(record.secret, self.collections, release_class)
        self._provider, self._series, self._class = provider, series, release_class

    def collection(self, batch: FeatureBatch, report: Report) -> Collection:
        """The collection that a batch is of, as it is with the batch's columns.

        Raises
        ------
        BadData
            where it holds no features, or none that come from files.
        """
        name, schema = check_name(batch.collection), batch.properties.schema
        found = self.collections.get(name)
        if found is None:
            found = inferred(name, schema, batch.title)
        elif name not in known():
            found = widened(found, schema, report)
        if name == CLAIMS:
            raise BadData("claims follow from what is contributed", parameter="collection")
        check_layer(name, self._class)
        if name not in known():
            report.note(of_its_own(name))
        if found.kind != "vector":
            raise BadData(f"{name} holds rasters, and the file holds features", parameter="collection")
        self.collections[name] = found
        return found

    def features(
        self, collection: Collection, record_ids: list[str], identity: list[str | None]
    ) -> list[str]:
        """Ids of the features that rows are of: by what identifies them, else by their record ids."""
        found = self.of_records(collection, record_ids)
        if collection.identity:
            named = [row for row, value in enumerate(identity) if value]
            values = [str(identity[row]) for row in named]
            for row, feature in zip(
                named, self.identities.of_values(collection.name, values), strict=True
            ):
                found[row] = feature
        return found

    def of_records(self, collection: Collection, record_ids: Sequence[str]) -> list[str]:
        """Ids from record ids; a place in the file (``#...``) counts only among files of its name."""
        names = [f"{self._series}\0{name}" if name.startswith("#") else name for name in record_ids]
        return self.identities.of_records(collection.name, self._provider, names)
