"""The bundled samples keep what their descriptions promise."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"
LEAST = {"movies": (240, 900), "courses-zh": (60, 200), "news": (60, 150), "funds": (40, 120)}
ASKING = {"movie", "movies", "film", "films", "like", "one", "something", "want", "looking"}


def rows(sample: str, file: str) -> list[dict[str, str]]:
    with (SAMPLES / sample / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def content_words(query: str) -> set[str]:
    words = re.findall(r"[a-z0-9]+", query.lower().replace("'", ""))
    return {word for word in words if word not in ENGLISH_STOP_WORDS | ASKING and len(word) > 1}


@pytest.mark.parametrize("sample", LEAST)
def test_sizes_and_splits(sample: str) -> None:
    items, pairs = rows(sample, "items.csv"), rows(sample, "pairs.csv")
    assert len(items) >= LEAST[sample][0]
    assert len(pairs) >= LEAST[sample][1]
    assert {pair["split"] for pair in pairs} == {"train", "valid", "test"}
    assert {pair["item_id"] for pair in pairs} <= {item["item_id"] for item in items}
    assert len({pair["query"].casefold() for pair in pairs}) == len(pairs)


def test_a_fifth_of_the_films_is_cold() -> None:
    splits = defaultdict(set)
    for pair in rows("movies", "pairs.csv"):
        splits[pair["item_id"]].add(pair["split"])
    assert sum(found == {"test"} for found in splits.values()) >= len(splits) // 5
    assert sum(pair["split"] == "test" for pair in rows("movies", "pairs.csv")) >= 220


def test_a_test_query_shares_less_than_half_of_its_content_words_with_training() -> None:
    training = defaultdict(list)
    pairs = rows("movies", "pairs.csv")
    for pair in pairs:
        if pair["split"] == "train":
            training[pair["item_id"]].append(content_words(pair["query"]))
    faults = []
    for pair in pairs:
        words = content_words(pair["query"])
        shared = max((len(words & other) for other in training[pair["item_id"]]), default=0)
        if pair["split"] == "test" and shared and shared >= 0.5 * len(words):
            faults.append(pair["query"])
    assert faults == []


def test_the_chinese_course_is_asked_for_by_its_name() -> None:
    assert "自然语言处理" in {pair["query"] for pair in rows("courses-zh", "pairs.csv")}


def test_funds_say_that_they_are_invented() -> None:
    assert all("Invented fund" in item["description"] for item in rows("funds", "items.csv"))
