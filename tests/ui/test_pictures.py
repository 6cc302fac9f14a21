"""The pictures of a data set: what is counted, and what is marked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from gpr.data.choices import Choices
from gpr.data.load import load
from gpr.errors import ModelError
from gpr.lm.prompts import MAX_ITEM_TOKENS
from gpr.ui.background import Background, Task
from gpr.ui.context import Active
from gpr.ui.data.pictures import available, token_lengths
from gpr.ui.data.tab import DataTab

ROWS = [("u", film, film % 5 + 1, f"2024-0{film + 1}-01") for film in range(8)] + [("v", 0, 5, "2024-01-09")]


def test_pictures_count_what_is_there(tmp_path: Path) -> None:
    lines = "".join(f"{user},Film {film},{stars},{when}\n" for user, film, stars, when in ROWS)
    (tmp_path / "log.csv").write_text("user_id,title,rating,timestamp\n" + lines)
    data = load(tmp_path / "log.csv", cache=tmp_path)
    shown = available(data)
    assert list(shown) == ["Popularity", "History lengths", "Over time", "Ratings"]
    assert list(shown["Popularity"].data[0].y) == [2, 1, 1, 1, 1, 1, 1, 1]
    assert (shown["Popularity"].layout.xaxis.type, shown["Popularity"].layout.yaxis.type) == ("log", "log")
    assert list(shown["Ratings"].data[0].y) == [2, 2, 2, 1, 2]
    assert sum(shown["Over time"].data[0].y) == len(ROWS)
    tokens = token_lengths([3, 4, 4, 9], 9)
    assert (tokens.layout.shapes[0].x0, tokens.layout.annotations[0].text) == (9, "cut here: 1 items")
    bad = available(replace(data, choices=Choices(good_from=3)))["Ratings"]
    assert len(set(bad.data[0].marker.color)) == 2
    assert "red: counts as bad" in bad.layout.xaxis.title.text


def test_a_bare_catalogue_has_none(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("title\nAlien\nBig\n")
    assert available(load(tmp_path / "items.csv", cache=tmp_path)) == {}


def test_token_lengths_wait_for_the_model() -> None:
    text = SimpleNamespace(start=2, end=7)
    recommender = SimpleNamespace(ensemble=SimpleNamespace(gpt=SimpleNamespace(prompts=SimpleNamespace(texts=[text]))))
    loaded = Event()
    background = Background()
    task = background.start("model", lambda _: loaded.wait(60))
    tab = object.__new__(DataTab)
    tab.context = SimpleNamespace(load=lambda active: task, recommender=lambda active: recommender)  # type: ignore[assignment]
    with ThreadPoolExecutor(1) as other:
        asked = other.submit(tab._token_lengths, Active("tiny"))
        assert not asked.done()
        loaded.set()
        drawn = asked.result(60)
    assert (list(drawn.data[0].x), drawn.layout.shapes[0].x0) == ([5], MAX_ITEM_TOKENS)


def test_without_a_model_there_are_words_for_it() -> None:
    def refuse(task: Task) -> None:
        raise ModelError("It is damaged.")

    tab = object.__new__(DataTab)
    task = Background().start("model", refuse)
    tab.context = SimpleNamespace(load=lambda active: task)  # type: ignore[assignment]
    with pytest.raises(ModelError, match="It is damaged"):
        tab._token_lengths(Active("tiny"))
