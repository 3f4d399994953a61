"""Every answer about a collection is counted for the audit log, before it leaves."""

from __future__ import annotations

from flask import Flask, Response, g, request

from geoshare.api import errors
from geoshare.api.admit import note_read
from geoshare.api.context import caller, services
from geoshare.errors import GeoshareError


def init_app(app: Flask) -> None:
    """Count by route, so that a new route needs no thought: what names a collection is a read of it.

    A handler of collections that are not in the address leaves them in ``g.named``, comma-separated.
    """

    def note(response: Response) -> Response:
        said = request.view_args or {}
        told = (said.get("collection"), said.get("collections"), g.get("named"))
        named = ",".join(name for name in told if name)
        if not named or response.status_code >= 400 or "principal" not in g:
            return response
        try:
            note_read(services(), caller(), named, request.endpoint or "")
        except GeoshareError as error:
            return errors.answer(error)
        except Exception as error:  # what is not noted does not leave
            return errors.unexpected(error)
        return response

    app.after_request(note)
