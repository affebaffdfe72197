"""One terminal for many processes: whole lines, each behind the name of who printed it."""

from __future__ import annotations

import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TextIO

CHUNK_BYTES = 65_536
LONGEST_LINE_BYTES = 65_536  # a longer one is broken, so that no child can fill our memory


class Console:
    """Reads pipes without blocking and prints what comes, line by line."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._selector = selectors.DefaultSelector()
        self._name_width = 0
        self.is_cut_off = False

    def watch(self, pipe: IO[bytes], name: str) -> None:
        """Print each line that comes out of the pipe behind the name."""
        self._name_width = max(self._name_width, len(name))
        self.collect(pipe, _Lines(lambda line: self.say(name, line)).take)

    def collect(self, pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
        """Hand over each chunk that comes out of the pipe; an empty one is the end."""
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, take)

    def pump(self, *, timeout_seconds: float) -> None:
        """Wait until something comes, at most so long, and deal with it."""
        for key, _ in self._selector.select(timeout_seconds):
            if not _read(key.fd, key.data):
                self._selector.unregister(key.fileobj)

    def release(self, pipe: IO[bytes]) -> None:
        """Print what is left in the pipe of a child that ended, and close it."""
        if pipe in self._selector.get_map():
            take = self._selector.get_key(pipe).data
            while _read(pipe.fileno(), take):
                pass
            self._selector.unregister(pipe)
        pipe.close()

    def say(self, name: str, line: str) -> None:
        self.print(f"{name:<{self._name_width}} | {line}")

    def print(self, text: str) -> None:
        """Print; when the reader of our output has gone, as `| head` does, remember that."""
        if self.is_cut_off:
            return
        try:
            self._output.write(f"{text}\n")
            self._output.flush()
        except OSError:
            self.is_cut_off = True
            with suppress(OSError):  # closing flushes again
                self._output.close()

    def close(self) -> None:
        self._selector.close()


def _read(descriptor: int, take: Callable[[bytes], None]) -> bool:
    """Take one chunk; False when there is nothing more."""
    try:
        chunk = os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return False
    take(chunk)
    return bool(chunk)


class _Lines:
    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print_line = print_line
        self._rest = b""

    def take(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._rest and (not chunk or len(self._rest) > LONGEST_LINE_BYTES):
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._print_line(line.decode(errors="replace").rstrip("\r"))
