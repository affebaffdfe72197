"""Rate limits of organisations and credentials; without one, the installation's holds.

Does not count requests: http.rate_limits does. Web processes are told of every change by the
database, and so it holds at once.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from leadvibe.identity.checks import checked_rate
from leadvibe.identity.errors import CredentialNotFoundError
from leadvibe.identity.models import CredentialRow, OrganizationRow
from leadvibe.identity.types import RequestLimit, Scope
from leadvibe.lib.db import session


def set_limit(org_id: UUID, limit: RequestLimit | None) -> None:
    """Give an organisation a limit of its own, or leave it to the installation's.

    Raises InvalidError by field.
    """
    if limit is not None:
        checked_rate(*limit.rate)
    session().execute(
        update(OrganizationRow)
        .where(OrganizationRow.org_id == org_id)
        .values(
            limit_mode=limit.mode if limit else None,
            limit_key_by=limit.key_by if limit else None,
            limit_per_second=limit.rate.per_second if limit else None,
            limit_burst=limit.rate.burst if limit else None,
        )
    )


def limit_credential(
    scope: Scope, secret_id: UUID, *, per_second: int | None, burst: int | None
) -> None:
    """Give a credential a limit of its own, or none; its requests are counted apart then.

    Raises CredentialNotFoundError, and InvalidError by field.
    """
    if per_second is not None and burst is not None:
        checked_rate(per_second, burst)
    changed = session().scalar(
        update(CredentialRow)
        .where(
            CredentialRow.secret_id == secret_id,
            CredentialRow.unit_id == scope.unit_id,
            CredentialRow.org_id == scope.org_id,
        )
        .values(limit_per_second=per_second, limit_burst=burst)
        .returning(CredentialRow.secret_id)
    )
    if changed is None:
        raise CredentialNotFoundError(f"There is no credential {secret_id} in this unit.")
