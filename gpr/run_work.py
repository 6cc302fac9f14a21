"""What the process of a run does once it is its turn: reads the data, loads the base model, trains, or teaches an
earlier run. It knows a run's folder and settings; heavy imports come late."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from gpr.bases import load_any_base
from gpr.errors import RunError
from gpr.learn.needs import Estimate
from gpr.learn.options import FOUR_BIT, Options, Shape
from gpr.learn.run_folder import Progress, RunFolder
from gpr.run_plans import Store, run_to_teach
from gpr.runs import TASK_DATA

if TYPE_CHECKING:
    from gpr.data.dataset import Dataset
    from gpr.lm.base import Base


def work(
    store: Store,
    folder: RunFolder,
    progress: Progress,
    asked: Callable[[], bool],
    started: float,
    only_estimate: Callable[[Estimate], None] | None,
) -> None:
    """From the folder's `config.json` to `done.json`; with half as much at once where memory ran out.

    Args:
        started: `time.monotonic()` of the command.

    Raises:
        GPRError: whatever the user can do something about.
    """
    config = folder.read("config.json")
    if "pretrain" in config:
        _pretrain(store, config, folder, progress, asked, started, only_estimate)
        return
    options = Options.read(config.get("options"))
    progress.update(phase="reading data")
    dataset = _learned_from(store, config["data"], options, folder)
    _check_data(dataset, config, folder)
    before = run_to_teach(store, str(config["teaches"])) if "teaches" in config else None
    progress.update(phase="loading the base model")
    from gpr.learn.processes import device, world
    from gpr.learn.schedule import Clock
    from gpr.learn.sharing import shared_base, wanted
    from gpr.learn.teaching import teach
    from gpr.learn.training import OutOfMemory, fine_tune, told_in_words
    from gpr.tasks.measure import measure_of

    progress.update(processes=world())
    clock, measure = Clock(started, options.max_minutes), measure_of(options.task, dataset.catalogue.titles)

    def attempt(options: Options) -> None:
        def load(device: str | None) -> Base:
            four_bit = options.precision == FOUR_BIT
            base = load_any_base(options.base, store.runs_folder, device, four_bit=four_bit)
            return base.in_precision(options.precision)

        base = shared_base(options, load, progress) if wanted() else load(device())
        with told_in_words(options):
            if before:
                adapter = RunFolder(before.folder).adapter
                teach(dataset, base, options, folder, adapter, progress, clock, asked, measure, only_estimate)
            else:
                fine_tune(dataset, base, options, folder, progress, clock, asked, measure, only_estimate)

    try:
        attempt(options)
        return
    except OutOfMemory as error:
        smaller = options.smaller()
        progress.update(warning=f"{error.what} Tried again with {smaller.batch_tokens}.")
    gc.collect()
    folder.write("config.json", folder.read("config.json") | {"options": asdict(smaller)})
    attempt(smaller)


def _pretrain(
    store: Store,
    config: dict[str, Any],
    folder: RunFolder,
    progress: Progress,
    asked: Callable[[], bool],
    started: float,
    only_estimate: Callable[[Estimate], None] | None,
) -> None:
    from gpr.learn.pretraining import pretrain, read_text, texts_of_data
    from gpr.learn.schedule import Clock

    given = dict(config["pretrain"])
    clock = Clock(started, given.pop("max_minutes"))
    progress.update(phase="reading data")
    documents = [read_text(folder.path / text) for text in config["texts"]]
    if data := config.get("text_of"):
        documents += texts_of_data(store.dataset(data))
    pretrain(documents, Shape(**given), folder, progress, clock, asked, only_estimate)


def _learned_from(store: Store, data: str, options: Options, folder: RunFolder) -> Dataset:
    """The data, or what a task makes of it, which is kept with the run."""
    if options.task == "recommend":
        return store.dataset(data, options.seed)
    from gpr.tasks.prepare import prepare

    ready = prepare(store.place(data), lambda: store.dataset(data, options.seed), options, folder.path / TASK_DATA)
    return store.dataset(ready, options.seed)


def _check_data(dataset: Dataset, config: dict[str, Any], folder: RunFolder) -> None:
    """Keeps the data's hash with a new run, and compares it with that of a resumed one."""
    if "data_hash" not in config:
        folder.write("config.json", config | {"data_hash": dataset.hash})
    elif config["data_hash"] != dataset.hash:
        raise RunError("The data has changed since the run was started.", where=dataset.name, hint="Start a new run.")
