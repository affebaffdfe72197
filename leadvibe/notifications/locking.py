"""The lock that changes to a unit's ways out take."""

from __future__ import annotations

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


def lock_unit(scope: Scope) -> None:
    """Make changes queue; held until the commit.

    The very lock of scoring.service.lock_configuration, which triggers take as well: none can come
    to name a channel while that is being deleted.
    """
    driver().execute("SELECT 1 FROM units WHERE unit_id = %s FOR NO KEY UPDATE", (scope.unit_id,))
