"""Runs as processes of their own: they outlive the page and the server. Their state is on disk; this module starts,
stops and, where they do not answer, ends them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from gpr.errors import RunError
from gpr.files import disk_error
from gpr.learn.needs import Estimate
from gpr.learn.run_folder import RunFolder, process_birth
from gpr.run_plans import Plan
from gpr.runs import RunInfo, command_words
from gpr.workspace import Workspace

_ROOT = str(Path(__file__).resolve().parents[1])
"""What the run imports GPR from, whatever folder the server was started in."""
TEXTS = "texts"
"""In the folder of a run that was started with texts: its own copies."""
START_UP = 60.0
"""Seconds that a new process has to write its first state."""
PATIENCE = 15.0
"""Seconds that a process has to answer when it is asked to stop; to stop and keep, three times its slowest step where
that is more."""


def start(workspace: Workspace, plan: Plan, name: str) -> RunInfo:
    """Starts `gpr train` detached from this process and waits for its first word. It waits for its turn by itself.

    Raises:
        RunError: the name is taken, or the process died at once.
    """
    folder = workspace.new_run_folder(name)
    plan.lay_into(folder)  # so that whoever looks before the process has begun sees what it will do
    return _spawn(workspace, folder, command_words(plan.config, folder.path, name))


def pretrain(workspace: Workspace, plan: Plan, name: str) -> RunInfo:
    """Starts `gpr pretrain` detached from this process: a GPT from scratch. The run keeps copies of its texts.

    Raises:
        RunError: the name is taken, or the process died at once. WorkspaceError: the disk refused.
    """
    folder = workspace.new_run_folder(name)
    own = folder.path / TEXTS
    try:
        own.mkdir()
        copies = [
            str(shutil.copyfile(text, own / f"{number}-{Path(text).name}"))
            for number, text in enumerate(plan.config["texts"], 1)
        ]
    except OSError as error:
        _has_failed(folder, "Its texts could not be kept.")
        raise disk_error(error, own) from error
    plan = Plan(plan.config | {"texts": copies})
    plan.lay_into(folder)
    return _spawn(workspace, folder, command_words(plan.config, folder.path, name))


def teach(workspace: Workspace, name: str, to: str = "") -> RunInfo:
    """Starts `gpr teach` detached from this process: a new run that goes on from a finished one.

    Raises:
        RunError: the run cannot be taught, there is nothing to learn from, or the process died at once.
    """
    folder = workspace.begin_teaching(name, to)
    return _spawn(workspace, folder, ["teach", "--run", name, "--as", folder.path.name])


def resume(workspace: Workspace, name: str) -> RunInfo:
    """Starts `gpr resume` detached from this process.

    Raises:
        RunError: there is nothing to go on from, it goes on already, or the process died at once.
    """
    return _spawn(workspace, workspace.claim(name), ["resume", name])


def stop(workspace: Workspace, name: str, *, discard: bool = False, wait: bool = False) -> None:
    """Asks a run to finish its step and keep what it learned, or to end and leave nothing.

    A process that does not answer in time is ended with its children.

    Args:
        wait: until it has answered (or, with `discard`, is gone); else a thread of this process sees to that.

    Raises:
        RunError: there is no such run, or it is not going on.
    """
    run = workspace.run(name)
    if not run.going:
        raise RunError(run.standing, hint="Only a run that is going on can be stopped.")
    RunFolder(run.folder).ask_to_stop(discard=discard)
    thread = threading.Thread(target=_see_to_it, args=(run, discard), daemon=True)
    thread.start()
    if wait:
        thread.join()


def estimate(workspace: Workspace, plan: Plan) -> str:
    """What such a run would need, in words, from some real steps in a process of its own.

    Raises:
        RunError: it could not be found out, or the run would not fit; says why.
    """
    words = [sys.executable, "-m", "gpr", *command_words(plan.config, workspace.root), "--estimate", "--json"]
    words += ["--workspace", str(workspace.root)]
    where = {"GPR_LABELS_URL": workspace.labels_url} if workspace.labels_url else {}  # words would be seen by others
    environment = _environment() | where
    found = subprocess.run(words, capture_output=True, text=True, env=environment, start_new_session=True)
    if found.returncode:
        said = [line for line in found.stderr.splitlines() if line.startswith("Error: ")][-1:]
        raise RunError(said[0].removeprefix("Error: ") if said else "The estimate could not be made.")
    return Estimate(**json.loads(found.stdout)).words()


def _environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def _spawn(workspace: Workspace, folder: RunFolder, words: list[str]) -> RunInfo:
    name = folder.path.name
    try:
        with (folder.path / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gpr", *words, "--workspace", str(workspace.root), "--in-place"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=_environment(),
            )
    except OSError as error:
        _has_failed(folder, "Its process could not be started.")
        raise disk_error(error, folder.path) from error
    threading.Thread(target=process.wait, daemon=True).start()  # else a run that has ended stays behind as a zombie
    deadline = time.monotonic() + START_UP
    while not _has_begun(folder, process.pid) and process.poll() is None and time.monotonic() < deadline:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    if not _has_begun(folder, process.pid):
        last = (folder.path / "output.txt").read_text(errors="replace").strip().splitlines()[-1:]
        failure = RunError("The run did not start.", where=name, hint=f"It said: {last[0]}" if last else "")
        _has_failed(folder, str(failure))
        raise failure
    return workspace.run(name)


def _has_begun(folder: RunFolder, pid: int) -> bool:
    return folder.read("state.json").get("pid") == pid


def _has_failed(folder: RunFolder, message: str) -> None:
    folder.write("state.json", folder.read("state.json") | {"status": "failed", "message": message})


def _see_to_it(run: RunInfo, discard: bool) -> None:
    """Waits for the answer to a stop, or ends the process."""
    folder = RunFolder(run.folder)
    pid, born = run.state["pid"], run.state["born"]
    slow = 0.0 if discard else 3 * float(run.state.get("slowest", 0.0))
    deadline = time.monotonic() + max(PATIENCE, slow)
    pause = threading.Event()

    def answered() -> bool:
        if process_birth(pid) != born:
            return True
        return not discard and bool(folder.read("state.json").get("heard"))

    while not answered() and time.monotonic() < deadline:
        pause.wait(0.1)
    if not answered():
        end_process(pid, born)
    if discard:
        shutil.rmtree(run.folder, ignore_errors=True)


def end_process(pid: int, born: float) -> None:
    """Ends a process and its children at once, if it is still the one that was started then."""
    if process_birth(pid) != born:
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        everyone = [*process.children(recursive=True), process]
        for one in everyone:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(everyone, timeout=5)
