"""Runs as their folders tell: status, figures, settings. It reads files and asks the system for processes; it
starts nothing."""

from __future__ import annotations

import difflib
import math
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from gpr.errors import RunError
from gpr.learn.options import Options
from gpr.learn.run_folder import ADAPTATION, RunFolder, process_birth
from gpr.lm.install import DEFAULT_BASE

GOING = ("queued", "running", "stopping")
"""Status of a run that has a process."""
WORKING = ("running", "stopping")
"""Status of a run whose clock goes on."""
STANDING = {
    "queued": "waits for its turn",
    "running": "is going on",
    "stopping": "is stopping",
    "done": "is done",
    "stopped": "was stopped, and what it learned is kept",
    "interrupted": "was interrupted",
    "failed": "failed",
}
"""What there is to say of a run with that status."""
FORGOTTEN = "forgotten.json"
"""In the folder of a run that was trained on somebody who was forgotten since."""
MODEL = "model"
"""In the folder of a run that made a GPT from scratch."""
TASK_DATA = "data"
"""In the folder of a run that scores or classifies: its labels and examples."""


@dataclass(frozen=True)
class RunInfo:
    """One run as it stands on disk."""

    name: str
    folder: Path
    data: str
    base: str
    status: str
    """queued, running, stopping, done, stopped (by the user; what was learned is kept), interrupted or failed."""
    started: str
    """UTC, ISO 8601."""
    step: int
    steps: int
    seconds: float
    seconds_left: float | None
    phase: str
    share: float
    """Of the phase that is done, where it is not training, which counts steps."""
    message: str
    """Why it failed, or what else there is to know of how it ended, in words."""
    metrics: dict[str, float]
    """On the validation split."""
    settings: dict[str, Any]
    note: str
    """The user's."""
    tags: tuple[str, ...]
    config: dict[str, Any]
    """What was fixed at the start: data and its digest, options, schedule."""
    state: dict[str, Any]
    taught: dict[str, Any]
    """What teaching changed, for a run that learned from labels."""

    @property
    def standing(self) -> str:
        """Its status as a sentence."""
        return f"The run '{self.name}' {STANDING[self.status]}."

    @property
    def resumable(self) -> bool:
        """Whether it ended early and can go on: from a checkpoint, or, where its process was gone before the first one,
        from its settings."""
        planned = self.status == "interrupted" and "options" in self.config
        return planned or (self.status in ("interrupted", "failed") and RunFolder(self.folder).resumable)

    @property
    def forgotten(self) -> bool:
        """Whether it was trained on somebody who was forgotten since."""
        return (self.folder / FORGOTTEN).is_file()

    @property
    def task(self) -> str:
        """recommend, score, classify, or pretrain."""
        return str(self.settings.get("task", "recommend"))

    @property
    def learned_from(self) -> str:
        """The data that the model works on: the data itself, or the labels of a task."""
        return self.data if self.task in ("recommend", "pretrain") else str(self.folder / TASK_DATA)

    @property
    def going(self) -> bool:
        return self.status in GOING

    @property
    def usable(self) -> bool:
        return self.status in ("done", "stopped")

    def log(self) -> list[dict[str, Any]]:
        """One entry a logged step: step, loss, generate, match, seconds."""
        return RunFolder(self.folder).log()

    def text_log(self) -> list[dict[str, Any]]:
        """The same for the catalogue's text that was read before; empty where it was not."""
        return RunFolder(self.folder / ADAPTATION).log()

    @property
    def adaptation(self) -> dict[str, Any]:
        """Perplexity of the catalogue's text before and after it was read, and whether what was learned was kept."""
        return RunFolder(self.folder / ADAPTATION).read("done.json")

    def checks(self) -> list[dict[str, Any]]:
        """One entry for each look at validation: step, valid_loss, R@10, NDCG@10, seconds."""
        return RunFolder(self.folder).checks()

    @property
    def command(self) -> str:
        """What would repeat the run on the command line."""
        return f"python -m gpr {shlex.join(command_words(self.config, self.folder, self.name))}"


def command_words(config: Mapping[str, Any], folder: Path, name: str = "") -> list[str]:
    """The words of the command that does what a `config.json` says.

    Args:
        folder: that its texts are in, where they have no place of their own. name: of the run; '' for none.
    """
    named = ["--run", name] if name else []
    if teaches := config.get("teaches"):
        given = config.get("options", {})
        bounds = {bound: given[bound] for bound in ("epochs", "max_minutes") if given.get(bound) is not None}
        words = ["teach", "--run", str(teaches), *(["--as", name] if name else [])]
        return [*words, *(word for pair in bounds.items() for word in _flag(*pair))]
    if "pretrain" in config:
        words = ["pretrain", *(str(folder / text) for text in config.get("texts", ()))]
        words += ["--data", str(config["text_of"])] if config.get("text_of") else []
        given = {option: value for option, value in config["pretrain"].items() if value is not None}
        return [*words, *named, *(word for pair in given.items() for word in _flag(*pair))]
    return ["train", str(config.get("data", "")), *named, *flags(config.get("options", {}))]


def _flag(name: str, value: object) -> tuple[str, str]:
    return f"--{name.replace('_', '-')}", str(value)


def flags(settings: Mapping[str, Any]) -> list[str]:
    """The settings that differ from the defaults of `Options`, as flags of `gpr train`."""
    words: list[str] = []
    for field in fields(Options):
        value = settings.get(field.name)
        if value is not None and value != field.default:
            words += _flag(field.name, value)
    return words


def read_run(path: Path) -> RunInfo:
    """The run in a folder; a damaged one is a failed one."""
    folder = RunFolder(path)
    config, state, done = folder.read("config.json"), folder.read("state.json"), folder.read("done.json")
    settings, notes = config.get("options", {}), folder.read("notes.json")
    status = _status(folder, state, done)
    return RunInfo(
        name=path.name,
        folder=path,
        data=str(config.get("data", "")),
        base=str(settings.get("base", DEFAULT_BASE)),
        status=status,
        started=str(state.get("started", "")),
        step=int(state.get("step", 0)),
        steps=int(state.get("steps", 0)),
        seconds=float(state.get("seconds", 0.0)) + (_since(state, "at") if status in WORKING else 0.0),
        seconds_left=_left(state) if status in WORKING else state.get("seconds_left"),
        phase=str(state.get("phase", "")),
        share=float(state.get("share", 0.0)),
        message=" ".join(
            str(part) for part in (state.get("warning"), done.get("note") or state.get("message")) if part
        ),
        metrics=folder.read("metrics.json"),
        settings=settings,
        note=str(notes.get("note", "")),
        tags=tuple(map(str, notes.get("tags", ()))),
        config=config,
        state=state,
        taught=folder.read("taught.json"),
    )


def _since(state: dict[str, Any], moment: str) -> float:
    """Seconds since a moment of the state: the clock goes on while nothing is written."""
    return max(0.0, time.time() - float(state.get(moment, math.inf)))


def _left(state: dict[str, Any]) -> float | None:
    left = state.get("seconds_left")
    return None if left is None else max(0.0, float(left) - _since(state, "left_at"))


def _status(folder: RunFolder, state: dict[str, Any], done: dict[str, Any]) -> str:
    if done:
        return str(done.get("status", "done"))
    if state.get("status") == "failed":
        return "failed"
    pid, born = state.get("pid"), state.get("born")
    alive = pid is not None and born is not None and process_birth(int(pid)) == born
    if not alive:
        return "interrupted"
    if folder.asked_to_stop():
        return "stopping"
    return "queued" if state.get("status") == "queued" else "running"


def read_runs(folder: Path) -> list[RunInfo]:
    """All runs below a folder, newest first."""
    found = [read_run(path) for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=lambda run: run.started, reverse=True)


def summary(run: RunInfo) -> dict[str, Any]:
    """A run as plain data, ready for JSON."""
    names = ("name", "data", "base", "status", "started", "step", "steps", "seconds", "seconds_left", "message", "note")
    about = {name: getattr(run, name) for name in names}
    return about | {
        "task": run.task,
        "tags": list(run.tags),
        "metrics": run.metrics,
        "resumable": run.resumable,
        "forgotten": run.forgotten,
    }


def compare(runs: Sequence[RunInfo]) -> dict[str, dict[str, list[Any]]]:
    """Metrics, time and the settings that differ, one value a run (None where it has none)."""
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    settings = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: [run.settings.get(name) for run in runs] for name in settings} | {
        "data": [run.data for run in runs]
    }
    return {
        "metrics": {name: [run.metrics.get(name) for run in runs] for name in metrics},
        "figures": {"steps": [run.step for run in runs], "seconds": [run.seconds for run in runs]},
        "settings": {name: row for name, row in values.items() if any(value != row[0] for value in row)},
    }


def find_run(folder: Path, name: str) -> RunInfo:
    """A run by its name.

    Raises:
        RunError: there is none; names the closest.
    """
    names = [run.name for run in read_runs(folder)]
    if name in names:
        return read_run(folder / name)
    close = difflib.get_close_matches(name, names, n=2) or names[:3]
    hint = f"Runs here: {', '.join(close)}." if close else "There are no runs yet; train one first."
    raise RunError(f"There is no run named '{name[:80]}'.", hint=hint)


def check_replaceable(run: RunInfo, overwrite: bool) -> None:
    """Raises: RunError: the run is worth keeping, or goes on."""
    if run.going:
        raise RunError(f"The run '{run.name}' is going on.", hint="Stop it first.")
    if run.usable and not overwrite:
        raise RunError(f"A run named '{run.name}' exists.", hint="Choose another name, or use --overwrite.")
    if run.resumable and RunFolder(run.folder).resumable and not overwrite:
        hint = f"Go on with `gpr resume {run.name}`, choose another name, or use --overwrite."
        raise RunError(f"A run named '{run.name}' exists; it {STANDING[run.status]} and can be resumed.", hint=hint)
