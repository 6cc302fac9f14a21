"""Layouts of well-known data sets need no mapping: small copies of each, and what becomes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpr.data.dataset import Dataset, Example, Request
from gpr.data.load import load
from gpr.errors import DataError


def data_of(folder: Path, **files: str) -> Dataset:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="latin-1")
    return load(folder, cache=folder)


def test_movielens_100k_raw(tmp_path: Path) -> None:
    flags = {"1": [3], "2": [1, 16]}
    genres = {key: "|".join("1" if place in on else "0" for place in range(19)) for key, on in flags.items()}
    data = data_of(
        tmp_path,
        u__item=f"1|Net, The (1995)|01-Jan-1995||http://x|{genres['1']}\n2|Café (1990)|x||y|{genres['2']}\n",
        u__data="7\t2\t5\t880\n7\t1\t3\t881\n8\t1\t1\t5\n",
        u__user="7|24|M|writer|85711\n8|53|F|nurse|94043\n",
        u__genre="unknown|0\n",
        u1__base="1\t1\t5\t8\n",
    )
    assert data.catalogue.titles == ("The Net (1995)", "Café (1990)")
    assert [data.catalogue.details(number) for number in (0, 1)] == [
        {"category": "Animation"},
        {"category": "Action, Thriller"},
    ]
    assert data.examples["test"] == (Example(Request("", (1,), "age 24, gender M, writer, zip code 85711"), 0),)


def test_movielens_1m_and_csv(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    old = data_of(
        tmp_path / "a",
        movies__dat="1::Toy Story (1995)::Animation|Children's\n2::Heat (1995)::Crime\n",
        ratings__dat="1::1::5::10\n1::2::4::11\n",
        users__dat="1::F::1::10::48067\n",
    )
    new = data_of(
        tmp_path / "b",
        movies__csv="movieId,title,genres\n1,Toy Story (1995),Animation|Children's\n2,Heat (1995),Crime\n",
        ratings__csv="userId,movieId,rating,timestamp\n1,1,5.0,10\n1,2,4.0,11\n",
        links__csv="movieId,imdbId\n1,2\n",
        tags__csv="userId,movieId,tag,timestamp\n1,1,fun,3\n",
    )
    assert old.catalogue.titles == new.catalogue.titles == ("Toy Story (1995)", "Heat (1995)")
    assert old.catalogue.details(0)["category"] == new.catalogue.details(0)["category"] == "Animation, Children's"
    assert old.examples["test"][0].item == new.examples["test"][0].item == 1


def test_amazon_reviews_of_2018(tmp_path: Path) -> None:
    review = {
        "overall": 5.0,
        "reviewerID": "A",
        "asin": "B1",
        "reviewText": "good",
        "summary": "Five",
        "unixReviewTime": 9,
    }
    meta = [{"asin": asin, "title": f"Thing {asin}", "description": ["A <b>thing</b>"]} for asin in ("B1", "B2")]
    data = data_of(
        tmp_path,
        Software__json="".join(
            json.dumps(row) + "\n" for row in (review, {**review, "asin": "B2", "unixReviewTime": 8})
        ),
        meta_Software__json="".join(json.dumps(row) + "\n" for row in meta),
    )
    assert data.catalogue.titles == ("Thing B1", "Thing B2")
    assert data.catalogue.details(0) == {"description": "A thing"}
    assert data.examples["test"] == (Example(Request("", (1,)), 0),)


def test_amazon_reviews_of_2023(tmp_path: Path) -> None:
    review = {
        "rating": 5.0,
        "title": "Wow",
        "text": "It is",
        "asin": "V",
        "parent_asin": "B1",
        "user_id": "A",
        "timestamp": 9,
    }
    meta = [{"main_category": "Toys", "title": f"Thing {asin}", "parent_asin": asin} for asin in ("B1", "B2")]
    data = data_of(
        tmp_path,
        Toys__jsonl="".join(
            json.dumps(row) + "\n" for row in (review, {**review, "parent_asin": "B2", "timestamp": 8})
        ),
        meta_Toys__jsonl="".join(json.dumps(row) + "\n" for row in meta),
    )
    assert data.catalogue.titles == ("Thing B1", "Thing B2")
    assert data.mapping["Toys.jsonl"]["title"] == "ignore"
    assert data.reasons["Toys.jsonl"]["title"] == "the title of the review, not of the item"
    assert data.examples["test"] == (Example(Request("", (1,)), 0),)


def test_reviews_without_the_names_of_items(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    review = {"rating": 5.0, "title": "Wow", "text": "It is", "parent_asin": "B1", "user_id": "A", "timestamp": 9}
    path.write_text(json.dumps(review) + "\n")
    with pytest.raises(DataError, match="do not name the items. Add the file that does"):
        load(path, cache=tmp_path)


def test_reviews_with_classes(tmp_path: Path) -> None:
    path = tmp_path / "clothing.csv"
    kinds = ("Dresses", "Knits", "Pants")
    rows = [f"{n},{30 + n},Love it {n},Nice {kinds[n % 3]} {n},5,{kinds[n % 3]}\n" for n in range(30)]
    path.write_text("Clothing ID,Age,Title,Review Text,Rating,Class Name\n" + "".join(rows))
    data = load(path, cache=tmp_path)
    assert data.catalogue.titles == kinds
    roles = data.mapping["clothing.csv"]
    assert (roles["Review Text"], roles["Title"], roles["Clothing ID"]) == ("query", "ignore", "ignore")
    assert sum(map(len, data.examples.values())) == 30


def test_recbole_atomic_files(tmp_path: Path) -> None:
    for name, text in {
        "ml.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t1\t5\t10\n1\t2\t4\t11\n",
        "ml.item": 'item_id:token\tmovie_title:token_seq\tclass:token_seq\n1\tAlien "Cut"\tHorror\n2\tBig\tComedy\n',
        "ml.user": "user_id:token\tage:token\n1\t24\n",
    }.items():
        (tmp_path / name).write_text(text)
    data = load(tmp_path, cache=tmp_path)
    assert data.catalogue.titles == ('Alien "Cut"', "Big")
    assert data.examples["test"] == (Example(Request("", (0,), "age 24"), 1),)


def test_train_val_test_files(tmp_path: Path) -> None:
    data = data_of(
        tmp_path,
        train__csv="query,title\nspace,Alien\nchild,Big\nmonster,Alien\n",
        val__csv="query,title\nyoung,Big\n",
        test__csv="query,title\nscary,Alien\n",
    )
    assert {split: len(part) for split, part in data.examples.items()} == {"train": 3, "valid": 1, "test": 1}
    assert data.examples["test"][0].request.query == "scary"


CHAT = {"messages": [{"role": "user", "content": "space"}, {"role": "assistant", "content": "Alien"}]}


@pytest.mark.parametrize(
    "rows",
    [
        [{"prompt": "space", "completion": "Alien"}, {"prompt": "child", "completion": "Big"}],
        [{"instruction": "space", "input": "", "output": "Alien"}, {"instruction": "child", "output": "Big"}],
        [CHAT, {"messages": [{"role": "user", "content": "child"}, {"role": "assistant", "content": "Big"}]}],
        [
            {"id": "1", "fields": {"text": "space"}, "responses": {"film": [{"value": "Alien", "user_id": "x"}]}},
            {"id": "2", "fields": {"text": "child"}, "responses": {}, "suggestions": {"film": {"value": "Big"}}},
        ],
        [
            {"id": 1, "data": {"text": "space"}, "annotations": [{"result": [{"value": {"choices": ["Alien"]}}]}]},
            {
                "id": 2,
                "data": {"text": "child"},
                "annotations": [
                    {"was_cancelled": True, "result": [{"value": {"choices": ["Alien"]}}]},
                    {"was_cancelled": False, "result": [{"value": {"choices": ["Big"]}}]},
                ],
            },
        ],
    ],
    ids=["completion", "instruction", "chat", "argilla", "label studio"],
)
def test_texts_with_answers(tmp_path: Path, rows: list[object]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = load(path, cache=tmp_path)
    found = {
        (example.request.query, data.catalogue.titles[example.item])
        for part in data.examples.values()
        for example in part
    }
    assert found == {("space", "Alien"), ("child", "Big")}


def test_an_annotated_pair_is_good_or_bad(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    verdicts = [("space", "Alien", "good"), ("space", "Big", "bad"), ("child", "Big", "good")]
    rows = [
        {"id": place, "fields": {"query": query, "item": item}, "responses": {"verdict": [{"value": verdict}]}}
        for place, (query, item, verdict) in enumerate(verdicts)
    ]
    path.write_text(json.dumps(rows))
    data = load(path, cache=tmp_path)
    assert sum(map(len, data.examples.values())) == 2
    assert {note.code: note.count for note in data.findings}["labelled-bad"] == 1
