"""Work that outlives the request that asked for it: loading a model, an evaluation. It knows nothing of either.

Threads of this process; a fine-tuning is a process of its own (`gpr.jobs`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Literal

from gpr.ui.messages import in_words


class Halted(Exception):
    """The work was asked to stop, and stops."""


class Task:
    """One piece of work, written by its thread and read by everybody."""

    def __init__(self) -> None:
        self.state: Literal["running", "done", "failed", "stopped"] = "running"
        self.share = 0.0
        """Of the work that is done, 0 to 1."""
        self.words = ""
        """What is being done; what went wrong, once it failed."""
        self.result: Any = None
        self.asked = False
        """To stop, at the next report."""
        self.thread: threading.Thread

    def stop(self) -> None:
        """Ends the work at its next report."""
        self.asked = True

    def report(self, share: float, words: str) -> None:
        """For the work itself: how far it is.

        Raises:
            Halted: it was asked to stop.
        """
        if self.asked:
            raise Halted
        self.share, self.words = min(max(share, 0.0), 1.0), words


class Background:
    """Tasks by key, at most one running for each."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, Task] = {}
        self._lock = threading.Lock()

    def start(self, key: Hashable, work: Callable[[Task], Any], *, again: bool = False) -> Task:
        """The task of this key: the one that runs or ran, or a new one if there was none.

        Args:
            again: start anew what has ended.
        """
        with self._lock:
            task = self._tasks.get(key)
            if task and (task.state == "running" or not again):
                return task
            task = self._tasks[key] = Task()
            task.thread = threading.Thread(target=_run, args=(task, work), daemon=True)
        task.thread.start()
        return task

    def get(self, key: Hashable) -> Task | None:
        return self._tasks.get(key)


def _run(task: Task, work: Callable[[Task], Any]) -> None:
    try:
        task.result = work(task)
    except Halted:
        task.state = "stopped"
    except Exception as error:
        task.words = in_words(error)
        task.state = "failed"
    else:
        task.state = "done"
