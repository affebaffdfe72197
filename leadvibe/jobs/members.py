"""The job that searches for the rare members of segments, ahead of whoever asks."""

from __future__ import annotations

from leadvibe.jobs.units import is_stopping, outlasting_outages
from leadvibe.leadlist import rare_members

LOOK_FOR_RARE_MEMBERS = "leadvibe.jobs.members.look_for_rare_members"
"""What the schedule sends."""


def look_for_rare_members() -> None:
    """Search wherever that is due. Called twice, or by two workers, it is done once."""
    with outlasting_outages("the search for rare members"):
        rare_members.look_ahead(is_stopping=is_stopping)
