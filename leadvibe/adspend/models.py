"""The table of ad spend."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class AdSpendRow(Base):
    """What a campaign has cost on a day; reported again, it is replaced."""

    __tablename__ = "ad_spend"
    __table_args__ = (
        CheckConstraint("spend >= 0 AND clicks >= 0 AND impressions >= 0", name="figures"),
    )

    unit_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[str] = mapped_column(
        primary_key=True, comment="empty for a platform as a whole"
    )
    campaign_name: Mapped[str | None]
    currency: Mapped[str | None]
    spend: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    clicks: Mapped[int] = mapped_column(BigInteger)
    impressions: Mapped[int] = mapped_column(BigInteger)
