"""A view of features put together: its parts settled, its rows chosen, and what it shows summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from geoshare.access.compile import unchanged_columns
from geoshare.access.difference import Rows, Shown
from geoshare.access.digest import token
from geoshare.access.draft import Draft
from geoshare.access.facts import Asked, Facts
from geoshare.access.manifest import ViewManifest, ViewPart, write_bits
from geoshare.access.memory import Memory
from geoshare.access.overlay import Overlay, SettledPart, reference_columns
from geoshare.access.references import Targets
from geoshare.access.settle import Settler, remembered_facts
from geoshare.access.summary import times_shown, visible_schema
from tiles.pack.bits import Bits, both
from tiles.pack.model import count_set


def assembled(
    policy: str, folder: Path, draft: Draft, targets: Targets, memory: Memory
) -> tuple[ViewManifest, Shown]:
    """Settle references, write overlays and bitmaps, and say what the view holds.

    Parameters
    ----------
    policy
        Hash of the policy.
    folder
        Of the view's own files.
    draft
        What the policy leaves of the collection.
    targets
        Ids that other collections show under the policy.
    memory
        Of the last builds.

    Returns
    -------
    The manifest, which nobody reads yet, and the rows that the view shows, by part.
    """
    name = draft.collection.name
    nulled = tuple(column for column, target in reference_columns(draft) if not targets(target).some)
    settler = Settler(folder, draft, nulled, targets, memory)
    base = [settler.settle(part) for part in draft.parts]
    opened = any(count_set(part.kept, len(part.part)) for part in base)
    bare = base if opened else []  # without a row of it nobody needs to open the pack
    overlays = [
        (overlay, overlay.shown(alive, len(part.part)))
        for part, alive in zip(base, draft.alive, strict=True)
        for overlay in part.overlays
    ]
    bitmaps = [*(part.kept for part in bare), *(bits for _, bits in overlays)]
    selection, places = write_bits(folder, bitmaps)
    source = draft.source
    pairs = () if source is None else zip(source.paths, source.infos, strict=True)
    said = zip(bare, pairs, places, strict=False)
    rewritten = zip(overlays, places[len(bare) :], strict=True)
    shown = _shown(draft, base, overlays, nulled)
    parts = (
        *(part.checksum for part in draft.parts),
        *(item.info.checksum for item, _ in overlays),
    )
    memory.has_parts((policy, name), frozenset(parts))
    manifest = ViewManifest(
        collection=name,
        kind=draft.collection.kind,
        schema=visible_schema(draft.collection, draft.columns, draft.grants),
        columns=draft.columns,
        kinds={key: str(kind) for key, kind in draft.kinds.items()},
        unchanged=tuple(sorted(unchanged_columns(draft.grants, draft.collection))),
        nulled=nulled,
        selection=selection,
        base=tuple(ViewPart(path, info, place) for _, (path, info), place in said),
        overlay=tuple(
            ViewPart(f"{policy}/{name}/{overlay.info.name}", overlay.info, place)
            for (overlay, _), place in rewritten
        ),
        source={"version": None if source is None else source.version},
    )
    return _with_facts(policy, manifest, draft, shown, memory), shown


def _shown(
    draft: Draft,
    base: Sequence[SettledPart],
    overlays: Sequence[tuple[Overlay, Bits]],
    nulled: tuple[str, ...],
) -> Shown:
    """The rows that are shown, by the checksum of their part and the columns that they have."""
    columns = tuple(column for column in draft.columns if column not in nulled)
    shown: dict[tuple[str, ...], Rows] = {}
    for part, drafted, alive in zip(base, draft.parts, draft.alive, strict=True):
        shown[drafted.checksum, *columns] = Rows(part.part, columns, both(part.kept, alive))
    for overlay, bits in overlays:
        shown[overlay.info.checksum, *draft.columns] = Rows(overlay.part, draft.columns, bits)
    return shown


def _with_facts(
    policy: str, manifest: ViewManifest, draft: Draft, shown: Shown, memory: Memory
) -> ViewManifest:
    """Let a view that is about to be published say what it shows."""
    times = times_shown(draft.collection, draft.kinds)
    facts = Facts()
    for key, rows in shown.items():
        asked = Asked(rows.columns, tuple(name if name in rows.columns else "" for name in times))
        where = (policy, manifest.collection, key[0])
        facts += remembered_facts(memory, where, rows.part, asked, rows.bits)
    mark = token(manifest.collection, manifest.schema, manifest.columns, *facts.sums, facts.rows)
    return replace(
        manifest,
        count=facts.rows,
        extent=facts.extent,
        time_extent=facts.time_extent,
        token=mark,
    )
