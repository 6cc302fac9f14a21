"""A run as a process of its own: it outlives the page and the server. Its state is on disk; this module starts
and stops it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from gpr.errors import RunError
from gpr.files import disk_error
from gpr.learn.options import Options
from gpr.learn.run_folder import RunFolder
from gpr.runs import RunInfo, flags
from gpr.workspace import Workspace

_ROOT = str(Path(__file__).resolve().parents[1])
"""What the run imports GPR from, whatever folder the server was started in."""
START_UP = 20.0
"""Seconds that a new process has to write its first state."""


def start(workspace: Workspace, data: str, name: str, options: Options) -> RunInfo:
    """Starts `gpr train` detached from this process and waits for its first word.

    Raises:
        RunError: the name is taken, another run is going on, or the process died at once.
    """
    going = [run.name for run in workspace.runs() if run.going]
    if going:
        raise RunError(f"The run '{going[0]}' is going on.", hint="Wait for it, or stop it first.")
    folder = workspace.new_run_folder(name)
    words = [sys.executable, "-m", "gpr", "train", data, "--run", name, "--workspace", str(workspace.root)]
    words += ["--in-place", *flags(asdict(options))]
    try:
        with (folder.path / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))},
            )
    except OSError as error:
        folder.write("state.json", {"status": "failed", "message": "Its process could not be started."})
        raise disk_error(error, folder.path) from error
    threading.Thread(target=process.wait, daemon=True).start()  # else a run that has ended stays behind as a zombie
    deadline = time.monotonic() + START_UP
    while not _has_begun(folder, process.pid) and process.poll() is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    if not _has_begun(folder, process.pid):
        last = (folder.path / "output.txt").read_text(errors="replace").strip().splitlines()[-1:]
        failure = RunError("The run did not start.", where=name, hint=f"It said: {last[0]}" if last else "")
        folder.write("state.json", {"status": "failed", "message": str(failure)})
        raise failure
    return workspace.run(name)


def _has_begun(folder: RunFolder, pid: int) -> bool:
    return folder.read("state.json").get("pid") == pid


def stop(workspace: Workspace, name: str) -> None:
    """Asks a run to finish its step and keep what it learned.

    Raises:
        RunError: there is no such run, or it is not going on.
    """
    run = workspace.run(name)
    if not run.going:
        raise RunError(f"The run '{name}' is {run.status}.", hint="Only a run that is going on can be stopped.")
    RunFolder(run.folder).ask_to_stop()
