"""The second pass over a collection: references settled, rewritten rows written, facts summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geoshare.access.draft import Draft, PartDraft
from geoshare.access.facts import Asked, Facts, facts_after, facts_of
from geoshare.access.memory import Memory
from geoshare.access.overlay import SettledPart, reference_columns, write_settled
from geoshare.access.references import Links, Targets, VisibleIds
from tiles.pack import Part
from tiles.pack.bits import Bits, rows_set

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Before:
    """How a part was settled the last time, and by what."""

    draft: PartDraft
    nulled: tuple[str, ...]
    lost: dict[str, tuple[VisibleIds, Mask]]  # of each reference column
    settled: SettledPart


class Settler:
    """Settles the parts of one view, from what is remembered of the last time where that still holds.

    Parameters
    ----------
    folder
        Of the view's own files.
    nulled
        Reference columns that lead nowhere: null in every row.
    """

    def __init__(
        self, folder: Path, draft: Draft, nulled: Sequence[str], targets: Targets, memory: Memory
    ) -> None:
        self._folder = folder
        self._draft = draft
        self._nulled = tuple(nulled)
        self._targets = targets
        self._memory = memory
        self._references = [
            (name, target) for name, target in reference_columns(draft) if name not in nulled
        ]

    def settle(self, part: PartDraft) -> SettledPart:
        """One part, whatever the later ones hide of it."""
        key = ("settled", str(self._folder), part.checksum)
        before: _Before | None = self._memory.get(key)
        if before is not None and (before.draft is not part or before.nulled != self._nulled):
            before = None
        lost = {name: self._lost(part, name, before) for name in self._present(part)}
        same = before is not None and all(
            mask is before.lost[name][1] for name, (_, mask) in lost.items()
        )
        if before is not None and same and self._still_there(before.settled):
            settled = before.settled
        else:
            out = self._leading_out(part, lost)
            settled = write_settled(self._folder, self._draft, part, out, self._nulled, self._targets)
        size = settled.kept.nbytes + sum(overlay.row_of.nbytes for overlay in settled.overlays)
        size += sum(mask.nbytes for _, mask in lost.values())
        self._memory.put(key, _Before(part, self._nulled, lost, settled), size, part.checksum)
        return settled

    def _still_there(self, settled: SettledPart) -> bool:
        return all((self._folder / overlay.info.name).exists() for overlay in settled.overlays)

    def _present(self, part: PartDraft) -> list[str]:
        return [name for name, _ in self._references if name in part.part.kinds]

    def _lost(self, part: PartDraft, name: str, before: _Before | None) -> tuple[VisibleIds, Mask]:
        """Which of the ids in a column of a part are not visible, and the state that tells so."""
        links = self._links(part, name)
        now = self._targets(dict(self._references)[name])
        if before is None:
            return now, links.lost(now)
        ids, mask = before.lost[name]
        return now, links.lost_after(mask, ids, now)

    def _links(self, part: PartDraft, name: str) -> Links:
        key = ("links", part.checksum, name)
        found: Links | None = self._memory.get(key)
        if found is None:
            found = Links.of(part.part.table.column(name))
            size = found.hashes.nbytes + found.word.nbytes + found.empty.nbytes
            self._memory.put(key, found, size, part.checksum)
        return found

    def _leading_out(
        self, part: PartDraft, lost: dict[str, tuple[VisibleIds, Mask]]
    ) -> NDArray[np.int32]:
        """Rows shown as they are, but for references that lead out of the view."""
        if not lost:
            return np.zeros(0, np.int32)
        rows = rows_set(part.kept, len(part.part))
        out = np.zeros(len(rows), bool)
        for name, (_, mask) in lost.items():
            column = part.part.table.column(name)
            out |= self._links(part, name).dangling(column, mask, rows)
        return rows[out]


def remembered_facts(
    memory: Memory, key: tuple[str, str, str], part: Part, asked: Asked, bits: Bits
) -> Facts:
    """What the rows of a part that are set amount to, from what they did the last time.

    ``key`` is policy, collection and the checksum of the part.
    """
    whole = ("facts", *key, asked)
    held: tuple[Bits, Facts] | None = memory.get(whole)
    if held is None:
        facts = facts_of(part, asked, bits)
    else:
        facts = facts_after(part, asked, held[1], held[0], bits)
    memory.put(whole, (bits, facts), bits.nbytes, key[2])
    return facts
