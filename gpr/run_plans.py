"""What is settled of a run before its process begins, and laid into its folder. It knows settings; what becomes of
them is the business of `run_work`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gpr.errors import RunError
from gpr.learn.options import Options, Shape
from gpr.learn.run_folder import RunFolder
from gpr.runs import RunInfo

if TYPE_CHECKING:
    from gpr.data.dataset import Dataset
    from gpr.labels.store import LabelStore


class Store(Protocol):
    """Where data and other runs are."""

    def dataset(self, data: str | Path, seed: int = 0) -> Dataset: ...

    def place(self, data: str | Path) -> str | Path: ...

    def run(self, name: str) -> RunInfo: ...

    @property
    def runs_folder(self) -> Path: ...


@dataclass(frozen=True)
class Plan:
    """What a run is to do."""

    config: dict[str, Any]
    labels: Sequence[dict[str, Any]] | None = None
    """That it learns from; None for a run that is not taught."""

    def lay_into(self, folder: RunFolder) -> None:
        """Writes it into a new run's folder."""
        if self.labels is not None:
            folder.write("lessons.json", {"labels": self.labels})
        folder.write("config.json", self.config | {"name": folder.path.name})


def training(data: str, options: Options) -> Plan:
    """A fine-tuning on data."""
    return Plan({"data": data, "options": asdict(options)})


def teaching(store: Store, judged: LabelStore, name: str, **options: Any) -> Plan:
    """A finished run learns what the labels of its data say by now.

    Args:
        options: of `teaching_options`.

    Raises:
        RunError: there is no such run, it is not finished, or no label is of use.
    """
    from gpr.labels.exchange import resolved
    from gpr.learn.lessons import kept, lessons_of
    from gpr.learn.teaching import teaching_options

    run = run_to_teach(store, name)
    chosen = teaching_options(Options.read(run.settings), **options)
    dataset = store.dataset(run.data, chosen.seed)
    labels = kept(resolved(judged.current(dataset=dataset.name), judged.rulings(dataset=dataset.name)))
    lessons_of(dataset, labels)
    return Plan({"data": run.data, "options": asdict(chosen), "teaches": name}, labels)


def run_to_teach(store: Store, name: str) -> RunInfo:
    """A run that can be taught.

    Raises:
        RunError: it is gone, does not recommend, or is not finished.
    """
    run = store.run(name)
    if run.task != "recommend":
        raise RunError(f"The run '{run.name}' does not recommend.", hint="Labels teach a run that recommends.")
    if not run.usable:
        raise RunError(run.standing, hint="Only a finished run can be taught.")
    return run


def pretraining(
    texts: Sequence[Path], shape: Shape, max_minutes: float | None, data: str = "", own: Path | None = None
) -> Plan:
    """A GPT from scratch.

    Args:
        texts: files. data: whose texts are read too, '' for none. own: the run's folder, if the texts in it are to stay
            with it.
    """
    paths = [text.expanduser().absolute() for text in texts]
    own = own and own.absolute()
    kept = [str(path.relative_to(own) if own and path.is_relative_to(own) else path) for path in paths]
    about = {"data": data or kept[0], "texts": kept, "pretrain": asdict(shape) | {"max_minutes": max_minutes}}
    about |= {"text_of": data} if data else {}
    return Plan(about | {"options": {"task": "pretrain", "base": "none", "seed": shape.seed}})
