"""Settings: one frozen object from a TOML file and ``GEOSHARE_*`` variables, built once, passed in."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from geoshare.errors import BadRequest

PREFIX = "GEOSHARE_"
LISTS = ("trusted_hosts", "trusted_proxies", "cors_origins", "webhook_networks", "warnings_hosts")


class Settings(BaseModel):
    """Everything an operator can set. A variable wins over the file, the file over the default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="Data folder: record, packs, views, objects, keys")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8080, ge=1, le=65535, description="Port to listen on")
    workers: int = Field(2, ge=1, le=64, description="Web worker processes")
    threads: int = Field(16, ge=1, le=128, description="Blocking threads of each web worker")
    record_url: str = Field("", description="Database of the record; empty: SQLite in the data folder")
    governance_url: str = Field("", description="Database of governance; empty: SQLite likewise")
    tiers: Path | None = Field(None, description="TOML file of tiers; empty: the built-in tiers")
    public_url: str = Field("", description="Address behind a proxy, e.g. https://map.example.jp")
    trusted_hosts: tuple[str, ...] = Field(
        ("localhost", "127.0.0.1", "[::1]"), description="Host names that links may be built from"
    )
    trusted_proxies: tuple[str, ...] = Field(
        (), description="Networks (CIDR) of proxies whose X-Forwarded-For, -Proto and -Host count"
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file of the certificate and its chain; empty: plain HTTP"
    )
    tls_key: Path | None = Field(None, description="PEM file of that certificate's key")
    hsts_s: int = Field(
        0,
        ge=0,
        le=63_072_000,
        description="Seconds that browsers remember to ask by HTTPS alone; 0: none",
    )
    cors_origins: tuple[str, ...] = Field(("*",), description="Origins a browser may ask from")
    max_body_bytes: int = Field(8_000_000, ge=1_000, description="Largest body held whole")
    max_upload_bytes: int = Field(4_000_000_000, ge=1_000_000, description="Largest contributed file")
    max_limit: int = Field(10_000, ge=1, le=100_000, description="Largest `limit` of one items page")
    extract_sync_features: int = Field(
        20_000, ge=0, description="Up to so many features an extract is answered at once"
    )
    extract_max_features: int = Field(5_000_000, ge=1, description="Largest extract in features")
    rate_per_minute: int = Field(6_000, ge=1, description="Requests a minute where a tier says none")
    tile_cache_bytes: int = Field(
        128_000_000, ge=0, description="Encoded tiles kept in memory by all workers together; 0: none"
    )
    session_days: int = Field(30, ge=1, le=366, description="Days until a browser session ends")
    session_idle_hours: int = Field(
        72, ge=1, le=8_784, description="Hours without use until a browser session ends"
    )
    oidc_issuer: str = Field("", description="OpenID Connect issuer people may log in at; empty: none")
    oidc_client_id: str = Field("", description="This server's id at that issuer")
    oidc_secret_file: Path | None = Field(None, description="File of the secret at that issuer")
    oidc_name: str = Field("", description="What the login page calls that issuer")
    grids: Path | None = Field(None, description="Folder of geoid, semi-dynamic and datum-shift grids")
    background_tiles: str = Field("", description="Opt-in raster background, {z}/{x}/{y} address")
    background_attribution: str = Field("", description="Attribution shown with that background")
    warnings_folder: Path | None = Field(
        None, description="Folder of JMA telegrams (.xml) that is watched; empty: none"
    )
    warnings_url: str = Field(
        "", description="Atom feed of JMA telegrams that is asked for them; empty: none"
    )
    warnings_hosts: tuple[str, ...] = Field(
        ("www.data.jma.go.jp",), description="Hosts that telegrams may be fetched from, by https"
    )
    warnings_every_s: float = Field(
        60.0, ge=20, description="Seconds between two looks at the feed of telegrams"
    )
    idle_s: float = Field(
        60.0, ge=5, description="Seconds after which a connection on which nothing moves is ended"
    )
    grace_s: float = Field(60.0, ge=0, description="How long replaced packs stay for their readers")
    streams: int = Field(8, ge=0, description="Event streams that each web worker serves at a time")
    stream_s: float = Field(
        3_600.0, ge=0, description="Seconds after which an event stream ends; readers come back"
    )
    webhooks: bool = Field(False, description="Whether organisations may have webhooks")
    webhook_networks: tuple[str, ...] = Field(
        (), description="Networks (CIDR) beside the public internet that webhooks may lead to"
    )
    mail_host: str = Field(
        "", description="Mail server (SMTP) that people are written to by, the only one; empty: no mail"
    )
    mail_port: int = Field(587, ge=1, le=65535, description="Its port")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls, or none (a server of the own network, without a user)"
    )
    mail_ca: Path | None = Field(
        None, description="PEM file of who vouches for it; empty: those of the system"
    )
    mail_from: str = Field("", description="Address that mail comes from")
    mail_user: str = Field("", description="User at the mail server; empty: none")
    mail_password_file: Path | None = Field(None, description="File of that user's password")
    changes_kept_s: float = Field(
        604_800.0, ge=60, description="How long it is known what changed in a view, in seconds"
    )
    log_level: str = Field("info", description="debug, info, warning or error")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        for text in said:
            try:
                ip_network(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is no network, e.g. 10.0.0.0/8 or ::1") from error
        return said

    @model_validator(mode="after")
    def _mail(self) -> Self:
        if self.mail_host and "@" not in self.mail_from:
            raise ValueError("mail_host needs mail_from, an address such as map@example.jp")
        if self.mail_user and self.mail_security == "none":
            raise ValueError("mail_security must be starttls or tls where there is a mail_user")
        return self

    @property
    def record_database(self) -> str:
        """SQLAlchemy URL of the record."""
        return self.record_url or f"sqlite:///{(self.data / 'record.db').resolve()}"

    @property
    def governance_database(self) -> str:
        """SQLAlchemy URL of governance."""
        return self.governance_url or f"sqlite:///{(self.data / 'governance.db').resolve()}"


def load(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from a TOML file (or ``GEOSHARE_SETTINGS``) and the environment.

    Raises
    ------
    BadRequest
        for an unknown key, naming the nearest known one, or a value that does not fit.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    chosen = file or (Path(environ[PREFIX + "SETTINGS"]) if PREFIX + "SETTINGS" in environ else None)
    if chosen is not None:
        values |= _read_toml(chosen)
    for name, text in environ.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            values[name.removeprefix(PREFIX).lower()] = text
    for key in values:
        if key not in Settings.model_fields:
            near = difflib.get_close_matches(key, Settings.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise BadRequest(f"Unknown setting {key}{hint}", parameter=key)
    for key in (
        "trusted_hosts",
        "trusted_proxies",
        "cors_origins",
        "webhook_networks",
        "warnings_hosts",
    ):
        if isinstance(values.get(key), str):
            values[key] = tuple(part.strip() for part in values[key].split(",") if part.strip())
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else "mail_host"
        raise BadRequest(f"Setting {key}: {first['msg']}", parameter=key) from error


_NOT_SETTINGS = {
    PREFIX + "SETTINGS",
    PREFIX + "TEST_DATA",
    PREFIX + "KEY",
    PREFIX + "SERVER",
    PREFIX + "BENCH_PEERS",
}


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"Settings file {file}: {error}", parameter="settings") from error


def table() -> list[tuple[str, str, str]]:
    """Variable, default and description of every setting, for the README and the CLI."""
    rows = []
    for name, info in Settings.model_fields.items():
        default = info.default
        if isinstance(default, tuple):
            default = ",".join(default)
        rows.append(
            (PREFIX + name.upper(), "" if default is None else str(default), info.description or "")
        )
    return rows
