"""Profiles of answers (OGC 23-058r2, clauses 13 to 16; 21-045r1): which there are, which are chosen.

Profiles come in families, of which an answer follows one each: how a document is built, how it gives
references, how it gives coded values. Those of one family exclude each other, and the first of each
family is what an answer follows where nobody asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from geoshare.errors import BadRequest

PROFILE: Final = "http://www.opengis.net/def/profile/OGC/0/"
PROFILES: Final = ("rfc7946", "jsonfg", "jsonfg-plus")
REFERENCES: Final = ("rel-as-key", "rel-as-uri", "rel-as-link")
VALUES: Final = ("val-as-code", "val-as-title")
CODELISTS: Final = ("codelists-ref", "codelists-inline")
DOMAINS: Final = ("valid-domain", "actual-domain")
OF_FEATURES: Final = (*PROFILES, *REFERENCES, *VALUES)
OF_SCHEMAS: Final = (*CODELISTS, *DOMAINS)
_CURIE, _CURIE_END = "[ogc-profile:", "]"


@lru_cache(maxsize=256)
def read(text: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a parameter ``profile`` says, in its order.

    Each is a name, its address, or ``[ogc-profile:NAME]``.

    Raises
    ------
    BadRequest
        for one that the resource never follows, in whatever format it comes (annex A, test
        /conf/profile-parameter/profile-param-response).
    """
    names = () if text is None else tuple(_name(said.strip()) for said in text.split(","))
    if any(name not in allowed for name in names):
        said = ", ".join(allowed)
        raise BadRequest(
            "Unknown profile",
            parameter="profile",
            allowed=f"{said}, or their addresses below {PROFILE}",
            message_ja="知らないプロファイルです",
            allowed_ja=f"{said}、または {PROFILE} で始まるその識別子",
        )
    return names


def chosen(names: Iterable[str], family: tuple[str, ...], default: str = "") -> str:
    """The first name that is of a family; its default where none is."""
    return next((name for name in names if name in family), default or family[0])


def spelled(allowed: tuple[str, ...]) -> list[str]:
    """What the parameter's values may be, for the OpenAPI document."""
    return [*allowed, *(PROFILE + name for name in allowed)]


@lru_cache(maxsize=256)
def header(names: tuple[str, ...]) -> tuple[str, str]:
    """The header line that says which profiles an answer follows."""
    return "Link", ", ".join(f'<{PROFILE}{name}>; rel="profile"' for name in names)


def _name(said: str) -> str:
    if said.startswith(_CURIE) and said.endswith(_CURIE_END):
        return said[len(_CURIE) : -len(_CURIE_END)]
    return said.removeprefix(PROFILE)
