"""What the command line does on a data folder, whether or not a server runs on it."""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geoshare import ingest
from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.errors import BadRequest, GeoshareError
from geoshare.ingest.contribute import UNSTATED, Progress, Terms
from geoshare.model.collections import check_name
from geoshare.model.findings import Refusing, refusing
from geoshare.model.foundation import load
from geoshare.model.report import Report
from geoshare.publish import Packs, wait_published
from geoshare.services import Services
from geoshare.services.contribution_options import read_complete, read_observed, read_offset
from geoshare.services.keeping import make_keeper
from geoshare.services.releasing import of_provider
from geoshare.services.scratch import scratch_folder
from geoshare.services.warning_folder import SETTLED_S
from geoshare.services.warnings import Taken
from geoshare.services.written import Author
from geoshare.sources import ReadRequest
from geoshare.sources.jma import MAX_BYTES

DEMO_KEYS = {
    "automaker": ("automaker-a", ("automaker",)),
    "municipal": ("shiomi-city", ("municipal",)),
    "developer": ("example-developer", ("developer",)),
    "provider": ("mapco", ("provider",)),
    "operator": ("operator", ("operator",)),
}
DEMO_DAYS = 365
DEMO_OFFICER, DEMO_DEPARTMENT, DEMO_INVITE_HOURS = "防災担当（デモ）", "防災課", 72
OPERATOR_HAND = "command line"


class Local:
    """Writes to the record from this machine: the operator's own hand."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._keeper = make_keeper(services)
        self._sequences: list[int] = []

    def contribute(
        self,
        path: Path,
        provider: str,
        *,
        progress: Progress,
        collection: str | None = None,
        mapping: str | None = None,
        crs: str | None = None,
        offset: str | None = None,
        licence: str = UNSTATED,
        refuse_on: Refusing | None = None,
        check_only: bool = False,
        observed: str | None = None,
        complete: bool = False,
        dataset: str | None = None,
        within: str | None = None,
        remove_most: bool = False,
        release_class: str | None = None,
        **declared: Any,
    ) -> Report:
        """Take one file in; it is visible after ``wait_until_visible``.

        With ``check_only`` nothing is taken in, and the report says what was found.

        Raises
        ------
        BadData, BadRequest
            where the file is refused; nothing has changed then.
        """
        services = self._services
        if collection is not None:
            check_name(collection)
        if not path.is_file():
            raise BadRequest("there is no such file", parameter="FILE", allowed="a file's path")
        terms = Terms(
            licence=licence,
            release_class=of_provider(services, provider).choose(release_class),
            refuse_on=refusing(refuse_on, services.governance.providers.refuse_on(provider)),
            observed_us=None if observed is None else read_observed(observed),
            complete=read_complete(complete, dataset, within, remove_most=remove_most),
            dataset=dataset,
        )
        with scratch_folder(services.scratch()) as folder:
            request = ReadRequest(
                provider=provider,
                work_dir=folder,
                now_us=services.clock.now_us(),
                collection=collection,
                mapping=mapping,
                crs=crs,
                offset=None if offset is None else read_offset(offset),
                grids_dir=services.settings.grids,
                **declared,
            )
            if check_only:
                report = Report(file=path.name)
                ingest.check(
                    services.record,
                    path,
                    request,
                    report,
                    against_all=True,
                    refuse_on=terms.refuse_on,
                    release_class=terms.release_class,
                    complete=terms.complete,
                    series=dataset,
                )
                return report
            found = ingest.contribute(
                services.record,
                path,
                request,
                clock=services.clock,
                ids=services.ids,
                data_dir=services.settings.data,
                terms=terms,
                progress=progress,
                foundation=load(services.settings.data),
                against_all=True,
            )
        if found.sequence is not None:
            self._sequences.append(found.sequence)
        about = Party(organisation=provider, subject=found.contribution_id)
        services.trail.append(
            "contribution.accept", COMMAND_LINE, about, {"withdrawn": found.report.withdrawn}
        )
        return found.report

    def take_telegram(self, path: Path) -> Taken:
        """Take one JMA telegram in; it is visible after ``wait_until_visible``."""
        if not path.is_file():
            raise BadRequest("there is no such file", parameter="FILE", allowed="a file's path")
        with path.open("rb") as file:
            return self._noted(self._services.warnings.take(file.read(MAX_BYTES + 1), path.name))

    def sync_warnings(self) -> Iterator[Taken]:
        """Take what the folder and the address of the settings hold now."""
        warnings = self._services.warnings
        if not warnings.sources:
            raise BadRequest(
                "No folder and no address of telegrams is set",
                parameter="warnings_folder",
                allowed="GEOSHARE_WARNINGS_FOLDER or GEOSHARE_WARNINGS_URL, or files",
            )
        for _ in warnings.sync_folder():  # the first look only sees how the files are
            pass
        time.sleep(SETTLED_S)
        for taken in (*warnings.sync_folder(patient=False), *warnings.sync_feed()):
            yield self._noted(taken)

    def _noted(self, taken: Taken) -> Taken:
        if taken.sequence is not None:
            self._sequences.append(taken.sequence)
        return taken

    def wait_until_visible(self) -> None:
        """Return when readers see what was taken in; NotPublished where some of it cannot be shown."""
        services = self._services
        waiting, self._sequences = self._sequences, []
        for sequence in sorted(waiting, reverse=True):  # the newest publishes the others, too
            wait_published(self._keeper, services.record, services.settings.data, sequence, 600.0)

    def counts(self) -> dict[str, int]:
        """Features or rasters of each published collection."""
        packs = Packs(self._services.packs_dir)
        found = {}
        for name in packs.names():
            manifest = packs.manifest(name)
            found[name] = manifest.count if manifest is not None else len(packs.rasters(name)[1])
        return found

    def add_organisation(self, organisation: str, name: str) -> None:
        """Add an organisation, or rename it."""
        services = self._services
        services.governance.add_organisation(organisation, name, services.clock.now_us())
        services.trail.append("organisation.add", COMMAND_LINE, Party(organisation=organisation))

    def create_key(
        self, organisation: str, tiers: tuple[str, ...], *, days: int, label: str = ""
    ) -> str:
        """Make a key and return its text, which is kept nowhere.

        Raises
        ------
        BadRequest
            for a tier that the organisation does not hold by an agreement in force.
        """
        services = self._services
        held = services.policies.standing(organisation, None).tiers
        for tier in tiers:
            services.tiers.tier(tier)
            if tier not in held:
                raise BadRequest(
                    f"{organisation} holds no tier {tier}; agree first: geoshare agreements sign",
                    parameter="tier",
                    allowed=", ".join(held) or "none is held",
                )
        if services.governance.organisation(organisation) is None:
            self.add_organisation(organisation, organisation)
        return services.keys.create(organisation, tiers, days=days, label=label)

    def agree(
        self,
        organisation: str,
        tiers: tuple[str, ...],
        *,
        days: int,
        reason: str,
        author: str = OPERATOR_HAND,
        area: Any = None,
        contribute_area: Any = None,
        operator: bool = False,
        release_classes: tuple[str, ...] = (),
    ) -> str:
        """Record a signed agreement by which an organisation holds tiers from now on; its id."""
        row = self._services.agreements.agree(
            organisation,
            tiers,
            Author(author, reason),
            days=days,
            area=area,
            contribute_area=contribute_area,
            operator=operator,
            release_classes=release_classes,
        )
        return row.id


def _silent(fraction: float, message: str = "") -> None:
    pass


def init_demo(services: Services, sample: Path, progress: Progress) -> dict[str, str]:
    """Load the sample town and make its keys; a second time reads the keys back."""
    marker = services.settings.data / "demo-keys.json"
    if marker.exists():
        found: dict[str, str] = json.loads(marker.read_text("utf-8"))
        return found
    local = Local(services)
    manifest = tomllib.loads((sample / "manifest.toml").read_text("utf-8"))
    listed = manifest["files"]
    for organisation, name in manifest["providers"].items():
        local.add_organisation(organisation, name)
    for number, entry in enumerate(listed):
        said = {key: value for key, value in entry.items() if key in _OPTIONS}
        path = sample / "town_data" / entry["file"]
        try:
            local.contribute(path, entry["provider"], progress=_silent, **said)
        except GeoshareError as error:
            raise BadRequest(f"{entry['file']}: {error.message}", parameter="sample") from error
        progress((number + 1) / len(listed), entry["file"])
    local.wait_until_visible()  # warnings take their shapes from the areas that are published
    for name in manifest.get("telegrams", {}).get("files", ()):
        taken = local.take_telegram(sample / "telegrams" / name)
        if taken.error is not None:
            raise BadRequest(f"{name}: {taken.error.message}", parameter="sample") from taken.error
    local.wait_until_visible()
    edited = manifest.get("contribute_areas", {})
    for organisation, tiers in DEMO_KEYS.values():
        local.agree(
            organisation,
            tiers,
            days=DEMO_DAYS,
            reason="the sample town",
            contribute_area=edited.get(organisation),
        )
    for said in manifest.get("agreements", ()):
        local.agree(
            said["organisation"],
            (said["tier"],),
            days=DEMO_DAYS,
            reason=said["reason"],
            area=said["area"],
        )
    keys = {
        name: local.create_key(organisation, (), days=DEMO_DAYS, label="demo")
        for name, (organisation, _) in DEMO_KEYS.items()
    }
    handle = os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=1)
    return keys


def demo_invite(services: Services) -> str:
    """Invite the demo officer of the sample municipality; an earlier invite ends."""
    organisation = DEMO_KEYS["municipal"][0]
    people = services.people
    known = people.listed(organisation) or [
        people.add(
            organisation,
            {
                "name": DEMO_OFFICER,
                "department": people.add_department(organisation, DEMO_DEPARTMENT)["id"],
                "roles": ("viewer", "editor", "contributor", "admin"),
            },
        )
    ]
    return people.invite(people.person(known[0]["id"]), DEMO_INVITE_HOURS)[0]


_OPTIONS = (
    "collection",
    "mapping",
    "crs",
    "epoch",
    "vertical",
    "encoding",
    "licence",
    "accuracy_m",
    "observed",
    "release_class",
)
