"""Imports every module of tables, so that migrations and tests see them all."""

from __future__ import annotations

import leadvibe.adspend.models
import leadvibe.audit.models
import leadvibe.bulk.models
import leadvibe.events.models
import leadvibe.idempotency.models
import leadvibe.identity.models
import leadvibe.imports.models
import leadvibe.leadlist.models
import leadvibe.leads.models
import leadvibe.leadviews.models
import leadvibe.metrics.models
import leadvibe.notifications.models
import leadvibe.quickstart.models
import leadvibe.rescoring.models
import leadvibe.scoring.models
import leadvibe.segments.models
import leadvibe.triggers.models  # noqa: F401
from leadvibe.lib.db import Base

metadata = Base.metadata
