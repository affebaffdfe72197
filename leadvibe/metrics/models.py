"""Tables of figures that no other process could tell."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from leadvibe.lib.db import Base


class SlackLatencyRow(Base):
    """A bucket of a histogram: deliveries that took longer than the bucket before allows."""

    __tablename__ = "slack_latencies"

    at_most_seconds: Mapped[float] = mapped_column(primary_key=True)
    deliveries: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
