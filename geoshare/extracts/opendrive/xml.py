"""Small helpers for OpenDRIVE's XML."""

from __future__ import annotations

from lxml import etree

_PARSER = etree.XMLParser(
    resolve_entities=False, load_dtd=False, no_network=True, remove_blank_text=True
)


def parsed(text: object) -> etree._Element | None:
    """A kept element; None where the text is none, or declares anything of its own."""
    if not isinstance(text, str) or "<!" in text:
        return None
    try:
        return etree.fromstring(text, _PARSER)
    except etree.XMLSyntaxError:
        return None


def add(parent: etree._Element, tag: str, /, **attributes: object) -> etree._Element:
    """A new child; numbers are written so that they read back as they are, None is left out."""
    said = {key: written(value) for key, value in attributes.items() if value is not None}
    return etree.SubElement(parent, tag, said)


def written(value: object) -> str:
    """A value as an attribute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(float(value) + 0.0)  # no negative zero
    return str(value)


def put_first(parent: etree._Element, name: str) -> etree._Element:
    """A new child before all others."""
    child = etree.Element(name)
    parent.insert(0, child)
    return child


def put_after(parent: etree._Element, before: str, name: str) -> etree._Element:
    """A new child behind the last one of a name."""
    child = etree.Element(name)
    places = [place for place, item in enumerate(parent) if item.tag == before]
    parent.insert(places[-1] + 1 if places else len(parent), child)
    return child
