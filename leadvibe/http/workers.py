"""What a request leaves for the workers: a ring for the pipeline, jobs for the rest."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import Flask, current_app
from redis import Redis, RedisError

from leadvibe.lib.bell import Bell
from leadvibe.lib.db import after_commit, is_in_transaction
from leadvibe.lib.heartbeat import BACKGROUND_ROLES, find_last_beat
from leadvibe.lib.queue import JobQueue

_BELL = "leadvibe.bell"
_BROKER = "leadvibe.redis"


def register(app: Flask) -> None:
    """Give the application a bell unless it has one."""
    app.extensions.setdefault(_BELL, Bell(cast("Redis", app.extensions[_BROKER])))


def ring_for_pipeline() -> None:
    """Wake the pipeline after the commit; without a broker it wakes by itself a little later."""
    bell = cast("Bell", current_app.extensions[_BELL])
    if is_in_transaction():
        after_commit("ring for the pipeline", bell.ring)
    else:
        bell.ring()  # a single statement has committed already


def last_beats() -> dict[str, datetime | None] | None:
    """Return when each background role last gave a sign of life, None for one that is not fresh.

    None in all when the broker, which they leave it with, does not answer.
    """
    broker = cast("Redis", current_app.extensions[_BROKER])
    try:
        return {role: find_last_beat(broker, role) for role in BACKGROUND_ROLES}
    except RedisError:
        return None


def job_queue() -> JobQueue:
    """Return the way to the workers that run jobs."""
    return JobQueue(cast("Redis", current_app.extensions[_BROKER]))
