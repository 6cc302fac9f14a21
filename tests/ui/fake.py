"""A workspace without a model: the same calls, a tiny catalogue, instant answers. Data, labels and errors are real."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gpr.data.dataset import Dataset, Example, Request
from gpr.data.load import load
from gpr.data.store import DataStore
from gpr.device_queue import Turns
from gpr.errors import RunError
from gpr.evaluate.details import details
from gpr.evaluate.figures import Facts, figures
from gpr.evaluate.outcome import Outcome
from gpr.labels.store import LabelStore
from gpr.run_plans import Plan
from gpr.runs import STANDING
from gpr.scorers.scorer import log_normalised
from tests.ui.fake_recommender import FakeRecommender

ITEMS = """item_id,title,year,genre,description
m1,The Matrix,1999,"Action, Sci-Fi","A hacker learns that the world is a simulation, and joins those who fight it."
m2,Groundhog Day,1993,Comedy,A weatherman lives the same day again and again until he becomes a better man.
m3,Alien,1979,Horror,The crew of a freighter is hunted by a creature that it let on board.
m4,Amélie,2001,Romance,A shy waitress in Paris secretly makes the people around her happy.
m5,Heat,1995,Crime,A detective and a master thief in Los Angeles circle each other.
m6,"<script>window.hacked = 1</script> & <b>Sons</b>",2011,Comedy,"None: ${1+1} {{1}} <gpr-x onclick='hacked = 1'>"
m7,Toy Story,1995,Family,"A cowboy doll is jealous of the new space ranger, and the two have to find their way home."
m8,Heat,1972,Drama,A former child star and an actress in decline.
"""
PAIRS = """query,item_id,split
is the world only a dream,m1,train
same day over and over,m2,train
monster on a space ship,m3,train
feel good film in paris,m4,valid
toys that come alive,m7,valid
cops and robbers in la,m5,test
"""


def write_data(folder: Path) -> Path:
    """The tiny catalogue with its queries."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "items.csv").write_text(ITEMS, encoding="utf-8")
    (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    return folder


def made_up_table(dataset: Dataset) -> dict[str, Any]:
    """An evaluation on 40 requests in which `gpr` knows most answers and the others guess; `bm25` alone knows the
    first."""
    items = np.arange(40) % len(dataset.catalogue)
    rng = np.random.default_rng(0)
    outcomes, judgements = {}, {}
    for name in ("gpr", "generate", "match", "base", "popular", "bm25", "bm25_queries"):
        scores = rng.normal(size=(len(items), len(dataset.catalogue)))
        scores[np.arange(len(items)), items] += 4.0 if name == "gpr" else 0.0
        scores[0, items[0]] = 9.0 if name == "bm25" else -9.0
        outcomes[name] = Outcome.of(scores, items, log_normalised(scores))
        judgements[name] = {key: np.full(len(items), 0.5) for key in ("novelty", "popularity", "diversity")}
    facts = Facts(
        items, np.arange(len(items)), {"cold items": items < 3, "other items": items >= 3}, int(items.max()) + 1
    )
    asked = tuple(Example(Request(f"query <{number}>"), int(item)) for number, item in enumerate(items))
    tested = dataclasses.replace(dataset, examples={**dataset.examples, "test": asked})
    about = {"data": dataset.name, "split": "test", "n": len(items), "protocol": "Full ranking."}
    return {**about, **figures(facts, outcomes, judgements), "details": details(tested, outcomes)}


@dataclass(frozen=True)
class FakeRun:
    """What `gpr.workspace.RunInfo` says of a run."""

    name: str
    data: str
    status: str = "done"
    step: int = 60
    steps: int = 60
    base: str = "tiny"
    started: str = "2026-01-02T03:04:05Z"
    seconds: float = 61.0
    seconds_left: float | None = None
    phase: str = "training"
    share: float = 0.0
    message: str = ""
    metrics: dict[str, float] = field(default_factory=lambda: {"R@1": 0.4, "R@5": 0.7, "R@10": 0.8})
    settings: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    taught: dict[str, Any] = field(default_factory=dict)
    looks: tuple[dict[str, Any], ...] = ()
    forgotten: bool = False
    task: str = "recommend"
    adaptation: dict[str, Any] = field(default_factory=dict)

    @property
    def standing(self) -> str:
        return f"The run '{self.name}' {STANDING[self.status]}."

    def text_log(self) -> list[dict[str, Any]]:
        return [{"step": step, "loss": 4.0 / step} for step in range(1, self.adaptation.get("steps", 0) + 1)]

    @property
    def usable(self) -> bool:
        return self.status in ("done", "stopped")

    @property
    def going(self) -> bool:
        return self.status in ("queued", "running", "stopping")

    @property
    def resumable(self) -> bool:
        return self.status == "interrupted"

    def checks(self) -> list[dict[str, Any]]:
        return list(self.looks)

    @property
    def command(self) -> str:
        return f"python -m gpr train {self.data} --run {self.name}"

    def log(self) -> list[dict[str, Any]]:
        steps = range(1, self.step + 1)
        return [
            {"step": step, "loss": 3 / step, "generate": 2 / step, "match": 1 / step, "seconds": 1.0 * step}
            for step in steps
        ]


class FakeWorkspace:
    """What the page calls of `gpr.workspace.Workspace`."""

    def __init__(self, root: Path) -> None:
        self.root, self.base = root, "tiny"
        root.mkdir(parents=True, exist_ok=True)
        self.data = DataStore(root / "data")
        self.labels = LabelStore(root / "labels.db")
        self.turns = Turns(root, lambda name: True)
        self.known: list[FakeRun] = []
        self.ready_made: list[FakeRun] = []
        """Those that come with GPR."""
        self.twisted: set[str] = set()
        """Runs that recommend the worst first."""
        self.read: dict[str, Dataset] = {}
        self.loaded: dict[tuple[str, str], FakeRecommender] = {}
        self.ready = threading.Event()
        """Cleared, a model is still being loaded."""
        self.ready.set()
        self.quick = threading.Event()
        """Cleared, an evaluation goes on and on."""
        self.quick.set()
        self.tables: dict[tuple[str, str], dict[str, Any]] = {}
        self.fault: Exception | None = None
        """Raised instead of the next answers."""

    def dataset(self, data: str | Path, seed: int = 0) -> Dataset:
        marker = Path(data) / "dataset.json"
        key = f"{data} {marker.stat().st_mtime_ns if marker.is_file() else ''}"
        if key not in self.read:
            self.read[key] = load(data, cache=self.root / "cache", seed=seed)
        return self.read[key]

    def runs(self) -> list[FakeRun]:
        return list(reversed(self.known))

    def shipped(self) -> list[FakeRun]:
        return self.ready_made

    def run(self, name: str) -> FakeRun:
        for run in [*self.known, *self.ready_made]:
            if run.name == name:
                return run
        raise RunError(f"There is no run named '{name}'.")

    def loading(self) -> str:
        return "" if self.ready.is_set() else "Loading the model…"

    def recommender(self, run: str = "", data: str | Path = "") -> Any:
        self.ready.wait(60)
        if self.fault:
            raise self.fault
        fresh = FakeRecommender(self.dataset(data), run, twisted=run in self.twisted)
        return self.loaded.setdefault((run, str(data)), fresh)

    def evaluate(self, data: str | Path, run: str = "", progress: Callable[[float, str], None] | None = None) -> Any:
        while progress and not self.quick.wait(0.02):
            progress(0.5, "Ranking the test requests, about 9 s left")
        return self.tables.setdefault((str(data), run), made_up_table(self.dataset(data)))

    def evaluated(self, data: str | Path, run: str = "") -> Any:
        return self.tables.get((str(data), run))


class FakeJobs:
    """A run that goes on until it is moved."""

    def start(self, workspace: Any, plan: Plan, name: str) -> Any:
        if any(run.name == name for run in workspace.known):
            raise RunError(f"A run named '{name}' exists.", hint="Choose another name.")
        run = FakeRun(
            name, plan.config["data"], status="running", step=3, steps=60, seconds=4.0, seconds_left=90.0, metrics={}
        )
        workspace.known.append(run)
        return run

    def resume(self, workspace: Any, name: str) -> None:
        self._change(workspace, name, "running")

    def teach(self, workspace: Any, name: str) -> Any:
        return self.start(workspace, Plan({"data": workspace.run(name).data}), f"{name}-taught")

    def pretrain(self, workspace: Any, plan: Plan, name: str) -> Any:
        read = [Path(part).name for part in (*plan.config["texts"], plan.config.get("text_of", ""))]
        looks = tuple({"step": step, "valid_loss": 5.0 - step, "perplexity": 90.0 / step} for step in (1, 2))
        made = self.start(workspace, Plan({"data": " ".join(read)}), name)
        layers = plan.config["pretrain"]["layers"]
        workspace.known[-1] = replace(made, task="pretrain", steps=layers, looks=looks)
        return workspace.known[-1]

    def estimate(self, workspace: Any, plan: Plan) -> str:
        if "teaches" in plan.config:
            return f"as long as {plan.config['teaches']} takes"
        seconds = plan.config["pretrain"]["layers"] if "pretrain" in plan.config else plan.config["options"]["rank"]
        return f"about {seconds} s, 1.0 GB of memory, 0.10 GB of disk"

    def stop(self, workspace: Any, name: str, *, discard: bool = False) -> None:
        if discard:
            workspace.known = [run for run in workspace.known if run.name != name]
        self._change(workspace, name, "stopped")

    @staticmethod
    def _change(workspace: Any, name: str, status: str) -> None:
        workspace.known = [
            FakeRun(run.name, run.data, status=status, step=run.step) if run.name == name else run
            for run in workspace.known
        ]
