"""What can go wrong on the way to somebody."""

from __future__ import annotations

from leadvibe.lib.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
)


class TransportError(Exception):
    """A message did not get through; `is_temporary` says whether trying again may help.

    The message is for the log. `reason` is for the person who sent it: the end of a sentence, in
    plain words, with nothing internal in it.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        is_temporary: bool,
        retry_after_seconds: float | None = None,
        status: int | None = None,
        request: str = "",
        response: str = "",
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_temporary = is_temporary
        self.retry_after_seconds = retry_after_seconds
        """How long the receiver asks to be left alone, if it does."""
        self.status, self.request, self.response = status, request, response
        """As far as there are any: what notifications.types.Receipt holds of a success."""


class SlackAppMissingError(ConflictError):
    """The organisation has no Slack app yet, or its secret cannot be read any more."""

    code = "slack_app_missing"


class SlackNotConnectedError(ConflictError):
    """The unit has no workspace, or Slack has ended the connection."""

    code = "slack_not_connected"


class SlackEndedError(SlackNotConnectedError):
    """Slack has ended the connection, and the unit's connection says why."""


class SlackRefusedError(InvalidError):
    """Slack will not do what was asked."""

    code = "slack_refused"


class DeliveryNotFoundError(NotFoundError):
    code = "delivery_not_found"


class ChannelNotFoundError(NotFoundError):
    code = "notification_channel_not_found"


class ChannelExistsError(ConflictError):
    code = "notification_channel_exists"


class ChannelChangedError(PreconditionFailedError):
    """Somebody else has changed the channel in the meantime."""

    code = "notification_channel_changed"


class ChannelInUseError(ConflictError):
    """Triggers name the channel, and would tell nobody without it."""

    code = "notification_channel_in_use"


class BadChannelError(InvalidError):
    code = "bad_notification_channel"


class DestinationNotFoundError(NotFoundError):
    code = "destination_not_found"


class NoSecretError(ConflictError):
    """Nothing is signed that goes there, or what signed it cannot be read any more."""

    code = "no_signing_secret"


class HubSpotRefusedError(InvalidError):
    """HubSpot will not have the token or a property, or does not answer."""

    code = "hubspot_refused"
