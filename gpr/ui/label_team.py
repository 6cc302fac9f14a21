"""The part of the tab Label for several annotators: guidelines, agreement, conflicts, and what the owner decides."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from gpr.errors import RequestError
from gpr.labels.agreement import agreement, conflicts
from gpr.labels.label import Label, now
from gpr.labels.team import Team
from gpr.labels.wins import wins
from gpr.ui.cards import BAD, GOOD
from gpr.ui.context import Context
from gpr.ui.events import TOLD
from gpr.ui.labelling import DEFAULT_ANNOTATOR, annotator_of
from gpr.ui.language import say
from gpr.ui.messages import empty, plural, worded
from gpr.ui.press import button, pressable, pressed
from gpr.ui.tables import table

NO_GUIDELINES = "*No guidelines yet.* The owner writes them: what is good, what is bad, when to skip."
MAX_CONFLICTS = 20


class LabelTeam:
    """Builds the part; `wire` connects it."""

    def __init__(self, context: Context, active: gr.BrowserState, name: gr.Textbox) -> None:
        self.context, self.active, self.name = context, active, name
        self.team = Team(context.workspace.labels.database)
        with gr.Accordion("Guidelines", open=False, elem_id="gpr-guidelines"):
            self.guidelines = gr.Markdown(NO_GUIDELINES, elem_id="gpr-guidelines-text")
            with gr.Column(visible=False) as self.editor:
                self.text = gr.Textbox(
                    label="Edit (Markdown)", lines=6, max_length=20_000, elem_id="gpr-guidelines-edit"
                )
                self.save = gr.Button("Save the guidelines", scale=0, min_width=180, elem_id="gpr-guidelines-save")
        with gr.Accordion("Annotators, agreement and conflicts", open=False, elem_id="gpr-team"):
            self.measures = gr.HTML("", elem_id="gpr-agreement", apply_default_css=False, js_on_load=None)
            self.conflicts = pressable(elem_id="gpr-conflicts")
            with gr.Row(visible=False, equal_height=True, elem_classes="gpr-export") as self.rules:
                self.overlap = gr.Number(
                    0, label="Annotators for each request (0: everybody)", minimum=0, precision=0, min_width=240
                )
                self.reasons = gr.Textbox(label="Reasons after 'bad', one a line", lines=4, min_width=240)
                self.keep = gr.Button("Keep", scale=0, min_width=100, elem_id="gpr-rules-save")

    def wire(self, tab: gr.Tab) -> None:
        edited = [self.guidelines, self.editor, self.text, self.rules, self.overlap, self.reasons]
        tab.select(self.show, None, edited, **TOLD)
        self.save.click(self.set_guidelines, [self.text, self.name], self.guidelines, **TOLD)
        self.keep.click(self.set_rules, [self.overlap, self.reasons, self.name], [self.overlap, self.reasons], **TOLD)
        measured = [self.measures, self.conflicts]
        tab.select(self.measure, self.active, measured, **TOLD)
        self.conflicts.press(self.rule, [self.active, self.name], measured, trigger_mode="multiple", **TOLD)

    @worded
    def show(self, who: gr.Request) -> tuple[Any, ...]:
        """Guidelines for all, editors for the owner alone."""
        owner = self.context.is_owner(who)
        return (
            self.team.guidelines or say(NO_GUIDELINES),
            gr.Column(visible=owner),
            self.team.guidelines,
            gr.Row(visible=owner),
            self.team.overlap,
            "\n".join(self.team.reasons),
        )

    @worded
    def set_guidelines(self, text: str, name: str, who: gr.Request) -> str:
        self.team.set_guidelines(text.strip(), self._owner(name, who))
        return self.team.guidelines or say(NO_GUIDELINES)

    @worded
    def set_rules(self, overlap: float, reasons: str, name: str, who: gr.Request) -> tuple[int, str]:
        owner = self._owner(name, who)
        self.team.set_overlap(int(overlap or 0), owner)
        self.team.set_reasons(reasons.splitlines(), owner)
        return self.team.overlap, "\n".join(self.team.reasons)

    @worded
    def measure(self, stored: object, who: gr.Request) -> tuple[str, str]:
        """Speed and agreement of each, and the conflicts."""
        name = self.context.dataset(self.context.settle(stored)).name
        labels, rulings = self._said(name)
        found = agreement(labels, rulings)
        liked = wins(self.context.workspace.labels.preferences(dataset=name))
        open_ones = conflicts(labels, rulings)[:MAX_CONFLICTS]
        return _measures(found) + _wins(liked), _conflicts(open_ones, found["conflicts"], self.context.is_owner(who))

    def _said(self, dataset: str) -> tuple[list[Label], list[Label]]:
        store = self.context.workspace.labels
        return store.current(dataset=dataset), store.rulings(dataset=dataset)

    @worded
    def rule(self, stored: object, name: str, event: gr.EventData, who: gr.Request) -> tuple[str, str]:
        """The owner's word on a conflict."""
        owner, press = self._owner(name, who), pressed(event)
        labels, rulings = self._said(self.context.dataset(self.context.settle(stored)).name)
        key = (press.get("request"), press.get("item"))
        for group in conflicts(labels, rulings):
            if (group[0].request_id, group[0].item_id) == key:
                verdict: Any = press["press"]  # Label checks it
                ruling = replace(
                    group[0], kind="ruling", verdict=verdict, annotator=owner, time=now(), reason="", note=""
                )
                self.context.workspace.labels.add(ruling)
        return self.measure(stored, who)  # type: ignore[no-any-return]

    def _owner(self, name: str, who: gr.Request) -> str:
        if not self.context.is_owner(who):
            raise RequestError("Only the owner may do this.", hint="Ask the one who started the server.")
        return annotator_of(name or DEFAULT_ANNOTATOR, who)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _kappa(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _measures(found: dict[str, Any]) -> str:
    if not found["annotators"]:
        return empty("Nobody has labelled yet", "Here will be how quick each annotator is, and how much they agree.")
    people = [
        (
            name,
            row["labels"],
            row["skipped"],
            f"{row['an_hour']:,.0f}" if row["an_hour"] else "",
            _share(row["agreement"]),
        )
        for name, row in found["annotators"].items()
    ]
    columns = ("annotator", "labels", "skipped", "an hour", "agrees with others")
    html = table(columns, people, numbers=(1, 2, 3, 4), label="Annotators")
    return html + _pairs(found) if found["pairs"] else html


def _pairs(found: dict[str, Any]) -> str:
    votes = [(one, other) for one in ("good", "bad") for other in ("good", "bad")]
    rows = [
        (" and ".join(row["annotators"]), row["items"], _share(row["agreement"]), _kappa(row["cohen"]),
         *(row["confusion"][one][other] for one, other in votes))
        for row in found["pairs"]
    ]  # fmt: skip
    head = ("annotators", "items", "agreement", "Cohen's kappa", *(f"{one} / {other}" for one, other in votes))
    fleiss, alpha = (_kappa(found[name]) or "not defined" for name in ("fleiss", "krippendorff"))
    line = say(f"{plural(found['shared_items'], 'recommendation')} judged by several.") + " "
    line += say(f"Fleiss' kappa {fleiss}, Krippendorff's alpha {alpha}.")
    return f'<p class="gpr-muted">{line}</p>{table(head, rows, numbers=range(1, 8), label="Pairs of annotators")}'


def _wins(liked: dict[str, Any]) -> str:
    rows = [
        (*(run or "Base model" for run in row["runs"]), row["wins"], row["losses"], row["ties"],
         f"{row['win_rate']:.0%} ({row['low']:.0%} to {row['high']:.0%})" if "win_rate" in row else "")
        for row in liked["pairs"]
    ]  # fmt: skip
    if not rows:
        return ""
    columns = ("run", "against", "wins", "losses", "ties", "win rate")
    html = table(columns, rows, numbers=(2, 3, 4, 5), label="Preferences")
    strength = ", ".join(f"{run or 'base model'} {value:.0%}" for run, value in liked.get("bradley_terry", {}).items())
    words = say(f"Liked more than the average run: {strength}.")
    return html + (f'<p class="gpr-muted">{escape(words)}</p>' if strength else "")


def _conflicts(groups: list[list[Label]], total: int, owner: bool) -> str:
    if not total:
        return ""
    rows = [
        (group[0].query or "(history)", group[0].title, _said(group), _choices(group[0], owner)) for group in groups
    ]
    words = say(f"{plural(total, 'conflict')}: one says good, another bad.")
    return f'<p class="gpr-muted">{words} {say("The owner decides.")}</p>' + table(
        ("asked for", "recommended", "said", ""), rows, label="Conflicts", raw=[3]
    )


def _said(group: list[Label]) -> str:
    return "; ".join(f"{label.annotator}: {label.verdict}{f' ({label.note})' if label.note else ''}" for label in group)


def _choices(label: Label, owner: bool) -> str:
    if not owner:
        return ""
    buttons = "".join(
        button(icon, verdict, style=f"gpr-small gpr-{verdict}", label=f"{verdict.capitalize()}: {label.title}",
               request=label.request_id, item=label.item_id)
        for verdict, icon in (("bad", BAD), ("good", GOOD))
    )  # fmt: skip
    return f'<span class="gpr-actions">{buttons}</span>'
