"""Tables -> Dataset: columns mapped, texts repaired, the catalogue, then pairs and interactions against it.

It does not know how a file is read. A row that cannot be used is set aside with a finding, never silently.
"""

from __future__ import annotations

from collections.abc import Mapping

from gpr.data.catalogue import build_catalogue
from gpr.data.checks import check_catalogue, check_examples
from gpr.data.choices import Choices
from gpr.data.clean import clean
from gpr.data.columns import Meaning, map_columns
from gpr.data.dataset import SPLITS, Catalogue, Dataset, Example, Finding, Sequence, Split
from gpr.data.interactions import read_interactions
from gpr.data.pairs import read_pairs
from gpr.data.synonyms import Role
from gpr.data.table import Part, Table
from gpr.data.users import describe_users


def build(tables: Mapping[Part, Table], *, name: str, seed: int = 0, choices: Choices | None = None) -> Dataset:
    """The data set of a folder's or file's tables.

    Args:
        tables: `single`, or `items` and any of the others, as `read` gives them.
        seed: for the random split of pairs that come without one.
        choices: what the user decided; None for what GPR does by itself.

    Raises:
        DataError: a column that is needed is missing, or the catalogue has fewer than two items.
    """
    choices = choices or Choices()
    tables, meanings, catalogue, findings = _understood(tables, choices)
    examples, sequences, found = _requests(tables, meanings, catalogue, choices, seed)
    findings += found + check_examples(catalogue, examples, sequences)
    tables = {part: tables[part] for part in _order(tables)}
    return Dataset(
        name=name,
        catalogue=catalogue,
        examples={split: tuple(found) for split, found in examples.items()},
        sequences=tuple(sequences),
        findings=(*(note for table in tables.values() for note in table.findings), *findings),
        mapping={tables[part].file: _roles(meanings[part]) for part in tables},
        reasons={tables[part].file: {name: found.reason for name, found in meanings[part].items()} for part in tables},
        rows={table.file: table.rows for table in tables.values()},
        seed=seed,
        choices=choices,
        tables={table.file: table for table in tables.values()},
        parts={table.file: part for part, table in tables.items()},
    )


def _understood(
    tables: Mapping[Part, Table], choices: Choices
) -> tuple[dict[Part, Table], dict[Part, dict[str, Meaning]], Catalogue, list[Finding]]:
    """The repaired tables, what their columns mean, and the catalogue, by which the columns of others are told."""
    main: Part = "items" if "items" in tables else "single"
    meanings = {main: map_columns(tables[main], main, choices.roles.get(tables[main].file))}
    cleaned = {**tables, main: clean(tables[main], meanings[main], choices)}
    catalogue, findings = build_catalogue(
        cleaned[main],
        meanings[main],
        repeated=main == "single" and bool({"query", "user_id"} & _roles_of(meanings[main])),
        apart=choices.equal_titles == "apart",
    )
    known = catalogue.numbers.keys() | set(catalogue.titles)
    for part in tables.keys() - {main}:
        meanings[part] = map_columns(tables[part], part, choices.roles.get(tables[part].file), known)
        cleaned[part] = clean(tables[part], meanings[part], choices)
    return cleaned, meanings, catalogue, findings + check_catalogue(cleaned[main], meanings[main], catalogue)


def _requests(
    tables: Mapping[Part, Table],
    meanings: Mapping[Part, dict[str, Meaning]],
    catalogue: Catalogue,
    choices: Choices,
    seed: int,
) -> tuple[dict[Split, list[Example]], list[Sequence], list[Finding]]:
    """What the users, pairs and interactions give."""
    alone = _roles_of(meanings["single"]) if "items" not in tables else set()
    users, findings = describe_users(tables["users"], meanings["users"]) if "users" in tables else ({}, [])
    examples: dict[Split, list[Example]] = {split: [] for split in SPLITS}
    sequences: list[Sequence] = []
    pairs: Part = "single" if "query" in alone else "pairs"
    if pairs in tables:
        examples, found = read_pairs(catalogue, tables[pairs], meanings[pairs], users, choices, seed)
        findings += found
    interactions: Part = "single" if "user_id" in alone and "query" not in alone else "interactions"
    if interactions in tables:
        made = read_interactions(catalogue, tables[interactions], meanings[interactions], users, choices)
        findings += made.findings
        sequences = made.sequences
        examples = {split: [*examples[split], *made.examples[split]] for split in SPLITS}
    return examples, sequences, findings


def _roles_of(meanings: Mapping[str, Meaning]) -> set[Role]:
    return {meaning.role for meaning in meanings.values()}


def _order(tables: Mapping[Part, Table]) -> list[Part]:
    order: tuple[Part, ...] = ("single", "items", "pairs", "interactions", "users")
    return [part for part in order if part in tables]


def _roles(meanings: Mapping[str, Meaning]) -> dict[str, str]:
    return {name: meaning.role for name, meaning in meanings.items()}
