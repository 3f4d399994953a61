"""``geoshare shares``: list and revoke maps that organisations show to anybody with the link."""

from __future__ import annotations

import click

from geoshare.cli_organisations import named
from geoshare.services import build_services
from geoshare.settings import Settings
from geoshare.terminal import tell


@click.group()
def shares() -> None:
    """List and revoke maps that are shared with the public."""


@shares.command("list")
@click.option("--organisation", help="Only this organisation's.")
@click.pass_obj
def list_shares(settings: Settings, organisation: str | None) -> None:
    """List shared maps: whose, until when, made when; the newest first."""
    services = build_services(settings)
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    for share in services.shares.all(organisation and named(services, organisation)):
        tell(
            f"{base}/s/{share['id']}  {share['organisation']:<20} {share['state']:<8}"
            f" made {share['made']}  until {share['until']}  {share['title']}"
        )


@shares.command("revoke")
@click.argument("share")
@click.pass_obj
def revoke_share(settings: Settings, share: str) -> None:
    """Revoke a shared map by its id or address; every worker shows it no more within a second."""
    build_services(settings).shares.end(share.rstrip("/").rpartition("/")[2])
    click.echo("revoked")
