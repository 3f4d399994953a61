"""``geoshare organisations``: who there is to hold tiers and to contribute."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from geoshare.errors import BadRequest
from geoshare.services import Services, build_services
from geoshare.services.agreements import OPERATOR
from geoshare.services.local import Local
from geoshare.settings import Settings
from geoshare.terminal import tell

LONGEST = 200
NEAR = 3  # names that are offered for one that is not known
NEW = click.option("--new-organisation", is_flag=True, help="Make one of that name if there is none.")


def named(services: Services, name: str, *, new: bool = False) -> str:
    """The name of an organisation, as it was typed; ``new``: also of one that there is not yet.

    Raises
    ------
    BadRequest
        with the nearest names, for one that nobody has.
    """
    known = [OPERATOR, *(item.id for item in services.governance.organisations())]
    if new or name in known:
        return name
    advice = "geoshare organisations list shows all, organisations add NAME makes one"
    raise BadRequest(
        f"There is no organisation {name!r}",
        parameter="organisation",
        allowed="; ".join([*near(name, known), advice]),
    )


def provider(services: Services, name: str, *, new: bool = False) -> str:
    """The name of who contributes; one that nobody has is taken unless it reads like a slip of the pen.

    Raises
    ------
    BadRequest
        with the nearest names, for one that is almost a known one.
    """
    known = [item.id for item in services.governance.organisations()]
    if new or name in known or services.record.contributions(name, limit=1):
        return name
    if found := near(name, known):
        raise BadRequest(
            f"There is no provider {name!r} yet, and there is one of almost that name",
            parameter="provider",
            allowed="; ".join([*found, "--new-provider makes another one"]),
        )
    return name


def near(name: str, known: Iterable[str]) -> list[str]:
    """Names that somebody may have meant, nearest first."""
    folded = {item.casefold(): item for item in known}
    found = difflib.get_close_matches(name.casefold(), folded, n=NEAR, cutoff=0.75)
    return [folded[item] for item in found]


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
