"""What was understood of data, as HTML: sizes, columns, choices, findings; also where the mapping is not complete."""

from __future__ import annotations

from html import escape

from gpr.data import kept
from gpr.data.account import account
from gpr.data.columns import Meaning, chosen_columns
from gpr.data.dataset import SPLITS, Dataset
from gpr.data.load import kept_folder
from gpr.data.split import query_key
from gpr.errors import GPRError
from gpr.ui.data.findings import finding_list
from gpr.ui.data.mapping import Meanings, choices_html, columns_html
from gpr.ui.language import say
from gpr.ui.messages import failure
from gpr.ui.tables import SPLIT_WORDS, figures


def report_html(dataset: Dataset, *, copied: bool) -> str:
    """The whole report.

    Args:
        copied: a change makes a copy in the workspace, since this data is not the user's.
    """
    sizes: dict[str, object] = {"items": len(dataset.catalogue)}
    sizes |= {f"{SPLIT_WORDS[split]} examples": len(dataset.examples[split]) for split in SPLITS}
    if dataset.sequences:
        sizes["histories"] = len(dataset.sequences)
    accounts = account(dataset)
    aside = sum(row["set_aside"] for row in accounts.values())
    sizes["rows set aside"] = aside
    meanings: Meanings = {
        file: {name: Meaning(role, dataset.reasons[file][name]) for name, role in columns.items()}  # type: ignore[arg-type]
        for file, columns in dataset.mapping.items()
    }
    help_words = say(
        "Change what is wrong: the effect shows at once, and files with the same columns are read so from then on."
    )
    help_words += f" {say('A change makes a copy of this data in your workspace.')}" if copied else ""
    return (
        f'<h2 class="gpr-title">{escape(dataset.name)} <small>{dataset.hash}</small></h2>{figures(sizes)}'
        f'<h3 class="gpr-title">{say("Columns")}</h3><p class="gpr-help">{help_words}</p>'
        f"{columns_html(dataset.tables, meanings, accounts)}"
        f'<h3 class="gpr-title">{say("Split")}</h3>{choices_html(dataset.choices, dataset.mapping)}'
        f'<p class="gpr-help">{escape(_split_words(dataset))}</p>'
        f'<h3 class="gpr-title">{say("Findings")}</h3>{finding_list(dataset, stored=not copied)}'
    )


def _split_words(dataset: Dataset) -> str:
    """Sizes, seed, tie rule and leak check of the split."""
    asked = {
        split: {query_key(example.request.query) for example in dataset.examples[split]} - {""} for split in SPLITS
    }
    shared = len(asked["test"] & (asked["train"] | asked["valid"]))
    sizes = ", ".join(f"{len(dataset.examples[split]):,} {SPLIT_WORDS[split]}" for split in SPLITS)
    leak = f"{shared:,} test queries are also trained on" if shared else "no test query is trained on"
    ties = f" {say('Equal times keep the order of the file.')}" if dataset.sequences else ""
    return say(f"Split: {sizes}; seed {dataset.seed}. Leak check: {leak}.") + ties


def incomplete_html(data: str, error: Exception) -> str:
    """Data that cannot be used yet: why, and its columns to be mapped, if it is kept."""
    told = failure(error)
    folder = kept_folder(data)
    if folder is None:
        return told
    try:
        known, tables = kept.read_kept(folder), kept.read_tables(folder)
    except GPRError as fault:
        return failure(fault)
    meanings = {
        table.file: chosen_columns(table, part, known.choices.roles.get(table.file)) for part, table in tables.items()
    }
    by_file = {table.file: table for table in tables.values()}
    return (
        f'<h2 class="gpr-title">{escape(known.name)}</h2>{told}<h3 class="gpr-title">{say("Columns")}</h3>'
        f'<p class="gpr-help">{say("Say what the columns mean.")}</p>{columns_html(by_file, meanings, {})}'
    )
