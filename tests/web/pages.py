"""What tests read in a page, and what htmx says when it asks for a part of one."""

from __future__ import annotations

import re


def names_in(page: str) -> list[str]:
    """Return the names of the leads that a page lists, in order."""
    return re.findall(r'class="row-link" href="[^"]*">([^<]*)<', page)


def links_in(page: str, containing: str) -> list[str]:
    """Return the addresses in a page that contain a text, decoded, in order."""
    found = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', page)]
    return [link for link in found if containing in link]


def htmx(target: str, **headers: str) -> dict[str, str]:
    """Return the headers of a request that htmx makes to replace an element."""
    return {"HX-Request": "true", "HX-Target": target, **headers}
