"""Text learned by saying what comes next: blocks of tokens, steps, checks on held-out text, checkpoints. It knows a
model and a folder for the log; neither where the text is from nor which of the weights may move."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gpr.errors import DataError, RunError
from gpr.learn.checkpoint import Checkpoints, put_weights, weights_of
from gpr.learn.estimate import peak_memory
from gpr.learn.pace import Pace, looks_between
from gpr.learn.run_folder import RunFolder

HELD_OUT = 0.05
"""Share of the blocks, spread over the text, that perplexity is measured on."""
MOST_HELD_OUT = 64
FEWEST_BLOCKS = 4
WARM_UP, CLIP = 0.1, 1.0
CHECKS = 10
TIMED_STEPS, TIMED_SECONDS, TIMED_SHARE = (3, 20), 5.0, 0.05
"""Steps that are timed before the first: the fewest, and the most, if they take no longer, nor more of the time left.
"""


@dataclass(frozen=True)
class Course:
    """How text is learned."""

    batch: int
    """Blocks in a step."""
    rate: float
    """Learning rate at its peak."""
    epochs: float
    """Times that all text is shown."""
    most_epochs: float
    """The same, where there is a limit of time and it allows more."""
    seed: int
    advice: str
    """What to do where the time does not even allow a step."""


class TextLoop:
    """The steps. What is drawn depends on seed and step alone, so a resumed run draws the same.

    Args:
        train, held_out: (K, C + 1) and (M, C + 1) token ids. tell: called after each step with its figures.
    """

    def __init__(
        self,
        model: Any,
        train: Tensor,
        held_out: Tensor,
        course: Course,
        folder: RunFolder,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        self._model, self._train, self._held_out, self._course = model, train, held_out, course
        self._folder, self._tell, self._checkpoints = folder, tell, Checkpoints(folder)
        self._trained = [weight for weight in model.parameters() if weight.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=course.rate, betas=(0.9, 0.95), weight_decay=0.1)
        self.step, self.steps, self._before = 0, 0, 0.0
        self.note = ""
        """What there is to say of how it ended."""
        self._began, self._pace = time.monotonic(), Pace()

    def plan(self, left: float) -> float:
        """Fixes the number of steps: all text a few times, or what the seconds left allow; the seconds of all steps.

        Raises:
            RunError: the time does not even allow a step.
        """
        a_step, course = self._time_steps(min(TIMED_SECONDS, TIMED_SHARE * left)), self._course
        usual, most = (
            max(1, math.ceil(epochs * len(self._train) / course.batch))
            for epochs in (course.epochs, course.most_epochs)
        )
        steps = usual if math.isinf(left) else int(min(most, left / a_step))
        if steps < 1:
            raise RunError("The time does not even allow a step.", hint=course.advice)
        self.steps, self._pace = steps, Pace(a_step)
        foreseen = {"steps": steps, "seconds_a_step": a_step, **asdict(course)}
        self._folder.write("config.json", self._folder.read("config.json") | {"schedule": foreseen})
        looking = (CHECKS + 1) * len(self._held_out) / course.batch / 3  # a look goes forward only
        return (steps + looking) * a_step

    def _time_steps(self, seconds: float) -> float:
        """Seconds of a step, without the first, which warms up; leaves the model as it was. Args: seconds: enough."""
        kept = weights_of(self._model)
        times: list[float] = []
        self._model.train()
        for step in range(TIMED_STEPS[1]):
            if step >= TIMED_STEPS[0] and sum(times) > seconds:
                break
            start = time.monotonic()
            self._loss(self._batch(step)).backward()
            self._optimizer.step()
            self._optimizer.zero_grad()
            times.append(time.monotonic() - start)
        put_weights(self._model, kept)
        self._optimizer.state.clear()
        return sum(times[1:]) / (len(times) - 1)

    def put(self, kept: dict[str, Any], slowed: float = 1.0) -> None:
        """Everything as it was when the checkpoint was written; steps took `slowed` times as long as foreseen."""
        put_weights(self._model, kept["weights"])
        self._optimizer.load_state_dict(kept["optimizer"])
        self.step, self._before = kept["step"], kept["seconds"]
        schedule = self._folder.read("config.json")["schedule"]
        self.steps, self._pace = int(schedule["steps"]), Pace(float(schedule["seconds_a_step"]))
        self._pace.go_on(self.step, slowed)
        self._folder.forget_after(self.step)

    def run(self, stop: Callable[[], bool]) -> bool:
        """All steps that are left, or until the loss is no number, as `note` then says; whether the user stopped them.

        Raises:
            RunError: the loss is no number from the first step on.
        """
        self._began = time.monotonic()
        while self.step < self.steps:
            if not self._one_step():
                self.note = f"The loss was no longer a number at step {self.step + 1}: stopped before it."
                return False
            if self.step % self._every == 0:
                began = time.monotonic()
                loss = self.held_out_loss()
                self._pace.looked(time.monotonic() - began)
                entry = {"step": self.step, "valid_loss": round(loss, 4), "perplexity": round(math.exp(loss), 2)}
                self._folder.add_check(entry | {"seconds": round(self._spent, 1)})
            if stop():
                return self.step < self.steps
            if self._checkpoints.due():
                self.save()
        return False

    @property
    def _every(self) -> int:
        """Steps between two looks at the held-out text."""
        return max(1, self.steps // CHECKS)

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """Mean negative log-likelihood of a token, in nats."""
        self._model.eval()
        losses = [self._loss(blocks).item() * len(blocks) for blocks in self._held_out.split(self._course.batch)]
        self._model.train()
        return sum(losses) / len(self._held_out)

    @property
    def _spent(self) -> float:
        return self._before + time.monotonic() - self._began

    def _batch(self, step: int) -> Tensor:
        places = np.random.default_rng((self._course.seed, step)).integers(0, len(self._train), self._course.batch)
        return self._train[torch.from_numpy(places)]

    def _loss(self, blocks: Tensor) -> Tensor:
        """(B, C + 1) -> the mean over all tokens but each first."""
        blocks = blocks.to(self._model.device)
        logits = self._model(input_ids=blocks[:, :-1], use_cache=False).logits  # (B, C, V)
        loss: Tensor = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), blocks[:, 1:].flatten())
        return loss

    def _one_step(self) -> bool:
        """Whether the loss was a number; the model is left as it was where not."""
        start, share = time.monotonic(), self.step / self.steps
        rate = self._course.rate * min(
            (self.step + 1) / max(1, WARM_UP * self.steps), 0.5 * (1 + math.cos(math.pi * share)) + 0.05
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        torch.manual_seed(hash((self._course.seed, self.step)))  # of dropout
        loss = self._loss(self._batch(self.step))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self._trained, CLIP)
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            if self.step == 0:
                raise RunError("The loss is no longer a number.", hint="Use another --seed.")
            return False
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1
        self._pace.stepped(seconds := time.monotonic() - start)
        speed = self._course.batch / max(seconds, 1e-6)
        memory = round(peak_memory(self._model.device) / 2**30, 3)
        figures = {"rate": float(f"{rate:.3g}"), "examples_per_second": round(speed, 1), "memory_gb": memory}
        entry = {"step": self.step, "loss": round(loss.item(), 4), **figures}
        self._folder.add_log(entry | {"seconds": round(self._spent, 1)})
        left = self._pace.left(self.steps - self.step, looks_between(self.step, self.steps, self._every))
        self._tell(entry | {"seconds_left": round(left, 1), "slowed": round(self._pace.slowed, 2)})
        return True

    def save(self) -> None:
        """What a resumed run goes on from."""
        state = {"weights": weights_of(self._model), "optimizer": self._optimizer.state_dict()}
        self._checkpoints.save(state | {"step": self.step, "seconds": self._spent})

    @property
    def gigabytes(self) -> float:
        """That the folder took at its largest so far."""
        return self._checkpoints.gigabytes


def blocks_of(tokenizer: Any, documents: Sequence[str], context: int, advice: str) -> tuple[Tensor, Tensor]:
    """Blocks of `context` + 1 tokens, to train on (K, C + 1) and held out (M, C + 1).

    Args:
        advice: what to do where the text is too short.

    Raises:
        DataError: it is too short for FEWEST_BLOCKS.
    """
    ids = tokens_of(tokenizer, documents)
    count = len(ids) // (context + 1)
    if count < FEWEST_BLOCKS:
        needed = FEWEST_BLOCKS * (context + 1)
        raise DataError(f"There are {len(ids):,} tokens of text; at least {needed:,} are needed.", hint=advice)
    blocks = torch.tensor(ids[: count * (context + 1)]).view(count, context + 1)
    order = torch.from_numpy(np.random.default_rng(0).permutation(count))
    held = min(MOST_HELD_OUT, max(1, round(HELD_OUT * count)))
    return blocks[order[held:]], blocks[order[:held]]


def tokens_of(tokenizer: Any, documents: Sequence[str]) -> list[int]:
    """All documents after each other, each with an end."""
    end = tokenizer.pad_token_id if tokenizer.eos_token_id is None else tokenizer.eos_token_id
    return [token for text in documents for token in [*tokenizer.encode(text, add_special_tokens=False), end]]
