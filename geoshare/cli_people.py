"""``geoshare persons`` and ``geoshare departments``: the operator's own hand."""

from __future__ import annotations

from typing import Any

import click

from geoshare.access.credentials import ROLES
from geoshare.cli_organisations import named
from geoshare.services import Services, build_services
from geoshare.settings import Settings
from geoshare.terminal import tell

_PERSON = click.argument("person")


@click.group()
def persons() -> None:
    """Add, list, invite, change, disable and erase persons of organisations."""


@persons.command("add")
@click.argument("name")
@click.option("--organisation", required=True, help="Whom they belong to.")
@click.option("--department", help="A department's id or name.")
@click.option("--email", help="Where they can be written to.")
@click.option(
    "--role",
    multiple=True,
    help=f"What they may do: {', '.join(ROLES)}; editor:COLLECTION for one alone (may be repeated).",
)
@click.option("--language", default="ja", show_default=True, type=click.Choice(["ja", "en"]))
@click.pass_obj
def add(
    settings: Settings, /, name: str, organisation: str, role: tuple[str, ...], **said: Any
) -> None:
    """Add a person; prints the id, by which an invite is made."""
    services = build_services(settings)
    values = {key: value for key, value in said.items() if value is not None}
    if "department" in values:
        values["department"] = _department(services, organisation, values["department"])
    made = services.people.add(named(services, organisation), values | {"name": name, "roles": role})
    click.echo(made["id"])


@persons.command("list")
@click.option("--organisation", help="Only of this organisation.")
@click.pass_obj
def list_persons(settings: Settings, organisation: str | None) -> None:
    """List persons who are not erased."""
    services = build_services(settings)
    for item in services.people.listed(organisation and named(services, organisation)):
        roles = ",".join(item["roles"]) or "no role"
        whose = f"{item['id']}  {item['organisation']:<20} {item['state']:<8}"
        tell(f"{whose} {roles}  {item['name']}")


@persons.command("invite")
@_PERSON
@click.option("--hours", default=72, show_default=True, type=int, help="Hours until it expires.")
@click.pass_obj
def invite(settings: Settings, person: str, hours: int) -> None:
    """Print a link that logs the person in once; earlier ones end."""
    services = build_services(settings)
    text, expires = services.people.invite(services.people.person(person), hours)
    click.echo(login_link(settings, text))
    click.echo(f"until {expires}", err=True)


@persons.command("roles")
@_PERSON
@click.argument("role", nargs=-1)
@click.pass_obj
def roles(settings: Settings, person: str, role: tuple[str, ...]) -> None:
    """Give a person these roles and no others; none: they see what everybody sees."""
    services = build_services(settings)
    services.people.change(services.people.person(person), {"roles": role})
    click.echo("changed")


@persons.command("disable")
@_PERSON
@click.pass_obj
def disable(settings: Settings, person: str) -> None:
    """Let a person in no more; sessions and invites end within a second."""
    services = build_services(settings)
    services.people.disable(services.people.person(person))
    click.echo("disabled")


@persons.command("enable")
@_PERSON
@click.pass_obj
def enable(settings: Settings, person: str) -> None:
    """Let a person in again, by a new invite."""
    services = build_services(settings)
    services.people.change(services.people.person(person), {"disabled": False})
    click.echo("enabled")


@persons.command("erase")
@_PERSON
@click.confirmation_option(prompt="Name, address and sessions are destroyed for good. Go on?")
@click.pass_obj
def erase(settings: Settings, person: str) -> None:
    """Destroy name and address, and what links entries of the audit log to the person."""
    services = build_services(settings)
    services.people.erase(services.people.person(person))
    click.echo("erased")


@click.group()
def departments() -> None:
    """Add and list departments of organisations."""


@departments.command("add")
@click.argument("name")
@click.option("--organisation", required=True, help="Whose department it is.")
@click.pass_obj
def add_department(settings: Settings, name: str, organisation: str) -> None:
    """Add a department; prints its id."""
    services = build_services(settings)
    click.echo(services.people.add_department(named(services, organisation), name)["id"])


@departments.command("list")
@click.option("--organisation", help="Only of this organisation.")
@click.pass_obj
def list_departments(settings: Settings, organisation: str | None) -> None:
    """List departments."""
    services = build_services(settings)
    for item in services.people.departments(organisation and named(services, organisation)):
        tell(f"{item['id']}  {item['organisation']:<20} {item['name']}")


def address(settings: Settings) -> str:
    """Where a server with these settings is found, without a slash at the end."""
    scheme = "https" if settings.tls_certificate else "http"
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return settings.public_url.rstrip("/") or f"{scheme}://{host}:{settings.port}"


def said_address(settings: Settings) -> str:
    """The address where it was said, else nothing: a server may be started on another port."""
    return address(settings) if settings.model_fields_set & {"public_url", "port"} else ""


def login_link(settings: Settings, text: str) -> str:
    """The address by which an invite is used; its path alone where no address was said."""
    return f"{said_address(settings)}/login#invite={text}"


def _department(services: Services, organisation: str, said: str) -> str:
    """The id of a department that is named by its id or its name."""
    for item in services.people.departments(organisation):
        if said in (item["id"], item["name"]):
            return str(item["id"])
    return said  # refused where the person is stored, with what is allowed


PEOPLE = (persons, departments)
