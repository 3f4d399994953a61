"""``geoshare organisations``: who there is to hold tiers and to contribute."""

from __future__ import annotations

import click

from geoshare.errors import BadRequest
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from geoshare.terminal import tell

LONGEST = 200


@click.group()
def organisations() -> None:
    """Add and list organisations."""


@organisations.command("add")
@click.argument("name")
@click.option("--title", default="", help="What people call it, if not so; said again, it is renamed.")
@click.pass_obj
def add(settings: Settings, name: str, title: str) -> None:
    """Add an organisation under the name by which agreements, keys and persons call it."""
    for parameter, text in (("name", name), ("title", title or name)):
        if not text.strip() or len(text) > LONGEST or not text.isprintable():
            raise BadRequest(
                "That is no name", parameter=parameter, allowed=f"1 to {LONGEST} printable letters"
            )
    Local(build_services(settings)).add_organisation(name, title or name)
    click.echo(name)


@organisations.command("list")
@click.pass_obj
def list_organisations(settings: Settings) -> None:
    """List organisations, and what each holds."""
    services = build_services(settings)
    for item in services.governance.organisations():
        held = services.agreements.rows(item.id)
        tell(f"{item.id:<24} {len(held)} agreements  {item.name}")
