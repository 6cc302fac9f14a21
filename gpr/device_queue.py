"""One run at a time for each device: the others wait in an order that can be changed. It knows names, files and locks,
not runs.

    queue.json             who waits, the next one first
    .device-<device>.lock  held by the process that works; the system frees it when the process dies
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from gpr.files import written_whole

Waiting = list[tuple[str, str]]
"""Name and device of each, the next one first."""


class Turns:
    """Args:
    folder: where the queue is kept, shared by all processes. alive: whether the process of a waiting run is there.
    """

    def __init__(self, folder: Path, alive: Callable[[str], bool]) -> None:
        self._folder, self._alive = folder, alive
        self._lock = FileLock(folder / ".queue.lock")

    def waiting(self) -> list[str]:
        """The names of those who wait, the next one first."""
        return [name for name, _ in self._read()]

    def join(self, name: str, device: str) -> None:
        """Puts a run at the end."""
        with self._lock:
            self._write([entry for entry in self._read() if entry[0] != name] + [(name, device)])

    def leave(self, name: str) -> None:
        with self._lock:
            self._write([entry for entry in self._read() if entry[0] != name])

    def move(self, name: str, by: int) -> None:
        """Moves a waiting run by some places, a negative number towards the front."""
        with self._lock:
            entries = self._read()
            at = next((place for place, entry in enumerate(entries) if entry[0] == name), None)
            if at is not None:
                entry = entries.pop(at)
                entries.insert(min(max(at + by, 0), len(entries)), entry)
                self._write(entries)

    def take(self, name: str, device: str) -> FileLock | None:
        """The device, held until released, if it is free and this run is the next; else None."""
        with self._lock:
            entries = self._read()
            first = next((other for other, wanted in entries if wanted == device), name)
            if first != name:
                return None
            held = FileLock(self._folder / f".device-{device.replace(':', '-')}.lock")
            try:
                held.acquire(timeout=0)
            except Timeout:
                return None
            self._write([entry for entry in entries if entry[0] != name])
            return held

    def _read(self) -> Waiting:
        try:
            content = json.loads((self._folder / "queue.json").read_text(encoding="utf-8"))
            entries = [(str(name), str(device)) for name, device in content]
        except (OSError, ValueError, TypeError):
            return []
        return [entry for entry in entries if self._alive(entry[0])]

    def _write(self, entries: Waiting) -> None:
        with written_whole(self._folder / "queue.json") as partial:
            partial.write_text(json.dumps(entries), encoding="utf-8")
