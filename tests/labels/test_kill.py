"""A process that is killed loses no label that it was told is kept."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gpr.labels.store import LabelStore
from tests.waiting import until

ROOT = Path(__file__).parents[2]
WRITERS, EACH = 4, 2_500
WRITE = """
import sys
from gpr.labels.label import Label
from gpr.labels.store import LabelStore
from tests.waiting import until

place, name, each = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = LabelStore(place)
for number in range(each):
    store.add(Label("r", "q", (), str(number), "t", "", 0.5, -0.7, 1, "good", name))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.mark.parametrize(("kind", "step"), [("file", 500), ("postgresql", 100)])
def test_kill_9_during_10_000_writes_of_four_processes(
    kind: str, step: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = str(tmp_path / "labels.db") if kind == "file" else request.getfixturevalue("new_database")
    command = [sys.executable, "-c", WRITE, place]
    writers = [
        subprocess.Popen([*command, f"w{number}", str(EACH)], stdout=subprocess.PIPE, cwd=ROOT)
        for number in range(WRITERS)
    ]
    acknowledged = [0] * WRITERS

    def listen(number: int) -> None:
        for _ in writers[number].stdout or ():
            acknowledged[number] += 1

    with ThreadPoolExecutor(WRITERS) as listeners:
        heard = [listeners.submit(listen, number) for number in range(WRITERS)]
        for number, writer in enumerate(writers):  # each is killed in the midst of it, one after the other
            until(lambda number=number: sum(acknowledged) > step * (number + 1))
            writer.kill()
        for task in heard:
            task.result()
    assert [writer.wait() for writer in writers] == [-9] * WRITERS
    for writer in writers:
        writer.stdout.close()
    store = LabelStore(place)
    kept = store.stats()["by_annotator"]
    assert all(seen <= kept.get(f"w{number}", 0) <= seen + 1 for number, seen in enumerate(acknowledged)), acknowledged
    assert sum(acknowledged) < WRITERS * EACH
    store.close()
