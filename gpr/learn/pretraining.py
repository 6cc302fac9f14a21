"""A GPT from scratch on a user's text: its tokenizer (BPE), its weights, its perplexity on held-out text. The result
is a base model like any other. It knows a run's folder and the loop, not who started it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from gpr.data.dataset import Dataset
from gpr.data.text import item_text
from gpr.errors import DataError, RunError
from gpr.files import written_whole
from gpr.learn.checkpoint import Checkpoints
from gpr.learn.estimate import GB, peak_memory, refuse_what_does_not_fit
from gpr.learn.needs import Estimate
from gpr.learn.options import Shape
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import Clock
from gpr.learn.text_loop import Course, TextLoop, blocks_of
from gpr.lm.base import choose_device

RATE = 1e-3
EPOCHS, MOST_EPOCHS = 4, 40
"""Times that all text is shown, where no time is given, and at most where one is."""
MOMENTS = 2
"""That the optimizer keeps of each weight."""
ADVICE = "Use fewer --layers, a smaller --width or a smaller --batch."
END_OF_TEXT = "<|endoftext|>"
ENDING = 0.15
"""Share of the time for checks and saving."""


def pretrain(
    documents: Sequence[str],
    shape: Shape,
    folder: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
    only_estimate: Callable[[Estimate], None] | None = None,
) -> None:
    """Writes `model/`, `metrics.json` and `done.json`.

    Args:
        only_estimate: told what the run would need, which then ends.

    Raises:
        DataError: there is too little text. RunError, WorkspaceError.
    """
    torch.manual_seed(shape.seed)
    progress.update(phase="training the tokenizer")
    _check_texts(documents, folder)
    tokenizer = make_tokenizer(documents, shape.vocabulary)
    train, held_out = blocks_of(tokenizer, documents, shape.context, "Give more text, or a shorter --context.")
    model = make_model(len(tokenizer), shape).to(choose_device()[0])
    course = Course(shape.batch, RATE, EPOCHS, MOST_EPOCHS, shape.seed, "Allow more minutes, or fewer --layers.")
    loop = TextLoop(model, train, held_out, course, folder, lambda figures: _tell(progress, loop, figures))
    kept = Checkpoints(folder).last()
    if kept:
        loop.put(kept, float(progress.state.get("slowed", 1.0)))
        progress.go_on(kept["worked"])
    else:
        progress.update(phase="measuring speed")
        needed = _foresee(model, progress.state["seconds"] + loop.plan(clock.left() * (1 - ENDING)), folder)
        if only_estimate:
            only_estimate(needed)
            return
        loop.save()
    progress.update(phase="training", step=loop.step, steps=loop.steps)
    ending = clock.left() * ENDING
    stopped = loop.run(lambda: stop() or clock.left() < ending)
    loss = loop.held_out_loss()
    progress.update(phase="saving", heard=True)
    disable_progress_bar()
    with written_whole(folder.path / "model") as partial:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    folder.write("metrics.json", {"perplexity": math.exp(loss), "loss": loss})
    status = "stopped" if stopped else "done"
    folder.write("done.json", {"status": status, "note": loop.note, "seconds": progress.state["seconds"]})
    disk = round(folder.gigabytes, 5)
    Checkpoints(folder).remove()
    progress.update(peak_disk_gb=disk, status=status, phase="", seconds_left=0)


def _tell(progress: Progress, loop: TextLoop, figures: dict[str, Any]) -> None:
    progress.update(**figures, peak_memory_gb=figures["memory_gb"], peak_disk_gb=round(loop.gigabytes, 5))


def _foresee(model: Any, seconds: float, folder: RunFolder) -> Estimate:
    """What the run will need, kept in its folder; one that would not fit ends here."""
    weights = sum(weight.nbytes for weight in model.parameters())
    checkpoint = (1 + MOMENTS) * weights
    needed = Estimate(seconds, (peak_memory(model.device) + 2 * checkpoint) / GB, 2 * checkpoint / GB)
    folder.write("config.json", folder.read("config.json") | {"estimate": needed.json()})
    refuse_what_does_not_fit(needed, folder.path, model.device, ADVICE)
    return needed


def _check_texts(documents: Sequence[str], folder: RunFolder) -> None:
    digest = hashlib.sha256("\0".join(documents).encode()).hexdigest()[:16]
    config = folder.read("config.json")
    if config.setdefault("data_hash", digest) != digest:
        raise RunError("The texts have changed since the run was started.", hint="Start a new run.")
    folder.write("config.json", config)


def texts_of_data(dataset: Dataset) -> list[str]:
    """The items' texts and the queries of the training split."""
    items = [item_text(dataset.catalogue, number) for number in range(len(dataset.catalogue))]
    return items + list(dict.fromkeys(example.request.query for example in dataset.examples["train"]))


def read_text(path: Path) -> str:
    """Raises: DataError: it cannot be read as UTF-8 text."""
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise DataError(f"This text cannot be read: {said}.", where=str(path), hint="Give plain text files.") from error


def make_tokenizer(documents: Sequence[str], size: int) -> Any:
    """Byte-level BPE that encodes every text; for transformers."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator((line for text in documents for line in text.splitlines(keepends=True)), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END_OF_TEXT, pad_token=END_OF_TEXT)


def make_model(vocabulary: int, shape: Shape) -> Any:
    """A Llama with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    heads = max(1, shape.width // 64)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=shape.width,
        intermediate_size=32 * math.ceil(shape.width * 8 / 3 / 32),
        num_hidden_layers=shape.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=max(2_048, shape.context),
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)
