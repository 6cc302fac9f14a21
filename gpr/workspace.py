"""The use cases that the page and the command line call, and the state they share: data, runs, labels, loaded models.

It knows no widget and no flag. Models are loaded once and kept; calls from several threads are safe.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpr.cache import cache_folder
from gpr.data.dataset import Dataset
from gpr.data.load import load
from gpr.data.samples import SAMPLES
from gpr.data.store import DataStore
from gpr.errors import RunError, WorkspaceError
from gpr.files import disk_error, written_whole
from gpr.labels.store import LabelStore
from gpr.latest import Latest
from gpr.learn.options import Options
from gpr.learn.run_folder import RunFolder
from gpr.lm.install import DEFAULT_BASE
from gpr.run_plans import teaching
from gpr.run_store import RunStore
from gpr.runs import RunInfo

if TYPE_CHECKING:
    from gpr.lm.base import Base
    from gpr.recommender import Recommender

__all__ = ["Options", "RunInfo", "Workspace"]

VERSION = 1
"""Of what a workspace holds: to be raised, with a step that upgrades, whenever that changes."""
Tell = Callable[[float, str], None]
KEPT_MODELS = 2
"""Half a gigabyte each: the one that recommends, and the one it is compared with."""
KEPT_DATASETS = 8


class Workspace(RunStore):
    """Everything below one folder.

    Args:
        root: made where it is missing. base: the base model used where no run says otherwise.
        labels_url: the database of labels; without it, a file below root.

    Raises:
        WorkspaceError: the folder cannot be made or written to.
    """

    def __init__(self, root: Path, base: str = DEFAULT_BASE, labels_url: str = "") -> None:
        self.root, self.base = root.expanduser().absolute(), base
        try:
            for name in ("runs", "evaluations"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, self.root) from error
        _check_version(self.root / "workspace.json")
        super().__init__(self.root)
        self.data = DataStore(self.root / "data")
        self._lock = threading.RLock()
        self.labels_url = labels_url
        self._labels: LabelStore | None = None
        self._models = threading.Lock()  # held for seconds while a model loads; data must not wait for it
        self._datasets: Latest[Dataset] = Latest(KEPT_DATASETS)
        self._recommenders: Latest[Recommender] = Latest(KEPT_MODELS)
        self._loading = ""

    @property
    def labels(self) -> LabelStore:
        """The labels of this workspace; opened when they are first asked for, since most work does without.

        Raises:
            WorkspaceError: the database cannot be opened.
        """
        with self._lock:
            if self._labels is None:
                self._labels = LabelStore(self.labels_url or self.root / "labels.db")
            return self._labels

    # data

    def dataset(self, data: str | Path, seed: int = 0) -> Dataset:
        """A data set by a sample's or kept name, a file or a folder; read again when its files have changed.

        Raises:
            DataError: it cannot be read or used.
        """
        data = self.place(data)
        key = (str(data), seed, _last_change(data))
        with self._lock:
            return self._datasets.get(key) or self._datasets.put(key, load(data, cache=cache_folder(), seed=seed))

    def place(self, data: str | Path) -> str | Path:
        """The folder of a kept data set, or what was given."""
        if isinstance(data, str) and data not in SAMPLES and self.data.has(data) and not Path(data).exists():
            return self.data.folder(data)
        return data

    # recommend

    def recommender(
        self, run: str = "", data: str | Path = "", tell: Tell = lambda share, words: None, base: str = ""
    ) -> Recommender:
        """What answers requests: a run on its own data or on another catalogue, or the base model on a catalogue.

        The first call for a model loads it (seconds) and reads the catalogue; later ones are instant, as long as it
        is one of the KEPT_MODELS asked for last.

        Args:
            base: the base model to use without a run, if not the workspace's.

        Raises:
            RunError: no such run, or it is not finished. DataError, ModelError.
        """
        info = self.run(run) if run else None
        if info and info.task == "pretrain":
            raise RunError(f"The run '{run}' is a base model; it recommends nothing yet.", hint="Train on it: --base.")
        if info and not info.usable:
            raise RunError(info.standing, hint="Train it to the end, or choose another run.")
        source = str(data) or (info.data if info else "")
        if info and info.task != "recommend":
            source = info.learned_from  # its labels
        base = info.base if info else base or self.base
        seed = int(info.settings.get("seed", 0)) if info else 0
        dataset = self.dataset(source, seed)
        key = (run, info.started if info else "", source, base, str(_last_change(source)))
        with self._models:
            return self._recommenders.get(key) or self._recommenders.put(key, self._load(dataset, base, info, tell))

    def _load(self, dataset: Dataset, base: str, info: RunInfo | None, tell: Tell) -> Recommender:
        from gpr.recommender import load_recommender

        def say(share: float, words: str) -> None:
            self._loading = words
            tell(share, words)

        try:
            say(0.0, "Loading the model…")
            folder = RunFolder(info.folder).adapter if info else None
            window = Options.read(info.settings).window if info else Options().window
            return load_recommender(dataset, self._base(base), folder, info.name if info else "", say, window)
        finally:
            self._loading = ""

    def _base(self, name: str) -> Base:
        from gpr.bases import load_any_base

        return load_any_base(name, self.runs_folder)

    # teach

    def begin_teaching(self, name: str, to: str = "", *, overwrite: bool = False, **options: Any) -> RunFolder:
        """The folder of a new run that is to teach a finished one what the labels say by now; the old one stays.

        Args:
            to: its name; 'NAME-taught' or the next that is free where not given. options: of `teaching_options`.

        Raises:
            RunError: nothing can be taught, or the new name is taken.
        """
        plan = teaching(self, self.labels, name, **options)
        folder = self.new_run_folder(to or self._free_name(name), overwrite=overwrite)
        plan.lay_into(folder)
        return folder

    def _free_name(self, name: str) -> str:
        """'m-taught', 'm-taught-2' and so on."""
        taken, stem = {run.name for run in self.runs()}, re.sub(r"-taught(-\d+)?$", "", name)[:48] + "-taught"
        names = (stem if number == 1 else f"{stem}-{number}" for number in itertools.count(1))
        return next(name for name in names if name not in taken)

    def loading(self) -> str:
        """What is being loaded just now, in words; '' when nothing is."""
        return self._loading

    def evaluate(self, data: str | Path, run: str = "", progress: Tell = lambda share, words: None) -> dict[str, Any]:
        """The figures of `gpr evaluate`; kept, and computed again only when the data or the run has changed. One that
        was broken off goes on where it ended.

        Raises:
            DataError: no test split. RunError, ModelError.
        """
        from gpr.evaluate.table import evaluate

        found = self.evaluated(data, run)
        if found:
            return found
        chosen = self.recommender(run, data) if run else None
        info = self.run(run) if run else None
        base = self.recommender("", data or info.data, base=info.base) if info else self.recommender("", data)
        user, kept = chosen or base, self._evaluation(data, run)
        return _keep(evaluate(user.dataset, base.ensemble.gpt, user.ensemble, user.pool, progress, kept), kept)

    def evaluated(self, data: str | Path, run: str = "") -> dict[str, Any] | None:
        """What `evaluate` has found before for this data and run, without loading a model; None where it has not.

        Raises:
            DataError, RunError.
        """
        return _kept(self._evaluation(data, run))

    def _evaluation(self, data: str | Path, run: str) -> Path:
        """The folder of an evaluation: another one for another model, other data, other peers."""
        from gpr.evaluate import VERSION as EVALUATION
        from gpr.scorers.adapter import adapter_digest
        from gpr.scorers.encoder import encoder_folder

        info = self.run(run) if run else None
        seed = int(info.settings.get("seed", 0)) if info else 0
        dataset = self.dataset(str(data) or (info.data if info else ""), seed)
        model = (info.base, adapter_digest(RunFolder(info.folder).adapter)) if info else (self.base, "")
        key = hashlib.sha256(
            repr((EVALUATION, dataset.name, dataset.hash, model, str(encoder_folder() or ""))).encode()
        ).hexdigest()[:16]
        return self.root / "evaluations" / key

    def cross_validate(
        self, data: str | Path, folds: int, options: Options, progress: Tell = lambda share, words: None
    ) -> dict[str, Any]:
        """The figures of `gpr evaluate --folds`, kept and resumed in the same way. Its runs are not among the runs.

        Raises:
            DataError: too few queries. RunError, ModelError.
        """
        from gpr.cross_validation import cross_validate
        from gpr.evaluate import VERSION as EVALUATION
        from gpr.scorers.encoder import encoder_folder

        dataset = self.dataset(data, options.seed)
        settings = hashlib.sha256(f"{options!r}{encoder_folder() or ''}".encode()).hexdigest()[:8]
        kept = self.root / "evaluations" / f"folds-{folds}-{dataset.hash}-{settings}"
        measured = kept / f"measured-{EVALUATION}"
        return _kept(measured) or _keep(cross_validate(dataset, folds, options, kept, measured, progress), measured)


def _kept(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / "table.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def _keep(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same table, kept in a folder; a full disk costs the next one time, no more."""
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(WorkspaceError), written_whole(folder / "table.json") as partial:
        partial.write_text(json.dumps(table), encoding="utf-8")
    return table


def _check_version(path: Path) -> None:
    """Marks a new or older workspace with this version: what older ones wrote is read as it is.

    Raises:
        WorkspaceError: a newer GPR wrote it.
    """
    try:
        found = int(json.loads(path.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        found = 0
    if found > VERSION:
        raise WorkspaceError(
            f"This workspace was written by a newer GPR (version {found}; this one knows {VERSION}).",
            where=str(path.parent),
            hint="Update GPR, or use another --workspace.",
        )
    if found < VERSION:
        with written_whole(path) as partial:
            partial.write_text(json.dumps({"version": VERSION}), encoding="utf-8")


def _last_change(data: str | Path) -> float:
    """When the files of a data set were last changed; 0 for a sample or what is not there."""
    if str(data) in SAMPLES:
        return 0.0
    path = Path(data).expanduser()
    try:
        return max(file.stat().st_mtime for file in ([path, *path.iterdir()] if path.is_dir() else [path]))
    except (OSError, ValueError):  # reading it says what is wrong
        return 0.0
