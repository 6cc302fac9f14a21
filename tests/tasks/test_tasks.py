"""Runs that classify and score, with the tiny model, on data whose right answers are known."""

from __future__ import annotations

import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpr.data.table import Table
from gpr.errors import DataError, RequestError, RunError
from gpr.learn.label_head import rows_in_time
from gpr.packing import export_run, import_run
from gpr.scorers.wording import Wording
from gpr.tasks.answer import check_task, classify, score
from gpr.tasks.classify import labelled_texts
from gpr.tasks.measure import task_figures, task_metrics
from gpr.workspace import Options, RunInfo, Workspace

pytestmark = pytest.mark.usefixtures("cache")
KINDS = {"fruit": ("apple", "pear", "plum"), "cars": ("wheel", "brake", "engine"), "rain": ("wet", "cloud", "storm")}
WORDS = ("old", "small", "nice", "loud", "grey", "tall", "fine", "slow")


def write_texts(folder: Path) -> Path:
    """72 texts of three labels, told apart by one word each, and one label with a single text."""
    rows = [
        f"a {first} thing with some {word} and {second} parts,{label}"
        for label, words in KINDS.items()
        for word in words
        for first, second in zip(WORDS, WORDS[3:] + WORDS[:3], strict=True)
    ]
    path = folder / "notes.csv"
    path.write_text("\n".join(["Remark,Class Name", *rows, "a text that stands alone,rare"]), encoding="utf-8")
    return path


def write_ratings(folder: Path) -> Path:
    """Sixteen users: all like the horror films and dislike the romances, in an order of their own."""
    rng = np.random.default_rng(0)
    titles = {f"h{n}": f"Horror night {n}" for n in range(6)} | {f"r{n}": f"Romance of the rose {n}" for n in range(6)}
    path = folder / "rated"
    path.mkdir()
    items = "\n".join(f"{number},{title}" for number, title in titles.items())
    (path / "items.csv").write_text(f"item_id,title\n{items}\n")
    rows, clock = [], 0
    for user in range(16):
        for item in rng.permutation(list(titles)):
            clock += 1
            rows.append(f"u{user},{item},{5 if item.startswith('h') else 1},{clock}")
    (path / "interactions.csv").write_text("user_id,item_id,rating,timestamp\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


def train(workspace: Workspace, data: Path, name: str = "t", **options: Any) -> RunInfo:
    chosen = Options(**{"epochs": 1, "base": workspace.base, **options})
    return workspace.train(str(data), workspace.new_run_folder(name), chosen, lambda: False)


def test_classify_learns_labels_and_answers_after_a_restart(workspace: Workspace, tmp_path: Path) -> None:
    info = train(workspace, write_texts(tmp_path), task="classify")
    assert info.status == "done"
    assert info.task == "classify"
    assert info.data.endswith("notes.csv")
    assert (info.folder / "adapter" / "head.safetensors").is_file()
    again = Workspace(workspace.root, workspace.base)  # reads head and adapter from the disk
    recommender = again.recommender("t")
    labels = classify(recommender, "a tall thing with some plum", 5)
    assert labels[0].label == "fruit"
    assert len(labels) == 3, "the rare label is left out"
    assert sum(label.probability for label in labels) == pytest.approx(1, abs=1e-4)
    figures = task_figures(recommender, recommender.dataset, "classify")
    assert figures["test"]["accuracy"] > 0.8 > figures["test"]["majority"]
    assert figures["test"]["n"] == 18
    assert {"test: head alone", "test: wording alone"} <= set(figures)
    dataset = recommender.dataset
    asked, items = zip(*((one.request, one.item) for one in dataset.examples["valid"]), strict=True)
    unaware = (Wording(dataset).score_all(asked).argmax(1) == np.array(items)).mean()
    assert figures["valid: wording alone"]["accuracy"] == pytest.approx(unaware)


def test_score_learns_from_ratings(workspace: Workspace, tmp_path: Path) -> None:
    data = write_ratings(tmp_path)
    info = train(workspace, data, task="score")
    recommender, catalogue = workspace.recommender("t"), workspace.dataset(str(data)).catalogue
    good = score(recommender, catalogue, "h3", liked=["h1", "h2"], disliked=["r1"])
    bad = score(recommender, catalogue, "Romance of the rose 3", liked=["h1", "h2"], disliked=["r1"])
    assert good.probability > 0.5 > bad.probability
    assert bad.item_id == "r3"
    assert info.metrics["AUC"] > 0.9
    assert 0 <= info.metrics["accuracy"] <= 1
    with pytest.raises(RequestError, match="The request is empty"):
        score(recommender, catalogue, "h3")
    with pytest.raises(RequestError, match="There is no item 'h9'"):
        score(recommender, catalogue, "h9", "anything")
    with pytest.raises(RunError, match="scores; it does not classify"):
        check_task(info, "classify")


def test_labels_of_queries_are_scored_too(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "judged"
    path.mkdir()
    (path / "items.csv").write_text("item_id,title\na,A red lamp\nb,A blue sofa\n")
    rows = [f"{word} {n},{item},{int(word == kind)}" for n in range(9) for kind, item in (("light", "a"), ("seat", "b"))
            for word in ("light", "seat")]  # fmt: skip
    (path / "pairs.csv").write_text("query,item_id,label\n" + "\n".join(rows) + "\n")
    info = train(workspace, path, task="score")
    found = workspace.dataset(info.learned_from)
    assert set(found.catalogue.titles) == {"good", "bad"}
    texts = {example.request.query: found.catalogue.titles[example.item] for example in found.examples["train"]}
    assert {label for text, label in texts.items() if "light" in text and "lamp" in text} == {"good"}
    assert {label for text, label in texts.items() if "seat" in text and "lamp" in text} == {"bad"}


def test_several_columns_are_one_text() -> None:
    columns = {"Title": ["Warm", "", "Cold"], "Body, long": ["a coat", "a hat", " "], "Kind": ["x", "y", "x"]}
    table = Table("t", pd.DataFrame(columns, dtype=str), 3)
    found = labelled_texts([table], "Title, Kind", "Body, long", 0, "t")
    assert [one.text for one in found] == ["Warm. x", "y", "Cold. x"]
    assert [one.text for one in labelled_texts([table], "Body, long", "Kind", 0, "t")] == ["a coat", "a hat", ""]
    with pytest.raises(DataError, match="No table has a column of 'Title, Nothing' and 'Kind'"):
        labelled_texts([table], "Title, Nothing", "Kind", 0, "t")


def test_what_cannot_be_learned_is_said(workspace: Workspace, tmp_path: Path, films_folder: Path) -> None:
    texts = write_texts(tmp_path)
    with pytest.raises(DataError, match="No table has a column of 'Nothing' and 'Class Name'.*Remark, Class Name"):
        train(workspace, texts, task="classify", text="Nothing", label="Class Name")
    with pytest.raises(DataError, match="Nothing here says which items were good"):
        train(workspace, films_folder, "s", task="score")
    with pytest.raises(RunError, match="belong to the task 'classify'"):
        Options(task="score", text="Remark")
    with pytest.raises(RunError, match="'guess' is not known as task"):
        Options(task="guess")


def test_a_run_that_classifies_is_passed_on_with_its_labels_and_without_its_texts(
    workspace: Workspace, tmp_path: Path
) -> None:
    packed = export_run(train(workspace, write_texts(tmp_path), task="classify"), tmp_path / "t.zip")
    with zipfile.ZipFile(packed) as archive:
        assert json.loads(archive.read("labels.json")) == {"label-1": "cars", "label-2": "fruit", "label-3": "rain"}
        assert b"put a text under one of some labels" in archive.read("README.md")
        assert not any(b"a thing" in archive.read(name) for name in archive.namelist())
    elsewhere = Workspace(tmp_path / "elsewhere", workspace.base)
    (tmp_path / "notes.csv").unlink()
    import_run(packed, elsewhere.new_run_folder)
    labels = classify(elsewhere.recommender("t"), "a tall thing with some plum", 3)
    assert {label.label for label in labels} == {"cars", "fruit", "rain"}
    with zipfile.ZipFile(packed, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("labels.json", json.dumps({"a": 1}))
    with pytest.raises(DataError, match="This is not an exported run"):
        import_run(packed, elsewhere.new_run_folder, "u")


def test_the_head_reads_what_the_time_allows() -> None:
    assert rows_in_time(100, 0.5, float("inf")) == 100
    assert rows_in_time(100, 0.5, 50.0) == 40
    assert rows_in_time(100, 0.5, 1_000.0) == 100
    assert rows_in_time(100, 0.5, -1.0) == 1


def test_the_figures_of_a_task_by_hand() -> None:
    log_probs = np.log(np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]]))
    found = task_metrics(log_probs, np.array([0, 0, 1, 1]), ("bad", "good"), "score")
    assert found["AUC"] == pytest.approx(3 / 4)
    assert found["accuracy"] == 0.5
    assert found["majority"] == 0.5
    assert found["log-loss"] == pytest.approx(-np.log([0.9, 0.4, 0.3, 0.8]).mean())
    alone = task_metrics(log_probs[:2], np.array([0, 0]), ("bad", "good"), "score")
    assert np.isnan(alone["AUC"])
    assert task_metrics(log_probs[:0], np.array([], int), ("a", "b"), "classify") == {}
