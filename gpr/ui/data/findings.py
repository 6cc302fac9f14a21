"""Findings as HTML: the gravest first, each with its place, its count and example rows."""

from __future__ import annotations

from html import escape

from gpr.data.account import examples_of
from gpr.data.dataset import Dataset
from gpr.data.finding import Finding
from gpr.ui.data.remedies import remedies
from gpr.ui.language import say
from gpr.ui.messages import notice
from gpr.ui.tables import table

GRADES = {"stops": ("bad", "Stops training"), "hurts": ("warn", "Hurts results"), "info": ("info", "Good to know")}
MAX_FINDINGS = 60


def finding_list(dataset: Dataset, *, stored: bool) -> str:
    """What was noticed, with buttons where there is a choice.

    Args:
        stored: the data is kept in the workspace.
    """
    findings = dataset.findings
    if not findings:
        return notice("Every row was read and used as it is.", "good", "None.")
    order = list(GRADES)
    ordered = sorted(findings, key=lambda finding: order.index(finding.grade))
    more = len(ordered) - MAX_FINDINGS
    rest = f'<li class="gpr-muted">{say(f"and {more:,} more")}</li>' if more > 0 else ""
    shown = "".join(_finding(dataset, finding, stored) for finding in ordered[:MAX_FINDINGS])
    return f'<ul class="gpr-findings">{shown}{rest}</ul>'


def _finding(dataset: Dataset, finding: Finding, stored: bool) -> str:
    kind, words = GRADES[finding.grade]
    place = [finding.file] if finding.file else []
    place += [f"row {finding.row:,}"] if finding.row is not None else []
    place += [f"column {finding.column}"] if finding.column else []
    place += [f"{finding.count:,} times"] if finding.count > 1 else []
    where = f'<span class="gpr-place">{escape(say(", ").join(map(say, place)))}</span>' if place else ""
    examples = [(f"{example['row']:,}", example["value"]) for example in examples_of(dataset, finding)]
    rows = table(("row", finding.column or "cells"), examples, numbers=(0,), label="example rows") if examples else ""
    shown = f'<details class="gpr-rows"><summary>{say("Show rows")}</summary>{rows}</details>' if rows else ""
    choice = remedies(dataset, finding, stored=stored)
    return (
        f'<li class="gpr-finding"><span class="gpr-badge gpr-{kind}">{say(words)}</span>'
        f"<span>{escape(say(finding.message))}</span>{where}{choice}{shown}</li>"
    )
