"""The keeper's and the worker's duties: publish, build views, run jobs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections.abc import Iterator

from geoshare import ingest
from geoshare.access.build import build_views, sweep_views
from geoshare.access.credentials.keys import listed
from geoshare.access.manifest import named_parts
from geoshare.access.memory import Memory
from geoshare.jobs import Worker
from geoshare.model.policy import READING, Policy
from geoshare.publish import Keeper, Packs
from geoshare.services import Services
from geoshare.services.auditing import audited, note_changes
from geoshare.services.contribution_jobs import ContributionJobs
from geoshare.services.contributions import KIND as CONTRIBUTE
from geoshare.services.extracts import KIND as EXTRACT
from geoshare.services.extracts import NOTICE, PAGE
from geoshare.services.forms import FORM
from geoshare.services.housekeeping import Housekeeping
from geoshare.services.leaving import Leaving
from geoshare.services.prints import KIND as PRINT
from geoshare.services.webhooks import Notifier
from geoshare.store.governance import ApiKey

log = logging.getLogger("geoshare.keeping")

KEEPER_NICENESS = -5  # where the system allows it: its turns are short, and everybody waits for them
WORKER_NICENESS = 5  # nobody looks on while files are read and packed
KEYS_LOOK_US = 200_000
TIMED_LOOK_US = 5_000_000  # delays and windows move
GRANTS_LOOK_US = 5_000_000  # grants begin and end by the clock
GRANTS_AHEAD_US = 3 * GRANTS_LOOK_US  # views of terms about to begin are built before they do


def policies_held(services: Services) -> list[Policy]:
    """The policies somebody may ask under now, or when the next terms begin."""
    now_us, holdings = services.clock.now_us(), services.policies.holdings()
    stored = services.governance.keys()
    narrowed = {
        (key.organisation, tuple(key.tier.split(",")))
        for key in stored
        if key.revoked_us is None and key.tier
    }
    found = [
        holdings.policy(held, action, moment_us)
        for moment_us in (now_us, now_us + GRANTS_AHEAD_US)
        for held in holdings.everybody(moment_us, narrowed)
        for action in READING
    ]
    by_hash = {policy.hash: policy for policy in found}
    by_hash |= {policy.hash: policy for policy in _of_parts(services, stored)}
    return list(by_hash.values())


def _of_parts(services: Services, stored: list[ApiKey]) -> Iterator[Policy]:
    """The policies of keys that are for some collections only."""
    now_us, holdings = services.clock.now_us(), services.policies.holdings()
    parents = {key.id: key for key in stored}
    for key in stored:
        if key.collections is None or key.revoked_us is not None or key.expires_us <= now_us:
            continue
        parent = parents.get(key.parent or "")
        narrowed = listed(key.tier) or (listed(parent.tier) if parent is not None else ())
        for moment_us in (now_us, now_us + GRANTS_AHEAD_US):
            held = holdings.held(key.organisation, moment_us, narrowed or None)
            for action in READING:
                yield holdings.policy(held, action, moment_us).only(listed(key.collections))


def make_keeper(services: Services) -> Keeper:
    """The keeper of this data folder; views are part of what it publishes."""
    views, leaving = _Held(services), make_leaving(services)
    ticks = [views.tick, Housekeeping(services).tick, leaving.tick]
    keeper = leaving.keeper = Keeper(
        services.record,
        services.settings.data,
        services.clock,
        [views.rebuild],
        ticks,
        grace_s=services.settings.grace_s,
        named=lambda: named_parts(services.views_dir),
        before_publish=note_changes(services.record, services.trail),
        form=FORM,
    )
    return keeper


def make_leaving(services: Services) -> Leaving:
    """Providers that leave this data folder."""
    return Leaving(services, policies_held)


class _Held:
    """Keeps the views of the policies that somebody holds."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._packs = Packs(services.packs_dir)
        self._memory = Memory()
        self._built: set[str] = set()
        self._seen: tuple[tuple[int, int], int] | None = None
        self._looked_us = self._listed_us = self._timed_us = 0

    def rebuild(self, collections: set[str] | None) -> None:
        """Bring all views up to date with what was published."""
        self._build(policies_held(self._services), collections)

    def tick(self, now_us: int) -> None:
        """Build the views of policies that have come to be held since the last look."""
        if now_us - self._looked_us < KEYS_LOOK_US:
            return
        self._looked_us = now_us
        if now_us - self._timed_us >= TIMED_LOOK_US:
            self._timed_us = now_us
            self._move_on()
        governance = self._services.governance
        seen = governance.keys_version(), governance.policies.version()
        if seen == self._seen and now_us - self._listed_us < GRANTS_LOOK_US:
            return
        if self._seen is None or seen[1] != self._seen[1]:
            self._services.policies.forget()
        self._seen, self._listed_us = seen, now_us
        held = policies_held(self._services)
        self._build([policy for policy in held if policy.hash not in self._built], None)
        self._retire({policy.hash for policy in held})
        sweep_views(held, self._services.views_dir, self._services.settings.changes_kept_s)

    def _retire(self, held: set[str]) -> None:
        """Leave views that nobody holds any more as they are, for who has a token of them.

        They are kept from now on, and brought up to date when somebody holds them again.
        """
        for policy_hash in self._built - held:
            with contextlib.suppress(OSError):
                os.utime(self._services.views_dir / policy_hash)
        self._built &= held

    def _move_on(self) -> None:
        """Show and hide what is due by now, in the views of policies with a delay or a window."""
        names = self._packs.names()
        for policy in policies_held(self._services):
            timed = {name for name in names if policy.timed(name)}
            if timed:
                self._build([policy], timed)

    def _build(self, policies: list[Policy], collections: set[str] | None) -> None:
        if policies:
            services = self._services
            build_views(
                policies,
                self._packs,
                services.views_dir,
                collections,
                memory=self._memory,
                tick_us=services.clock.now_us(),
                hash_key=lambda agreement: services.governance.secret(f"agreement {agreement}"),
                kept_us=round(services.settings.changes_kept_s * 1e6),
            )
            self._built |= {policy.hash for policy in policies}


def run_keeper(services: Services) -> None:
    """Keep until the process is told to end."""
    _log_to_stderr(services)
    _prefer(KEEPER_NICENESS)
    ingest.sweep(services.record, services.clock, services.settings.data)
    stop = _stop_on_signals()
    sequencing = threading.Thread(target=services.trail.keep, args=(stop,), name="audit", daemon=True)
    sequencing.start()
    make_keeper(services).run(stop)
    sequencing.join(timeout=5)


def make_worker(services: Services) -> Worker:
    """A worker for every kind of job there is."""
    made = services.extracts.unless_cancelled
    handlers = {
        CONTRIBUTE: audited(services.trail, ContributionJobs(services, make_keeper(services)).run),
        EXTRACT: audited(services.trail, made(services.extracts.run_and_tell)),
        PAGE: audited(services.trail, made(services.extracts.run_and_tell)),
        NOTICE: services.extracts.tell,
        PRINT: audited(services.trail, made(services.prints.run)),
    }
    return Worker(
        services.governance.jobs,
        handlers,
        services.clock,
        in_turn=(CONTRIBUTE,),
        changed=services.governance.signal().changed,
    )


def run_worker(services: Services) -> None:
    """Run jobs until the process is told to end."""
    _log_to_stderr(services)
    _prefer(WORKER_NICENESS)
    stop = _stop_on_signals()
    worker = make_worker(services)
    worker.start()
    if services.settings.webhooks:
        notifier = Notifier(services, services.webhooks)
        threading.Thread(target=notifier.run, args=(stop,), name="webhooks", daemon=True).start()
    if services.warnings.sources:
        watch = services.warnings.watch
        threading.Thread(target=watch, args=(stop,), name="warnings", daemon=True).start()
    stop.wait()
    worker.stop(wait_s=5)


def _prefer(niceness: int) -> None:
    """Say how soon this process comes to its turn; who may not be preferred stays as it is."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, niceness)


def _log_to_stderr(services: Services) -> None:
    logging.basicConfig(
        level=services.settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
