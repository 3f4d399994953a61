"""``geoshare providers``: who has contributed, and how a provider leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from geoshare.access.audit import COMMAND_LINE, Party
from geoshare.cli_organisations import provider
from geoshare.model.findings import SEVERITIES, Refusing
from geoshare.model.times import iso
from geoshare.publish import wait_published
from geoshare.services import build_services
from geoshare.services.keeping import make_keeper, make_leaving
from geoshare.services.leaving import check_provider
from geoshare.settings import Settings
from geoshare.terminal import tell


@click.group()
def providers() -> None:
    """Tell who has contributed, and let a provider leave."""


@providers.command("list")
@click.pass_obj
def list_providers(settings: Settings) -> None:
    """List providers with the number of their contributions and the time of the last."""
    found: dict[str, tuple[int, int]] = {}
    for item in build_services(settings).record.contributions(limit=1_000_000):
        count, last_us = found.get(item.provider, (0, 0))
        found[item.provider] = count + 1, max(last_us, item.received_us)
    for name, (count, last_us) in sorted(found.items()):
        tell(f"{name:<24} {count:>6}  {iso(last_us)}")


@providers.command("rules")
@click.argument("name")
@click.option(
    "--refuse-on",
    type=click.Choice([*SEVERITIES, "none"]),
    help="Refuse its files with findings as grave as this, or graver; none: with no findings.",
)
@click.pass_obj
def rules(settings: Settings, name: str, refuse_on: Refusing | None) -> None:
    """Show, or decide, which findings refuse a provider's contributions.

    What is said with a contribution goes before it.
    """
    services = build_services(settings)
    name = provider(services, check_provider(name))
    rows = services.governance.providers
    if refuse_on is not None:
        about = Party(organisation=name, subject=name)
        services.trail.append("contribution.rules", COMMAND_LINE, about, {"refuse_on": refuse_on})
        rows.decide(name, refuse_on, services.clock.now_us())
    click.echo(f"refuse-on  {rows.refuse_on(name) or 'none'}")


@providers.command("withdraw")
@click.argument("name")
@click.option(
    "--erase",
    is_flag=True,
    help="Remove its files, rows, history, packs, views and extracts too, and certify that.",
)
@click.option(
    "--release-class",
    metavar="CLASS",
    help="Only what it contributed under this release class; its history is kept.",
)
@click.option("--reason", default="", help="Why; kept beside the certificate.")
@click.option(
    "--certificate", type=click.Path(path_type=Path, dir_okay=False), help="Copy it to this file."
)
@click.confirmation_option(
    "--yes",
    prompt="Take back everything this provider contributed (with --erase it is gone for good)?",
    help="Do not ask whether it is meant.",
)
@click.pass_obj
def withdraw(
    settings: Settings,
    name: str,
    erase: bool,
    release_class: str | None,
    reason: str,
    certificate: Path | None,
) -> None:
    """End all claims of a provider; what rested on them is decided anew from the others'.

    Interrupted, it goes on when it is asked for again, or when the server runs.
    """
    if erase and release_class is not None:
        raise click.UsageError("What is erased is erased whatever its release class.")
    services = build_services(settings)
    keeper, leaving = make_keeper(services), make_leaving(services)
    check_provider(name)
    if not erase:
        sequence = leaving.take_back(name, release_class)
        if sequence is not None:
            wait_published(keeper, services.record, settings.data, sequence, 600.0)
        click.echo("withdrawn" if sequence is not None else "nothing was in force")
        return
    state = leaving.ask(name, reason)
    path = leaving.finish(state["id"], keeper)
    if certificate is not None:
        shutil.copyfile(path, certificate)
        path = certificate
    for what, count in leaving.state(state["id"])["erased"].items():
        click.echo(f"{what:<14} {count}")
    click.echo(f"certificate    {path}")
    click.echo("check it with  geoshare audit verify --public CERTIFICATE VKEY-FILE")
