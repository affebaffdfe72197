"""The `leadvibe` command in processes of its own that need not load it first.

They are forked from one that has: loading takes longer than most of what is tested.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess as Process
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

from leadvibe.cli import COMMANDS, main

__all__ = ["Process", "run_command", "start_command"]

_modules = {f"leadvibe.cli.{target.partition(':')[0]}" for target in COMMANDS.values()}
_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([*sorted(_modules), "leadvibe.app", "leadvibe.jobs.roles"])


def start_command(
    arguments: list[str],
    environment: Mapping[str, str],
    *,
    stdout: Path,
    stderr: Path,
    stdin: Path = Path(os.devnull),
) -> Process:
    """Start the command with these variables alone; what it prints is added to the files."""
    files = (str(stdin), str(stdout), str(stderr))
    process = _server.Process(target=_run, args=(arguments, dict(environment), files))
    process.start()
    return process


def run_command(
    arguments: list[str], environment: Mapping[str, str], *, stdin: str = "", timeout: float = 60
) -> CompletedProcess[str]:
    """Run the command to its end, as subprocess.run would."""
    with tempfile.TemporaryDirectory() as folder:
        given, stdout, stderr = (Path(folder) / name for name in ("in", "out", "err"))
        for file in (given, stdout, stderr):
            file.write_text(stdin if file is given else "")
        process = start_command(arguments, environment, stdin=given, stdout=stdout, stderr=stderr)
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise TimeoutExpired(arguments, timeout, stdout.read_text(), stderr.read_text())
        code = process.exitcode
        assert code is not None
        return CompletedProcess(arguments, code, stdout.read_text(), stderr.read_text())


def _run(arguments: list[str], environment: dict[str, str], files: tuple[str, str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, (file, mode) in enumerate(zip(files, ("rb", "ab", "ab"), strict=True)):
        with Path(file).open(mode) as opened:
            os.dup2(opened.fileno(), number)
    sys.stdin = Path("/dev/stdin").open()  # noqa: SIM115 - open until the process ends
    main(arguments, prog_name="leadvibe")
