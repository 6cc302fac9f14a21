"""The page: five tabs under one header. Only the wiring; what a tab shows is in its own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from gpr.ui.api import Api
from gpr.ui.context import Context
from gpr.ui.data.tab import DataTab
from gpr.ui.evaluate.tab import EvaluateTab
from gpr.ui.events import QUICK, REFRESH, each
from gpr.ui.finetune_tab import FinetuneTab
from gpr.ui.header import IDLE_SECONDS, build_header, show_header
from gpr.ui.label_tab import LabelTab
from gpr.ui.recommend.many import ManyPanel
from gpr.ui.recommend_tab import RecommendTab
from gpr.ui.speaking import Speaking, gradio_texts, put_up_signs
from gpr.ui.start import StartScreen
from gpr.ui.tasks_panel import TasksPanel
from gpr.ui.theme import ASSETS, GPRTheme, scripts

HOUR = 3600
MAX_UPLOAD = "2gb"
_SECRET = "gpr"
"""What the browser keeps is no secret; without a fixed word it would be lost at each start of the server."""


def build(context: Context) -> gr.Blocks:
    """The page over a workspace."""
    with gr.Blocks(title="GPR", analytics_enabled=False, delete_cache=(HOUR, 24 * HOUR)) as page:
        Api(context).add()  # first, so that the names are free
        active = gr.BrowserState(None, storage_key="gpr-active", secret=_SECRET)
        name = gr.BrowserState("", storage_key="gpr-annotator", secret=_SECRET)
        recent = gr.BrowserState([], storage_key="gpr-recent", secret=_SECRET)
        batch = gr.BrowserState("", storage_key="gpr-batch", secret=_SECRET)
        typed = gr.State([])
        timer = gr.Timer(IDLE_SECONDS)
        header = build_header()
        start = StartScreen(context, active)
        with gr.Tabs(selected="recommend", elem_id="gpr-tabs") as tabs:
            with gr.Tab("Data", id="data"):
                data = DataTab(context, active)
            with gr.Tab("Fine-tune", id="finetune") as finetune_tab:
                finetune = FinetuneTab(context, active)
            with gr.Tab("Recommend", id="recommend") as recommend_tab:
                recommend = RecommendTab(context, active, name, typed, recent)
                many = ManyPanel(context, active, batch)
                tasks = TasksPanel(context)
            with gr.Tab("Label", id="label") as label_tab:
                label = LabelTab(context, active, name, typed)
            with gr.Tab("Evaluate", id="evaluate"):
                evaluate = EvaluateTab(context, active)
        for tab in (data, tasks, evaluate):
            tab.wire()
        start.wire(page.load, tabs, data.own)
        recommend.wire(page.load)
        many.wire(page.load)
        finetune.wire(finetune_tab)
        label.wire(label_tab)
        page.load(recommend.remember, active, active, **QUICK)
        each(page.load, active.change, timer.tick)(
            lambda stored: show_header(context, context.settle(stored)), active, [header, timer], **REFRESH
        )
        changed = each(page.load, active.change)
        changed(data.show, active, data.outputs, **REFRESH)
        changed(finetune.show, [active, finetune.shown, finetune.sort], finetune.outputs, **REFRESH)
        changed(evaluate.show, [active, evaluate.metric], evaluate.outputs, **REFRESH)
        gr.on([page.load, recommend_tab.select], tasks.show, None, tasks.outputs, **REFRESH)
        page.load(label.greet, name, label.annotator, **QUICK)
        put_up_signs(page)
    return page  # type: ignore[no-any-return]


async def _plotly(request: Request) -> FileResponse:
    """Plotly's script for pictures that are pressed, from its Python package: nothing is fetched from elsewhere."""
    import plotly

    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})


def launch_settings(context: Context) -> dict[str, Any]:
    """What `launch()` needs besides the address: the look, and no more of this machine than the page itself."""
    return {
        "theme": GPRTheme(),
        "head": f"<script>{scripts()}</script>",
        "i18n": gradio_texts(),
        "app_kwargs": {
            "middleware": [Middleware(Speaking, scripts=scripts())],
            "routes": [Route("/gpr/plotly.min.js", _plotly)],
        },
        "favicon_path": ASSETS / "favicon.svg",
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "share": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "max_file_size": MAX_UPLOAD,
        "allowed_paths": [],
        "blocked_paths": [str(context.workspace.root)],
    }
