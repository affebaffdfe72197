"""Signing secrets of webhooks, where several processes need one at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from leadvibe.http.sealing import sealer
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications import destinations, outbox
from tests.factories import make_scope

WEBHOOK = ("webhook", "https://hooks.acme.test/leads")


def test_all_who_ask_at_once_get_the_same_secret(app, fresh_database):
    scope, now = make_scope(), utc_now()
    destination_id = outbox.register_destinations(scope, [WEBHOOK], now=now)[WEBHOOK]
    commit()

    def ask(_number):
        with app.app_context():
            secret = destinations.ensure_secret(scope, destination_id, sealer(), now=now)
            commit()
            return secret

    with ThreadPoolExecutor(4) as pool:
        secrets = set(pool.map(ask, range(8)))

    assert len(secrets) == 1
