"""Headers of answers that are compared with each other."""

from __future__ import annotations


def steady(headers) -> list[tuple[str, str]]:
    """Headers in order, but for what is left of a quota, of which each request leaves less."""
    return sorted((name, "" if name == "RateLimit" else value) for name, value in headers)
