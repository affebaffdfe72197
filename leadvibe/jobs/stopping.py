"""The wish that a worker end, which a signal brings at any moment and its loops ask after."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Made by SIGTERM or SIGINT: finish what is begun, then leave.

    A pipe carries it, because locks, and so `threading.Event`, must not be touched by a handler.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self.is_made = False

    def make(self) -> None:
        """Ask to stop. Safe in a signal handler."""
        self.is_made = True
        with suppress(BlockingIOError):  # the pipe is full of earlier requests
            os.write(self._writer, b"\0")

    def wait(self, seconds: float) -> bool:
        """Sleep for so long, or until somebody asks to stop; says whether somebody did."""
        if not self.is_made:
            select.select([self._reader], [], [], seconds)
        return self.is_made

    def install_handlers(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.make()
