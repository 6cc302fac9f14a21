"""The settings of a run as a form: a preset to start from, a few that matter, the rest in a fold. It knows `Options`
and no run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import gradio as gr

from gpr.errors import RunError
from gpr.learn.options import PRECISIONS, PRESETS, TARGETS, TASKS, Options
from gpr.lm.install import DEFAULT_BASE, PACKAGED
from gpr.ui.language import say

LENGTHS = {"Recommended": "", "Epochs": "epochs", "Minutes": "max_minutes"}
PRESET_WORDS = "Quick: at most 3 minutes. Thorough: 12 epochs, twice the rank, half of the layers."
DEFAULTS = {field.name: field.default for field in fields(Options)}


class Settings:
    """Builds the form.

    Args:
        base: the base model that is proposed.
    """

    def __init__(self, base: str) -> None:
        self.preset = gr.Radio(
            [(name.capitalize(), name) for name in PRESETS], value="balanced", label="Start from", info=PRESET_WORDS,
            elem_id="gpr-preset",
        )  # fmt: skip
        self.length = gr.Radio(list(LENGTHS), value="Recommended", label="How long", elem_id="gpr-length")
        self.amount = gr.Number(5, label="Epochs", precision=1, minimum=0, visible=False)
        self.task = gr.Radio(
            [("Recommend", "recommend"), ("Score", "score"), ("Classify", "classify")], value=TASKS[0], label="Task",
            info="Score: good or bad, from ratings or labels. Classify: texts into labels.", elem_id="gpr-task",
        )  # fmt: skip
        self._more: dict[str, Any] = {"task": self.task}
        with gr.Row(visible=False) as self.columns:
            self._more |= {"text": gr.Textbox(label="Column of texts", placeholder="found by itself", min_width=120)}
            self._more |= {"label": gr.Textbox(label="Column of labels", placeholder="found by itself", min_width=120)}
        with gr.Accordion("Advanced", open=False):
            self.base = self._base(base)
            self._more |= {"base": self.base}
            self._advanced()

    def _advanced(self) -> None:
        with gr.Row():
            self._more |= {"seed": _number("Seed", "seed", "The same seed gives the same run.", precision=0)}
            self._more |= {"learning_rate": _number("Learning rate", "learning_rate", "Peak, of the LoRA weights.")}
        with gr.Row():
            self._more |= {"rank": _number("Rank", "rank", "More learns more, and forgets more.", precision=0)}
            self._more |= {"alpha": _optional("Alpha", "Scale of LoRA; empty: twice the rank.")}
        with gr.Row():
            self._more |= {"dropout": _number("Dropout", "dropout", "Of LoRA's input; against learning by heart.")}
            self._more |= {"targets": _choice("Target modules", "targets", TARGETS, "Linear maps with LoRA.")}
        with gr.Row():
            self._more |= {"trained_share": _number("Layers", "trained_share", "Share of them, from the top.")}
            self._more |= {"warm_up": _number("Warm-up", "warm_up", "Share of the steps with a rising rate.")}
        with gr.Row():
            self._more |= {"batch_tokens": _number("Batch", "batch_tokens", "Tokens read at once.", precision=0)}
            self._more |= {"accumulation": _number("Accumulation", "accumulation", "Batches a step.", precision=0)}
        with gr.Row():
            self._more |= {"generate_weight": _optional("Weight of generate", "Of its loss; empty: usual.")}
            self._more |= {"match_weight": _optional("Weight of match", "Of its loss; empty: usual.")}
        with gr.Row():
            self._more |= {"title_weight": _optional("Weight of titles", "Of their likelihood; empty: none.")}
            words = "Times that the catalogue's text is read before."
            self._more |= {"adapt": _number("Adaptation", "adapt", words, precision=0)}
        with gr.Row():
            words = "Items of a history that are read."
            self._more |= {"window": _number("History", "window", words, precision=0)}
            self._more |= {"patience": _number("Patience", "patience", "Worse checks that end it.", precision=0)}
        with gr.Row():
            self._more |= {
                "precision": _choice("Precision", "precision", PRECISIONS, "Of the base model; 4bit on CUDA.")
            }

    @staticmethod
    def _base(base: str) -> gr.Dropdown:
        return gr.Dropdown(
            list(PACKAGED), value=base or DEFAULT_BASE, allow_custom_value=True, label="Base model",
            info="One of these, an earlier run, a local folder, or a hub id.", elem_id="gpr-base",
        )  # fmt: skip

    @property
    def inputs(self) -> list[Any]:
        return [self.length, self.amount, *self._more.values()]

    def wire(self, quick: dict[str, Any]) -> None:
        self.length.change(_amount, self.length, self.amount, **quick)
        self.task.change(lambda task: gr.Row(visible=task == "classify"), self.task, self.columns, **quick)
        changed = [self.length, self.amount, self._more["rank"], self._more["trained_share"]]
        self.preset.input(_preset, self.preset, changed, **quick)

    def options(self, length: str, amount: float | None, *more: Any) -> Options:
        """The settings as the form has them.

        Raises:
            RunError: one is missing or out of its range.
        """
        kind = LENGTHS.get(length, "")
        if kind and not amount:
            raise RunError(f"The number of {length.lower()} is missing.", hint="Type one, or choose 'Recommended'.")
        given = {name: value for name, value in zip(self._more, more, strict=True) if value not in (None, "")}
        for name in ("alpha", "generate_weight", "title_weight", "match_weight"):
            if name in given:
                given[name] = _as_number(name, given[name])
        for name in ("seed", "rank", "alpha", "batch_tokens", "accumulation", "patience", "adapt", "window"):
            if name in given:
                given[name] = int(given[name])
        given = {name: DEFAULTS[name] if value == _shown(DEFAULTS[name]) else value for name, value in given.items()}
        if given.get("task") != "classify":
            given = {name: value for name, value in given.items() if name not in ("text", "label")}
        given["base"] = str(given.get("base", DEFAULT_BASE)).strip()
        if kind and amount:
            given[kind] = round(amount) if kind == "epochs" else amount
        return Options(**given)


def _number(label: str, name: str, info: str, **more: Any) -> gr.Number:
    return gr.Number(_shown(DEFAULTS[name]), label=label, info=info, min_width=120, **more)


def _shown(value: Any) -> Any:
    """A third as 0.333: `options` takes it for the default that it stands for."""
    return round(value, 3) if isinstance(value, float) and value > 0.1 else value


def _optional(label: str, info: str) -> gr.Textbox:
    """A number that may be left out, which a `gr.Number` would make 0."""
    return gr.Textbox(label=label, info=info, placeholder="usual", min_width=120)


def _as_number(name: str, value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise RunError(f"The {name.replace('_', ' ')} is '{value[:40]}', not a number.", hint="Type one.") from None


def _choice(label: str, name: str, words: tuple[str, ...], info: str) -> gr.Dropdown:
    return gr.Dropdown(list(words), value=str(DEFAULTS[name]), label=label, info=info, min_width=120)


def _amount(length: str) -> gr.Number:
    kind = LENGTHS.get(length, "")
    if not kind:
        return gr.Number(visible=False)
    return gr.Number(label=say("Minutes at most" if kind == "max_minutes" else "Epochs"), visible=True)


def _preset(name: str) -> tuple[Any, ...]:
    """Length, amount, rank and layers of a preset."""
    settings = DEFAULTS | PRESETS[name]
    length = next((words for words, kind in LENGTHS.items() if kind and settings[kind]), "Recommended")
    kind = LENGTHS[length]
    amount = gr.Number(settings[kind]) if kind else gr.skip()  # type: ignore[arg-type]
    return length, amount, settings["rank"], _shown(settings["trained_share"])
