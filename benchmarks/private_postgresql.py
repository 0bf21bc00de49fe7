"""A PostgreSQL server of one's own, for as long as a test run or a benchmark lasts: free port, own folder, no trace."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Where Debian keeps the server's programs, newest last; elsewhere they are found on the PATH.
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
#: Nothing that a test makes outlives it, so nothing waits for the disk.
_HASTY = ("fsync=off", "full_page_writes=off")
_SMALL = ("shared_buffers=32MB", "max_connections=80", "autovacuum=off", "jit=off", "log_min_messages=fatal")


def programs() -> Path | None:
    """Return the folder of the server's programs, or None where PostgreSQL is not installed."""
    if _DEBIAN:
        return _DEBIAN[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).parent


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Start a server and yield the URL of its database `postgres`; stop and remove it at the end.

    `durable` lets every commit reach the disk, as in use. The server is a child of this process and ends with it.
    Raises `RuntimeError` where it is not installed or does not start.
    """
    where = programs()
    if where is None:
        raise RuntimeError("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="workbench-postgresql-"))
    try:
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        _initialise(where, folder / "data")
        yield from _running(where, folder, (*_SMALL, *(() if durable else _HASTY)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(where: Path, data: Path) -> None:
    command = [where / "initdb", "-D", data, "-U", "workbench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run([*_as_its_user(), *map(str, command)], capture_output=True, text=True, cwd=data.parent)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip()}")


def _running(where: Path, folder: Path, settings: tuple[str, ...]) -> Iterator[str]:
    port = _free_port()
    options = [part for item in settings for part in ("-c", item)]
    command = [
        where / "postgres", "-D", folder / "data", "-p", port, "-h", "127.0.0.1", "-k", folder, *options,
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        child = subprocess.Popen([*_as_its_user(), *map(str, command)], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(child, where, port, folder / "log")
        yield f"postgresql+pg8000://workbench@127.0.0.1:{port}/postgres"
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=30)


def _as_its_user() -> list[str]:
    """How the server's programs are started: not as root, and ended by the kernel when this process is."""
    if shutil.which("setpriv") is None:
        return []
    other = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []
    return ["setpriv", *other, "--pdeathsig", "INT"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(child: subprocess.Popen[bytes], where: Path, port: int, log: Path) -> None:
    for _ in range(600):
        if child.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-500:]}")
        ready = subprocess.run([str(where / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if ready.returncode == 0:
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not answer within half a minute")
