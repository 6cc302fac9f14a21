"""Many requests at once: files in and out, going on, several processes, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from gpr.batch import COLUMNS, Batch, read_requests
from gpr.data.dataset import Dataset, Request
from gpr.data.load import load
from gpr.errors import DataError, RequestError
from gpr.recommendation import Recommendation
from tests.ui.fake import write_data


class Counting:
    """Recommends the items in their order, and counts what it was asked."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.title, self.asked = dataset, "counting", list[str]()

    def recommend(self, request: Request, k: int = 10) -> list[Recommendation]:
        self.asked.append(request.query)
        catalogue = self.dataset.catalogue
        numbers = [number for number in range(len(catalogue)) if number not in request.history][:k]
        return [
            Recommendation(rank, number, catalogue.item_ids[number], catalogue.titles[number], 1 / (rank + 1), -1.0, {})
            for rank, number in enumerate(numbers, 1)
        ]


@pytest.fixture
def recommender(tmp_path: Path) -> Counting:
    return Counting(load(str(write_data(tmp_path / "tiny")), cache=tmp_path / "cache"))


def requests(count: int) -> list[Request]:
    return [Request(f"query {number}") for number in range(1, count + 1)]


def finished(batch: Batch) -> bool:
    list(batch.run(batch.left()))
    return batch.finish()


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_one_row_for_each_recommendation(recommender: Counting, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"out{kind}"
    assert finished(Batch(recommender, requests(3), out, 2))
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet, ".jsonl": lambda path: pd.read_json(path, lines=True)}
    table = read[kind](out)
    assert tuple(table.columns) == COLUMNS
    assert table["request"].tolist() == [1, 1, 2, 2, 3, 3]
    assert table["rank"].tolist() == [1, 2] * 3
    assert table.iloc[2].to_dict() == {
        "request": 2, "query": "query 2", "rank": 1, "item_id": "m1", "title": "The Matrix", "probability": 0.5,
    }  # fmt: skip
    assert [path.name for path in tmp_path.glob("out*")] == [out.name]


def test_a_spreadsheet_computes_nothing_of_it(recommender: Counting, tmp_path: Path) -> None:
    assert finished(Batch(recommender, [Request("=1+1"), Request("-5")], tmp_path / "out.csv", 1))
    assert pd.read_csv(tmp_path / "out.csv", dtype=str)["query"].tolist() == ["'=1+1", "-5"]


def test_broken_off_it_goes_on_where_it_ended(recommender: Counting, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    first = Batch(recommender, requests(5), out, 2)
    list(first.run(first.left(), stop=lambda: len(recommender.asked) == 2))
    assert not first.finish()
    assert not out.exists()
    [part] = first.folder.iterdir()
    with part.open("a", encoding="utf-8") as torn:
        torn.write('{"request": 3, "ro')
    recommender.asked.clear()
    assert finished(Batch(recommender, requests(5), out, 2))
    assert recommender.asked == ["query 3", "query 4", "query 5"]
    assert pd.read_csv(out)["request"].tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_what_was_asked_otherwise_does_not_count(recommender: Counting, tmp_path: Path) -> None:
    first = Batch(recommender, requests(3), tmp_path / "out.csv", 2)
    list(first.run(first.left()))
    assert Batch(recommender, requests(3), tmp_path / "out.csv", 4).left() == [1, 2, 3]
    assert Batch(recommender, requests(4), tmp_path / "out.csv", 2).left() == [1, 2, 3, 4]


def test_each_process_takes_its_part(recommender: Counting, tmp_path: Path) -> None:
    both = [Batch(recommender, requests(5), tmp_path / "out.csv", 1, rank=rank, world=2) for rank in (0, 1)]
    parts = [batch.left() for batch in both]
    assert parts == [[1, 3, 5], [2, 4]]
    list(both[0].run(parts[0]))
    assert not both[0].finish()
    list(both[1].run(parts[1]))
    assert both[0].finish()
    assert pd.read_csv(tmp_path / "out.csv")["request"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("in.csv", 'query,history\ndream,\n,m1|m3\nship,"[""m2""]"\n'),
        ("in.jsonl", '{"query": "dream"}\n{"history": ["m1", "m3"]}\n{"query": "ship", "history": ["m2"]}\n'),
    ],
)
def test_queries_and_histories_are_read(recommender: Counting, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = read_requests(tmp_path / name, recommender.dataset)
    assert found == [Request("dream"), Request("", (0, 2)), Request("ship", (1,))]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"query": "good"}, {"query": " "}], "in.jsonl, row 2: The request is empty."),
        ([{"query": "a", "history": ["m1", "m99"]}], "in.jsonl, row 1: There is no item 'm99' in this catalogue."),
    ],
)
def test_a_row_that_cannot_be_answered_is_named_before_anything_is_asked(
    recommender: Counting, tmp_path: Path, rows: list[dict[str, object]], words: str
) -> None:
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    with pytest.raises(RequestError) as error:
        read_requests(tmp_path / "in.jsonl", recommender.dataset)
    assert words in str(error.value)


def test_other_files_are_refused(recommender: Counting, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("name\nx\n", encoding="utf-8")
    with pytest.raises(DataError, match="The file holds no requests."):
        read_requests(tmp_path / "in.csv", recommender.dataset)
    with pytest.raises(DataError, match=r"'out.xlsx' has no known ending."):
        Batch(recommender, requests(1), tmp_path / "out.xlsx", 1)
