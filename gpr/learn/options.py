"""What a user can set for a run. It knows its own limits and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from gpr.errors import RunError
from gpr.lm.install import DEFAULT_BASE
from gpr.lm.prompts import MAX_HISTORY

FOUR_BIT = "4bit"
TARGETS = ("all", "attention", "mlp")
PRECISIONS = ("auto", "float32", "bfloat16", FOUR_BIT)
TASKS = ("recommend", "score", "classify")
RUN_NAME = re.compile(r"[\w][\w.-]{0,63}")


@dataclass(frozen=True)
class Options:
    """Settings of one fine-tuning; None means the default for the data at hand."""

    epochs: int | None = None
    """Times that every training row is shown."""
    max_minutes: float | None = None
    """Bound on the whole run, from reading to saved."""
    seed: int = 0
    """Of the split (where it is made), the order of the rows, and the new weights."""
    base: str = DEFAULT_BASE
    """Base model: a name, a local folder or a hub id."""
    learning_rate: float = 5e-4
    """Of the LoRA weights, at its peak."""
    rank: int = 16
    """Of the LoRA matrices."""
    trained_share: float = 1 / 3
    """Share of the layers, from the top, that get LoRA; the layers below are frozen and their output is kept."""
    batch_tokens: int = 512
    """Tokens of training rows in a step."""
    warm_up: float = 0.1
    """Share of the steps in which the learning rate rises."""
    patience: int = 3
    """Checks in a row, each worse on validation than the best, that end the run; 0 never ends it early and keeps the
    last step."""

    alpha: int | None = None
    """Scale of the LoRA matrices; twice the rank where not given."""
    dropout: float = 0.0
    """Of the LoRA matrices' input. Drawing it is a tenth of a step on a CPU; label smoothing, and keeping half of what
    was learned, are against learning by heart already."""
    targets: str = "all"
    """The linear maps that get LoRA: all, attention or mlp."""
    accumulation: int = 1
    """Batches whose gradients make one step."""
    generate_weight: float | None = None
    """Of the trie loss in the sum of all."""
    title_weight: float | None = None
    """Of the titles' likelihood over the whole vocabulary, summed over tokens: less for longer titles. Where it counts
    and titles are few, `plausibility` becomes a part of the answer."""
    match_weight: float | None = None
    """Of the two-tower loss."""
    adapt: int = 0
    """Times that the catalogue's text is read before, so that the base model gets used to its words; 0: not at all."""
    window: int = MAX_HISTORY
    """Items of a history that are read, the most recent ones, in training and afterwards."""
    precision: str = "auto"
    """Number format of the base model: auto (that of the device), float32, bfloat16, or 4bit on CUDA. With auto, a CPU
    that has instructions for bfloat16 computes the products of training in it."""
    task: str = "recommend"
    """What is learned: recommend items, score an item for a request as good or bad, or classify texts."""
    text: str = ""
    """Of classify: the column of texts, or several parted by commas; '' finds it."""
    label: str = ""
    """Of classify: the column of labels; '' finds it."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("epochs", self.epochs, 1, 1_000),
            ("max-minutes", self.max_minutes, 0.1, 100_000),
            ("seed", self.seed, 0, 2**31),
            ("learning rate", self.learning_rate, 1e-7, 0.1),
            ("rank", self.rank, 1, 512),
            ("trained share", self.trained_share, 0.01, 1),
            ("batch tokens", self.batch_tokens, 16, 1_000_000),
            ("warm-up", self.warm_up, 0, 0.9),
            ("patience", self.patience, 0, 1_000),
            ("alpha", self.alpha, 1, 2_048),
            ("dropout", self.dropout, 0, 0.9),
            ("accumulation", self.accumulation, 1, 1_000),
            ("window", self.window, 1, 500),
            ("adapt", self.adapt, 0, 1_000),
            ("generate weight", self.generate_weight, 0, 100),
            ("title weight", self.title_weight, 0, 100),
            ("match weight", self.match_weight, 0, 100),
        ):
            if value is not None and not low <= value <= high:
                raise RunError(f"The {name} is {value:g}; it must lie between {low:g} and {high:,g}.")
        for name, word, words in (
            ("targets", self.targets, TARGETS),
            ("precision", self.precision, PRECISIONS),
            ("task", self.task, TASKS),
        ):
            if word not in words:
                raise RunError(f"'{word[:40]}' is not known as {name}.", hint=f"Choose one of: {', '.join(words)}.")
        if (self.text or self.label) and self.task != "classify":
            raise RunError("Columns of texts and labels belong to the task 'classify'.", hint="Add --task classify.")
        if self.precision == FOUR_BIT and self.adapt:
            raise RunError(
                "4-bit weights cannot take in what is learned from the catalogue's text.",
                hint="Use --adapt 0, or another --precision.",
            )
        silent = self.generate_weight == 0 and self.match_weight == 0 and not self.title_weight
        if silent and self.task == "recommend":
            raise RunError("All losses weigh nothing.", hint="Give at least one of them a weight.")

    @classmethod
    def read(cls, content: object) -> Options:
        """From a run's `config.json`.

        Raises:
            RunError: another version wrote it, or it is damaged.
        """
        given = content if isinstance(content, dict) else {"settings that cannot be read": None}
        if unknown := [str(name) for name in given if name not in cls.__dataclass_fields__]:
            raise RunError(
                f"The run was started by another version of GPR: this one does not know its {', '.join(unknown)[:80]}.",
                hint="Start a new run, or use the version that started it.",
            )
        return cls(**given)

    def smaller(self) -> Options:
        """With half as many tokens read at once, and twice as many batches a step, so that a step learns as much."""
        return replace(self, batch_tokens=max(16, self.batch_tokens // 2), accumulation=2 * self.accumulation)


PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"max_minutes": 3.0},
    "balanced": {},
    "thorough": {"epochs": 12, "rank": 32, "trained_share": 0.5},
}
"""Settings to start from, as they differ from the defaults."""


def check_name(name: str) -> str:
    """The name of a run, which is also a folder's.

    Raises:
        RunError: it is not a plain name.
    """
    if not RUN_NAME.fullmatch(name):
        raise RunError(f"'{name[:80]}' cannot name a run.", hint="Use letters, digits, '-', '_' and '.', at most 64.")
    return name


@dataclass(frozen=True)
class Shape:
    """Of a GPT that is made from scratch."""

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
