"""Persons and departments, as an organisation's own administrators manage them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from flask import Blueprint, Response
from pydantic import Field, StringConstraints

from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import base_url, caller, services
from geoshare.api.describe import NoParams, describes
from geoshare.api.login import fresh
from geoshare.services.colleagues import Colleagues

blueprint = Blueprint("people", __name__)

JSON: Final = "application/json"
MADE = {201: (JSON, "Made")}
GONE = {204: ("", "Done")}
Role = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}(:[a-z0-9_]{1,64})?$")]


class PersonBody(Body):
    """A person to add."""

    name: str = Field(max_length=200, description="The name shown to colleagues, 1 to 200 letters")
    email: str | None = Field(None, max_length=254, description="Where they can be written to")
    department: str | None = Field(None, max_length=64, description="A department's id")
    roles: tuple[Role, ...] = Field(
        (),
        max_length=100,
        description="viewer, editor, contributor, admin; editor:COLLECTION for one alone",
    )
    language: Literal["ja", "en"] = Field("ja", description="ja or en")


class ChangeBody(Body):
    """What is to be different about a person."""

    name: str | None = Field(None, max_length=200, description="The name, 1 to 200 letters")
    email: str | None = Field(None, max_length=254, description="An address; empty: none")
    department: str | None = Field(None, max_length=64, description="A department's id; empty: none")
    roles: tuple[Role, ...] | None = Field(None, max_length=100, description="All roles from now on")
    language: Literal["ja", "en"] | None = Field(None, description="ja or en")
    disabled: bool | None = Field(None, description="true: let in no more; false: let in again")


class InviteBody(Body):
    """How long an invite is to be open."""

    hours: int = Field(72, ge=1, le=720, description="Hours until it expires, 1 to 720")


class DepartmentBody(Body):
    """A department."""

    name: str = Field(max_length=200, description="Its name, 1 to 200 letters")


@blueprint.get("/me/persons")
@describes("Persons of your organisation, for its administrators", tags=("people",))
def persons(params: NoParams) -> Response:
    """With roles and state, without anything that lets them in."""
    return fresh(reply.json({"persons": _colleagues().listed()}))


@blueprint.post("/me/persons")
@describes("Add a person", answers=MADE, body=PersonBody, tags=("people",))
def add(params: NoParams) -> Response:
    """They are let in by an invite, which is made beside this."""
    made = _colleagues().add(read_body(PersonBody).model_dump())
    return fresh(reply.json(made, status=201))


@blueprint.patch("/me/persons/<person>")
@describes("Change a person, or let them in no more", body=ChangeBody, tags=("people",))
def change(params: NoParams, person: str) -> Response:
    """It counts within a second, also for sessions under way."""
    said = read_body(ChangeBody).model_dump(exclude_unset=True)
    return fresh(reply.json(_colleagues().change(person, said)))


@blueprint.delete("/me/persons/<person>")
@describes("Erase a person", answers=GONE, tags=("people",))
def erase(params: NoParams, person: str) -> Response:
    """Name, address and sessions are destroyed, and what links entries of the log to the person."""
    _colleagues().erase(person)
    return reply.finish(Response(status=204), cache="no-store")


@blueprint.post("/me/persons/<person>/invite")
@describes("Invite a person", answers=MADE, body=InviteBody, tags=("people",))
def invite(params: NoParams, person: str) -> Response:
    """A link that lets them in once; it is shown this once, and takes the place of earlier ones."""
    text, expires = _colleagues().invite(person, read_body(InviteBody).hours)
    return fresh(reply.json({"link": invite_link(base_url(), text), "expires": expires}, status=201))


@blueprint.delete("/me/persons/<person>/invite")
@describes("Take an invite back", answers=GONE, tags=("people",))
def uninvite(params: NoParams, person: str) -> Response:
    """Where it has not been used."""
    _colleagues().uninvite(person)
    return reply.finish(Response(status=204), cache="no-store")


@blueprint.get("/me/departments")
@describes("Departments of your organisation", tags=("people",))
def departments(params: NoParams) -> Response:
    """By name."""
    return fresh(reply.json({"departments": _colleagues().departments()}))


@blueprint.post("/me/departments")
@describes("Add a department", answers=MADE, body=DepartmentBody, tags=("people",))
def add_department(params: NoParams) -> Response:
    """Persons belong to one or none."""
    return fresh(reply.json(_colleagues().add_department(read_body(DepartmentBody).name), status=201))


def invite_link(base: str, text: str) -> str:
    """The address that logs somebody in; what stands behind # is sent to nobody."""
    return f"{base}/login#invite={text}"


def _colleagues() -> Colleagues:
    return Colleagues(services(), caller())
