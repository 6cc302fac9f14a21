"""What answers requests, on the tiny model that was really trained: loaded once, exact, and refusing in words."""

from __future__ import annotations

import gc
import math
import shutil
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from gpr.data.dataset import Dataset, Request
from gpr.errors import DataError, ModelError, RequestError, RunError
from gpr.learn.run_folder import RunFolder
from gpr.lm.base import Base
from gpr.recommender import Recommender, load_recommender
from gpr.scorers.words import Words
from gpr.workspace import Workspace

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def workspace(tmp_path: Path, tiny_base_folder: Path) -> Workspace:
    return Workspace(tmp_path / "ws", str(tiny_base_folder))


@pytest.fixture(scope="session")
def recommender(trained: Workspace, cache_root: Path) -> Recommender:
    """The trained run on its own data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPR_CACHE", str(cache_root))
        return trained.recommender("films")


def test_what_learns_at_once_knows_the_validation_queries_in_the_end(recommender: Recommender, films: Dataset) -> None:
    asked = Request("worms in the sand")
    dune = films.catalogue.numbers["m10"]
    known, unaware = (
        one.score_all([asked])[0, dune]
        for one in (recommender.ensemble.others["words"], Words(films, with_queries=True))
    )
    assert known > unaware


def test_the_answer_to_a_query(recommender: Recommender, films: Dataset) -> None:
    found = recommender.recommend(Request("marines in space"), 4)
    assert [item.rank for item in found] == [1, 2, 3, 4]
    assert [item.log_prob for item in found] == sorted((item.log_prob for item in found), reverse=True)
    for item in found:
        assert (item.item_id, item.title) == (
            films.catalogue.item_ids[item.number],
            films.catalogue.titles[item.number],
        )
        assert math.log(item.probability) == pytest.approx(item.log_prob)
        assert {"generate", "match", "words"} <= set(item.scores) == set(item.shares)


@pytest.mark.parametrize(
    "request_", [Request("marines"), Request("梦"), Request("", (2, 3)), Request("dream", (0,)), Request("🎬?!")]
)
def test_probabilities_sum_to_one_over_what_can_be_recommended(recommender: Recommender, request_: Request) -> None:
    found = recommender.recommend(request_, 10**6)
    assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)
    assert {item.number for item in found} == set(range(10)) - set(request_.history)
    best = recommender.recommend(request_, 3)
    assert [item.number for item in best] == [item.number for item in found[:3]]
    assert [item.probability for item in best] == pytest.approx([item.probability for item in found[:3]])


@pytest.mark.parametrize(
    ("request_", "k", "message"),
    [
        (Request(), 5, "The request is empty. Type a query"),
        (Request("  \n"), 5, "The request is empty"),
        (Request("x" * 10_000), 5, "The query is 10,000 characters long; the limit is 2,000. Shorten it."),
        (Request("a", (99,)), 5, "Item number 99 is not in this catalogue of 10 items"),
        (Request("a"), 0, "0 recommendations cannot be given. Ask for 1 or more."),
        (Request("", tuple(range(10))), 5, "The history holds the whole catalogue"),
    ],
)
def test_requests_that_cannot_be_answered(recommender: Recommender, request_: Request, k: int, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        recommender.recommend(request_, k)


def test_a_recommender_is_loaded_once(trained: Workspace, films_folder: Path) -> None:
    fresh, told = Workspace(trained.root, trained.base), []
    first = fresh.recommender("films", tell=lambda share, words: told.append(words))
    assert (told[0], first.title, fresh.loading()) == ("Loading the model…", "films · run films", "")
    told.clear()
    assert fresh.recommender("films", tell=lambda share, words: told.append(words)) is first
    assert told == []
    assert fresh.recommender(data=films_folder).title == "films · base model, not fine-tuned"


def test_models_that_were_not_asked_for_lately_are_let_go(workspace: Workspace, tmp_path: Path) -> None:
    def load(name: str) -> tuple[weakref.ref[Recommender], list[str]]:
        told: list[str] = []
        file = tmp_path / f"{name}.csv"
        if not file.exists():
            file.write_text(f"item_id,title\n1,Dune {name}\n2,Emma {name}\n", encoding="utf-8")
        return weakref.ref(workspace.recommender(data=file, tell=lambda share, words: told.append(words))), told

    first, _ = load("a")
    second, _ = load("b")
    assert load("a")[1] == [], "still there"
    load("c")
    gc.collect()
    assert first() is not None
    assert second() is None
    assert load("b")[1] != [], "loaded again"


def test_a_recommender_that_cannot_be_loaded_leaves_nothing_behind(workspace: Workspace, films_folder: Path) -> None:
    workspace.base = str(workspace.root / "no-model")
    with pytest.raises(ModelError, match="There is no such folder"):
        workspace.recommender(data=films_folder)
    assert workspace.loading() == ""


def test_the_base_model_stays_what_it_was_beside_a_run(trained: Workspace, films_folder: Path, films: Dataset) -> None:
    fresh = Workspace(trained.root, trained.base)
    before = fresh.recommender(data=films_folder).recommend(Request("marines"), 10)
    tuned = fresh.recommender("films").recommend(Request("marines"), 10)
    assert fresh.recommender(data=films_folder).recommend(Request("marines"), 10) == before
    assert [item.log_prob for item in tuned] != pytest.approx([item.log_prob for item in before], abs=0.01)


def test_a_loaded_run_answers_as_it_did_before(trained: Workspace, recommender: Recommender) -> None:
    again = Workspace(trained.root).recommender("films").recommend(Request("marines"), 10)
    first = recommender.recommend(Request("marines"), 10)
    assert [item.number for item in again] == [item.number for item in first]
    assert [item.probability for item in again] == pytest.approx([item.probability for item in first], abs=1e-4)


def test_a_run_answers_on_another_catalogue(trained: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "books.csv"
    other.write_text("item_id,title\nb1,Dracula\nb2,Frankenstein\nb3,Emma\n", encoding="utf-8")
    found = trained.recommender("films", other).recommend(Request("monster"), 10)
    assert sorted(item.item_id for item in found) == ["b1", "b2", "b3"]
    assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)


def test_many_may_ask_at_once(recommender: Recommender) -> None:
    expected = recommender.recommend(Request("marines"), 5)
    found: list[list[Any]] = []
    threads = [
        threading.Thread(target=lambda: found.append(recommender.recommend(Request("marines"), 5))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_an_unfinished_run_answers_nothing(workspace: Workspace, films_folder: Path) -> None:
    folder = workspace.new_run_folder("a")
    folder.write("config.json", {"data": str(films_folder)})
    folder.write("state.json", {})
    with pytest.raises(RunError, match="The run 'a' was interrupted. Train it to the end"):
        workspace.recommender("a")


def test_a_run_whose_data_or_adapter_is_gone(trained: Workspace, tmp_path: Path) -> None:
    copy = Workspace(Path(shutil.copytree(trained.root, tmp_path / "ws")), trained.base)
    folder = RunFolder(copy.run("films").folder)
    folder.write("config.json", {**folder.read("config.json"), "data": str(tmp_path / "gone")})
    with pytest.raises(DataError, match="is no sample, folder or file"):
        copy.recommender("films")
    shutil.rmtree(folder.adapter)
    with pytest.raises(ModelError, match="The adapter cannot be used"):
        copy.recommender("films", "funds")


@pytest.mark.model
def test_the_default_model_answers_without_training(films: Dataset, base_model: Base) -> None:
    zero_shot = load_recommender(films, base_model, None, "", lambda share, words: None)
    for request in (Request("a film about dreams"), Request("", (2, 3))):
        found = zero_shot.recommend(request, 10)
        assert sum(item.probability for item in found) == pytest.approx(1, abs=1e-5)
        assert len({item.item_id for item in found}) == 10 - len(request.history)
