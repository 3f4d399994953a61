"""The address that links are built from, as the client knows this server."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from werkzeug.wsgi import get_host

from geoshare.settings import Settings


def base_url(settings: Settings, environ: dict[str, Any]) -> str:
    """The address of this server as the client knows it, from the settings' allow-list only."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    said = get_host(environ)
    host = said.rsplit(":", 1)[0] if not said.endswith("]") else said
    if host in settings.trusted_hosts:
        return f"{environ['wsgi.url_scheme']}://{said}"
    return f"http://{settings.host}:{settings.port}"


def link(base: str, *parts: str, **query: str | None) -> str:
    """An absolute link; commas and other marks in values are percent-encoded."""
    path = "/".join(quote(part, safe="") for part in parts)
    pairs = "&".join(
        f"{name}={quote(value, safe='')}" for name, value in query.items() if value is not None
    )
    return f"{base}/{path}" + (f"?{pairs}" if pairs else "")
