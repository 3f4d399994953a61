"""The command line's part on policies: tiers, agreements and offers."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import orjson

from geoshare.access.audit import Party
from geoshare.access.findings import readers_of
from geoshare.access.tiers import Tiers
from geoshare.cli_organisations import NEW, named
from geoshare.errors import BadRequest
from geoshare.model.times import iso
from geoshare.services import build_services
from geoshare.services.agreements import described, state
from geoshare.services.tier_desk import TierDesk
from geoshare.services.written import Author
from geoshare.settings import Settings
from geoshare.terminal import tell

COMMAND_LINE = "command line"
MAX_FILE = 4_000_000  # bytes
_AUTHOR = click.option("--author", default=COMMAND_LINE, show_default=True, help="Who changes it.")
_REASON = click.option("--reason", required=True, help="Why.")
_FILE = click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def tiers() -> None:
    """Check, list, compare and publish tiers."""


@tiers.command("check")
@_FILE
@click.pass_obj
def check_tiers(settings: Settings, file: Path | None) -> None:
    """Check a file, or the tiers in force; exit code 1 for an error, warnings are listed."""
    desk = TierDesk(build_services(settings))
    read = desk.read(file)
    for finding in desk.check(read):
        click.echo(f"{finding.level}: {finding.place}: {finding.text} / {finding.text_ja}")
    _tell_classes(read)
    click.echo("the tiers can be published")


@tiers.command("list")
@click.pass_obj
def list_tiers(settings: Settings) -> None:
    """List the tiers in force and the collections of each."""
    held = build_services(settings).tiers
    click.echo(f"tiers of {held.source}")
    for name, tier in held.tiers.items():
        names = sorted(
            {item for grant in tier.grants for item in grant.collections if grant.collections != "all"}
        )
        tell(f"{name:<12} {tier.title} / {tier.title_ja}: {', '.join(names) or 'all'}")
    _tell_classes(held)


@tiers.command("show")
@click.argument("name")
@click.pass_obj
def show_tier(settings: Settings, name: str) -> None:
    """Show one tier as JSON."""
    held = build_services(settings).tiers
    held.tier(name)
    _json(held.document()[name])


@tiers.command("diff")
@_FILE
@click.pass_obj
def diff_tiers(settings: Settings, file: Path | None) -> None:
    """Say who gains and loses what if a file is published."""
    desk = TierDesk(build_services(settings))
    found = desk.diff(desk.read(file))
    for item in found:
        for act in ("gains", "loses"):
            for line in item[act]:
                tell(f"{item['who']} {act} {line}")
    if not found:
        click.echo("nobody gains or loses anything")


@tiers.command("publish")
@_FILE
@_AUTHOR
@_REASON
@click.pass_obj
def publish_tiers(settings: Settings, file: Path | None, author: str, reason: str) -> None:
    """Publish a file as a change set; every worker answers by it within a second."""
    desk = TierDesk(build_services(settings))
    number = desk.publish(desk.read(file).document(), _by(author, reason), COMMAND_LINE)
    click.echo(f"published as change set {number}")


@tiers.command("changes")
@click.pass_obj
def list_changes(settings: Settings) -> None:
    """List change sets of tiers, offers, agreements and emergencies, newest first."""
    for item in build_services(settings).governance.policies.changes():
        what = f"{item.kind} {item.act} {item.subject}"
        tell(f"{item.number:>6} {iso(item.at_us)} {what} by {item.author}: {item.reason}")


@click.group()
def agreements() -> None:
    """Offer, sign, list and end agreements, by which organisations hold tiers."""


@agreements.command("offer")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_AUTHOR
@_REASON
@click.pass_obj
def offer(settings: Settings, name: str, file: Path, author: str, reason: str) -> None:
    """Publish an offer from a TOML or JSON file: title, tiers, terms, price."""
    by = _by(author, reason)
    click.echo(build_services(settings).agreements.offer(name, _document(file), by))


@agreements.command("sign")
@click.option("--organisation", required=True, help="Who will hold the tiers.")
@click.option("--tier", multiple=True, help="A tier; may be given more than once.")
@click.option("--area", help="An administrative code within which it is to hold.")
@click.option(
    "--contribute-area", help="An administrative code within which to contribute and edit, if given."
)
@click.option(
    "--release-class",
    multiple=True,
    help="A class under which it contributes, the usual one first; open if none is given.",
)
@click.option("--days", default=365, show_default=True, type=int, help="How long.")
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), help="An agreement as TOML or JSON."
)
@click.option("--operator", is_flag=True, help="Let it run the service: needed for tiers of operators.")
@click.option("--signed-by", multiple=True, help="Who signed: for the operator, for the organisation.")
@NEW
@_AUTHOR
@_REASON
@click.pass_obj
def sign(settings: Settings, /, organisation: str, tier: tuple[str, ...], **said: Any) -> None:
    """Record an agreement that both parties have signed: from a file, or of some tiers from now on."""
    services = build_services(settings)
    found = services.agreements
    organisation = named(services, organisation, new=said["new_organisation"])
    by = _by(said["author"], said["reason"])
    names = (*said["signed_by"], by.name, by.name)[:2]
    if said["file"] is None:
        row = found.agree(
            organisation,
            tier,
            by,
            days=said["days"],
            area=said["area"],
            contribute_area=said["contribute_area"],
            release_classes=said["release_class"],
            signatories=names,
            operator=said["operator"],
        )
    else:
        row = found.draw_up(_document(said["file"]), by, operator=said["operator"])
        sides = [party["organisation"] for party in orjson.loads(row.document)["parties"]]
        for side, name in zip(dict.fromkeys(sides), names, strict=False):
            found.sign(row.id, row.version, side, name, by)
    click.echo(f"{row.id}@{row.version}")


@agreements.command("list")
@click.pass_obj
def list_agreements(settings: Settings) -> None:
    """List agreements and how they stand."""
    services = build_services(settings)
    for row in services.agreements.rows():
        stands = state(row, services.clock.now_us())
        names = ", ".join(orjson.loads(row.document)["tiers"])
        tell(f"{row.id}@{row.version}  {row.organisation:<20} {stands:<9} {names}")


@agreements.command("show")
@click.argument("name")
@click.pass_obj
def show_agreement(settings: Settings, name: str) -> None:
    """Show the newest version of an agreement as JSON."""
    services = build_services(settings)
    _json(described(services.agreements.row(name), services.clock.now_us()))


@agreements.command("end")
@click.argument("name")
@_AUTHOR
@_REASON
@click.pass_obj
def end_agreement(settings: Settings, name: str, author: str, reason: str) -> None:
    """End an agreement; its tiers are gone within a second."""
    build_services(settings).agreements.end(name, _by(author, reason))
    click.echo("ended")


GROUPS = (tiers, agreements)


def _tell_classes(tiers: Tiers) -> None:
    """Say which tiers read what is contributed under each release class but the open one."""
    for name, said in tiers.release_classes.items():
        readers = ", ".join(readers_of(tiers, name)) or "no tier"
        tell(f"release class {name} ({said.title} / {said.title_ja}) is read by {readers}")


def _by(author: str, reason: str) -> Author:
    """Who acts on this machine: the operator's own hand, and the person that says so."""
    person = "" if author == COMMAND_LINE else author
    return Author(author, reason, Party(person=person, credential=COMMAND_LINE))


def _document(file: Path) -> Any:
    """What a TOML or JSON file says."""
    try:
        content = file.read_bytes()
        if len(content) > MAX_FILE:
            raise BadRequest(
                f"{file.name} is too large.", parameter="FILE", allowed=f"{MAX_FILE} bytes"
            )
        if file.suffix == ".json":
            return orjson.loads(content)
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise BadRequest(f"{file.name} cannot be read: {error.strerror}.", parameter="FILE") from error
    except ValueError as error:
        raise BadRequest(f"{file.name} is neither TOML nor JSON: {error}.", parameter="FILE") from error


def _json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
