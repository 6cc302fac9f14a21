"""A GPT from scratch on a user's text: its tokenizer (BPE), its weights, its perplexity on held-out text. The result
is a base model like any other. It knows a run's folder and the loop, not who started it.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.utils.logging import disable_progress_bar

from gpr.errors import DataError, RunError
from gpr.files import written_whole
from gpr.learn.checkpoint import Checkpoints
from gpr.learn.estimate import peak_memory
from gpr.learn.run_folder import Progress, RunFolder
from gpr.learn.schedule import Clock
from gpr.lm.base import choose_device

HELD_OUT = 0.05
"""Share of the blocks, spread over the text, that perplexity is measured on."""
MOST_HELD_OUT = 64
RATE, WARM_UP, CLIP = 1e-3, 0.1, 1.0
EPOCHS = 4
"""Times that all text is shown, where no time is given."""
CHECKS = 10
END_OF_TEXT = "<|endoftext|>"
TIMED = 2
ENDING = 0.15
"""Share of the time for checks and saving."""


@dataclass(frozen=True)
class Shape:
    """What is made."""

    layers: int = 6
    width: int = 256
    """Of the hidden states; a multiple of 32."""
    vocabulary: int = 4_096
    """Tokens, at most."""
    context: int = 256
    """Tokens read at once."""
    batch: int = 8
    """Blocks of that length in a step."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("layers", 1, 64),
            ("width", 32, 4_096),
            ("vocabulary", 300, 200_000),
            ("context", 16, 8_192),
            ("batch", 1, 1_024),
        ):
            if not low <= getattr(self, name) <= high:
                raise RunError(f"The {name} is {getattr(self, name)}; it must lie between {low:,} and {high:,}.")
        if self.width % 32:
            raise RunError(f"The width is {self.width}; it must be a multiple of 32.", hint="Use 128, 256 or 512.")


def pretrain(
    texts: Sequence[Path],
    shape: Shape,
    folder: RunFolder,
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
) -> None:
    """Writes `model/`, `metrics.json` and `done.json`.

    Raises:
        DataError: a text cannot be read, or there is too little. RunError, WorkspaceError.
    """
    torch.manual_seed(shape.seed)
    progress.update(phase="training the tokenizer")
    documents = [read_text(path) for path in texts]
    _check_texts(documents, folder)
    tokenizer = make_tokenizer(documents, shape.vocabulary)
    train, held_out = blocks_of(tokenizer, documents, shape.context)
    model = make_model(len(tokenizer), shape).to(choose_device()[0])
    run = _Pretraining(model, train, held_out, shape, folder, progress)
    kept = Checkpoints(folder).last()
    if kept:
        run.put(kept)
    else:
        progress.update(phase="measuring speed")
        run.plan(clock)
        run.save()
    stopped = run.loop(stop)
    loss = run.held_out_loss()
    progress.update(phase="saving", heard=True)
    disable_progress_bar()
    with written_whole(folder.path / "model") as partial:
        model.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    folder.write("metrics.json", {"perplexity": math.exp(loss), "loss": loss})
    status = "stopped" if stopped else "done"
    folder.write("done.json", {"status": status, "note": "", "seconds": progress.state["seconds"]})
    Checkpoints(folder).remove()
    progress.update(status=status, phase="", seconds_left=0)


def _check_texts(documents: Sequence[str], folder: RunFolder) -> None:
    digest = hashlib.sha256("\0".join(documents).encode()).hexdigest()[:16]
    config = folder.read("config.json")
    if config.setdefault("data_hash", digest) != digest:
        raise RunError("The texts have changed since the run was started.", hint="Start a new run.")
    folder.write("config.json", config)


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


def blocks_of(tokenizer: Any, documents: Sequence[str], context: int) -> tuple[Tensor, Tensor]:
    """Blocks of `context` + 1 tokens, to train on (K, C + 1) and held out (M, C + 1).

    Raises:
        DataError: the text is too short for four blocks.
    """
    ids: list[int] = []
    for text in documents:
        ids += [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
    count = len(ids) // (context + 1)
    if count < 4:
        raise DataError(
            f"There are {len(ids):,} tokens of text; at least {4 * (context + 1):,} are needed.",
            hint="Give more text, or a shorter --context.",
        )
    blocks = torch.tensor(ids[: count * (context + 1)]).view(count, context + 1)
    order = torch.from_numpy(np.random.default_rng(0).permutation(count))
    held = min(MOST_HELD_OUT, max(1, round(HELD_OUT * count)))
    return blocks[order[held:]], blocks[order[:held]]


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


class _Pretraining:
    """The steps of such a run. What is drawn depends on seed and step alone, so a resumed run draws the same."""

    def __init__(
        self, model: Any, train: Tensor, held_out: Tensor, shape: Shape, folder: RunFolder, progress: Progress
    ) -> None:
        self._model, self._train, self._held_out, self._shape = model, train, held_out, shape
        self._folder, self._progress, self._checkpoints = folder, progress, Checkpoints(folder)
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0.1)
        self._step, self._steps, self._before = 0, 0, 0.0
        self._began = time.monotonic()

    def plan(self, clock: Clock) -> None:
        """Fixes the number of steps: EPOCHS times all text, or what the time allows."""
        steps = max(1, math.ceil(EPOCHS * len(self._train) / self._shape.batch))
        kept = {name: value.clone() for name, value in self._model.state_dict().items()}
        times = []
        for step in range(TIMED):
            start = time.monotonic()
            self._loss(self._batch(step)).backward()
            self._optimizer.step()
            self._optimizer.zero_grad()
            times.append(time.monotonic() - start)
        self._model.load_state_dict(kept)
        self._optimizer.state.clear()
        left = clock.left() * (1 - ENDING)
        if not math.isinf(left):
            steps = int(min(10 * steps, left / times[-1]))
        if steps < 1:
            raise RunError("The time does not even allow a step.", hint="Allow more minutes, or fewer --layers.")
        self._steps = steps
        config = self._folder.read("config.json")
        foreseen = {"steps": steps, "seconds_a_step": times[-1], **asdict(self._shape)}
        self._folder.write("config.json", config | {"schedule": foreseen})

    def put(self, kept: dict[str, Any]) -> None:
        """Everything as it was when the checkpoint was written."""
        self._model.load_state_dict(kept["weights"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self._step, self._before = kept["step"], kept["seconds"]
        self._steps = int(self._folder.read("config.json")["schedule"]["steps"])
        self._folder.forget_after(self._step)

    def loop(self, stop: Callable[[], bool]) -> bool:
        """All steps that are left; whether the user stopped them."""
        self._progress.update(phase="training", step=self._step, steps=self._steps)
        self._began = time.monotonic()
        every = max(1, self._steps // CHECKS)
        while self._step < self._steps:
            self._one_step()
            if self._step % every == 0:
                loss = self.held_out_loss()
                entry = {"step": self._step, "valid_loss": round(loss, 4), "perplexity": round(math.exp(loss), 2)}
                self._folder.add_check(entry | {"seconds": round(self._spent, 1)})
            if stop():
                return self._step < self._steps
            if self._checkpoints.due():
                self.save()
        return False

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """Mean negative log-likelihood of a token, in nats."""
        self._model.eval()
        losses = [self._loss(blocks).item() * len(blocks) for blocks in self._held_out.split(self._shape.batch)]
        self._model.train()
        return sum(losses) / len(self._held_out)

    @property
    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began

    def _batch(self, step: int) -> Tensor:
        places = np.random.default_rng((self._shape.seed, step)).integers(0, len(self._train), self._shape.batch)
        return self._train[torch.from_numpy(places)]

    def _loss(self, blocks: Tensor) -> Tensor:
        """(B, C + 1) -> the mean over all tokens but each first."""
        blocks = blocks.to(self._model.device)
        logits = self._model(input_ids=blocks[:, :-1], use_cache=False).logits  # (B, C, V)
        loss: Tensor = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), blocks[:, 1:].flatten())
        return loss

    def _one_step(self) -> None:
        start, share = time.monotonic(), self._step / self._steps
        rate = RATE * min(
            (self._step + 1) / max(1, WARM_UP * self._steps), 0.5 * (1 + math.cos(math.pi * share)) + 0.05
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        loss = self._loss(self._batch(self._step))
        if not torch.isfinite(loss):
            raise RunError(f"The loss was no longer a number at step {self._step + 1}.", hint="Use another --seed.")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._step += 1
        speed = self._shape.batch / max(time.monotonic() - start, 1e-6)
        memory = round(peak_memory(self._model.device) / 2**30, 3)
        figures = {"rate": float(f"{rate:.3g}"), "examples_per_second": round(speed, 1), "memory_gb": memory}
        entry = {"step": self._step, "loss": round(loss.item(), 4), **figures}
        self._folder.add_log(entry | {"seconds": round(self._spent, 1)})
        left = self._spent / self._step * (self._steps - self._step)
        self._progress.update(**entry, seconds_left=round(left, 1), peak_memory_gb=memory)

    def save(self) -> None:
        """What a resumed run goes on from."""
        state = {"weights": self._model.state_dict(), "optimizer": self._optimizer.state_dict()}
        self._checkpoints.save(state | {"step": self._step, "seconds": self._spent})
