"""What the tabs share: the workspace, what runs behind the page, and what is active on it.

It knows which data and runs may be chosen; it does not know how they are shown.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol
from weakref import ref

from gpr.data.kept import read_kept
from gpr.data.load import kept_folder
from gpr.data.samples import DOWNLOADED, SAMPLES
from gpr.errors import RunError
from gpr.ui.background import Background, Task

if TYPE_CHECKING:
    from gpr.data.dataset import Dataset
    from gpr.recommender import Recommender
    from gpr.run_plans import Plan
    from gpr.workspace import RunInfo, Workspace

DEFAULT_DATA = "movies"
MAPPED = "mapped"
"""In what a browser remembers: the data whose columns are to be mapped before it can be active."""
BASE_WORDS = "base model, not fine-tuned"


@dataclass(frozen=True)
class Active:
    """What a page works on."""

    data: str
    """A sample's name or a path."""
    run: str = ""
    """'' is the base model as it is."""

    @property
    def name(self) -> str:
        """Of the data, to be shown."""
        return Path(self.data).name

    @property
    def model(self) -> str:
        """Of what recommends, to be shown."""
        return f"run {self.run}" if self.run else BASE_WORDS


@dataclass(frozen=True)
class Source:
    """One data set that can be chosen."""

    data: str
    name: str
    about: str
    kind: Literal["sample", "download", "yours"]


class Jobs(Protocol):
    """How a fine-tuning is started and stopped: the module `gpr.jobs`."""

    def start(self, workspace: Workspace, plan: Plan, name: str) -> RunInfo: ...

    def pretrain(self, workspace: Workspace, plan: Plan, name: str) -> RunInfo: ...

    def estimate(self, workspace: Workspace, plan: Plan) -> str: ...

    def resume(self, workspace: Workspace, name: str) -> RunInfo: ...

    def teach(self, workspace: Workspace, name: str) -> RunInfo: ...

    def stop(self, workspace: Workspace, name: str, *, discard: bool = False) -> None: ...


class Context:
    """One for each server.

    Args:
        data: what a new visitor sees.
        run: with it; None for the newest usable run of the data, '' for the base model.
        pinned: data or run were asked for at the start, so they go before what a browser remembers of earlier.
    """

    def __init__(
        self,
        workspace: Workspace,
        jobs: Jobs,
        *,
        data: str = DEFAULT_DATA,
        run: str | None = None,
        pinned: bool = False,
    ) -> None:
        self.workspace, self.jobs = workspace, jobs
        self.owner = ""
        """Who may decide for all annotators; without a login it is everyone."""
        self.background = Background()
        self._data, self._run = data, run
        self.default_start = not pinned and data in SAMPLES
        """Whether nobody said what is shown first."""
        self._mark = secrets.token_hex(4) if pinned else str(workspace.root)

    def settle(self, stored: object) -> Active:
        """What the browser remembers, as far as it is still there; else what a new visitor sees."""
        if not self.knows(stored):
            return self.first()
        assert isinstance(stored, dict)
        data, run = stored.get("data"), stored.get("run")
        if data not in {source.data for source in self.sources()}:
            return self.first()
        return Active(data, run if run in {info.name for info in self.usable_runs()} else "")

    def knows(self, stored: object) -> bool:
        """Whether the browser was here before, and nothing else was asked for at the start since."""
        return isinstance(stored, dict) and stored.get("mark") == self._mark

    def looked_at(self, stored: object) -> Active:
        """What the tab Data shows: data whose columns have to be mapped first, else what is active."""
        mapped = stored.get(MAPPED) if isinstance(stored, dict) else None
        if mapped and mapped in {source.data for source in self.sources()}:
            return Active(str(mapped))
        return self.settle(stored)

    def turn_to(self, stored: object, data: str) -> dict[str, str]:
        """What the browser is to remember after this data was chosen: what cannot be used yet is not made active."""
        folder = kept_folder(data)
        if folder is not None and not read_kept(folder).hash:
            return self.remember(self.settle(stored)) | {MAPPED: data}
        return self.remember(self.choose(data))

    def remember(self, active: Active) -> dict[str, str]:
        """What the browser is to remember."""
        return asdict(active) | {"mark": self._mark}

    def first(self) -> Active:
        """What a new visitor sees."""
        return Active(self._data, self.newest_run(self._data) if self._run is None else self._run)

    def choose(self, data: str) -> Active:
        """Active after this data was chosen: with its newest usable run."""
        return Active(data, self.newest_run(data))

    def newest_run(self, data: str) -> str:
        """The newest usable run of the data, else the one that comes with GPR if it has the base model of the
        workspace, or ''."""
        foreign = {run.name for run in self.workspace.shipped() if run.base != self.workspace.base}
        runs = [run for run in self.usable_runs() if run.name not in foreign]
        return next((run.name for run in runs if same_data(run.data, data)), "")

    def usable_runs(self) -> list[RunInfo]:
        """Those that recommend: the workspace's, newest first, then what comes with GPR."""
        runs = [*self.workspace.runs(), *self.workspace.shipped()]
        return [run for run in runs if run.usable and run.task == "recommend"]

    def task_runs(self) -> list[RunInfo]:
        """Usable ones that score or classify, newest first."""
        return [run for run in self.workspace.runs() if run.usable and run.task in ("score", "classify")]

    def base_runs(self) -> list[str]:
        """Names of the runs that a fine-tuning can go on from: a GPT that was made here, or what recommends."""
        return [run.name for run in self.workspace.runs() if run.usable and run.task in ("pretrain", "recommend")]

    def running(self) -> RunInfo | None:
        """The run that is going on, whoever started it; else one that waits for its turn."""
        going = [run for run in self.workspace.runs() if run.going]
        return next((run for run in going if run.status != "queued"), going[-1] if going else None)

    def is_owner(self, who: object) -> bool:
        """Args: who: the request of a visitor, with the name of the login where there is one."""
        login = getattr(who, "username", None)
        return not login or not self.owner or bool(login == self.owner)

    def sources(self) -> list[Source]:
        """All data that can be chosen: the samples, then what was uploaded, started with or could be trained on."""
        found = {
            name: Source(name, name, about, "download" if name == DOWNLOADED else "sample")
            for name, about in SAMPLES.items()
        }
        yours = [str(self.workspace.data.folder(kept.name)) for kept in self.workspace.data.all()]
        runs = [run for run in self.workspace.runs() if run.data and run.status != "failed" and run.task != "pretrain"]
        yours += [run.data for run in runs if Path(run.data).exists()]
        for data in [*yours, self._data]:
            found.setdefault(data, Source(data, Path(data).name, "your data", "yours"))
        return list(found.values())

    def dataset(self, active: Active) -> Dataset:
        """Raises: DataError."""
        return self.workspace.dataset(active.data)

    def recommender(self, active: Active) -> Recommender:
        """Waits until the model is loaded.

        Raises:
            GPRError: of the data, the run or the model.
        """
        return self.workspace.recommender(active.run, active.data)

    def load(self, active: Active, *, again: bool = False) -> Task:
        """Loads the model behind the page; `again` after a failure, or when it was let go for other models since."""
        key = ("model", active)
        task = self.background.get(key)
        gone = task is not None and (task.state == "failed" or (task.state == "done" and task.result() is None))
        return self.background.start(key, lambda _: ref(self.recommender(active)), again=again and gone)


def same_data(one: str, other: str) -> bool:
    """Whether two names or paths mean the same data."""
    if one == other or one in SAMPLES or other in SAMPLES:
        return one == other
    try:
        return Path(one).expanduser().resolve() == Path(other).expanduser().resolve()
    except (OSError, ValueError):
        return False


def make_context(workspace: Workspace, jobs: Jobs, data: str | None = None, run: str | None = None) -> Context:
    """The context of a server that is started with these, None for what was not asked for.

    Raises:
        RunError: there is no such run, or it is not usable. DataError: there is no such data.
    """
    info = workspace.run(run) if run else None
    if info and not info.usable:
        raise RunError(info.standing, hint="Start with another one, or without --run.")
    chosen = data or (info.data if info else DEFAULT_DATA)
    if chosen not in SAMPLES and not Path(chosen).expanduser().exists():
        workspace.dataset(chosen)  # says what is wrong, and what is close
    return Context(workspace, jobs, data=chosen, run=run, pinned=bool(data or run))
