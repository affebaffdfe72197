"""What the frame around every page says of a unit, whosever tables it stands in.

One statement for all of it, because every page asks.
"""

from __future__ import annotations

from typing import NamedTuple

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver


class UnitFrame(NamedTuple):
    """What may stand in the navigation."""

    dead_letters: int = 0
    has_accounts: bool = False
    is_started: bool = False
    """Whether its quick start was applied or put away."""


def read_unit_frame(scope: Scope) -> UnitFrame:
    """Return what the frame says of a unit."""
    statement = """
        SELECT (SELECT count(*) FROM dead_letters WHERE unit_id = %(unit)s),
               EXISTS (
                   SELECT FROM org_scoring_settings WHERE org_id = %(org)s AND abm_enabled
               ),
               EXISTS (SELECT FROM quick_starts WHERE unit_id = %(unit)s)
    """
    bound = {"unit": scope.unit_id, "org": scope.org_id}
    row = driver().execute(statement, bound).fetchone()
    assert row is not None
    return UnitFrame(*row)
