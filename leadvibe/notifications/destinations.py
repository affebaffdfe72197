"""What destinations sign with, and sending there again once they are back.

A secret is made once and read back by whoever signs, so it is sealed rather than hashed. One that
was changed still signs for a day beside the new one, so that receivers can change in their time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.db import driver
from leadvibe.lib.sealing import SealBrokenError, Sealer
from leadvibe.notifications.errors import DestinationNotFoundError, NoSecretError
from leadvibe.notifications.outbox import register_destinations
from leadvibe.notifications.transports.webhook import new_secret
from leadvibe.notifications.types import SigningSecret, Transport

FORMER_SIGNS_FOR = timedelta(hours=24)


def prepare_webhook(scope: Scope, url: str, sealer: Sealer, *, now: datetime) -> UUID:
    """Return the destination that a URL is, with a secret before anything is sent there."""
    place = (Transport.WEBHOOK.value, url)
    destination_id = register_destinations(scope, [place], now=now)[place]
    ensure_secret(scope, destination_id, sealer, now=now)
    return destination_id


def ensure_secret(scope: Scope, destination_id: UUID, sealer: Sealer, *, now: datetime) -> str:
    """Return what a webhook signs with, made now if there is none yet.

    Of several that ask at once all get the same. Raises DestinationNotFoundError, and
    NoSecretError for what is not signed or cannot be read any more.
    """
    return get_secret(scope, destination_id, sealer, now=now).secret


def get_secret(
    scope: Scope, destination_id: UUID, sealer: Sealer, *, now: datetime
) -> SigningSecret:
    """Do as `ensure_secret`, and say how long the secret before it signs as well."""
    _check_is_signed(scope, destination_id)
    driver().execute(
        """
        UPDATE destinations SET secret = %s
        WHERE unit_id = %s AND destination_id = %s AND secret IS NULL
        """,
        (sealer.seal(new_secret()), scope.unit_id, destination_id),
    )
    row = (
        driver()
        .execute(
            """
            SELECT secret, CASE WHEN former_until > %s THEN former_until END FROM destinations
            WHERE unit_id = %s AND destination_id = %s
            """,
            (now, scope.unit_id, destination_id),
        )
        .fetchone()
    )
    assert row is not None
    try:
        return SigningSecret(secret=sealer.open(row[0]), former_until=row[1])
    except SealBrokenError:
        raise NoSecretError(
            "No key of ENCRYPTION_KEYS opens the secret any more. Rotate it to get a new one."
        ) from None


def rotate_secret(
    scope: Scope, destination_id: UUID, sealer: Sealer, *, now: datetime
) -> SigningSecret:
    """Give a webhook a new secret; the former one signs beside it for FORMER_SIGNS_FOR.

    Raises what `ensure_secret` does, but not for a secret that cannot be read any more.
    """
    _check_is_signed(scope, destination_id)
    made = new_secret()
    row = (
        driver()
        .execute(
            """
            UPDATE destinations SET secret = %s, former_secret = secret,
                former_until = CASE WHEN secret IS NOT NULL THEN %s::timestamptz END
            WHERE unit_id = %s AND destination_id = %s
            RETURNING former_secret, former_until
            """,
            (sealer.seal(made), now + FORMER_SIGNS_FOR, scope.unit_id, destination_id),
        )
        .fetchone()
    )
    assert row is not None
    former, former_until = row
    if former is not None and not _can_open(sealer, former):
        former_until = None
        _forget_former(scope, destination_id)
    return SigningSecret(secret=made, former_until=former_until)


def resume(scope: Scope, destination_id: UUID, *, now: datetime) -> None:
    """Believe that a destination works again: what waits for another try is due now.

    Leaves alone what is under way, and what waits for its hour. Raises DestinationNotFoundError.
    """
    changed = driver().execute(
        """
        UPDATE destinations SET failures = 0, paused_until = NULL, problem = NULL
        WHERE unit_id = %s AND destination_id = %s
        """,
        (scope.unit_id, destination_id),
    )
    if not changed.rowcount:
        raise _unknown(destination_id)
    driver().execute(
        """
        UPDATE deliveries d SET due_at = %(now)s
        WHERE d.unit_id = %(unit)s AND d.destination_id = %(destination)s
          AND d.state = 'waiting' AND d.due_at > %(now)s
          AND EXISTS (
              SELECT FROM delivery_attempts a
              WHERE a.unit_id = d.unit_id AND a.delivery_id = d.delivery_id
                AND a.attempt = d.attempts
          )
        """,
        {"now": now, "unit": scope.unit_id, "destination": destination_id},
    )


def forget_unused(scope: Scope, transport: Transport, address: str) -> None:
    """Forget a destination that nothing was ever to be sent to; leaves others as they are."""
    driver().execute(
        """
        DELETE FROM destinations t
        WHERE t.unit_id = %s AND t.transport = %s AND t.address = %s AND NOT EXISTS (
            SELECT FROM deliveries d
            WHERE d.unit_id = t.unit_id AND d.destination_id = t.destination_id
        )
        """,
        (scope.unit_id, transport, address),
    )


def _check_is_signed(scope: Scope, destination_id: UUID) -> None:
    row = (
        driver()
        .execute(
            "SELECT transport FROM destinations WHERE unit_id = %s AND destination_id = %s",
            (scope.unit_id, destination_id),
        )
        .fetchone()
    )
    if row is None:
        raise _unknown(destination_id)
    if row[0] != Transport.WEBHOOK:
        raise NoSecretError("Only what goes to webhooks is signed: this destination has no secret.")


def _can_open(sealer: Sealer, sealed: str) -> bool:
    try:
        sealer.open(sealed)
    except SealBrokenError:
        return False
    return True


def _forget_former(scope: Scope, destination_id: UUID) -> None:
    driver().execute(
        """
        UPDATE destinations SET former_secret = NULL, former_until = NULL
        WHERE unit_id = %s AND destination_id = %s
        """,
        (scope.unit_id, destination_id),
    )


def _unknown(destination_id: UUID) -> DestinationNotFoundError:
    return DestinationNotFoundError(f"There is no destination '{destination_id}' in this unit.")
