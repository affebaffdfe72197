"""Writes of notification channels; each change takes the lock of the unit's configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json

from leadvibe.identity.types import Principal, Scope
from leadvibe.lib.db import driver
from leadvibe.lib.ids import new_id
from leadvibe.lib.outbound.places import place_of
from leadvibe.lib.sealing import Sealer
from leadvibe.notifications.addresses import MASK
from leadvibe.notifications.channel_configs import AUTH_HEADER, checked_config
from leadvibe.notifications.destinations import prepare_webhook
from leadvibe.notifications.errors import (
    BadChannelError,
    ChannelChangedError,
    ChannelExistsError,
    ChannelInUseError,
)
from leadvibe.notifications.locking import lock_unit
from leadvibe.notifications.queries import get_channel, list_channels
from leadvibe.notifications.types import Channel, ChannelType

MOST_NAMED = 5
"""Triggers that an error names."""


def create_channel(
    principal: Principal,
    scope: Scope,
    fields: Mapping[str, Any],
    *,
    sealer: Sealer,
    allow_private: bool,
    now: datetime,
) -> Channel:
    """Make a channel; `allow_private` lets its URL lead to a private address.

    Raises BadChannelError and ChannelExistsError.
    """
    lock_unit(scope)
    _check_name(scope, fields["name"])
    channel_type, channel_id = ChannelType(fields["type"]), new_id()
    checked = checked_config(channel_type, fields["config"], allow_private=allow_private)
    config = _stored(checked, None, sealer)
    driver().execute(
        """
        INSERT INTO notification_channels
            (unit_id, channel_id, name, type, config, created_at, updated_at, created_by,
             updated_by)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            scope.unit_id, channel_id, fields["name"], channel_type.value,
            to_json(config).decode(), now, now, principal.label, principal.label,
        ),
    )  # fmt: skip
    return _prepared(scope, channel_id, sealer, now=now)


def update_channel(
    principal: Principal,
    scope: Scope,
    channel_id: UUID,
    changes: Mapping[str, Any],
    *,
    sealer: Sealer,
    allow_private: bool,
    seen_at: datetime | None = None,
    now: datetime,
) -> Channel:
    """Change a channel; a configuration replaces the former one, but for a header that is masked.

    Raises ChannelNotFoundError, BadChannelError, ChannelExistsError and, when it is not as it was
    last changed at `seen_at`, ChannelChangedError.
    """
    lock_unit(scope)
    current = get_channel(scope, channel_id)
    if seen_at is not None and current.updated_at != seen_at:
        raise ChannelChangedError(
            f"The channel was changed by {current.updated_by} meanwhile. Read it again, and decide"
            " what to change of it now."
        )
    if changes.get("type", current.type) != current.type:
        problem = "cannot be changed: make another channel"
        raise BadChannelError(f"type {problem}.", fields={"type": problem})
    name = changes.get("name", current.name)
    if name != current.name:
        _check_name(scope, name)
    config = current.config
    if "config" in changes:
        checked = checked_config(current.type, changes["config"], allow_private=allow_private)
        config = _stored(checked, current, sealer)
    driver().execute(
        """
        UPDATE notification_channels SET name = %s, config = %s, updated_at = %s, updated_by = %s
        WHERE unit_id = %s AND channel_id = %s
        """,
        (name, to_json(config).decode(), now, principal.label, scope.unit_id, channel_id),
    )
    return _prepared(scope, channel_id, sealer, now=now)


def delete_channel(
    scope: Scope, channel_id: UUID, *, list_users: Callable[[Scope, UUID], Sequence[str]]
) -> None:
    """Delete a channel that nothing names any more: `list_users` says what does.

    Raises ChannelNotFoundError and ChannelInUseError.
    """
    lock_unit(scope)
    channel = get_channel(scope, channel_id)
    users = list_users(scope, channel_id)
    if users:
        raise ChannelInUseError(
            f"'{channel.name}' is still used by {_named(users)}. Choose another destination there"
            " first."
        )
    driver().execute(
        "DELETE FROM notification_channels WHERE unit_id = %s AND channel_id = %s",
        (scope.unit_id, channel_id),
    )


def _prepared(scope: Scope, channel_id: UUID, sealer: Sealer, *, now: datetime) -> Channel:
    channel = get_channel(scope, channel_id)
    if channel.type is ChannelType.WEBHOOK:
        prepare_webhook(scope, str(channel.config["url"]), sealer, now=now)
    return channel


def _stored(config: dict[str, str], former: Channel | None, sealer: Sealer) -> dict[str, str]:
    """Return a configuration with its header sealed, which is the former one behind a mask."""
    header = config.get(AUTH_HEADER, "")
    if not header:
        return config
    if header != MASK:
        return {**config, AUTH_HEADER: sealer.seal(header)}
    kept = str(former.config.get(AUTH_HEADER) or "") if former else ""
    # Or a change of the URL would send to anybody what nobody may read.
    if not kept or former is None or not _is_same_host(former.config["url"], config["url"]):
        problem = "has to be given again, for the mask stands for none that is known of this host"
        field = f"config.{AUTH_HEADER}"
        raise BadChannelError(f"{field} {problem}.", fields={field: problem})
    return {**config, AUTH_HEADER: kept}


def _is_same_host(url: str, other: str) -> bool:
    place, other_place = place_of(url), place_of(other)
    return (place.scheme, place.authority) == (other_place.scheme, other_place.authority)


def _check_name(scope: Scope, name: str) -> None:
    if any(it.name == name for it in list_channels(scope)):
        raise ChannelExistsError(
            f"A channel named '{name}' exists already. Change that one, or choose another name.",
            fields={"name": "exists already"},
        )


def _named(triggers: Sequence[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in triggers[:MOST_NAMED])
    more = len(triggers) - MOST_NAMED
    return f"{quoted} and {more} more" if more > 0 else quoted
