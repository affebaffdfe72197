from __future__ import annotations

import pytest

from leadvibe.lib.outbound import Outbound
from tests.standins.web_server import WebServer, running


@pytest.fixture
def web_server():
    with running(WebServer()) as server:
        yield server


@pytest.fixture
def outbound() -> Outbound:
    return Outbound(allow_private=True)
