"""What WMS and WMTS have in common: parameters by any spelling, and errors as their XML.

The classic services know their parameters whatever the case of their names, and clients send others of
their own (``DPI``, ``MAP_RESOLUTION``), so unlike everywhere else those are passed over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from flask import Response, request
from lxml import etree
from pydantic import ValidationError

from geoshare.api import errors, reply
from geoshare.api.describe import Answers, Description, Params, from_validation, names
from geoshare.errors import BadRequest, GeoshareError, NotFound

OWS: Final = "http://www.opengis.net/ows/1.1"
XLINK: Final = "http://www.w3.org/1999/xlink"
XML: Final = "text/xml; charset=utf-8"
MAX_VALUE: Final = 2_000
_XML_TEXT: Final = {code: None for code in range(32) if code not in (9, 10, 13)} | {
    0xFFFE: None,
    0xFFFF: None,
}
_REPORTED: Final = (400, 403, 413, 503)  # the others are answered before a service is asked
_REPORTS: Final = ("text/xml", "application/vnd.ogc.se_xml")
Report = Callable[[GeoshareError, str], tuple[bytes, str]]


class OwsError(BadRequest):
    """A request that a service's own code of exceptions names."""

    def __init__(self, message: str, code: str, parameter: str | None = None) -> None:
        super().__init__(message, parameter=parameter)
        self.ows_code = code


def code_of(error: GeoshareError, missing: str) -> str:
    """The exception code of an error; ``missing`` for a layer that there is not."""
    if isinstance(error, OwsError):
        return error.ows_code
    if isinstance(error, NotFound):
        return missing
    return "InvalidParameterValue" if isinstance(error, BadRequest) else "NoApplicableCode"


def text_of(error: GeoshareError) -> str:
    """What an error says to the client: nothing beyond its title where something may be hidden."""
    status, title = status_of(error)
    said = (
        title
        if status in (404, 503)
        else " / ".join(part for part in (error.message, error.message_ja) if part)
    )
    allowed = f" ({error.parameter}: {error.allowed})" if error.parameter and error.allowed else ""
    return written(said + (allowed if status == 400 else ""))


def status_of(error: GeoshareError) -> tuple[int, str]:
    """Status and title of an error."""
    return next(errors.STATUS[kind] for kind in type(error).__mro__ if kind in errors.STATUS)


def written(text: str) -> str:
    """A text that XML can hold."""
    return text.translate(_XML_TEXT).encode("utf-8", "replace").decode()


def asked(
    summary: str, params: type[Params], answers: Answers, report: Report
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Parse parameters by any case of their names, and answer errors with ``report``.

    ``report`` is given the error and the version that was asked for; it returns body and media type.
    """

    def wrap(handler: Callable[..., Response]) -> Callable[..., Response]:
        @functools.wraps(handler)
        def view(**path: Any) -> Response:
            version = ""
            try:
                given = _given(params)
                version = given.get("version", "")
                return handler(_parsed(params, given), **path)
            except GeoshareError as error:
                body, media = report(error, version)
                status = status_of(error)[0]
                status = 400 if status == 404 else status  # the services' own: a layer there is not
                response = Response(body, status, content_type=media)
                if error.retry_after_s is not None:
                    response.headers["Retry-After"] = str(error.retry_after_s)
                return reply.finish(response, cache="no-store")

        told = {**answers, **dict.fromkeys(_REPORTED, (_REPORTS, "An exception report"))}
        view.description = Description(summary, params, told, tags=("classic",))  # type: ignore[attr-defined]
        return view

    return wrap


def _given(params: type[Params]) -> dict[str, str]:
    known = set(names(params))
    found: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        lower = name.lower()
        if lower not in known:
            continue
        if found.setdefault(lower, value) != value:
            raise OwsError(
                "The parameter is given more than once", "InvalidParameterValue", lower.upper()
            )
        if len(value) > MAX_VALUE:
            raise OwsError("The value is too long", "InvalidParameterValue", lower.upper())
    return found


def _parsed(params: type[Params], given: dict[str, str]) -> Params:
    try:
        return params.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise from_validation(error, params) from error


def element(
    parent: etree._Element, name: str, text: str | float | None = None, /, **attributes: str
) -> etree._Element:
    """Add an element; ``name`` is ``{namespace}local``."""
    made = etree.SubElement(parent, name, {key: written(value) for key, value in attributes.items()})
    if text is not None:
        made.text = written(str(text))
    return made


def xml(root: etree._Element) -> bytes:
    """A document as bytes."""
    found: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return found
