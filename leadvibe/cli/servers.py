"""`leadvibe serve` and `leadvibe worker`: the processes that an installation is made of."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from types import FrameType
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it ships none

from leadvibe.cli.roles import background_role
from leadvibe.cli.wiring import command_settings, home_option, port_option, running
from leadvibe.lib import memory
from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.heartbeat import BACKGROUND_ROLES
from leadvibe.lib.processes import die_with_parent
from leadvibe.lib.supervisor import Supervisor
from leadvibe.settings import Settings

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its files there safely
SECONDS_TO_FINISH_REQUESTS = 8  # less than the supervisor waits before it kills
SILENT_WORKER_SECONDS = 60
KEEP_ALIVE_SECONDS = 5
LONGEST_REQUEST_LINE = 8_190  # bytes, all that gunicorn takes: filters by long texts are longer


@click.command()
@port_option
@home_option
@click.option("--no-setup-link", is_flag=True, help="Do not log where to set Leadvibe up.")
def serve(port: int | None, home: Path | None, no_setup_link: bool) -> None:  # noqa: FBT001 - a flag
    """Serve pages and API in the foreground."""
    settings = running(command_settings(home, port))
    check_port(settings.host, settings.port)
    counters = _empty_folder(settings)
    _WebServer(settings, counters=counters, announces_setup=not no_setup_link).run()


@click.command()
@click.option("--role", type=click.Choice(BACKGROUND_ROLES), help="Run this one; default: all.")
@home_option
def worker(role: str | None, home: Path | None) -> None:
    """Work in the background: score what came in, run jobs, keep the schedule."""
    settings = running(command_settings(home))
    if role is None:
        _run_all_roles(settings)
    else:
        _run_role(role, settings)


def check_port(host: str, port: int) -> None:
    """Raise UnavailableError when the web server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise UnavailableError(_why_not_bound(host, port, error)) from error


def _why_not_bound(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: stop what uses it or choose another with --port or PORT"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} is not for plain users: choose one above 1023 with --port or PORT"
    return f"Cannot listen on {host} ({error.strerror}): set HOST to an address of this machine"


def _empty_folder(settings: Settings) -> Path:
    """Make an empty folder for the files of this web server.

    Named after the port, which nobody else has, so that a killed server's is cleared by the next.
    """
    parent = settings.home if settings.home.is_dir() else Path(gettempdir())
    folder = parent / f"leadvibe-web-{os.geteuid()}-{settings.port}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(0o700)
    except FileExistsError:  # it belongs to somebody else
        return Path(mkdtemp(prefix=f"{folder.name}-"))
    return folder


def _run_all_roles(settings: Settings) -> None:
    with Supervisor(sys.stdout) as supervisor:
        for name in BACKGROUND_ROLES:
            supervisor.keep(background_role(name, settings))
        supervisor.run_until(lambda: False)


def _run_role(role: str, settings: Settings) -> None:
    from leadvibe.app import create_app  # noqa: PLC0415 - the supervisor of all roles needs no app
    from leadvibe.jobs import roles  # noqa: PLC0415

    roles.run(role, create_app(settings))


class _WebServer(BaseApplication):  # type: ignore[misc]  # its base has no types
    """gunicorn with our settings and nothing from the command line, files or environment."""

    def __init__(self, settings: Settings, *, counters: Path, announces_setup: bool) -> None:
        self._settings = settings
        self._counters = counters
        self._announces_setup = announces_setup
        super().__init__()

    def load_config(self) -> None:
        for name, value in _gunicorn_settings(self._settings).items():
            self.cfg.set(name, value)
        # Workers count requests in files there, so that any of them can tell the sum.
        self.cfg.set("raw_env", [f"PROMETHEUS_MULTIPROC_DIR={self._counters}"])
        self.cfg.set("on_exit", lambda _server: shutil.rmtree(self._counters, ignore_errors=True))

    def load(self) -> Flask:
        """Make the application: in each worker, so that no connection is shared by a fork."""
        from leadvibe.app import (  # noqa: PLC0415 - only for workers
            announce_first_run,
            create_app,
            remember_credentials,
        )

        app = create_app(self._settings)
        remember_credentials(app)
        if self._announces_setup:
            announce_first_run(app)
        return app


def _gunicorn_settings(settings: Settings) -> dict[str, Any]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return {
        "bind": f"{host}:{settings.port}",
        "worker_class": "gthread",
        "workers": settings.web_workers,
        "threads": settings.web_threads,
        "timeout": SILENT_WORKER_SECONDS,
        "graceful_timeout": SECONDS_TO_FINISH_REQUESTS,
        # Linux then deals connections out; otherwise one worker may happen to take them all.
        "reuse_port": sys.platform == "linux",
        "keepalive": KEEP_ALIVE_SECONDS,
        "limit_request_line": LONGEST_REQUEST_LINE,
        "loglevel": settings.log_level,
        # A worker touches a file to show that it lives; on a slow disk that looks like death.
        "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
        "control_socket_disable": True,
        # The application alone decides which proxies it believes (TRUSTED_PROXIES).
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "on_starting": _name_address,
        "post_fork": _tie_worker_to_server,
        "post_worker_init": _settle_worker,
        "child_exit": _forget_worker,
    }


class NamedAddress(logging.Filter):
    """Says where the server listens, which gunicorn does not know while its workers do that."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Listening at:") and isinstance(record.args, tuple):
            named, *rest = record.args
            record.args = (named or self._address, *rest)
        return True


def _name_address(server: Any) -> None:
    address = " and ".join(f"http://{bind}" for bind in server.cfg.bind)
    server.log.error_log.addFilter(NamedAddress(address))


def _settle_worker(worker: Any) -> None:
    """Begin to serve; when asked to stop, let live streams end, which would hold up the worker."""
    from leadvibe.http import streams  # noqa: PLC0415 - only for workers

    memory.settle()
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        stop = signal.getsignal(number)
        assert callable(stop)
        signal.signal(number, _after(partial(streams.close, worker.wsgi), stop))


def _after(
    first: Callable[[], None], then: Callable[[int, FrameType | None], object]
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        first()
        then(number, frame)

    return handle


def _forget_worker(_server: object, worker: Any) -> None:
    """Take the streams of a worker that has ended out of the figures."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - as above

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def _tie_worker_to_server(_server: object, _worker: object) -> None:
    """End with the server: a worker whose threads serve endless streams does not end by itself."""
    die_with_parent(signal.SIGKILL)
