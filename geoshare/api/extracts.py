"""Area extracts and the jobs that make the large ones."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request, send_file

from geoshare.api import reply
from geoshare.api.admit import charge
from geoshare.api.bodies import read_body
from geoshare.api.context import caller, followed, href, services
from geoshare.api.costs import EXTRACT, extract_asked
from geoshare.api.describe import NoParams, describes
from geoshare.extracts import ExtractRequest
from geoshare.services.extracts import SUFFIXES, Answer, File

blueprint = Blueprint("extracts", __name__)

ZIP = "application/zip"
PDF = "application/pdf"
KINDS = {
    "extract": (ZIP, "geoshare-extract.zip"),
    "print": (PDF, "geoshare-map.pdf"),
    "page": ("text/html", "geoshare-map.html"),
}
MAX_BODY = 2_000_000


@blueprint.post("/extracts")
@describes(
    "An area of one or several collections as a file",
    answers={200: (ZIP, "The extract"), 202: ("application/json", "A job that makes it")},
    body=ExtractRequest,
    tags=("extracts",),
)
def extract(params: NoParams) -> Response:
    """A small one is answered at once, a large one by a job; with ``Prefer: respond-async`` any is.

    The same again, while nothing has changed, is the job that is there.
    """
    wanted = read_body(ExtractRequest, MAX_BODY)
    wait = "respond-async" not in request.headers.get("Prefer", "")
    return _answered(services().extracts.ask(caller(), wanted, _charging(wanted), wait=wait))


@blueprint.post("/extracts/estimate")
@describes(
    "What an extract would hold, weigh and cost",
    body=ExtractRequest,
    tags=("extracts",),
)
def estimate_extract(params: NoParams) -> Response:
    """Features at most, bytes about; nothing is made, and nothing is kept."""
    wanted = read_body(ExtractRequest, MAX_BODY)
    found = services().extracts.estimate(caller(), wanted)
    settings = services().settings
    said = {
        "cost": EXTRACT + extract_asked(wanted.collections, found.total).cost,
        "at_once": found.total <= settings.extract_sync_features,
        "too_large": found.total > settings.extract_max_features,
    }
    return reply.json(found.described() | said)


@blueprint.post("/extracts/<job>/again")
@describes(
    "The same extract again, of the data as they are now",
    answers={200: (ZIP, "The extract"), 202: ("application/json", "A job that makes it")},
    tags=("extracts",),
)
def extract_again(params: NoParams, job: str) -> Response:
    """What one of your jobs was asked for; the very job while nothing has changed."""
    wanted = services().extracts.request_of(caller(), job)
    return _answered(services().extracts.again(caller(), job, _charging(wanted)))


def _charging(wanted: ExtractRequest) -> Callable[[int], None]:
    environ = request.environ
    return lambda features: charge(environ, extract_asked(wanted.collections, features))


def _answered(found: Answer) -> Response:
    if found.file is not None:
        return download(found.file)
    return job_of(found)


def job_of(found: Answer) -> Response:
    """Where a job is, and how it stands: one of the same request may be done already."""
    address = href("jobs", found.job)
    said = {"job": found.job, "status": found.status, "href": address}
    response = reply.json(said, status=202)
    response.headers["Location"] = address
    return response


@blueprint.get("/jobs")
@describes("Your jobs, newest first", tags=("extracts",))
def jobs(params: NoParams) -> Response:
    """Of the caller's own organisation."""
    return reply.json({"jobs": services().extracts.jobs(caller())})


@blueprint.get("/jobs/<job>")
@describes("How far a job is", tags=("extracts",))
def job(params: NoParams, job: str) -> Response:
    """Status and progress; a link to the result when it is done."""
    found = services().extracts.status(caller(), job)
    links = [{"rel": "self", "href": href("jobs", job)}]
    if found["status"] == "done":
        media_type = KINDS[found["kind"]][0]
        links.append(
            {"rel": "enclosure", "type": media_type, "href": followed(href("jobs", job, "result"))}
        )
    return reply.json(found | {"links": links})


@blueprint.delete("/jobs/<job>")
@describes(
    "Cancel a job",
    answers={
        204: ("", "Cancelled"),
        409: ("application/problem+json", "It is too late: it is done, or has failed"),
    },
    tags=("extracts",),
)
def cancel(params: NoParams, job: str) -> Response:
    """What it has made so far is removed."""
    services().extracts.cancel(caller(), job)
    return reply.finish(Response(status=204), cache="no-store")


@blueprint.get("/jobs/<job>/result")
@describes(
    "The file a job has made",
    answers={200: (ZIP, "The extract; a print is application/pdf, a page text/html")},
    tags=("extracts",),
)
def result(params: NoParams, job: str) -> Response:
    """Ranges are answered, so a broken download goes on where it stopped."""
    return download(services().extracts.result(caller(), job))


def download(file: File) -> Response:
    """A finished file, in ranges if asked.

    It says the same of itself wherever it was made: its tag is of its content, and it has no date.
    """
    kind = next(kind for kind, suffix in SUFFIXES.items() if file.path.endswith(suffix))
    media_type, name = KINDS[kind]
    response = send_file(
        file.path,
        media_type,
        as_attachment=True,
        download_name=name,
        conditional=True,
        etag=file.sha256[:24],
        last_modified=0,
    )
    response.headers.pop("Last-Modified", None)
    response.headers["Content-Security-Policy"] = "sandbox"  # a page of data is none of this server's
    return reply.finish(response, cache="private, no-cache")
