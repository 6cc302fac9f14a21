"""The part of the tab Fine-tune where a GPT is made from scratch, from uploaded texts or those of the active data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from gpr.errors import RunError
from gpr.learn.options import Shape
from gpr.run_plans import Plan, pretraining
from gpr.ui.context import Context
from gpr.ui.estimating import Estimating
from gpr.ui.language import say

ABOUT = "Text alone makes a small GPT with a tokenizer of its own. A fine-tuning can then take it as its base model."
USUAL = Shape()
MINUTES = 10


class PretrainPanel:
    """Builds the fold; `inputs` are what `start` takes behind the name."""

    def __init__(self, context: Context) -> None:
        self.context = context
        with gr.Accordion("A GPT from scratch", open=False, elem_id="gpr-pretrain"):
            gr.HTML(f'<p class="gpr-help">{say(ABOUT)}</p>', apply_default_css=False, js_on_load=None)
            self.files = gr.File(
                file_count="multiple", file_types=[".txt", ".md"], label="Text files, UTF-8", height=110,
                elem_id="gpr-texts",
            )  # fmt: skip
            self.use_data = gr.Checkbox(
                True, label="Read the active data", info="The items' texts and the training queries."
            )
            with gr.Row():
                self.layers = _number(USUAL.layers, "Layers", "More learn more, and take longer.", precision=0)
                self.width = _number(USUAL.width, "Width", "Of its states; a multiple of 32.", precision=0)
                self.minutes = _number(MINUTES, "Minutes at most", "Of the whole run.")
            with gr.Row():
                self.button = gr.Button("Make it", min_width=100, elem_id="gpr-pretrain-start")
                self.estimating = Estimating(context, self.plan, "gpr-pretrain-estimate")

    @property
    def inputs(self) -> list[Any]:
        return [self.files, self.use_data, self.layers, self.width, self.minutes]

    def start(self, stored: object, name: str, *given: Any) -> str:
        """Starts it as a run of its own, and names it.

        Raises:
            RunError: as `plan`, or the name is taken.
        """
        return str(self.context.jobs.pretrain(self.context.workspace, self.plan(stored, *given), name.strip()).name)

    def plan(
        self,
        stored: object,
        files: list[str] | None,
        use_data: bool,
        layers: float | None,
        width: float | None,
        minutes: float | None,
    ) -> Plan:
        """What would be made.

        Raises:
            RunError: there is nothing to read, or a number is missing or out of its range.
        """
        texts = [Path(file) for file in files or []]
        if not (texts or use_data):
            raise RunError("There is nothing to read.", hint="Upload text files, or read the active data.")
        if not minutes or minutes < 0:
            raise RunError("The minutes are missing.", hint="Type one.")
        shape = Shape(layers=round(layers or 0), width=round(width or 0))
        data = self.context.settle(stored).data if use_data else ""
        return pretraining(texts, shape, minutes, data)


def _number(value: float, label: str, info: str, **more: Any) -> gr.Number:
    return gr.Number(value, label=label, info=info, min_width=110, **more)
