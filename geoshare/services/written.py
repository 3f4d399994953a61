"""What changes of policies have in common: author, reason, checked document, entry in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection

from geoshare.access.audit import COMMAND_LINE, Audit, Party
from geoshare.access.written import first_fault
from geoshare.errors import BadRequest
from geoshare.store.policy_kinds import Act, Change, Witness

if TYPE_CHECKING:
    from geoshare.services import Services

MAX_REASON = 500
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Author:
    """Who acts, and why; ``party`` is how the audit log knows them."""

    name: str
    reason: str
    party: Party = COMMAND_LINE

    def __post_init__(self) -> None:
        for what, text in (("author", self.name), ("reason", self.reason)):
            if not text.strip() or len(text) > MAX_REASON:
                raise BadRequest(
                    f"Every change needs its {what}.",
                    parameter=what,
                    allowed=f"1 to {MAX_REASON} letters",
                )


def written(model: type[Model], document: Any, name: str) -> Model:
    """A document of some model. Raises BadRequest naming the place and what is allowed there."""
    if not isinstance(document, Mapping):
        raise BadRequest(f"The {name} is no JSON object.", parameter=name, allowed="an object")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        key, message, allowed = first_fault(error, model)
        raise BadRequest(
            f"{name}, {key}: {message.rstrip('.')}.",
            code="bad-policy",
            parameter=f"{name}.{key}"[:200],
            allowed=allowed or None,
        ) from error


def act(services: Services, by: Author, organisation: str = "") -> Act:
    """The head of a change set; its entry in the audit log is kept in the same transaction.

    ``organisation`` is whom the act concerns.
    """
    told = witness(services.trail, by.party, organisation)
    return Act(services.clock.now_us(), by.name, by.reason, told)


def witness(trail: Audit, by: Party, organisation: str = "") -> Witness:
    """What adds the entry of a change set to the audit log, in the change set's own transaction."""

    def tell(connection: Connection, change: Change) -> None:
        about = Party(organisation=organisation, subject=change.subject)
        detail = {"change": change.number, "sha256": change.sha256 or ""}
        entry = trail.prepare(f"{change.kind}.{change.act}", by, about, detail)
        trail.add(connection, entry)

    return tell
