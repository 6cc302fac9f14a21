"""The folder of one run: what is in it, and in which order it is written. It knows files, not training.

config.json    data, options, command: written first
state.json     process, status, phase, step, time left: rewritten as the run goes
log.jsonl      one line for each step
checks.jsonl   one line for each look at validation
checkpoints/   what a resumed run goes on from; removed when it is done
stop           word to the run's process: 'keep' or 'discard'
adapter/       LoRA weights (peft), match.safetensors, pool.json
adaptation/    its own log, checks and checkpoints, where the catalogue's text was read before
lessons.json   the labels that a taught run learns from, until it is done
taught.json    what teaching changed
metrics.json   validation figures
done.json      written last of what a run needs: it is usable
README.md      its model card, which tells of all of that
"""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gpr.files import disk_error, written_whole

ADAPTATION = "adaptation"


class RunFolder:
    """Reads and writes the files of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.adapter, self.checkpoints = path / "adapter", path / "checkpoints"

    def begin(self, *, resume: bool = False) -> RunFolder:
        """The first state, so that from now on the run counts as going on in this process."""
        self.write("state.json", first_state(self.read("state.json") if resume else {}))
        return self

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Writes a JSON file, whole or not at all."""
        with written_whole(self.path / name) as partial:
            partial.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file, or {} where it is missing or damaged."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def add_log(self, entry: dict[str, Any]) -> None:
        """Appends one line to the log."""
        self._add("log.jsonl", entry)

    def add_check(self, entry: dict[str, Any]) -> None:
        self._add("checks.jsonl", entry)

    def log(self) -> list[dict[str, Any]]:
        """The log, oldest first; a line cut short by a killed process is left out."""
        return self._lines("log.jsonl")

    def checks(self) -> list[dict[str, Any]]:
        """Every look at validation, oldest first."""
        return self._lines("checks.jsonl")

    def forget_after(self, step: int) -> None:
        """Takes out what was logged after a step: a resumed run logs it again."""
        for name in ("log.jsonl", "checks.jsonl"):
            if (self.path / name).exists():
                kept = [entry for entry in self._lines(name) if entry["step"] <= step]
                with written_whole(self.path / name) as partial:
                    partial.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")

    def _add(self, name: str, entry: dict[str, Any]) -> None:
        try:
            with (self.path / name).open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise disk_error(error, self.path) from error

    def _lines(self, name: str) -> list[dict[str, Any]]:
        try:
            lines = (self.path / name).read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        entries = []
        for line in lines:
            try:
                entries.append(json.loads(line))
            except ValueError:
                continue
        return entries

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        stage = self.path / ADAPTATION
        last = "checkpoints/last.pt"
        return (self.path / last).is_file() or (stage / last).is_file() or (stage / "done.json").is_file()

    @property
    def worked(self) -> float:
        """Seconds of work so far that count: what a process that died took with it does not."""
        state = self.read("state.json")
        since = max(0.0, time.time() - float(state.get("at", math.inf)))
        return float(state.get("seconds", 0.0)) + since - float(state.get("again", 0.0))

    @property
    def gigabytes(self) -> float:
        """That its files take now, with those that are being written."""
        found = 0
        for file in self.path.rglob("*"):
            with suppress(FileNotFoundError):  # 'stop' comes and goes
                found += file.stat().st_size if file.is_file() else 0
        return found / 2**30

    @property
    def done(self) -> bool:
        return (self.path / "done.json").is_file()

    def ask_to_stop(self, *, discard: bool = False) -> None:
        """Leaves word for the run's process, which looks after each step."""
        with written_whole(self.path / "stop") as partial:
            partial.write_text("discard" if discard else "keep")

    def asked_to_stop(self) -> str:
        """'keep', 'discard', or '' where nobody asked."""
        try:
            return (self.path / "stop").read_text() or "keep"
        except OSError:
            return ""

    def take_back_stop(self) -> None:
        """What was asked of an earlier process counts no more."""
        (self.path / "stop").unlink(missing_ok=True)


class Progress:
    """Keeps `state.json` true while a run goes on, and tells a listener (a progress bar) the same.

    Args:
        listener: called with the state at every change. resume: goes on counting where an earlier process ended.
    """

    INTERVAL = 0.5
    """Seconds between writes of the same phase."""

    def __init__(self, folder: RunFolder, listener: Any = None, *, resume: bool = False) -> None:
        self._folder, self._listener = folder, listener or (lambda state: None)
        before = folder.read("state.json") if resume else {}
        self._before = float(before.get("seconds", 0.0))
        self._started = time.time() - self._before
        self._written = 0.0
        self.state = first_state(before)
        self.update()

    def begin(self) -> None:
        """It is the run's turn: waiting does not count."""
        self._started = time.time() - self._before
        self.update(status="running", phase="starting")

    def go_on(self, worked: float) -> None:
        """From a checkpoint that was written after so many seconds of work: all others were lost, or went by until now,
        since a process died."""
        self.update(again=round(time.time() - self._started - worked, 1), phase=self.state["phase"])

    def update(self, **changes: Any) -> None:
        """Takes over some fields; a new phase or status is written at once, the rest at intervals. A `peak_` only
        rises."""
        changes |= {name: max(changes[name], self.state.get(name, 0.0)) for name in changes if name.startswith("peak_")}
        if "phase" in changes:
            self.state["share"] = 0.0
        important = any(key in changes for key in ("status", "phase", "message", "heard")) or not self._written
        now = time.time()
        if "seconds_left" in changes:
            self.state["left_at"] = round(now, 1)
        self.state |= changes | {"seconds": round(now - self._started, 1), "at": round(now, 1)}
        if important or now - self._written >= self.INTERVAL:
            self._folder.write("state.json", self.state)
            self._written = now
        self._listener(self.state)


def first_state(before: dict[str, Any]) -> dict[str, Any]:
    """The state of a run that this process begins, or goes on with after it was in the state `before`."""
    kept = {
        key: before[key]
        for key in ("started", "step", "steps", "seconds", "again", "slowed", "peak_memory_gb", "peak_disk_gb")
        if key in before
    }
    return {
        "pid": os.getpid(),
        "born": process_birth(os.getpid()),
        "status": "running",
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "phase": "starting",
        "share": 0.0,
        "step": 0,
        "steps": 0,
        "seconds_left": None,
    } | kept


def process_birth(pid: int) -> float | None:
    """When a process was started (with its PID, its identity), or None where it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
