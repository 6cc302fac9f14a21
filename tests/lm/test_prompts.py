"""The wording of prompts, read back from their tokens; titles that the trie can hold; spans that hold what was said."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import processors
from transformers import PreTrainedTokenizerFast

from gpr.data.dataset import Request
from gpr.lm.prompts import MAX_HISTORY, MAX_ITEM_TOKENS, Prompt, Prompts
from tests.small_data import catalogue_of

TITLES = ("The Matrix", "The Mummy", "Alien", "Aliens", "Alien 3", "盗梦空间", "Amélie 🎬")


@pytest.fixture(scope="module")
def prompts(tiny_tokenizer: PreTrainedTokenizerFast) -> Prompts:
    return Prompts(tiny_tokenizer, catalogue_of(TITLES, genre=["Sci-Fi", *[""] * 6], description=["It is.", *[""] * 6]))


@pytest.fixture(scope="module")
def bos_tokenizer(tiny_tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """As Gemma's: it puts a BOS token before every text."""
    tokenizer = copy.deepcopy(tiny_tokenizer)
    bos = (tokenizer.bos_token, tokenizer.bos_token_id)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos[0]} $A", special_tokens=[bos]
    )
    return tokenizer


def text(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def said(tokenizer: Any, prompt: Prompt) -> str:
    return text(tokenizer, prompt.ids[prompt.start : prompt.end])


@pytest.mark.parametrize(
    ("request_", "wording", "span"),
    [
        (Request("a film about dreams"), "Query: a film about dreams\nTitle:", " a film about dreams"),
        (Request("关于梦"), "Query: 关于梦\nTitle:", " 关于梦"),
        (
            Request("", (0, 2)),
            "Chosen so far, in order:\n The Matrix\n Alien\n",
            " The Matrix\n Alien\n",
        ),
        (
            Request("dreams", (0,)),
            "Chosen so far, in order:\n The Matrix\nQuery: dreams\nTitle:",
            " The Matrix\nQuery: dreams",
        ),
        (Request("dreams", (), "age 24"), "User: age 24\nQuery: dreams\nTitle:", " dreams"),
        (Request("", (2,), "age 24"), "User: age 24\nChosen so far, in order:\n Alien\n", " Alien\n"),
        (Request(), "Title:", "Title:"),
        (Request("", (), "age 24"), "User: age 24\nTitle:", "Title:"),
    ],
)
def test_wording(prompts: Prompts, tiny_tokenizer: Any, request_: Request, wording: str, span: str) -> None:
    prompt = prompts.request(request_)
    assert text(tiny_tokenizer, prompt.ids) == wording
    assert said(tiny_tokenizer, prompt) == span


def test_titles_end_with_a_line_break(prompts: Prompts, tiny_tokenizer: Any) -> None:
    assert [text(tiny_tokenizer, ids) for ids in prompts.titles] == [f" {title}\n" for title in TITLES]


def test_the_trie_is_that_of_the_titles(prompts: Prompts) -> None:
    trie = prompts.trie
    for item, ids in enumerate(prompts.titles):
        assert trie.tokens[trie.starts[item] : trie.starts[item + 1]].tolist() == ids


@given(st.lists(st.integers(0, len(TITLES) - 1), min_size=2, max_size=30), st.sampled_from(["", "age 24, nurse"]))
def test_a_history_with_its_next_title_is_a_longer_history(prompts: Prompts, items: list[int], user: str) -> None:
    ids, start, ends = prompts.history(items, user)
    assert len(ends) == len(items)
    shorter = prompts.history(items[:-1], user)[0]
    assert shorter + prompts.titles[items[-1]] == ids
    for item, begin, end in zip(items, [start, *ends], ends, strict=False):
        assert ids[begin:end] == prompts.titles[item]
    if len(items) <= MAX_HISTORY:
        assert prompts.request(Request("", tuple(items), user)) == Prompt(ids, start, len(ids))


def test_the_most_recent_of_a_long_history_are_kept(prompts: Prompts) -> None:
    recent = tuple([0, 1] * (MAX_HISTORY // 2))
    assert prompts.request(Request("", (2, 3, *recent))) == prompts.request(Request("", recent))


def test_a_window_decides_how_many_those_are(tiny_tokenizer: Any) -> None:
    prompts = Prompts(tiny_tokenizer, catalogue_of(TITLES), window=2)
    assert prompts.request(Request("", (2, 3, 0, 1))) == prompts.request(Request("", (0, 1)))
    assert prompts.request(Request("", (3, 0, 1))) != prompts.request(Request("", (1,)))


def test_an_items_text_has_all_that_is_known_of_it(prompts: Prompts, tiny_tokenizer: Any) -> None:
    whole, bare = prompts.texts[0], prompts.texts[2]
    assert text(tiny_tokenizer, whole.ids) == "Item: The Matrix. genre: Sci-Fi. It is\n"
    assert said(tiny_tokenizer, whole) == " The Matrix. genre: Sci-Fi. It is"
    assert text(tiny_tokenizer, bare.ids) == "Item: Alien\n"


def test_a_long_item_text_is_cut(tiny_tokenizer: Any) -> None:
    long = Prompts(tiny_tokenizer, catalogue_of(["A", "B"], description=["word " * 500, ""])).texts[0]
    assert long.end - long.start == MAX_ITEM_TOKENS
    assert text(tiny_tokenizer, long.ids).endswith("\n")


def test_a_bos_token_comes_first_and_once(bos_tokenizer: Any) -> None:
    prompts = Prompts(bos_tokenizer, catalogue_of(TITLES))
    bos = bos_tokenizer.bos_token_id
    for request in (Request("dreams"), Request("", (0, 1)), Request("dreams", (0,), "age 24"), Request()):
        prompt = prompts.request(request)
        assert [at for at, token in enumerate(prompt.ids) if token == bos] == [0]
        assert prompt.start > 0
    assert all(item.ids[0] == bos and bos not in item.ids[1:] for item in prompts.texts)
    assert not any(bos in title for title in prompts.titles)


def test_titles_that_the_tokenizer_does_not_tell_apart_get_their_ids(tiny_tokenizer: Any) -> None:
    from tokenizers import normalizers

    tokenizer = copy.deepcopy(tiny_tokenizer)
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    prompts = Prompts(tokenizer, catalogue_of(["HEAT", "Heat", "heat", "Dune"]))
    assert [text(tokenizer, ids) for ids in prompts.titles] == [" heat\n", " heat [a1]\n", " heat [a2]\n", " dune\n"]
    assert len(prompts.trie) == 4
