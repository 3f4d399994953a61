"""``geoshare keys``: create, list, rotate and revoke."""

from __future__ import annotations

import re
from typing import Any

import click

from geoshare.cli_organisations import NEW, named
from geoshare.errors import BadRequest
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from geoshare.terminal import tell

UNITS_S = {"m": 60, "h": 3_600, "d": 86_400}


@click.group()
def keys() -> None:
    """Create, list, rotate and revoke API keys."""


@keys.command("create")
@click.option("--organisation", required=True, help="Who will hold it.")
@click.option(
    "--tier", multiple=True, help="A tier held by agreement that it is for (may be repeated); else all."
)
@click.option("--days", default=365, show_default=True, type=int, help="Days until it expires.")
@click.option("--label", default="", help="What it is for.")
@NEW
@click.pass_obj
def create_key(
    settings: Settings, /, organisation: str, tier: tuple[str, ...], new_organisation: bool, **said: Any
) -> None:
    """Create a key. It is shown this once and stored as a hash."""
    services = build_services(settings)
    holder = named(services, organisation, new=new_organisation)
    click.echo(Local(services).create_key(holder, tier, **said))


@keys.command("list")
@click.pass_obj
def list_keys(settings: Settings) -> None:
    """List keys without their secrets: their end and use, also of this month, and who made them."""
    for key in build_services(settings).keys.listed():
        notes = [key["label"]]
        if key["parent"]:
            notes.append(f"made by {key['parent']}")
        if key["old_secret_until"]:
            notes.append(f"old secret until {key['old_secret_until']}")
        tell(
            f"{key['id']}  {key['organisation']:<20} {','.join(key['tiers']) or 'all':<12}"
            f" {key['state']:<8} until {key['expires']}  used {key['last_used'] or 'never'}"
            f"  this month {key['month']['requests']} requests, cost {key['month']['cost']}"
            f"  {'; '.join(note for note in notes if note)}"
        )


@keys.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap",
    default="7d",
    show_default=True,
    help="How long the old secret stays valid: 30m, 7d, 0.",
)
@click.option("--days", type=int, help="Days until the key expires; left out: as it was.")
@click.option("--end-overlap", is_flag=True, help="Also where that ends an earlier secret at once.")
@click.pass_obj
def rotate_key(
    settings: Settings, key_id: str, overlap: str, days: int | None, end_overlap: bool
) -> None:
    """Give a key a new secret, shown this once; the old one is valid until the overlap ends."""
    found = build_services(settings).keys
    click.echo(
        found.rotate(key_id, overlap_us=duration_us(overlap), days=days, end_overlap=end_overlap)
    )


@keys.command("revoke")
@click.argument("key_id")
@click.pass_obj
def revoke_key(settings: Settings, key_id: str) -> None:
    """Revoke a key and those it has made; every worker refuses them within a second."""
    build_services(settings).keys.revoke(key_id)
    click.echo("revoked")


def duration_us(text: str) -> int:
    """Microseconds of ``30m``, ``12h``, ``7d`` or ``0``. Raises BadRequest for anything else."""
    match = re.fullmatch(r"(\d{1,5})([mhd])|0", text)
    if match is None:
        raise BadRequest("This is no duration", parameter="overlap", allowed="30m, 12h, 7d or 0")
    return 0 if match[1] is None else int(match[1]) * UNITS_S[match[2]] * 1_000_000
