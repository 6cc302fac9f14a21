"""A PostgreSQL server for the tests: `initdb` in a temporary folder, `pg_ctl`, both as an ordinary user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ORDINARY = "nobody"
"""Who runs the server where the tests run as root, which PostgreSQL refuses."""


def _programs() -> Path:
    """The folder of initdb and pg_ctl; Debian keeps it off the PATH."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if found is None else [Path(found).resolve().parent]
    return folders[-1] if folders else pytest.fail("These tests need PostgreSQL (Debian: apt-get install postgresql).")


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a running server, up to the database's name."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="gpr-pg-"))  # short: a socket's path may have 107 characters
    who = {"user": ORDINARY} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, ORDINARY)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: str) -> None:
        run = subprocess.run(
            [str(programs / command[0]), *command[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, cwd=folder, check=False, **who,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr

    data = str(folder / "data")
    call("initdb", "-D", data, "-U", "gpr", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", settings, "start")
        yield f"postgresql://gpr@127.0.0.1:{port}"
    finally:
        call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
