"""`leadvibe up`: servers if needed, migrations, web and workers, all in the foreground."""

from __future__ import annotations

import http.client
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import click

from leadvibe.cli.roles import background_role, web_role
from leadvibe.cli.servers import check_port
from leadvibe.cli.wiring import (
    embedded_servers,
    home_option,
    needs_embedded_servers,
    port_option,
    with_embedded,
)
from leadvibe.lib import embedded, migrate
from leadvibe.lib.heartbeat import BACKGROUND_ROLES
from leadvibe.lib.supervisor import STOP_SIGNALS, Supervisor
from leadvibe.settings import MAIN_HOME, Settings, load

PROBE_SECONDS = 2.0


@click.command()
@port_option
@home_option
@click.option("--empty", is_flag=True, help="Load no sample data: `up` never does, `demo` does.")
def up(port: int | None, home: Path | None, empty: bool) -> None:  # noqa: ARG001, FBT001
    """Run everything in the foreground until Ctrl-C."""
    run_everything(load(home=home, port=port, home_name=MAIN_HOME), announce=_announce)


def run_everything(
    settings: Settings,
    *,
    announce: Callable[[Settings, Supervisor], None],
    web_options: Sequence[str] = (),
) -> None:
    """Start servers if needed, migrate, and keep web and workers running until a signal comes.

    `announce` is called once the web server answers.
    """
    check_port(settings.host, settings.port)
    with _signals_interrupt(), ExitStack() as cleanup:
        servers = _start_servers(settings, cleanup)
        if servers is not None:
            settings = with_embedded(settings)
        migrate.upgrade(settings.database_url)
        supervisor = cleanup.enter_context(Supervisor(sys.stdout))
        if servers is not None:
            supervisor.look_after(partial(servers.revive_dead, supervisor.console.print))
        supervisor.keep(web_role(settings, *web_options))
        for name in BACKGROUND_ROLES:
            supervisor.keep(background_role(name, settings))
        if supervisor.run_until(lambda: _is_ready(settings)):
            announce(settings, supervisor)
            supervisor.run_until(lambda: False)


def _start_servers(settings: Settings, cleanup: ExitStack) -> embedded.RunningServers | None:
    if not needs_embedded_servers(settings):
        return None
    servers = embedded.start(settings.home, which=embedded_servers(settings))
    click.echo(f"The embedded servers run in {settings.home}")
    return cleanup.enter_context(servers)


def _announce(settings: Settings, supervisor: Supervisor) -> None:
    supervisor.console.print(
        f"\n  Leadvibe is ready: {settings.public_url}\n  Stop it with Ctrl-C.\n"
    )


def _is_ready(settings: Settings) -> bool:
    """Ask the web server itself, whatever stands before it."""
    address = urlsplit(settings.local_url)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=PROBE_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let a signal end the start the way Ctrl-C does, and let neither look like a failure."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
