"""The widgets with which one asks: the box, follow-ups, and what is folded below. It knows no handler."""

from __future__ import annotations

import gradio as gr

from gpr.ui.press import KEEPS_FOCUS, KEEPS_ROOM, pressable

K, MAX_K = 10, 50


class Box:
    """Builds them where it is made."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="gpr-ask", equal_height=True):
            self.query = gr.Textbox(
                label="What are you looking for?",
                placeholder="In your own words",
                lines=1,
                max_lines=4,
                scale=5,
                min_width=200,
                elem_id="gpr-query",
            )
            self.go = gr.Button("Recommend", variant="primary", scale=0, min_width=140, elem_id="gpr-go")
        self.examples = pressable(elem_id="gpr-examples", more=KEEPS_FOCUS + KEEPS_ROOM)
        self.chips = pressable(elem_id="gpr-chips")
        self.refine = gr.Textbox(
            label="Follow-up",
            show_label=False,
            placeholder="Follow up: less scary, older than 1980, no horror…",
            interactive=False,
            elem_id="gpr-refine",
        )
        with gr.Accordion("Filters, history and model", open=False):
            self._build_settings()

    def _build_settings(self) -> None:
        self.filters = pressable(elem_id="gpr-filters")
        with gr.Row():
            about = "Chosen before, oldest first"
            self.history = gr.Dropdown([], multiselect=True, label="History", info=about, elem_id="gpr-history")
            about = "Takes over what was chosen"
            self.user = gr.Dropdown([], label="A user of the data", info=about, visible=False, elem_id="gpr-user")
            self.k = gr.Slider(1, MAX_K, K, step=1, label="How many", info="Recommendations", elem_id="gpr-k")
            self.run = gr.Dropdown([], label="Model", info="What recommends", elem_id="gpr-run")
        with gr.Row():
            self.learn = gr.Checkbox(True, label="Labels count at once", info="Part 'feedback'", elem_id="gpr-feedback")
            about = "For the next question"
            self.grow = gr.Checkbox(False, label="Good ones join the history", info=about, elem_id="gpr-grow")
        self.sliders = pressable(elem_id="gpr-sliders")
