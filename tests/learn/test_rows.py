"""Training rows read back from their tokens: what is asked, what is the target, and what never gets in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from gpr.data.dataset import Dataset, Example, Request, Sequence
from gpr.data.load import load
from gpr.data.split import query_key
from gpr.learn.rows import Row, plan_batches, steps_of_epochs, training_rows
from gpr.lm.prompts import MAX_HISTORY, Prompts
from tests.small_data import catalogue_of

LETTERS = catalogue_of("ABCDEFGHIJ", description=[f"about {letter}" for letter in "abcdefghij"])


def data(
    pairs: tuple[Example, ...] = (), sequences: tuple[Sequence, ...] = (), tested: tuple[Example, ...] = ()
) -> Dataset:
    return Dataset("letters", LETTERS, {"train": pairs, "valid": tested[:1], "test": tested[1:]}, sequences)


@pytest.fixture(scope="module")
def letters(tiny_tokenizer: PreTrainedTokenizerFast) -> Prompts:
    return Prompts(tiny_tokenizer, LETTERS)


def targets(rows: list[Row]) -> Counter[int]:
    return Counter(item for row in rows for item in row.items.tolist())


def text(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=90), max_size=3))
def test_every_item_of_a_history_but_the_first_is_a_target_once(letters: Prompts, histories: list[list[int]]) -> None:
    own = training_rows(data(), letters, 0)
    rows = training_rows(data(sequences=tuple(Sequence(tuple(items)) for items in histories)), letters, 0)
    assert targets(rows) - targets(own) == Counter(item for items in histories for item in items[1:])
    assert all(len(row.items) <= MAX_HISTORY for row in rows)


def test_a_shorter_window_cuts_histories_into_more_rows(tiny_tokenizer: Any) -> None:
    history = data(sequences=(Sequence((0, 1, 2, 3, 4, 5)),))
    rows = [row for row in training_rows(history, Prompts(tiny_tokenizer, LETTERS, window=2), 0) if len(row.items) > 1]
    assert [row.items.tolist() for row in rows] == [[1, 2], [3, 4]]


def test_every_training_pair_is_a_row_once(films: Dataset, prompts: Prompts, tiny_tokenizer: Any) -> None:
    rows = training_rows(films, prompts, 0)
    begins = Counter((text(tiny_tokenizer, row.ids[: row.spans[0, 2] + 1]), row.items.tolist()[0]) for row in rows)
    for example in films.examples["train"]:
        assert begins[f"Query: {example.request.query}\nTitle:", example.item] == 1


def test_every_item_has_a_row_of_its_own_text(tiny_tokenizer: Any) -> None:
    for columns in ({}, {"genre": "xyz"}, {"description": ["", "old and new", "b" * 999]}):
        catalogue = catalogue_of(["A", "B", "C"], **columns)
        dataset = Dataset("d", catalogue, {"train": (), "valid": (), "test": ()})
        rows = training_rows(dataset, Prompts(tiny_tokenizer, catalogue), 0)
        assert set(targets(rows)) == {0, 1, 2}


def test_spans_and_branches_are_where_they_are_said_to_be(
    films: Dataset, prompts: Prompts, tiny_tokenizer: Any
) -> None:
    trie = prompts.trie
    for row in training_rows(films, prompts, 0):
        paths = [trie.path(item) for item in row.items.tolist()]
        at = 0
        for item, (start, end, read), path in zip(row.items.tolist(), row.spans.tolist(), paths, strict=True):
            said = text(tiny_tokenizer, row.ids[start:end])
            before = text(tiny_tokenizer, row.ids[: read + 1])
            assert said.strip()
            assert said in before
            assert before.endswith(("\nTitle:", "\n"))
            for entry in path.tolist():
                position, node, choice = row.branch_at[at], row.branch_node[at], row.branch_choice[at]
                depth = int(trie.depth[node])
                assert position == read + depth
                assert row.ids[read + 1 : position + 1] == prompts.titles[item][:depth]
                assert trie.child_ptr[node] + choice == entry
                at += 1
        assert at == len(row.branch_at) == len(row.branch_node) == len(row.branch_choice)
        assert len(row.ids) == row.branch_at.max() + 1


def test_a_history_is_read_up_to_the_item_before(letters: Prompts, tiny_tokenizer: Any) -> None:
    with_history = training_rows(data(sequences=(Sequence((0, 1, 2), "age 24"),)), letters, 0)
    row = next(row for row in with_history if len(row.items) == 2)
    assert row.items.tolist() == [1, 2]
    said = [text(tiny_tokenizer, row.ids[start:end]) for start, end, _ in row.spans.tolist()]
    assert said == [" A\n", " A\n B\n"]
    assert text(tiny_tokenizer, row.ids).startswith("User: age 24\nChosen so far, in order:\n A\n")


def held_out(dataset: Dataset) -> set[str]:
    examples = (*dataset.examples["valid"], *dataset.examples["test"])
    return {query_key(example.request.query) for example in examples if example.request.query}


def asked_in(rows: list[Row], tokenizer: Any) -> set[str]:
    """The queries of all rows, read back from the tokens, with white space and case folded."""
    whole = [text(tokenizer, row.ids) for row in rows]
    return {query_key(part.partition("Query:")[2].partition("\nTitle:")[0]) for part in whole if "Query:" in part}


@pytest.mark.parametrize("name", ["films", "movies", "courses-zh", "news", "funds"])
def test_no_query_of_a_valid_or_test_example_reaches_training(
    name: str, films_folder: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    dataset = load(films_folder if name == "films" else name, cache=tmp_path)
    rows = training_rows(dataset, Prompts(tiny_tokenizer, dataset.catalogue), 0)
    asked = asked_in(rows, tiny_tokenizer)
    assert len(asked) > len(dataset.examples["train"]) / 2
    assert len(held_out(dataset)) > 4
    assert asked & held_out(dataset) == set()


def test_nor_does_it_as_an_items_own_text(letters: Prompts, tiny_tokenizer: Any) -> None:
    tested = (Example(Request("About  B"), 1), Example(Request("about c"), 2))
    rows = training_rows(data(tested=tested), letters, 0)
    assert asked_in(rows, tiny_tokenizer) & {"about b", "about c"} == set()
    assert set(targets(rows)) == set(range(10)) - {1, 2}


def test_no_history_reaches_its_valid_or_test_item(films: Dataset, prompts: Prompts, tiny_tokenizer: Any) -> None:
    rows = training_rows(films, prompts, 0)
    trained: dict[str, list[str]] = {}
    for row in rows:
        user, chosen, titles = text(tiny_tokenizer, row.ids[: row.spans[-1, 2] + 1]).partition(
            "Chosen so far, in order:\n"
        )
        if chosen:
            shown = [title.strip() for title in titles.splitlines()]
            trained.setdefault(user, []).extend([*shown, *(films.catalogue.titles[item] for item in row.items)])
    histories = [e for split in ("valid", "test") for e in films.examples[split] if e.request.history]
    assert len(histories) == 6
    assert len(trained) == 2  # of the third user one item is left, which is no target
    for example in histories:
        assert films.catalogue.titles[example.item] not in trained.get(f"User: {example.request.user}\n", [])


def rows_of(lengths: list[int]) -> list[Row]:
    none = np.zeros(0, np.int64)
    return [Row([5] * length, np.array([0]), np.zeros((1, 3), np.int64), none, none, none) for length in lengths]


row_lengths = st.lists(st.integers(1, 60), min_size=1, max_size=80)


@given(row_lengths, st.integers(16, 300), st.integers(0, 99), st.integers(1, 3))
def test_an_epoch_shows_each_row_once(lengths: list[int], tokens: int, seed: int, epochs: int) -> None:
    rows = rows_of(lengths)
    plan = plan_batches(rows, steps_of_epochs(rows, epochs, tokens, seed), tokens, seed)
    shown = [row for batch in plan for row in batch]
    assert len(shown) == epochs * len(rows)
    for start in range(0, len(shown), len(rows)):
        assert sorted(shown[start : start + len(rows)]) == list(range(len(rows)))


@given(row_lengths, st.integers(16, 300), st.integers(0, 99))
def test_batches_stay_within_the_bound(lengths: list[int], tokens: int, seed: int) -> None:
    for batch in plan_batches(rows_of(lengths), 7, tokens, seed):
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= tokens


def test_the_plan_depends_on_the_seed_alone() -> None:
    rows = rows_of([3, 9, 4, 20, 7, 7, 12] * 5)
    assert plan_batches(rows, 20, 64, 1) == plan_batches(rows, 20, 64, 1)
    assert plan_batches(rows, 20, 64, 1) != plan_batches(rows, 20, 64, 2)
    assert len(plan_batches(rows, 20, 64, 1)) == 20
    epoch = steps_of_epochs(rows, 1, 64, 1)
    plan = plan_batches(rows, 2 * epoch, 64, 1)
    assert plan[:epoch] != plan[epoch:]  # shuffled anew
