"""What the asking principal may do, said in one line at the top of a view."""

from __future__ import annotations

from leadvibe.http import principal as asking
from leadvibe.identity.errors import NoActiveUnitError
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.errors import ForbiddenError

_WITHOUT_UNIT = frozenset({Permission.SIGNED_IN, Permission.ADMINISTER})


def require(permission: Permission) -> Principal:
    """Return who is asking if they may.

    Raises UnauthenticatedError, NoActiveUnitError when the permission is about a unit and none
    is active, and ForbiddenError.
    """
    principal = asking.current()
    if permission not in _WITHOUT_UNIT and principal.unit_id is None:
        raise NoActiveUnitError
    if not can(principal, permission):
        raise ForbiddenError(f"You may not {permission.value}: ask an Owner or an admin.")
    return principal


def require_member(permission: Permission = Permission.SIGNED_IN) -> Principal:
    """Do as `require`, for what only a person may do and API credentials may not."""
    principal = require(permission)
    if not principal.is_member:
        raise ForbiddenError("API credentials may not do this: sign in as a member.")
    return principal
