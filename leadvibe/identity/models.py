"""Tables of organisations, units, members and the ways they prove who they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class OrganizationRow(Base):
    __tablename__ = "organizations"
    __table_args__ = (
        CheckConstraint(
            "num_nulls(limit_mode, limit_key_by, limit_per_second, limit_burst) IN (0, 4)",
            name="limit",
        ),
    )

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    limit_mode: Mapped[str | None] = mapped_column(comment="null for the installation's")
    limit_key_by: Mapped[str | None]
    limit_per_second: Mapped[int | None]
    limit_burst: Mapped[int | None]


class UnitRow(Base):
    __tablename__ = "units"
    __table_args__ = (
        UniqueConstraint("org_id", "slug"),
        Index("uq_units_default", "org_id", unique=True, postgresql_where=text("is_default")),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.org_id"))
    name: Mapped[str]
    slug: Mapped[str]
    external_ref: Mapped[str | None]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    archived_by: Mapped[str | None]


class MemberRow(Base):
    __tablename__ = "members"
    __table_args__ = (CheckConstraint("role IN ('admin', 'member')", name="role"),)

    org_member_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.org_id"), index=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True, comment="lower case")
    password_hash: Mapped[str | None] = mapped_column(
        comment="argon2; null until an invite is taken"
    )
    role: Mapped[str]
    verified: Mapped[bool] = mapped_column(default=False)
    session_epoch: Mapped[int] = mapped_column(
        default=0, comment="raised by a password change, which ends every older session"
    )
    created_at: Mapped[datetime]


class MembershipRow(Base):
    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint("role IN ('Owner', 'Operator', 'Viewer')", name="role"),)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.unit_id"), primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[str]
    created_at: Mapped[datetime]


class CredentialRow(Base):
    __tablename__ = "credentials"
    __table_args__ = (
        Index("ix_credentials_unit_id", "unit_id", "secret_id"),
        CheckConstraint("num_nulls(limit_per_second, limit_burst) IN (0, 2)", name="limit"),
    )

    secret_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.org_id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.unit_id"))
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str]
    trust_upstream_consent: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    created_by: Mapped[str | None]
    limit_per_second: Mapped[int | None]
    limit_burst: Mapped[int | None]


class ApiKeyRow(Base):
    """A key of another lead product's API (identity.api_keys), which its `prefix` names."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("kind IN ('octanist', 'nexus', 'wordpress')", name="kind"),
        Index("ix_api_keys_unit_id", "unit_id", "key_id"),
        Index("ix_api_keys_expires", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    key_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.org_id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.unit_id"))
    kind: Mapped[str]
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    created_at: Mapped[datetime]
    created_by: Mapped[str | None]
    expires_at: Mapped[datetime | None]


class RefreshTokenRow(Base):
    """A refresh token works once; a second use ends its whole family."""

    __tablename__ = "refresh_tokens"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    family_id: Mapped[UUID] = mapped_column(index=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), index=True
    )
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PersonalTokenRow(Base):
    """A token with which programs act as a member; gone with a new password and with the member."""

    __tablename__ = "personal_tokens"

    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), index=True
    )
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None] = mapped_column(comment="true to a quarter of an hour")


class MemberLinkRow(Base):
    """A one-time link: an invitation to choose a first password, or a password reset."""

    __tablename__ = "member_links"
    __table_args__ = (CheckConstraint("purpose IN ('invite', 'reset')", name="purpose"),)

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), index=True
    )
    purpose: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FirstStepsHiddenRow(Base):
    """A member has put away what a unit's home page says about the first steps."""

    __tablename__ = "first_steps_hidden"

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    org_member_id: Mapped[UUID] = mapped_column(
        ForeignKey("members.org_member_id", ondelete="CASCADE"), primary_key=True, index=True
    )
    hidden_at: Mapped[datetime]


class LoginFailureRow(Base):
    """Failed sign-ins of one address or one network peer, counted over a sliding window."""

    __tablename__ = "login_failures"

    subject: Mapped[str] = mapped_column(primary_key=True, comment="'email:...' or 'ip:...'")
    failures: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
