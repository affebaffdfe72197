from __future__ import annotations

from collections.abc import Callable

import pytest

from leadvibe.identity.types import Scope
from leadvibe.lib.outbound import Outbound
from leadvibe.notifications.dispatch import Dispatcher
from leadvibe.notifications.types import Transport
from tests.factories import make_scope
from tests.notifications.posting import Posted, Wire
from tests.standins.web_server import WebServer, running


@pytest.fixture
def web_server():
    with running(WebServer()) as server:
        yield server


@pytest.fixture
def outbound() -> Outbound:
    return Outbound(allow_private=True)


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


@pytest.fixture
def posted(scope) -> Posted:
    return Posted(scope)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def deliver(wire) -> Callable[[], int]:
    dispatcher = Dispatcher(dict.fromkeys(Transport, wire))
    return lambda: dispatcher.run(is_stopping=lambda: False)
