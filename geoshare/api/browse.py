"""A page for every resource that is JSON, made by one rule of what the handler says.

``f=html``, or a browser's ``Accept``, asks for it. Handlers know nothing of it: each says its JSON as
to anybody, and the page is laid out from that alone, so it tells no more than the JSON does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import orjson
from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field, create_model

from geoshare.api.cells import register
from geoshare.api.context import check_format
from geoshare.api.describe import Description, Params, parse
from geoshare.api.html import address_of, drawn_page
from geoshare.api.told import told

Handler = Callable[..., ResponseReturnValue]


def init_app(app: Flask) -> None:
    """Give every described GET of JSON its page; those that have one of their own keep it."""
    register(app)
    for rule in list(app.url_map.iter_rules()):
        view: Any = app.view_functions[rule.endpoint]
        about: Description | None = getattr(view, "description", None)
        if about is not None and about.paged and "GET" in (rule.methods or ()):
            app.view_functions[rule.endpoint] = _paged(rule.endpoint, view.__wrapped__, about)


def _paged(endpoint: str, handler: Handler, about: Description) -> Handler:
    """The handler, and the page of what it says."""
    params = _with_format(about.params)

    @functools.wraps(handler)
    def view(**path: Any) -> ResponseReturnValue:
        asked: Any = parse(params, request.args)
        if check_format(asked.f, "json", "html") == "html":
            g.show = functools.partial(_page, endpoint, about)
        else:
            g.as_page = functools.partial(address_of, "html")
        return handler(asked, **path)

    said, text = about.answers[200]
    kinds = (said,) if isinstance(said, str) else said
    answers = {**about.answers, 200: ((*kinds, "text/html"), text)}
    view.description = replace(about, params=params, answers=answers)  # type: ignore[attr-defined]
    return view


def _page(endpoint: str, about: Description, content: bytes, media: str) -> bytes:
    page = told(orjson.loads(content), endpoint, about.summary, _is_there)
    return drawn_page(page, media.partition(";")[0])


def _is_there(path: str) -> bool:
    """Whether there is a resource at a path that is read."""
    routes = current_app.url_map.bind("localhost")
    return bool(routes.test(path, method="GET"))


@functools.cache
def _with_format(params: type[Params]) -> type[Params]:
    """The parameters, and the format beside them."""
    form: Any = (Literal["json", "html"] | None, Field(None, description="json or html"))
    made: type[Params] = create_model(params.__name__, __base__=params, __doc__=params.__doc__, f=form)
    return made
