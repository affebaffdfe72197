"""Surfaces with ways of their own, told by the address: who is asking, and how errors look.

No cookie counts on them. What none of them owns is our own JSON API or a page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, current_app
from werkzeug.exceptions import HTTPException

from leadvibe.identity.types import Principal
from leadvibe.lib.errors import LeadvibeError

_SURFACES = "leadvibe.surfaces"


@dataclass(frozen=True, slots=True)
class Surface:
    """`owns` says which paths are its own, those included that lead nowhere."""

    owns: Callable[[str], bool]
    find_principal: Callable[[], Principal | None]
    """Returns None for nobody, and raises UnauthenticatedError for a key that is wrong."""
    render_error: Callable[[LeadvibeError | HTTPException], Response]


def register(app: Flask, surface: Surface) -> None:
    app.extensions.setdefault(_SURFACES, []).append(surface)


def find(path: str) -> Surface | None:
    """Return the surface that owns a path, or None."""
    surfaces = cast("list[Surface]", current_app.extensions.get(_SURFACES, []))
    return next((it for it in surfaces if it.owns(path)), None)
