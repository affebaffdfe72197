from __future__ import annotations

import threading
import time

from leadvibe.jobs.stopping import StopRequest


def test_a_wait_lasts_until_its_time_or_until_somebody_asks_to_stop():
    stop = StopRequest()
    assert stop.wait(0.01) is False

    threading.Timer(0.05, stop.make).start()
    began = time.monotonic()

    assert stop.wait(20) is True
    assert time.monotonic() - began < 10
    assert stop.is_made


def test_once_made_no_wait_lasts():
    stop = StopRequest()
    for _ in range(100_000):  # more than a pipe holds
        stop.make()

    assert stop.wait(20) is True
