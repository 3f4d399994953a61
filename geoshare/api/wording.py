"""How an answer gives references and coded values: by the profiles that a request names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from geoshare.access.credentials import Principal
from geoshare.access.view import View
from geoshare.api.params import ItemParams
from geoshare.api.profiles import REFERENCES, VALUES, chosen
from geoshare.errors import Gone, NotFound
from geoshare.query.rewording import Form, Wording, references, reworded
from geoshare.services import Services
from tiles.arrays import Rows

_FORMS: dict[str, Form] = {"rel-as-key": "key", "rel-as-uri": "uri", "rel-as-link": "link"}
PLAIN = REFERENCES[:2]  # profiles of formats whose cells hold one text


@dataclass(frozen=True)
class Caller:
    """Who asks of which services, and the address that links begin with."""

    services: Services
    who: Principal
    base: str


@dataclass(frozen=True)
class Chosen:
    """The profiles that an answer follows beside that of its document."""

    references: str
    values: str

    def names(self, view: View, columns: Iterable[str]) -> tuple[str, ...]:
        """Those that the answer tells of: about references where it has any."""
        has = not references(view).isdisjoint(columns)
        return ((self.references,) if has else ()) + (
            (self.values,) if self.values != VALUES[0] else ()
        )


def choose(
    params: ItemParams, offered: tuple[str, ...] = REFERENCES, default: str = REFERENCES[0]
) -> Chosen:
    """The profiles of a request, in a format that offers these ways to give references."""
    names = params.profiles
    return Chosen(chosen(names, offered, default), chosen(names, VALUES))


def worded(
    caller: Caller,
    view: View,
    rows: Rows,
    columns: Sequence[str],
    params: ItemParams,
    profiles: Chosen,
) -> Rows:
    """Return the rows as the profiles want their words; as they are where nothing is asked for."""
    if (profiles.references, profiles.values) == (REFERENCES[0], VALUES[0]):
        return rows
    wording = Wording(
        form=_FORMS[profiles.references],
        address=partial(_address, caller.base, params.as_of),
        titles=partial(_titles, caller, params.as_of),
        language=params.language if profiles.values != VALUES[0] else "",
    )
    return reworded(view, rows, columns, wording)


def _address(base: str, as_of: str | None, collection: str, feature_id: str) -> str:
    said = f"{base}/collections/{collection}/items/{quote(feature_id, safe='')}"
    return said if as_of is None else f"{said}?as_of={quote(as_of, safe='')}"


def _titles(
    caller: Caller, as_of: str | None, collection: str, ids: Sequence[str]
) -> Mapping[str, str]:
    """What features are called, as far as the caller sees that; none where it does not."""
    with suppress(NotFound, Gone):
        view = caller.services.view_at(caller.who, collection, as_of)
        label = view.collection.label
        if view.has_column(label):
            found = view.materialise(view.lookup(ids), [label], None).to_pylist()
            return {row["id"]: str(row[label]) for row in found if row[label] is not None}
    return {}
