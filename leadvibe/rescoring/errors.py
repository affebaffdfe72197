"""What can be wrong with a request to go over a unit's history."""

from __future__ import annotations

from leadvibe.lib.errors import ConflictError, NotFoundError


class PreviewNotFoundError(NotFoundError):
    code = "preview_not_found"


class TooManyPreviewsError(ConflictError):
    code = "too_many_previews"


class RescoreNotFoundError(NotFoundError):
    code = "rescore_not_found"


class RescoreRunningError(ConflictError):
    """A unit is rescored once at a time."""

    code = "rescore_running"
