"""What the holder of an earlier state of a view has to be told to have the current one.

Under the same policy that is every feature that the journal says was touched since. Under another one
(an agreement began or ended, a fence was moved) it is what differs between the state that was held and
what is shown now, and nothing else: what has happened under the former policy since then is the
business of those who hold it. So the answer is made of two things that the holder knows: what was
shown then, and what is shown now.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.difference import Features, difference, everything, shown_by
from geoshare.access.journal import Journals, State, Step
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.errors import NotFound, Unavailable

Touched = Mapping[str, bool]
"""Ids of features, each with whether it was shown before."""

Within = NDArray[np.int64]
"""World boxes (k, 4) of an area: west, south, east, north."""

REMEMBERED: Final = 8  # answers, for the pages that follow


class Past:
    """Tells what has been touched; safe to use from several threads."""

    def __init__(self, views: Views, journals: Journals) -> None:
        self._views = views
        self._journals = journals
        self._told: OrderedDict[Hashable, Touched | None] = OrderedDict()
        self._lock = threading.Lock()

    def policies(self) -> list[str]:
        """Hashes of the policies whose views are kept."""
        return self._views.policies()

    def state(self, view: View) -> State:
        """Which state a view is in.

        Raises Unavailable where a newer one is just being put in its place.
        """
        journal = self._journals.get(view.policy_hash, view.collection.name)
        found = State(0, view.token) if journal is None else journal.state_of(view.token)
        if found is None:
            raise Unavailable("The view is being prepared.", retry_after_s=1)
        return found

    def touched(self, view: View, since: State, until: State) -> Touched | None:
        """Features that changes between two states of a view touched; None where that is not known.

        A feature that was changed and changed back is among them: who reads while changes are made
        may have seen it in between.
        """
        key = (view.policy_hash, view.collection.name, since, until)
        return self._remembered(key, lambda: self._within(view, since, until))

    def was_within(self, view: View, since: State, until: State, area: Within) -> Set[str] | None:
        """Features that changes between two states touched and that may have lain in an area before.

        None where it is not known where they lay: any of them may have.
        """
        steps = self._steps(view, since, until)
        if steps is None or any(step.places is None for step in steps):
            return None
        found: set[str] = set()
        for step in steps:
            places = step.places or {}
            boxes = np.array(list(places.values()), np.int64).reshape(-1, 1, 4)
            meets = (boxes[..., :2] <= area[:, 2:]).all(-1) & (boxes[..., 2:] >= area[:, :2]).all(-1)
            met = np.flatnonzero(np.logical_or.reduce(meets, axis=1))
            names = list(places)
            found.update(names[at] for at in met.tolist())
        return found

    def across(self, former: str, view: View, since: State) -> Touched | None:
        """Features that are not shown as they were in a state of the view of a former policy.

        None where that is not known any more, or where they are too many.
        """
        if since.token == view.token:
            return {}
        key = (former, view.policy_hash, view.collection.name, since, view.token)
        return self._remembered(key, lambda: self._across(former, view, since))

    def _remembered(self, key: Hashable, make: Callable[[], Touched | None]) -> Touched | None:
        with self._lock:
            if key in self._told:
                self._told.move_to_end(key)
                return self._told[key]
        made = make()
        with self._lock:
            self._told[key] = made
            while len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
        return made

    def _within(self, view: View, since: State, until: State) -> Touched | None:
        steps = self._steps(view, since, until)
        if steps is None:
            return None
        return {id_: said is not None for id_, said in _before(steps).items()}

    def _steps(self, view: View, since: State, until: State) -> Sequence[Step] | None:
        """The steps between two states; none where nothing is known of them and their tokens agree."""
        journal = self._journals.get(view.policy_hash, view.collection.name)
        steps = None if journal is None else journal.between(since, until)
        return () if steps is None and since.token == until.token else steps

    def _across(self, former: str, view: View, since: State) -> Touched | None:
        try:
            old = self._views.of(former, view.collection.name)
            if not isinstance(old, View):
                return None
            steps = self._steps(old, since, self.state(old))
        except (NotFound, Unavailable):
            return None
        same = old.schema() == view.schema() and old.fields == view.fields
        found = (difference if same else everything)(shown_by(old), shown_by(view))
        if steps is None or found is None:
            return None
        return _apart(steps, found.gone.features, found.come.features, same)


def _before(steps: Sequence[Step]) -> dict[str, int | None]:
    """What was shown of each feature before steps touched it first; None where it was not shown."""
    found: dict[str, int | None] = {}
    for step in steps:
        for id_, said in step.gone.items():
            found.setdefault(id_, said)
        for id_ in step.come:
            found.setdefault(id_, None)
    return found


def _apart(steps: Sequence[Step], gone: Features, come: Features, same: bool) -> dict[str, bool]:
    """Features of which something else was shown before some steps than after a difference.

    ``gone`` and ``come`` are what the difference says of the state after the steps and of another
    view; where both tell of the ``same`` properties, equal hashes are equal features.
    """
    now: dict[str, int | None] = {}
    for step in steps:
        now |= {**dict.fromkeys(step.gone), **step.come}
    now |= {**dict.fromkeys(gone), **come}
    before: dict[str, int | None] = {**dict.fromkeys(come), **gone, **_before(steps)}
    return {
        id_: said is not None
        for id_, said in before.items()
        if (said, now[id_]) != (None, None) and not (same and said == now[id_])
    }
