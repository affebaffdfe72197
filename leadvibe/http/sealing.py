"""Secrets that views store and show, sealed with the keys of this installation."""

from __future__ import annotations

from typing import cast

from flask import current_app

from leadvibe.lib.sealing import Sealer


def sealer() -> Sealer:
    return cast("Sealer", current_app.extensions["leadvibe.sealer"])
