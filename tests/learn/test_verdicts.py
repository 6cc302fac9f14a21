"""Labels on requests that a run knows nothing of say how far to trust each scorer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gpr.labels.label import Label, request_id
from gpr.scorers.pool import UNFITTED
from gpr.workspace import Options, Workspace

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def bare(films_folder: Path, tiny_base_folder: Path, tmp_path: Path) -> Workspace:
    """A workspace with a run `r` of the films, of which no query is known."""
    (tmp_path / "bare").mkdir()
    shutil.copy(films_folder / "items.csv", tmp_path / "bare")
    workspace = Workspace(tmp_path / "ws", str(tiny_base_folder))
    options = Options(epochs=1, base=str(tiny_base_folder))
    workspace.train(str(tmp_path / "bare"), workspace.new_run_folder("r"), options, lambda: False)
    return workspace


def say(workspace: Workspace, words_are_right: bool) -> None:
    """Of each title as a query: its item is good and another one bad, or the other way round."""
    catalogue = workspace.recommender("r").dataset.catalogue
    ids, titles = catalogue.item_ids, catalogue.titles
    for number, title in enumerate(titles):
        for item, right in ((ids[number], True), (ids[number - 1], False)):
            verdict = "good" if right is words_are_right else "bad"
            said = (request_id("bare", title), title, (), item, item, "r", 0.5, -0.7, 1)
            workspace.labels.add(Label(*said, verdict, "ann", dataset="bare"))


def weight(workspace: Workspace, run: str) -> float:
    pool = json.loads((workspace.run(run).folder / "adapter" / "pool.json").read_text())
    found: float = pool["query"]["words"]
    return found


@pytest.mark.parametrize("words_are_right", [True, False])
def test_verdicts_move_the_weights_of_a_run_that_knew_no_query(bare: Workspace, words_are_right: bool) -> None:
    assert weight(bare, "r") == UNFITTED["words"]
    say(bare, words_are_right)
    bare.teach(bare.begin_teaching("r", "once", epochs=1), lambda: False)
    assert (weight(bare, "once") > UNFITTED["words"] + 0.1) is words_are_right
    assert words_are_right or weight(bare, "once") < UNFITTED["words"] - 0.1
    bare.teach(bare.begin_teaching("once", "twice", epochs=1), lambda: False)
    assert weight(bare, "twice") == weight(bare, "once"), "what was learned before tells nothing new"
