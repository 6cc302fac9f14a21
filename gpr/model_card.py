"""The model card of a run: Markdown for whoever gets the adapter. It knows what the run's folder says."""

from __future__ import annotations

from pathlib import Path

from gpr.learn.needs import Estimate, apart
from gpr.runs import RunInfo

CARD = "README.md"
"""Its name in the folder of a run, and in what is exported of one."""
DOES = {
    "recommend": ("recommend items of a catalogue", 'recommend "..."'),
    "score": ("say whether an item is a good answer to a request", "score --query ... --item ID"),
    "classify": ("put a text under one of some labels", 'classify "..."'),
}
"""What a run of a task makes of a model, and how it is asked."""
LIMITS = """## Limits

- It ranks the items of a catalogue; it does not know what is good, safe or true. Its base model's biases remain.
- The metrics are on this data's validation split, on which the weights of the scorers were fitted; measure on your own
  test split (`gpr evaluate`).
- On another catalogue it works by the items' texts, less well than on the one it was trained on.
- Its probabilities are the fitted model's; check how well calibrated they are before you act on them.
"""
USE = """## Use

With GPR: `gpr import FILE`, then `gpr {asked} --run {name}`. The LoRA weights are in peft's own format:

    from peft import PeftModel
    from transformers import AutoModelForCausalLM
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(BASE), "adapter")

`match.safetensors` holds the maps of the two-tower part, `pool.json` the weights of the scorers.
"""
FROM_SCRATCH = """## Limits

- It knows the words of the text that it was made from and little else; it is a base model, and follows no instructions.
- Perplexity is that of text held out of the same sources.

## Use

With GPR: `gpr train DATA --run NAME --base {name}`. The model is a folder in transformers' own format, with its
tokenizer.
"""


def model_card(run: RunInfo) -> str:
    """Data, settings, metrics, limits and use of a run."""
    if run.task == "pretrain":
        what, rest = "A GPT and its tokenizer, made from scratch on text with GPR.", FROM_SCRATCH.format(name=run.name)
    else:
        does, asked = DOES[run.task]
        what = f"A LoRA adapter that makes a causal language model {does}, made with GPR."
        rest = LIMITS + "\n" + USE.format(name=run.name, asked=asked)
    about = {
        "base model": Path(run.base).name,
        "data": Path(run.data).name,
        "hash of the data": run.config.get("data_hash", "unknown"),
        "trained": run.started,
        "steps": f"{run.step:,} of {run.steps:,}",
        "needed": "; ".join([Estimate.of_state(run.state, run.seconds).figures(), *apart(run.state)]),
        "foreseen": Estimate(**run.config["estimate"]).figures() if "estimate" in run.config else "not measured",
        "command": f"`{run.command}`",
    }
    parts = [
        f"# {run.name}",
        what,
        run.note,
        _table("about", "", about),
        run.message,
        "## Metrics on the validation split",
        _table("metric", "value", {name: f"{value:.4f}" for name, value in run.metrics.items()}) or "None.",
        "## Settings",
        _table("setting", "value", {name: value for name, value in run.settings.items() if value is not None}),
        rest,
    ]
    return "\n\n".join(part for part in parts if part).rstrip() + "\n"


def _table(left: str, right: str, rows: dict[str, object]) -> str:
    if not rows:
        return ""
    lines = [f"| {name.replace('_', ' ')} | {str(value).replace('|', chr(92) + '|')} |" for name, value in rows.items()]
    return "\n".join([f"| {left} | {right} |", "| --- | --- |", *lines])
