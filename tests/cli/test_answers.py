"""`gpr recommend` and `gpr evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run, answer, refused
from tests.small_data import ITEMS

METRICS = {"R@1", "R@5", "R@10", "NDCG@10", "MRR"}

pytestmark = pytest.mark.usefixtures("cache")


def test_recommend_with_a_run(with_run: Run) -> None:
    found = answer(with_run("recommend", "marines in space", "--run", "films", "-k", 3, "--json"))
    assert [item["rank"] for item in found] == [1, 2, 3]
    assert all(set(item) == {"rank", "item_id", "title", "probability", "log_prob"} for item in found)
    whole = answer(with_run("recommend", "marines in space", "--run", "films", "--json"))
    assert whole[:3] == found
    assert sum(item["probability"] for item in whole) == pytest.approx(1, abs=1e-5)
    shown = with_run("recommend", "marines in space", "--run", "films", "-k", 3)
    assert all(item["title"] in shown.stdout for item in found)
    assert "films · run films" in shown.stdout


def test_recommend_with_reasons(with_run: Run) -> None:
    words = ("recommend", "monster in space", "--run", "films", "-k", 2, "--why")
    first, _ = answer(with_run(*words, "--json"))
    assert [one["without"] for one in first["why"]["counterfactuals"]] == ["monster", "in space"]
    shown = with_run(*words).stdout
    assert f"Why {first['title']}" in shown
    assert "without 'monster'" in shown


def test_recommend_with_a_history(with_run: Run) -> None:
    words = ("recommend", "--run", "films", "--json", "--history")
    found = answer(with_run(*words, "m1", "--history", "m11"))
    assert len(found) == 8
    assert not {"m1", "m3"} & {item["item_id"] for item in found}  # m11 is another name of m3
    assert answer(with_run(*words, "The Matrix", "--history", "m3")) == found


def test_recommend_zero_shot(gpr: Run, films_folder: Path, tiny_base_folder: Path) -> None:
    found = answer(gpr("recommend", "dreams", "--data", films_folder, "--base", tiny_base_folder, "--json"))
    assert len(found) == 10
    assert sum(item["probability"] for item in found) == pytest.approx(1, abs=1e-5)


def test_recommend_from_another_catalogue(with_run: Run, tmp_path: Path) -> None:
    (tmp_path / "books.csv").write_text("item_id,title\nb1,Dracula\nb2,Emma\n")
    found = answer(with_run("recommend", "monster", "--run", "films", "--data", tmp_path / "books.csv", "--json"))
    assert sorted(item["item_id"] for item in found) == ["b1", "b2"]


def test_more_than_there_is(with_run: Run) -> None:
    result = with_run("recommend", "marines", "--run", "films", "-k", 1000, "--json")
    assert len(answer(result)) == 10
    assert "The catalogue has 10 items to recommend; 1,000 were asked for." in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["", "--run", "films"], "The request is empty. Type a query"),
        (["  ", "--run", "films"], "The request is empty"),
        (["x" * 10_000, "--run", "films"], "The query is 10,000 characters long; the limit is 2,000. Shorten it."),
        (["--run", "films", "--history", "m33"], "There is no item 'm33' in this catalogue. Did you mean m3"),
        (["q", "--run", "film"], "There is no run named 'film'. Runs here: films."),
        (["q", "--run", "film", "--data", "funds"], "There is no run named 'film'"),
        (["q", "--data", "fonds"], "Did you mean funds?"),
        (["q", "--data", "funds", "--base", "/no/model"], "/no/model: There is no such folder"),
    ],
)
def test_recommend_refusals(with_run: Run, words: list[str], message: str) -> None:
    refused(with_run("recommend", *words), message)
    refused(with_run("recommend", *words, "--json"), message)


def test_an_unfinished_run_is_refused(gpr: Run, films_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ws" / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"data": str(films_folder)}))
    refused(gpr("recommend", "q", "--run", "a"), "The run 'a' was interrupted")
    refused(gpr("evaluate", films_folder, "--run", "a"), "The run 'a' was interrupted")


@pytest.mark.parametrize("query", ["[red]dream[/red]", "梦 🎬", "'; drop table items", "-5 degrees"])
def test_a_query_is_only_words(with_run: Run, query: str) -> None:
    result = with_run("recommend", "--run", "films", "-k", 1, "--json", "--", query)
    assert len(answer(result)) == 1


def test_evaluate(with_run: Run, films_folder: Path) -> None:
    table = answer(with_run("evaluate", films_folder, "--run", "films", "--json"))
    assert (table["data"], table["split"], table["n"]) == ("films", "test", 7)
    assert {"gpr", "generate", "match", "base", "popular", "bm25"} <= set(table["metrics"])
    assert all(set(row) == METRICS for row in table["metrics"].values())
    shown = with_run("evaluate", films_folder, "--run", "films")
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in (*table["metrics"], *METRICS, "log-loss", "ECE", "coverage"))
    assert "details" not in table


def test_evaluate_another_base_model(gpr: Run, films_folder: Path, tiny_base_folder: Path) -> None:
    metrics = answer(gpr("evaluate", films_folder, "--base", tiny_base_folder, "--json"))["metrics"]
    assert metrics["gpr"] == metrics["base"]


def test_evaluate_refusals(with_run: Run, films_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(ITEMS, encoding="utf-8")
    refused(with_run("evaluate", films_folder, "--run", "film"), "There is no run named 'film'")
    refused(with_run("evaluate", tmp_path / "items.csv", "--run", "films"), "the test split is empty")


def test_folds_want_no_run(gpr: Run, films_folder: Path, tiny_base_folder: Path) -> None:
    result = gpr("evaluate", films_folder, "--run", "films", "--folds", 2)
    assert result.exit_code == 2
    assert "--folds trains its own runs" in result.stderr
    refused(gpr("evaluate", films_folder, "--folds", 1, "--base", tiny_base_folder), "1 folds cannot be made")
    refused(gpr("evaluate", films_folder, "--folds", 9, "--base", tiny_base_folder), "9 folds need 18 queries or more")
