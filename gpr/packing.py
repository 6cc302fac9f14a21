"""Runs as files to pass on: the adapter, the merged model, or the whole run as a zip file; and back. What comes from
outside is JSON, Markdown and safetensors, nothing else."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from gpr.errors import DataError, GPRError, RunError
from gpr.files import disk_error, written_whole
from gpr.learn.options import Options
from gpr.learn.run_folder import RunFolder
from gpr.model_card import CARD, model_card
from gpr.runs import MODEL, TASK_DATA, RunInfo
from gpr.scorers.pool import Pool

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["run", "adapter", "merged"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS = ("config.json", "metrics.json", "done.json", "notes.json", "state.json", "log.jsonl", "checks.jsonl")
LABELS = "labels.json"
"""Of a run that classifies or scores: id -> label. The texts that it learned from stay behind."""
KNOWN = re.compile(r"(adapter/)?[\w.-]+\.(json|jsonl|md|safetensors)")
ADAPTER = "adapter/adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
DIRECTIONS = 80
"""Of the maps of `match` of a run that is shipped; measured on the sample 'movies' (assets/gallery/README.md)."""
TOLD = ("started", "step", "steps", "seconds")
"""Of the state of a run that is shipped."""
NEEDED = ("config.json", "done.json", ADAPTER, f"adapter/{WEIGHTS}")
MAX_FILES, MAX_TEXT, MAX_WEIGHTS = 40, 64 << 20, 8 << 30
"""Files of an imported run; bytes of one of JSON or text, and of one of weights."""


def export_run(run: RunInfo, path: Path, kind: Kind = "run") -> Path:
    """Writes a finished run to a file (`.zip`) or, with any other name, to a folder; whole or not at all.

    Args:
        kind: the whole run with its report, which can be imported again; the adapter as peft loads it; or the base
            model with the adapter merged into it, and all that there is of a GPT from scratch.

    Raises:
        RunError: the run is not finished, or the kind is unknown. WorkspaceError: the disk refused, or something is
        there already. ModelError: the adapter does not fit its base model.
    """
    if not run.usable:
        raise RunError(run.standing, hint="Only a finished run can be exported.")
    if run.task == "pretrain" and kind in ("run", "adapter"):
        hint = "Export it as 'merged': the model and its tokenizer, which `--base` takes."
        raise RunError(f"The run '{run.name}' made a base model, not an adapter.", hint=hint)
    if kind not in KINDS:
        raise RunError(f"A run cannot be exported as '{kind}'.", hint=f"Choose one of: {', '.join(KINDS)}.")
    path = path.expanduser().absolute()
    if path.exists() and (path.is_dir() or path.suffix != ".zip"):
        raise RunError("Something of that name is there already.", where=str(path), hint="Choose another name.")
    write: dict[Kind, Callable[[RunInfo, Path], None]] = {"run": _whole, "adapter": _adapter, "merged": _merged}
    with written_whole(path) as partial:
        folder = partial.with_name(partial.name + "-files") if path.suffix == ".zip" else partial
        try:
            folder.mkdir()
            write[kind](run, folder)
            (folder / CARD).write_text(model_card(run), encoding="utf-8")
            if folder is not partial:
                _zip(folder, partial)
        finally:
            if folder is not partial:
                shutil.rmtree(folder, ignore_errors=True)
    return path


def _whole(run: RunInfo, folder: Path) -> None:
    for name in PARTS:
        if (run.folder / name).is_file():
            shutil.copy2(run.folder / name, folder / name)
    if (data := run.folder / TASK_DATA).is_dir():
        from gpr.tasks.examples import read_labels

        (folder / LABELS).write_text(json.dumps(read_labels(data), ensure_ascii=False), encoding="utf-8")
    _adapter(run, folder / "adapter")


def _adapter(run: RunInfo, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in RunFolder(run.folder).adapter.iterdir():
        if KNOWN.fullmatch(file.name):
            shutil.copy2(file, folder / file.name)


def _merged(run: RunInfo, folder: Path) -> None:
    if run.task == "pretrain":
        shutil.copytree(run.folder / MODEL, folder, dirs_exist_ok=True)
        return
    from gpr.bases import load_any_base
    from gpr.scorers.adapter import load_adapter

    base = load_any_base(run.base, run.folder.parent)
    model, *_ = load_adapter(RunFolder(run.folder).adapter, base.model)
    model.merge_and_unload().save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)


def _zip(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())


def ship_run(run: RunInfo, folder: Path, limit: int, requests: Tensor) -> int:
    """Writes a finished run as one to come with GPR: its weights made small, and nothing of the machine that trained
    it; whole or not at all. Takes the place of an earlier one.

    Args:
        requests: (R, F) features of some requests of its data.

    Returns: its size in bytes.

    Raises:
        RunError: the run is not finished, or takes more than `limit` bytes. WorkspaceError: the disk refused.
    """
    with written_whole(folder) as partial:
        export_run(run, partial)
        kept = RunFolder(partial)
        kept.write("state.json", {name: run.state[name] for name in TOLD if name in run.state})
        about = kept.read(ADAPTER)
        kept.write(ADAPTER, about | {"base_model_name_or_path": run.base})
        (partial / "adapter" / CARD).unlink(missing_ok=True)  # that of peft, which names a folder of this machine
        _make_small(partial / "adapter", requests)
        size = sum(file.stat().st_size for file in partial.rglob("*") if file.is_file())
        if size > limit:
            hint = "Train it with a lower --rank or --trained-share."
            raise RunError(f"The run '{run.name}' takes {size / (1 << 20):.1f} MiB.", hint=hint)
    return size


def _make_small(adapter: Path, requests: Tensor) -> None:
    """Large weights in two bytes each, and maps of `match` in few directions, unless `sequence` reads all of them."""
    from safetensors.torch import load_file, save_file

    from gpr.scorers.adapter import MATCH, compact
    from gpr.scorers.sequence import SEQUENCE

    if not (adapter / SEQUENCE).exists():
        _narrow(adapter, requests)
    for file in (adapter / WEIGHTS, adapter / MATCH):
        save_file({name: compact(value) for name, value in load_file(file).items()}, file)


def _narrow(adapter: Path, requests: Tensor) -> None:
    """What a request's vector loses in length makes all its scores larger; the weight in the pool makes up for that."""
    import torch
    from safetensors.torch import load_file, save_file

    from gpr.scorers.adapter import FEATURES, MATCH, POOL
    from gpr.scorers.match import BLOCKS, Match

    maps, (items,) = load_file(adapter / MATCH), load_file(adapter / FEATURES).values()
    match = Match(items.shape[1] // BLOCKS, size=len(maps["item.bias"]))
    match.load_state_dict(maps)
    narrow = match.narrowed(items.float(), DIRECTIONS)
    with torch.no_grad():
        left = float((narrow.request(requests).norm(dim=-1) / match.request(requests).norm(dim=-1)).mean())
    save_file(narrow.state_dict(), adapter / MATCH)
    pool = Pool.read(json.loads((adapter / POOL).read_text(encoding="utf-8"))).times({"match": left})
    (adapter / POOL).write_text(json.dumps(pool.json(), indent=1), encoding="utf-8")


def import_run(file: Path, begin: Callable[[str], RunFolder], name: str = "") -> str:
    """Makes a run of a zip file that `export_run` wrote; its name is that of the file unless one is given.

    Args:
        begin: gives the folder of a new run of that name.

    Raises:
        DataError: the file is no exported run, is damaged, or holds what it should not. RunError: the name is taken.
    """
    try:
        with zipfile.ZipFile(file.expanduser()) as archive:
            names = _checked(archive, file)
            folder = begin(name or file.stem)
            try:
                _unpack(archive, names, folder.path)
                _unpack_labels(folder, file)
            except BaseException:
                shutil.rmtree(folder.path, ignore_errors=True)
                raise
            return folder.path.name
    except zipfile.BadZipFile as error:
        raise _no_run(file, "it is not a zip file, or is damaged") from error
    except OSError as error:
        raise disk_error(error, file) from error


def _checked(archive: zipfile.ZipFile, file: Path) -> list[zipfile.ZipInfo]:
    """The members to unpack; everything that is not plainly part of a run is refused."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in members:
        if not KNOWN.fullmatch(member.filename):
            raise _no_run(file, f"it holds '{member.filename[:80]}'")
        limit = MAX_WEIGHTS if member.filename.endswith(".safetensors") else MAX_TEXT
        if member.file_size > limit:
            raise _no_run(file, f"'{member.filename}' is too large")
    names = [member.filename for member in members]
    if missing := [name for name in NEEDED if name not in names]:
        raise _no_run(file, f"{missing[0]} is missing")
    if len(names) > MAX_FILES or len(set(names)) != len(names):
        raise _no_run(file, "it holds too many files")
    try:
        config = json.loads(archive.read("config.json"))
        Options.read(config["options"])
        done = json.loads(archive.read("done.json"))
        if done["status"] not in ("done", "stopped") or not isinstance(config["data"], str):
            raise ValueError("its status or data is unknown")
    except (ValueError, TypeError, KeyError, RuntimeError, GPRError) as error:
        raise _no_run(file, f"its settings cannot be read ({str(error)[:120]})") from error
    return members


def _unpack(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path) -> None:
    (folder / "adapter").mkdir()
    last = "done.json"  # written last means done
    for member in sorted(members, key=lambda member: member.filename == last):
        target = folder.joinpath(*PurePosixPath(member.filename).parts)
        with archive.open(member) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)


def _unpack_labels(folder: RunFolder, file: Path) -> None:
    labels = folder.read(LABELS)
    if not all(isinstance(label, str) and label for label in labels.values()):
        raise _no_run(file, "its labels are no words")
    if labels:
        from gpr.tasks.examples import write_labels

        write_labels(labels, folder.path / TASK_DATA)


def _no_run(file: Path, why: str) -> DataError:
    return DataError(
        f"This is not an exported run: {why}.", where=file.name, hint="Use a file that `gpr export` wrote."
    )
