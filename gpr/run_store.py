"""Runs as use cases: begin, train, resume, wait for one's turn, rename, describe, delete. It knows folders and the
process that it is in; starting others is the business of `gpr.jobs`."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from gpr.data.dataset import Dataset
from gpr.device_queue import Turns
from gpr.errors import GPRError, RunError
from gpr.files import disk_error, written_whole
from gpr.gallery import shipped_run, shipped_runs
from gpr.learn.needs import Estimate
from gpr.learn.options import Options, Shape, check_name
from gpr.learn.run_folder import Progress, RunFolder
from gpr.model_card import CARD, model_card
from gpr.run_plans import Plan, pretraining, training
from gpr.run_work import work
from gpr.runs import RunInfo, check_replaceable, find_run, read_run, read_runs

Listener = Callable[[dict[str, Any]], None]
WAIT = 0.3
"""Seconds between two looks at the queue."""


class Discarded(RunError):
    """The user stopped the run and wants nothing of it."""


class RunStore(ABC):
    """The runs below a workspace's root."""

    def __init__(self, root: Path) -> None:
        self._runs = root / "runs"
        self.turns = Turns(self._runs, lambda name: read_run(self._runs / name).status == "queued")

    @abstractmethod
    def dataset(self, data: str | Path, seed: int = 0) -> Dataset:
        """The data of a run."""

    @abstractmethod
    def place(self, data: str | Path) -> str | Path:
        """The folder of a kept data set, or what was given."""

    def runs(self) -> list[RunInfo]:
        """All runs of this workspace, newest first."""
        return read_runs(self._runs)

    def shipped(self) -> list[RunInfo]:
        """Those that come with GPR, but for what has a name of the workspace's own runs."""
        return [run for run in shipped_runs() if not (self._runs / run.name).exists()]

    def run(self, name: str) -> RunInfo:
        """One run: of this workspace, else one that comes with GPR.

        Raises:
            RunError: there is none of that name.
        """
        shipped = None if (self._runs / name).is_dir() else shipped_run(name)
        return shipped or find_run(self._runs, name)

    def new_run_folder(self, name: str, *, overwrite: bool = False) -> RunFolder:
        """A folder for a new run, which counts as started by this process. A run that ended without anything worth
        keeping gives up its name.

        Raises:
            RunError: the name is taken or cannot name a folder. WorkspaceError: the disk refused.
        """
        path = self._runs / check_name(name)
        try:
            with FileLock(self._runs / ".names.lock"):
                if path.exists():
                    check_replaceable(read_run(path), overwrite)
                    shutil.rmtree(path)
                path.mkdir(parents=True)
                return RunFolder(path).begin()
        except OSError as error:
            raise disk_error(error, path) from error

    def claim(self, name: str) -> RunFolder:
        """The folder of a run that can be resumed; from now on it counts as going on in this process. One whose process
        was gone before its first checkpoint (while it waited for its turn, say) begins again with its settings.

        Raises:
            RunError: there is nothing to go on from, or it goes on already.
        """
        with FileLock(self._runs / ".names.lock"):
            run = self.run(name)
            if run.usable or run.going:
                raise RunError(run.standing, hint="Only one that was interrupted can be resumed.")
            if not run.resumable:
                raise RunError(f"The run '{name}' has no checkpoint to go on from.", hint="Start it again.")
            folder = RunFolder(run.folder)
            folder.take_back_stop()
            return folder.begin(resume=True)

    def train(
        self,
        data: str,
        folder: RunFolder,
        options: Options,
        stop: Callable[[], bool],
        listener: Listener = lambda state: None,
        started: float | None = None,
    ) -> RunInfo:
        """One run in this process, from its turn to saved. A failure is kept in the run's state and raised.

        Args:
            stop: asked after each step; True ends it and keeps what was learned. started: `time.monotonic()` of the
            command.
        """
        training(data, options).lay_into(folder)
        return self._train(folder, Progress(folder, listener), stop, started or time.monotonic())

    @property
    def runs_folder(self) -> Path:
        """Where the runs are, one folder each."""
        return self._runs

    def pretrain(
        self,
        texts: Sequence[Path],
        folder: RunFolder,
        shape: Shape,
        max_minutes: float | None,
        stop: Callable[[], bool],
        listener: Listener = lambda state: None,
        started: float | None = None,
        data: str = "",
    ) -> RunInfo:
        """A GPT from scratch, in this process.

        Args:
            texts: files; those in the run's own folder stay with it. data: whose texts are read too, '' for none.
        """
        pretraining(texts, shape, max_minutes, data, folder.path).lay_into(folder)
        return self._train(folder, Progress(folder, listener), stop, started or time.monotonic())

    def teach(
        self,
        folder: RunFolder,
        stop: Callable[[], bool],
        listener: Listener = lambda state: None,
        started: float | None = None,
    ) -> RunInfo:
        """Teaches in this process what `begin_teaching` has laid out."""
        return self._train(folder, Progress(folder, listener), stop, started or time.monotonic())

    def estimate(self, plan: Plan, listener: Listener = lambda state: None) -> Estimate:
        """What such a run would need, from some real steps; leaves no run behind.

        Raises:
            GPRError: it could not be started, or would not fit.
        """
        found: list[Estimate] = []
        path = self._runs / f".estimate-{secrets.token_hex(4)}"
        path.mkdir()
        try:
            folder = RunFolder(path).begin()
            plan.lay_into(folder)
            self._train(folder, Progress(folder, listener), lambda: False, time.monotonic(), found.append)
        finally:
            shutil.rmtree(path, ignore_errors=True)
        return found[0]

    def resume(self, folder: RunFolder, stop: Callable[[], bool], listener: Listener = lambda state: None) -> RunInfo:
        """Goes on from the last checkpoint, in this process.

        Raises:
            RunError: the data has changed, or the checkpoint is damaged.
        """
        return self._train(folder, Progress(folder, listener, resume=True), stop, time.monotonic())

    def _train(
        self,
        folder: RunFolder,
        progress: Progress,
        stop: Callable[[], bool],
        started: float,
        only_estimate: Callable[[Estimate], None] | None = None,
    ) -> RunInfo:
        last = [time.monotonic()]

        def asked() -> bool:
            now, state = time.monotonic(), progress.state
            if state["phase"] == "training" and state["step"] > 1:
                state["slowest"] = max(state.get("slowest", 0.0), round(now - last[0], 1))
            last[0], word = now, folder.asked_to_stop()
            if word == "discard":
                raise Discarded("The run was stopped and discarded.")
            if word and not progress.state.get("heard"):
                progress.update(heard=True)
            return bool(word) or stop()

        try:
            with self._turn(folder, progress, asked) as waited:
                work(self, folder, progress, asked, started + waited, only_estimate)
        except Discarded:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        except GPRError as error:
            progress.update(status="failed", message=str(error))
            raise
        except BaseException as error:
            words = "interrupted" if isinstance(error, KeyboardInterrupt) else f"unexpected {type(error).__name__}"
            progress.update(status="failed", message=f"The run ended early: {words}.")
            raise
        run = read_run(folder.path)
        if run.usable:
            with written_whole(folder.path / CARD) as partial:
                partial.write_text(model_card(run), encoding="utf-8")
        return run

    @contextmanager
    def _turn(self, folder: RunFolder, progress: Progress, asked: Callable[[], bool]) -> Iterator[float]:
        """Waits until the device is free and this run is the next; gives the seconds waited."""
        from gpr.learn.processes import rank
        from gpr.lm.base import choose_device

        if rank():  # the first process waits for all
            progress.begin()
            yield 0.0
            return
        name, device = folder.path.name, str(choose_device()[0])
        began, pause = time.monotonic(), threading.Event()
        progress.update(status="queued", phase="waiting for its turn")
        self.turns.join(name, device)
        try:
            while not (held := self.turns.take(name, device)):
                if asked():
                    raise RunError("The run was stopped before it had begun.", hint="Start it again when you like.")
                pause.wait(WAIT)
        except BaseException:
            self.turns.leave(name)
            raise
        try:
            progress.begin()
            yield time.monotonic() - began
        finally:
            held.release()

    def delete_run(self, name: str) -> None:
        """Raises: RunError: there is no such run, or it is going on. WorkspaceError: the disk refused."""
        run = self._idle(name)
        self._check_no_base(name)
        try:
            shutil.rmtree(run.folder)
        except OSError as error:
            raise disk_error(error, run.folder) from error

    def rename_run(self, name: str, to: str) -> RunInfo:
        """Raises: RunError: there is no such run, it is going on, or the new name is taken or cannot be one."""
        run = self._idle(name)
        self._check_no_base(name)
        path = self._runs / check_name(to)
        with FileLock(self._runs / ".names.lock"):
            if path.exists():
                raise RunError(f"A run named '{to}' exists.", hint="Choose another name.")
            run.folder.rename(path)
        return read_run(path)

    def describe_run(self, name: str, *, note: str | None = None, tags: list[str] | None = None) -> RunInfo:
        """Keeps a note and tags with a run; None leaves what is there.

        Raises:
            RunError: there is no such run, or it comes with GPR.
        """
        folder = RunFolder(self._own(name).folder)
        given = {"note": note, "tags": tags and sorted({tag.strip() for tag in tags if tag.strip()})}
        folder.write("notes.json", folder.read("notes.json") | {k: v for k, v in given.items() if v is not None})
        return self.run(name)

    def _check_no_base(self, name: str) -> None:
        if on_it := [run.name for run in self.runs() if run.base == name and (run.usable or run.going)]:
            raise RunError(f"The run '{name}' is the base model of '{on_it[0]}'.", hint="Delete that one first.")

    def _own(self, name: str) -> RunInfo:
        run = self.run(name)
        if run.folder.parent != self._runs:
            raise RunError(f"The run '{name}' comes with GPR and stays as it is.", hint="Train one of your own.")
        return run

    def _idle(self, name: str) -> RunInfo:
        run = self._own(name)
        if run.going:
            raise RunError(f"The run '{name}' is going on.", hint="Stop it first.")
        return run
