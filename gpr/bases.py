"""Base models that are runs: a GPT that was pretrained here, or an earlier run to go on from, its adapter merged in.

It knows the folder of all runs and those that come with GPR; what else a base can be is the business of `gpr.lm.base`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gpr.errors import RunError
from gpr.gallery import shipped_run
from gpr.lm.install import PACKAGED
from gpr.runs import MODEL, RunInfo, read_run

if TYPE_CHECKING:
    from gpr.lm.base import Base


def run_as_base(name: str, runs: Path) -> RunInfo | None:
    """The run of that name, if a base model is named like one.

    Raises:
        RunError: it is not finished.
    """
    if name in PACKAGED or not name or "/" in name or "\\" in name:
        return None
    own = (runs / name / "config.json").is_file()
    run = read_run(runs / name) if own else shipped_run(name)
    if run is None:
        return None
    if not run.usable:
        raise RunError(run.standing, hint="Only a finished run can be a base model.")
    return run


def load_any_base(name: str, runs: Path, device: str | None = None, *, four_bit: bool = False) -> Base:
    """A base model by name, folder, hub id, or the name of a run.

    Raises:
        RunError: the run is not finished. ModelError, WorkspaceError.
    """
    from gpr.lm.base import load_base
    from gpr.scorers.adapter import adapter_digest, load_adapter

    run = run_as_base(name, runs)
    if run is None:
        return load_base(name, device, four_bit=four_bit)
    if run.task == "pretrain":
        return load_base(str(run.folder / MODEL), device, four_bit=four_bit)
    if four_bit:
        raise RunError(
            f"The base model '{name}' is an earlier run, and its adapter cannot become part of 4-bit weights.",
            hint="Use another --precision, or export that run with --as merged and give the folder.",
        )
    base = load_any_base(run.base, runs, device)
    adapter = run.folder / "adapter"
    model = load_adapter(adapter, base.model)[0].merge_and_unload().eval()
    return replace(base, model=model, name=f"{name}-{adapter_digest(adapter)}")
