"""Stub."""

from __future__ import annotations

from leadvibe.identity.types import Scope
from leadvibe.notifications.types import SlackConnection


def find_connection(scope: Scope) -> SlackConnection | None:  # noqa: ARG001
    return None
