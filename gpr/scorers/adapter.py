"""What a run leaves behind: LoRA weights in peft's own format, the maps of `match`, `sequence`, the pool's
weights. It knows files only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpr.data.dataset import Catalogue, Example, Request
from gpr.errors import ModelError
from gpr.files import written_whole
from gpr.scorers.pool import Pool

if TYPE_CHECKING:
    from gpr.scorers.gpt import Gpt
    from gpr.scorers.match import Match
    from gpr.scorers.sequence import SequenceModel

MATCH, FEATURES, POOL = "match.safetensors", "items.safetensors", "pool.json"
EXAMPLES = "examples.json"
"""What a taught run knows beyond its data: queries with items that were called good."""


def save_adapter(
    folder: Path,
    gpt: Gpt,
    model: Any,
    pool: Pool,
    sequence: SequenceModel | None = None,
    below: dict[str, Any] | None = None,
    examples: Sequence[Example] = (),
) -> None:
    """Writes the adapter's folder, whole or not at all; the item features go with it for a quick start.

    Args:
        examples: with a query and no history, which `load_examples` gives back.
        below: LoRA weights of the same shape that are in the base of this model, and not in the base by its name: they
            become part of the adapter.
    """
    from safetensors.torch import save_file

    from gpr.scorers.gpt import fingerprint
    from gpr.scorers.head import save_head
    from gpr.scorers.sequence import save_sequence

    with written_whole(folder) as partial:
        model.save_pretrained(partial, save_embedding_layers=False)
        if below:
            _join(partial, below)
        save_file({name: value.contiguous() for name, value in gpt.match.state_dict().items()}, partial / MATCH)
        save_file({fingerprint(gpt.prompts): compact(gpt.item_features)}, partial / FEATURES)
        if gpt.head:
            save_head(partial, gpt.head)
        if sequence:
            save_sequence(partial, sequence, gpt.catalogue)
        save_pool(partial, pool)
        if examples:
            ids = gpt.catalogue.item_ids
            rows = [{"query": one.request.query, "item_id": ids[one.item]} for one in examples]
            (partial / EXAMPLES).write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


def save_pool(folder: Path, pool: Pool) -> None:
    (folder / POOL).write_text(json.dumps(pool.json(), indent=1), encoding="utf-8")


def load_examples(folder: Path, catalogue: Catalogue) -> list[Example]:
    """What a taught run knows beyond its data, as far as the catalogue has the items.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / EXAMPLES
    try:
        rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        said = [(str(row["query"]), str(row["item_id"])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("The examples of the run are damaged.", where=str(path), hint="Teach it again.") from error
    return [Example(Request(query), catalogue.numbers[item]) for query, item in said if item in catalogue.numbers]


def _join(folder: Path, below: dict[str, Any]) -> None:
    """Makes one adapter of twice the rank of two: its change of each map is the sum of theirs."""
    import torch
    from safetensors.torch import load_file, save_file

    own = load_file(folder / "adapter_model.safetensors")
    under = {name.replace(".default.", "."): weight for name, weight in below.items()}
    assert own.keys() == under.keys(), sorted(own.keys() ^ under.keys())[:2]
    joined = {
        name: torch.cat([weight, under[name].to(weight)], 0 if "lora_A" in name else 1) for name, weight in own.items()
    }
    save_file(joined, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    twice = {name: 2 * config[name] for name in ("r", "lora_alpha")}
    path.write_text(json.dumps(config | twice, indent=1), encoding="utf-8")


def load_adapter(folder: Path, base_model: Any) -> tuple[Any, Match, Pool]:
    """The base model with the adapter on it, in eval mode.

    Raises:
        ModelError: the adapter is damaged, or belongs to another base model.
    """
    import torch
    from peft import PeftModel
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from gpr.lm.body import quiet_peft
    from gpr.scorers.match import Match

    try:
        with quiet_peft():
            model = PeftModel.from_pretrained(base_model, str(folder)).eval()
        maps = load_file(folder / MATCH)
        match = Match(model.config.hidden_size, size=len(maps["item.bias"]))
        match.load_state_dict(maps)
        pool = Pool.read(json.loads((folder / POOL).read_text(encoding="utf-8")))
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise ModelError(
            f"The adapter cannot be used ({said}).",
            where=str(folder),
            hint="It is damaged or belongs to another base model; train the run again.",
        ) from error
    device = next(base_model.parameters()).device
    assert isinstance(device, torch.device)
    return model, match.to(device).eval(), pool


def compact(features: Any) -> Any:
    """Features in two bytes each: half precision, or bfloat16 where some are too large for it, as Gemma's can be."""
    half = features.half()
    return (half if half.isfinite().all() else features.bfloat16()).contiguous()


def load_item_features(folder: Path, key: str) -> Any:
    """(N, F) float32 features kept under a fingerprint, or None."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(folder / FEATURES), framework="pt") as kept:
            return kept.get_tensor(key).float() if key in kept.keys() else None  # noqa: SIM118
    except (OSError, SafetensorError):
        return None


def adapter_digest(folder: Path) -> str:
    """Names what a run has learned: equal for equal answers."""
    from gpr.scorers.head import HEAD
    from gpr.scorers.sequence import SEQUENCE

    digest = hashlib.sha256()
    for name in ("adapter_model.safetensors", MATCH, POOL, SEQUENCE, HEAD, EXAMPLES):
        digest.update((folder / name).read_bytes() if (folder / name).exists() else b"")
    return digest.hexdigest()[:16]
