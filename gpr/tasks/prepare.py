"""The data that a run of a task learns from: made once of what the user brought, and kept with the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gpr.cache import cache_folder
from gpr.data.dataset import Dataset
from gpr.data.load import read_tables
from gpr.files import written_whole
from gpr.learn.options import Options
from gpr.tasks.classify import labelled_texts
from gpr.tasks.examples import Labelled, write_examples
from gpr.tasks.score import judged_pairs


def prepare(source: str | Path, dataset: Callable[[], Dataset], options: Options, path: Path) -> Path:
    """The folder with labels and examples, written where it is missing.

    Args:
        source: file or folder that was brought. dataset: the same as a data set of items, where that is asked for.

    Raises:
        DataError: it says nothing of what the task asks for. WorkspaceError: the disk refused.
    """
    if not path.is_dir():
        with written_whole(path) as partial:
            write_examples(_examples(source, dataset, options), partial, Path(source).name)
    return path


def _examples(source: str | Path, dataset: Callable[[], Dataset], options: Options) -> list[Labelled]:
    if options.task == "score":
        return judged_pairs(dataset(), options.seed)
    name, tables = read_tables(source, cache=cache_folder())
    return labelled_texts(tables.values(), options.text, options.label, options.seed, name)
