"""What operators do: tiers, offers, agreements, emergencies; for others there is nothing here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field

from geoshare.access.credentials import Principal
from geoshare.api import reply
from geoshare.api.bodies import Body, read_body
from geoshare.api.context import caller, services
from geoshare.api.describe import NoParams, Params, describes
from geoshare.errors import Denied, NotFound
from geoshare.model.times import iso
from geoshare.services.agreements import described
from geoshare.services.auditing import party_of
from geoshare.services.simulating import Simulated, simulate
from geoshare.services.tier_desk import ADMIN, TierDesk
from geoshare.services.written import Author

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

MAX_BODY = 4_000_000
JSON = "application/json"
MADE = {201: (JSON, "Done, as a change set")}
Document = dict[str, Any]


class Reasoned(Body):
    """A change and why it is made."""

    reason: str = Field(min_length=1, max_length=500, description="Why, 1 to 500 letters")


class TiersBody(Reasoned):
    """Tiers to keep or to publish."""

    tiers: Document = Field(description="All tiers by name, as in tiers.toml")
    draft: bool = Field(False, description="Only keep them, to be compared and published later")
    base: int | None = Field(None, ge=0, description="Publish only while this change set is in force")


class OfferBody(Reasoned):
    """An offer to publish."""

    id: str = Field(max_length=64, description="Its name, 1 to 64 of letters, digits, . _ -")
    offer: Document = Field(description="Title, tiers, terms, price")


class AgreementBody(Reasoned):
    """An agreement to be signed."""

    agreement: Document = Field(description="Id, version, parties, tiers, term, terms")
    operator: bool = Field(False, description="Let the consumer run the service, for such a tier")


class SignatureBody(Reasoned):
    """One party's signature under a version."""

    version: int = Field(ge=1, le=100_000, description="The version that was signed, 1 to 100000")
    organisation: str = Field(max_length=200, description="The party that signed")
    name: str = Field(min_length=1, max_length=500, description="Who signed for it, 1 to 500 letters")


class EmergencyBody(Reasoned):
    """An emergency to be switched on by somebody else."""

    tier: str = Field(max_length=64, description="The name of an emergency tier")
    area: Document | str = Field(description="A GeoJSON polygon in CRS84, or an administrative code")
    hours: int = Field(ge=1, le=2_160, description="Hours it lasts, 1 to 2160")
    reason_ja: str = Field("", max_length=200, description="The reason in Japanese")


class DiffParams(Params):
    """Which change sets of tiers to compare."""

    to: int = Field(..., ge=1, description="The change set to be published: a number")
    base: int | None = Field(None, ge=1, description="Compared with; empty: with what is in force")


class ListParams(Params):
    """Where to go on."""

    after: int = Field(0, ge=0, description="Only change sets after this number")


@blueprint.before_request
def _for_operators_only() -> None:
    """Everybody else is told what is told of any address that does not exist.

    A browser's question before it asks comes without a credential, and is answered as everywhere.
    """
    if request.method != "OPTIONS" and caller().role != "operator":
        raise NotFound("No such resource")


@blueprint.get("/tiers")
@describes("The tiers in force", tags=("admin",))
def tiers(params: NoParams) -> Response:
    """Their change set and document."""
    return reply.json(_change_set(None))


@blueprint.get("/tiers/<int:number>")
@describes("The tiers of one change set, also of a draft", tags=("admin",))
def tiers_of(params: NoParams, number: int) -> Response:
    """Its author, reason, SHA-256 and document."""
    return reply.json(_change_set(number))


@blueprint.post("/tiers")
@describes("Publish tiers, or keep a draft", answers=MADE, body=TiersBody, tags=("admin",))
def put_tiers(params: NoParams) -> Response:
    """Checked as a whole; published tiers are in force within a second."""
    body, desk = read_body(TiersBody, MAX_BODY), TierDesk(services())
    if body.draft:
        number = desk.draft(body.tiers, _author(body))
    else:
        number = desk.publish(body.tiers, _author(body), ADMIN, body.base)
    found = desk.check(desk.tiers(number)[1])
    return _made(
        {"number": number, "draft": body.draft, "findings": [_finding(item) for item in found]}
    )


@blueprint.post("/tiers/<int:number>/publish")
@describes("Publish a draft", answers=MADE, body=Reasoned, tags=("admin",))
def publish_draft(params: NoParams, number: int) -> Response:
    """As it was kept; it is checked again."""
    body, desk = read_body(Reasoned), TierDesk(services())
    document = desk.tiers(number)[1].document()
    return _made({"number": desk.publish(document, _author(body), ADMIN), "draft": False})


@blueprint.get("/changes")
@describes("Change sets of policies, newest first", params=ListParams, tags=("admin",))
def changes(params: ListParams) -> Response:
    """Who did what, when and why."""
    listed = TierDesk(services()).changes(params.after)
    names = ("number", "kind", "act", "subject", "author", "reason", "source", "sha256")
    said = [{name: getattr(item, name) for name in names} | {"at": iso(item.at_us)} for item in listed]
    return reply.json({"changes": said})


@blueprint.get("/policies/diff")
@describes("Who gains and loses what if tiers are published", params=DiffParams, tags=("admin",))
def diff(params: DiffParams) -> Response:
    """Everybody, each tier and each organisation to whom anything changes."""
    desk = TierDesk(services())
    before = desk.tiers(params.base)[1] if params.base is not None else None
    return reply.json({"differences": desk.diff(desk.tiers(params.to)[1], before)})


@blueprint.post("/policies/simulate")
@describes("Which grants decide about a request", body=Simulated, tags=("admin",))
def simulation(params: NoParams) -> Response:
    """Of this consumer, this request; nothing is counted and nothing is read."""
    return reply.json(simulate(services(), read_body(Simulated, MAX_BODY)))


@blueprint.get("/offers")
@describes("Offers that stand", tags=("admin",))
def offers(params: NoParams) -> Response:
    """The newest version of each."""
    return reply.json({"offers": services().agreements.offers()})


@blueprint.post("/offers")
@describes("Publish an offer", answers=MADE, body=OfferBody, tags=("admin",))
def put_offer(params: NoParams) -> Response:
    """A new version of one of the same name."""
    body = read_body(OfferBody, MAX_BODY)
    return _made({"offer": services().agreements.offer(body.id, body.offer, _author(body))})


@blueprint.post("/offers/<offer>/withdraw")
@describes("Withdraw an offer", answers=MADE, body=Reasoned, tags=("admin",))
def withdraw_offer(params: NoParams, offer: str) -> Response:
    """Agreements that were made of it stay."""
    return _made({"offer": services().agreements.withdraw(offer, _author(read_body(Reasoned)))})


@blueprint.get("/agreements")
@describes("All agreements and how they stand", tags=("admin",))
def agreements(params: NoParams) -> Response:
    """Every version."""
    found = services()
    now_us = found.clock.now_us()
    return reply.json({"agreements": [described(row, now_us) for row in found.agreements.rows()]})


@blueprint.post("/agreements")
@describes(
    "Draw up an agreement, or a new version of one", answers=MADE, body=AgreementBody, tags=("admin",)
)
def put_agreement(params: NoParams) -> Response:
    """It takes effect when both parties have signed."""
    body, found = read_body(AgreementBody, MAX_BODY), services()
    row = found.agreements.draw_up(body.agreement, _author(body), operator=body.operator)
    return _made(described(row, found.clock.now_us()))


@blueprint.get("/agreements/<agreement>")
@describes("The newest version of an agreement", tags=("admin",))
def agreement_of(params: NoParams, agreement: str) -> Response:
    """Document, state and signatures."""
    found = services()
    return reply.json(described(found.agreements.row(agreement), found.clock.now_us()))


@blueprint.post("/agreements/<agreement>/signatures")
@describes("Record a party's signature", answers=MADE, body=SignatureBody, tags=("admin",))
def sign(params: NoParams, agreement: str) -> Response:
    """With the second one the version is in force, and the one before it ends."""
    body = read_body(SignatureBody, MAX_BODY)
    whole = services().agreements.sign(
        agreement, body.version, body.organisation, body.name, _author(body)
    )
    return _made({"agreement": agreement, "version": body.version, "in_force": whole})


@blueprint.post("/agreements/<agreement>/end")
@describes("End an agreement", answers=MADE, body=Reasoned, tags=("admin",))
def end_agreement(params: NoParams, agreement: str) -> Response:
    """Its tiers are gone within a second."""
    return _made({"agreement": services().agreements.end(agreement, _author(read_body(Reasoned)))})


@blueprint.get("/emergencies")
@describes("Emergencies, proposed and switched on", tags=("admin",))
def emergencies(params: NoParams) -> Response:
    """Newest first."""
    return reply.json({"emergencies": services().emergencies.listed()})


@blueprint.post("/emergencies")
@describes("Propose an emergency", answers=MADE, body=EmergencyBody, tags=("admin",))
def propose(params: NoParams) -> Response:
    """Nothing happens until somebody else confirms it."""
    body = read_body(EmergencyBody, MAX_BODY)
    _person()
    return _made({"emergency": services().emergencies.propose(body.model_dump(), _author(body))})


@blueprint.post("/emergencies/<emergency>/confirm")
@describes("Switch a proposed emergency on", answers=MADE, body=Reasoned, tags=("admin",))
def confirm(params: NoParams, emergency: str) -> Response:
    """By another person than the one who proposed it; at once."""
    body, who, found = read_body(Reasoned), _person(), services().emergencies
    found.check_second(emergency, who)
    found.confirm(emergency, _author(body))
    return _made({"emergency": emergency})


@blueprint.post("/emergencies/<emergency>/end")
@describes("Switch an emergency off before its time", answers=MADE, body=Reasoned, tags=("admin",))
def end_emergency(params: NoParams, emergency: str) -> Response:
    """Or give up a proposal."""
    services().emergencies.end(emergency, _author(read_body(Reasoned)))
    return _made({"emergency": emergency})


def _change_set(number: int | None) -> dict[str, Any]:
    change, found = TierDesk(services()).tiers(number)
    return {
        "number": change.number,
        "act": change.act,
        "at": iso(change.at_us),
        "author": change.author,
        "reason": change.reason,
        "source": change.source,
        "sha256": change.sha256,
        "tiers": found.document(),
    }


def _author(body: Reasoned) -> Author:
    """The person or the key that acts, by an id: a name could not be erased from a change set."""
    who = caller()
    return Author(f"{who.organisation} {who.key_id}", body.reason, party_of(who))


def _person() -> Principal:
    """The person who acts. Raises Denied for a key: two keys may be one person's."""
    who = caller()
    if not who.person:
        raise Denied("Two persons switch an emergency on: log in as one of them")
    return who


def _made(value: dict[str, Any]) -> Response:
    return reply.json(value, status=201)


def _finding(item: Any) -> dict[str, str]:
    return {"level": item.level, "place": item.place, "text": item.text, "text_ja": item.text_ja}
