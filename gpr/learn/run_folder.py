"""The folder of one run: what is in it, and in which order it is written. It knows files, not training.

config.json    data, options, command: written first
state.json     process, status, phase, step, time left: rewritten as the run goes
log.jsonl      one line for each logged step
adapter/       LoRA weights (peft), match.safetensors, pool.json
metrics.json   validation figures
done.json      written last: the run is usable
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from gpr.files import disk_error, written_whole


class RunFolder:
    """Reads and writes the files of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.adapter = path / "adapter"

    def begin(self) -> RunFolder:
        """The first state, so that from now on the run counts as going on in this process."""
        self.write("state.json", first_state())
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
        try:
            with (self.path / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise disk_error(error, self.path) from error

    def log(self) -> list[dict[str, Any]]:
        """The log, oldest first; a line cut short by a killed process is left out."""
        try:
            lines = (self.path / "log.jsonl").read_text(encoding="utf-8").splitlines()
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
    def done(self) -> bool:
        return (self.path / "done.json").is_file()

    def ask_to_stop(self) -> None:
        """Leaves word for the run's process, which looks after each step."""
        (self.path / "stop").touch()

    def asked_to_stop(self) -> bool:
        return (self.path / "stop").exists()


class Progress:
    """Keeps `state.json` true while a run goes on, and tells a listener (a progress bar) the same.

    Args:
        listener: called with the state at every change.
    """

    INTERVAL = 0.5
    """Seconds between writes of the same phase."""

    def __init__(self, folder: RunFolder, listener: Any = None) -> None:
        self._folder, self._listener = folder, listener or (lambda state: None)
        self._started = time.time()
        self._written = 0.0
        self.state = first_state()
        self.update()

    def update(self, **changes: Any) -> None:
        """Takes over some fields; a new phase or status is written at once, the rest at intervals."""
        if "phase" in changes:
            self.state["share"] = 0.0
        important = any(key in changes for key in ("status", "phase", "message")) or not self._written
        self.state |= changes | {"seconds": round(time.time() - self._started, 1)}
        if important or time.time() - self._written >= self.INTERVAL:
            self._folder.write("state.json", self.state)
            self._written = time.time()
        self._listener(self.state)


def first_state() -> dict[str, Any]:
    """The state of a run that this process begins."""
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
    }


def process_birth(pid: int) -> float | None:
    """When a process was started (with its PID, its identity), or None where it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return None
