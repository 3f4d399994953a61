"""The web application: settings in, a Flask application out."""

from __future__ import annotations

from flask import Flask

from geoshare import web
from geoshare.api import (
    access,
    admin,
    audit,
    browse,
    catalogue,
    changes,
    collections,
    context,
    contributions,
    desk,
    desk_sheets,
    docs,
    drawn,
    errors,
    explain,
    extracts,
    guides,
    issuer,
    keys,
    landing,
    lanes,
    lettering,
    links,
    login,
    me,
    noting,
    oauth,
    organisation_keys,
    people,
    prints,
    processes,
    raster,
    schemas,
    shared,
    shares,
    stream,
    styles,
    tiles,
    tilesets,
    warnings,
    watching,
    webhooks,
    wms,
    wmts,
)
from geoshare.api.direct import DirectPages
from geoshare.api.forwarded import Forwarded
from geoshare.api.gate import Gate
from geoshare.api.limited import Limited
from geoshare.api.quick import QuickTiles
from geoshare.api.strict import Strict
from geoshare.api.watching import QuickWatch
from geoshare.services import Services, build_services
from geoshare.settings import Settings, load
from geoshare.web.assets import Assets

BLUEPRINTS = (
    landing,
    docs,
    guides,
    catalogue,
    collections,
    schemas,
    explain,
    lanes,
    changes,
    watching,
    stream,
    styles,
    lettering,
    tiles,
    tilesets,
    drawn,
    wms,
    wmts,
    raster,
    contributions,
    desk,
    desk_sheets,
    extracts,
    prints,
    processes,
    me,
    keys,
    links,
    oauth,
    warnings,
    webhooks,
    shares,
    shared,
    login,
    issuer,
    people,
    organisation_keys,
    audit,
    access,
    admin,
)


def create_app(settings: Settings | None = None, services: Services | None = None) -> Flask:
    """An application of its own; nothing is shared with another one in the same process."""
    settings = settings or load()
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    app.config["BACKGROUND_TILES"] = settings.background_tiles
    app.config["LOGIN_AT"] = settings.oidc_name or settings.oidc_issuer
    app.config["BACKGROUND_ATTRIBUTION"] = settings.background_attribution
    app.extensions["geoshare"] = services or build_services(settings)
    errors.init_app(app)
    context.init_app(app)
    noting.init_app(app)
    for family in BLUEPRINTS:
        app.register_blueprint(family.blueprint)
    app.register_blueprint(web.blueprint)
    browse.init_app(app)
    app.wsgi_app = DirectPages(app.wsgi_app, app.extensions["geoshare"])  # type: ignore[method-assign]
    app.wsgi_app = QuickWatch(app.wsgi_app, app.extensions["geoshare"])  # type: ignore[method-assign]
    quick = shared.QuickShares(QuickTiles(app, app.extensions["geoshare"]), app.extensions["geoshare"])
    inner = links.Signed(quick)
    gate = Gate(inner, settings.threads, settings.streams)
    limited = Limited(gate, app.extensions["geoshare"])
    files = Assets(Strict(limited, settings.hsts_s))
    app.wsgi_app = Forwarded(files, settings.trusted_proxies)  # type: ignore[method-assign]
    return app
