"""Nothing that is tested on is trained on, for any pairs and any histories."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpr.data.dataset import SPLITS, Split
from gpr.data.histories import CUTS, History, Timeline, as_told, by_date, last_two
from gpr.data.load import load
from gpr.data.split import leaks, query_key, split_at_random

queries = st.lists(st.sampled_from(["a", "A", " a", "b  c", "B c", "ß", "SS", "d", *"efghijklmnop"]), max_size=40)
sides = st.sampled_from(SPLITS)


@pytest.mark.parametrize(
    ("n", "train", "valid", "test"),
    [(1, 1, 0, 0), (2, 2, 0, 0), (4, 3, 0, 1), (9, 7, 0, 2), (10, 7, 1, 2), (240, 156, 24, 60)],
)
def test_sizes(n: int, train: int, valid: int, test: int) -> None:
    counts = Counter(split_at_random([f"q{number}" for number in range(n)], seed=3))
    assert (counts["train"], counts["valid"], counts["test"]) == (train, valid, test)


@given(queries, st.integers(0, 2**32))
@settings(deadline=None)
def test_a_query_is_on_one_side(texts: list[str], seed: int) -> None:
    splits = split_at_random(texts, seed)
    assert splits == split_at_random(texts, seed)
    assert len({(query_key(text), split) for text, split in zip(texts, splits, strict=True)}) == len(
        set(map(query_key, texts))
    )
    assert not leaks(texts, splits).any()
    assert not texts or "train" in splits


@given(st.lists(st.tuples(st.sampled_from(["a", "A ", "b", "c"]), sides), max_size=20))
@settings(deadline=None)
def test_the_side_nearer_to_training_loses_what_leaks(pairs: list[tuple[str, Split]]) -> None:
    texts, splits = [text for text, _ in pairs], [split for _, split in pairs]
    lost = leaks(texts, splits)
    kept = [(query_key(text), split) for (text, split), gone in zip(pairs, lost, strict=True) if not gone]
    assert len({key for key, _ in kept}) == len(set(kept))
    for (text, split), gone in zip(pairs, lost, strict=True):
        if split == "test":
            assert not gone
        if gone:
            assert any(
                query_key(other) == query_key(text) and SPLITS.index(side) > SPLITS.index(split)
                for other, side in pairs
            )


def test_histories_by_hand() -> None:
    users = np.array([1, 0, 1, 1, 0, 2, 1, 1])
    items = np.array([5, 5, 6, 7, 6, 9, 5, 8])
    times = np.array([1, 9, 1, 0, 2, 0, 4, 1])
    line = Timeline.of(users, items, times)
    assert last_two(line)[0] == [
        History(0, train=(6,), valid=None, test=5),
        History(1, train=(7, 5), valid=6, test=8),
        History(2, train=(9,), valid=None, test=None),
    ]
    assert line.repeats.tolist() == [False] * 6 + [True, False]
    assert line.ties.tolist() == [False, False, True, False, False, False, False, True]


def test_no_interactions() -> None:
    nothing = np.array([], dtype=int)
    line = Timeline.of(nothing, nothing, nothing)
    assert len(line.repeats) == 0
    for cut in CUTS.values():
        assert cut(line, None)[0] == []


def test_by_date_nothing_after_a_date_is_trained_on() -> None:
    users, items, times = np.array([0] * 10 + [1] * 10), np.arange(20), np.array([*range(10), *range(10)])
    histories, unused = by_date(Timeline.of(users, items, times))
    assert histories == [
        History(0, tuple(range(8)), 8, 9),
        History(1, tuple(range(10, 18)), 18, 19),
    ]
    assert not unused.any()


def test_as_the_file_says() -> None:
    users, items, times = np.array([0, 0, 0, 0, 0, 1]), np.array([1, 2, 3, 4, 5, 6]), np.arange(6)
    histories, unused = as_told(Timeline.of(users, items, times), np.array([0, 1, 1, 2, 2, 2]))
    assert histories == [History(0, (1,), 2, 4, later=(3,))]
    assert histories[0].before_test == (1, 2, 3)
    assert unused.tolist() == [False] * 4 + [True, True]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 5)), max_size=60))
@settings(deadline=None)
def test_histories_against_a_plain_reading(rows: list[tuple[int, int, int]]) -> None:
    users, items, times = (np.array([row[part] for row in rows], dtype=int) for part in range(3))
    line = Timeline.of(users, items, times)
    histories, _ = last_two(line)
    assert [history.user for history in histories] == sorted({user for user, _, _ in rows})
    total = 0
    for history in histories:
        mine = sorted((row for row in rows if row[0] == history.user), key=lambda row: row[2])
        whole = tuple(dict.fromkeys(item for _, item, _ in mine))
        held_out = tuple(item for item in (history.valid, history.test) if item is not None)
        assert history.train + held_out == whole
        assert len(held_out) == min(2, len(whole) - 1)
        assert history.train
        assert not set(held_out) & set(history.train)
        total += len(whole)
    assert line.repeats.sum() == len(rows) - total


@given(
    st.lists(
        st.tuples(st.sampled_from(["x", "X", "y  z", "Y z", "v", "w"]), st.integers(0, 5), sides),
        min_size=1,
        max_size=25,
    ),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=30),
)
@settings(max_examples=60, deadline=None)
def test_no_test_example_and_no_test_query_is_in_train(
    pairs: list[tuple[str, int, Split]], given_split: bool, rows: list[tuple[int, int, int]]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "items.csv").write_text("item_id,title\n" + "".join(f"i{n},Title {n}\n" for n in range(6)))
        lines = [f"{query},i{item},{split}" if given_split else f"{query},i{item}" for query, item, split in pairs]
        (folder / "pairs.csv").write_text("\n".join(["query,item_id" + ",split" * given_split, *lines]))
        lines = [f"user {user},i{item},{time}" for user, item, time in rows]
        (folder / "interactions.csv").write_text("\n".join(["user_id,item_id,timestamp", *lines]))
        # An attribute that names the user lets the test follow one user through all sides.
        (folder / "users.csv").write_text("user_id,nick\n" + "".join(f"user {n},nick{n}\n" for n in range(4)))
        data = load(folder, cache=folder)
    seen = {
        split: {query_key(e.request.query) for e in found if e.request.query} for split, found in data.examples.items()
    }
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["valid"]
    assert not seen["valid"] & seen["test"]
    trained = {sequence.user: sequence.items for sequence in data.sequences}
    assert len(trained) == len(data.sequences) == len({user for user, _, _ in rows})
    for split in ("valid", "test"):
        for example in data.examples[split]:
            if example.request.history:
                assert example.item not in trained[example.request.user]
                assert example.item not in example.request.history
    for example in data.examples["valid"]:
        assert not example.request.history or example.request.history == trained[example.request.user]
