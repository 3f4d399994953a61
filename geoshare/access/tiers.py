"""Reads tiers from TOML, checks them against the collections, and combines them into policies."""

from __future__ import annotations

import tomllib
from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from geoshare.access.classes import declared_classes
from geoshare.access.grant_faults import grant_faults
from geoshare.access.written import first_fault
from geoshare.errors import BadRequest, GeoshareError
from geoshare.filter import parse_text
from geoshare.model.collections import Collection, known
from geoshare.model.policy import DECLARED, OPEN_CLASS, Action, Policy, ReleaseClass, Tier

OPEN: Final = "open"
MAX_FILE: Final = 4_000_000  # bytes
MAX_TIERS: Final = 1_000


@dataclass(frozen=True)
class Tiers:
    """The tiers of one file, and the release classes that it declares beside the open one."""

    tiers: Mapping[str, Tier]
    source: str
    release_classes: Mapping[str, ReleaseClass] = field(default_factory=dict)

    @property
    def class_names(self) -> tuple[str, ...]:
        """All release classes there are, the open one first."""
        return OPEN_CLASS, *self.release_classes

    def tier(self, name: str) -> Tier:
        """Return the tier of that name.

        Raises
        ------
        BadRequest
            with the names there are.
        """
        if name not in self.tiers:
            allowed = ", ".join(self.tiers)
            raise BadRequest(
                "There is no such tier.", code="unknown-tier", parameter="tier", allowed=allowed
            )
        return self.tiers[name]

    def policy(self, held: Iterable[str], action: Action, now_us: int) -> Policy:
        """Combine the grants of the tiers held, and of the open tier, that allow an action now.

        A tier that the file no longer has gives nothing.
        """
        now = datetime.fromtimestamp(now_us / 1e6, UTC)
        names = sorted({OPEN, *held} & set(self.tiers))
        return Policy(
            tuple(
                grant
                for name in names
                for grant in self.tiers[name].grants
                if action in grant.actions and grant.in_force(now)
            )
        )

    def document(self) -> dict[str, Any]:
        """All tiers as JSON values, as far as they say anything: what a change set keeps."""
        found: dict[str, Any] = {
            name: tier.model_dump(mode="json", exclude_unset=True) for name, tier in self.tiers.items()
        }
        if self.release_classes:
            said = {name: item.model_dump(mode="json") for name, item in self.release_classes.items()}
            found[DECLARED] = said
        return found


def load_tiers(path: Path | None = None, collections: Mapping[str, Collection] | None = None) -> Tiers:
    """Read tiers from a TOML file, or the built-in ones.

    ``collections`` are those that grants may name; the built-in ones if left out.

    Raises
    ------
    BadRequest
        naming the file, the tier, the key and what is allowed.
    """
    source = resources.files("geoshare.access") / "tiers.toml" if path is None else path
    name = "tiers.toml" if path is None else path.name
    try:
        content = source.read_bytes()
    except OSError as error:
        raise BadRequest(f"{name} cannot be read: {error.strerror}.", parameter="tiers") from error
    if len(content) > MAX_FILE:
        raise BadRequest(f"{name} is too large.", parameter="tiers", allowed=f"{MAX_FILE} bytes")
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{name} is not TOML: {error}.", parameter="tiers") from error
    return read_tiers(document, name, known() if collections is None else collections)


def read_tiers(
    document: Mapping[str, Any], source: str, collections: Mapping[str, Collection]
) -> Tiers:
    """Check the tiers of a parsed document; see :func:`load_tiers`."""
    if not isinstance(document, Mapping) or len(document) > MAX_TIERS:
        raise BadRequest(
            f"{source}: tiers are a table of tables.",
            parameter="tiers",
            allowed=f"at most {MAX_TIERS} tiers",
        )
    classes = _read_classes(document.get(DECLARED, {}), source)
    names = OPEN_CLASS, *classes
    tiers = {
        name: _read_tier(name, said, source, collections, names)
        for name, said in document.items()
        if name != DECLARED
    }
    if OPEN not in tiers:
        raise BadRequest(
            f'{source}: the tier "{OPEN}" is missing.', parameter=OPEN, allowed="a table [open]"
        )
    reading = Policy(tuple(grant for grant in tiers[OPEN].grants if "read" in grant.actions))
    for name, tier in tiers.items():
        for item in tier.as_open:
            if not reading.allows(item):
                raise _wrong(
                    source,
                    name,
                    "as_open",
                    f"open holds no {item}",
                    ", ".join(sorted(reading.collections)),
                )
    return Tiers(tiers, source, classes)


def _read_classes(said: Any, source: str) -> dict[str, ReleaseClass]:
    try:
        return declared_classes(said)
    except BadRequest as error:
        message = f"{source}, {error.parameter}: {error.message}"
        raise BadRequest(
            message, code="bad-tier", parameter=error.parameter, allowed=error.allowed
        ) from error


def _read_tier(
    name: str,
    said: Any,
    source: str,
    collections: Mapping[str, Collection],
    classes: Several[str],
) -> Tier:
    if not isinstance(said, dict):
        raise _wrong(source, name, name, "a tier is a table", f"[{name}]")
    said = dict(said)
    grants = said.get("grants", [])
    if isinstance(grants, list):
        said["grants"] = [
            _read_rows(grant, _key(number, "rows"), name, source) for number, grant in enumerate(grants)
        ]
    try:
        tier = Tier.model_validate(said)
    except ValidationError as error:
        raise _from_validation(error, name, source) from error
    for key in ("withheld", "as_open"):
        _check_names(getattr(tier, key), key, name, source, collections)
    for number, grant in enumerate(tier.grants):
        for place, message, allowed in grant_faults(grant, collections, classes):
            raise _wrong(source, name, f"grants[{number}].{place}", message, allowed)
    return tier


def _read_rows(grant: Any, key: str, tier: str, source: str) -> Any:
    """Turn rows that are written as CQL2 text into CQL2-JSON."""
    if not isinstance(grant, dict) or not isinstance(grant.get("rows"), str):
        return grant
    try:
        return grant | {"rows": parse_text(grant["rows"])}
    except GeoshareError as error:
        raise _wrong(source, tier, key, error.message, error.allowed or "") from error


def _check_names(
    names: Iterable[str], key: str, tier: str, source: str, collections: Mapping[str, Collection]
) -> None:
    for name in names:
        if name not in collections:
            raise _wrong(
                source, tier, key, f"there is no collection {name!r}", ", ".join(sorted(collections))
            )


def _key(number: int, name: str) -> str:
    return f"grants[{number}].{name}"


def _from_validation(error: ValidationError, tier: str, source: str) -> BadRequest:
    key, message, allowed = first_fault(error, Tier)
    return _wrong(source, tier, key or tier, message, allowed)


def _wrong(source: str, tier: str, key: str, message: str, allowed: str) -> BadRequest:
    return BadRequest(
        f"{source}, tier {tier}, {key}: {message.rstrip('.')}.",
        code="bad-tier",
        parameter=f"{tier}.{key}",
        allowed=allowed or None,
    )
