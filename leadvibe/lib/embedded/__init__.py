"""Real PostgreSQL and Valkey servers out of wheels, for trials, tests and small installations.

They live in one data folder (`home.py` draws it), listen on sockets in it alone, and end with the
process that started them. As root they run as another account, from a copy of the programs that
it may read; otherwise as this user, in place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from leadvibe.lib.embedded.binaries import binaries_for
from leadvibe.lib.embedded.errors import (
    BinariesError,
    EmbeddedError,
    HomeError,
    HomeInUseError,
)
from leadvibe.lib.embedded.home import Home, servers_account
from leadvibe.lib.embedded.postgres import Postgres, postgres_answers, postgres_url
from leadvibe.lib.embedded.server import Program, Server
from leadvibe.lib.embedded.valkey import Valkey, valkey_answers, valkey_url
from leadvibe.lib.processes import Account

__all__ = [
    "Addresses",
    "BinariesError",
    "EmbeddedError",
    "HomeError",
    "HomeInUseError",
    "RunningServers",
    "Which",
    "is_running",
    "secret_key",
    "start",
    "urls",
    "using",
]

STARTED_ELSEWHERE_WITHIN_SECONDS = 60
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Addresses:
    database_url: str
    redis_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which servers are wanted: the others are somebody else's."""

    postgres: bool = True
    valkey: bool = True


BOTH = Which()


@dataclass(slots=True)
class RunningServers:
    """Servers of one folder, held until `stop`, which may be called twice."""

    database_url: str
    redis_url: str
    _servers: list[Server] = field(repr=False)
    _cleanup: ExitStack = field(repr=False)

    def revive_dead(self, report: Callable[[str], None]) -> None:
        """Start again what has died, and say so; raises EmbeddedError when it stays dead."""
        for server in self._servers:
            if server.has_died():
                server.revive(report)

    def stop(self) -> None:
        """Shut down fast and in order, and let go of the folder."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def start(home: Path, *, throwaway: bool = False, which: Which = BOTH) -> RunningServers:
    """Start the servers of a folder, made if need be, and wait until they answer.

    Call it from the main thread: the servers end when the calling thread does. `throwaway` trades
    durability for speed. Raises HomeInUseError when somebody already runs them, HomeError when the
    folder cannot be used, and BinariesError when the programs do not run here.
    """
    place = Home(home.absolute())
    account = servers_account()
    with ExitStack() as cleanup:
        place.make(account)
        cleanup.enter_context(place.held())
        place.prepare(account)
        servers = [
            Server(program, log_folder=place.log, account=account)
            for program in _programs(place, account, throwaway=throwaway, which=which)
        ]
        for server in servers:
            cleanup.callback(server.stop)
            server.start()
        for server in servers:
            server.wait_until_ready()
        return RunningServers(postgres_url(place), valkey_url(place), servers, cleanup.pop_all())


@contextmanager
def using(home: Path, *, which: Which = BOTH) -> Iterator[Addresses]:
    """Use the servers of a folder: those that run, or else ones that run for as long as needed.

    Others may use the latter meanwhile: they stop when the last user is done.
    """
    place = Home(home.absolute())
    place.make(servers_account())
    deadline = time.monotonic() + STARTED_ELSEWHERE_WITHIN_SECONDS
    while True:
        with place.used():
            if is_running(home, which=which):
                yield urls(home)
                return
        try:
            servers = start(home, which=which)
        except HomeInUseError:  # somebody else is just starting or stopping them
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
        else:
            break
    try:
        yield urls(home)
    finally:
        with place.unused():
            servers.stop()


def urls(home: Path) -> Addresses:
    """Return the addresses that the servers of a folder have, running or not."""
    place = Home(home.absolute())
    return Addresses(postgres_url(place), valkey_url(place))


def is_running(home: Path, *, which: Which = BOTH) -> bool:
    """Say whether the servers of a folder answer."""
    place = Home(home.absolute())
    if which.postgres and not postgres_answers(place):
        return False
    return not which.valkey or valkey_answers(place)


def secret_key(home: Path) -> str:
    """Return the key that was made with the folder."""
    return Home(home.absolute()).secret_key()


def _programs(
    home: Home, account: Account | None, *, throwaway: bool, which: Which
) -> Iterator[Program]:
    binaries = binaries_for(account)
    if which.postgres:
        yield Postgres(home=home, binaries=binaries, account=account, throwaway=throwaway)
    if which.valkey:
        yield Valkey(home=home, binaries=binaries, throwaway=throwaway)
