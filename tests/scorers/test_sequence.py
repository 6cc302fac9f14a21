"""The transformer over items: it hears what came before and nothing else, and comes back from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gpr.data.dataset import Request
from gpr.errors import ModelError
from gpr.scorers.sequence import (
    SEQUENCE,
    SequenceModel,
    SequenceScorer,
    Shape,
    load_sequence,
    padded,
    save_sequence,
)
from tests.small_data import catalogue_of

TITLES = ["Alien", "Aliens", "Heat", "Dune", "Amélie"]
SHAPE = Shape(text=3, width=8, heads=2, length=4)


def texts(count: int = 5) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> SequenceModel:
    """Random, with weights large enough to tell items apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SequenceModel(SHAPE, texts())
        for weight in (model.ids.weight, model.bias, model.positions.weight):
            torch.nn.init.normal_(weight)
    return model.eval()


def test_a_state_hears_what_came_before_and_nothing_after(model: SequenceModel) -> None:
    with torch.inference_mode():
        vectors = model.item_vectors()
        one, other = model.read(torch.tensor([[0, 1, 2, 3], [0, 1, 4, 4]]), vectors)
    torch.testing.assert_close(one[:2], other[:2])
    assert not torch.allclose(one[2], other[2])


def test_padding_changes_nothing(model: SequenceModel) -> None:
    scorer = SequenceScorer(model)
    together = scorer.score_all([Request("", (2,)), Request("", (1, 3, 0, 4))])
    np.testing.assert_allclose(scorer.score_all([Request("", (2,))])[0], together[0], atol=1e-5)


def test_the_most_recent_items_are_read(model: SequenceModel) -> None:
    long, short = SequenceScorer(model).score_all([Request("", (4, 4, 0, 1, 2, 3)), Request("", (0, 1, 2, 3))])
    np.testing.assert_allclose(long, short, atol=1e-6)


def test_padded() -> None:
    assert padded([(3,), (1, 2)]).tolist() == [[3, 0], [1, 2]]


def test_without_text_an_items_vector_is_its_id_part() -> None:
    model = SequenceModel(Shape(text=0, width=8), torch.zeros(5, 0))
    assert model.item_vectors() is model.ids.weight
    assert np.isfinite(SequenceScorer(model).score_all([Request("", (1,))])).all()


def test_it_comes_back_as_it_was(model: SequenceModel, tmp_path: Path) -> None:
    catalogue = catalogue_of(TITLES)
    save_sequence(tmp_path, model, catalogue)
    loaded = load_sequence(tmp_path, catalogue, texts())
    assert loaded is not None
    assert loaded.shape == SHAPE
    asked = [Request("", (0, 1)), Request()]
    np.testing.assert_array_equal(SequenceScorer(loaded).score_all(asked), SequenceScorer(model).score_all(asked))


def test_in_another_catalogue_items_are_known_by_title_and_new_ones_by_text(
    model: SequenceModel, tmp_path: Path
) -> None:
    save_sequence(tmp_path, model, catalogue_of(TITLES))
    other = texts(4)[[2, 1, 3, 0]]
    loaded = load_sequence(tmp_path, catalogue_of(["Heat", "New", "Dune", "Alien"]), other)
    assert loaded is not None
    with torch.inference_mode():
        vectors, before = loaded.item_vectors(), model.item_vectors()
        torch.testing.assert_close(vectors[[0, 2, 3]], before[[2, 3, 0]])
        torch.testing.assert_close(vectors[1], model.text(other)[1])
    assert load_sequence(tmp_path, catalogue_of(["Quite", "different"]), texts(2)) is None


def test_a_run_without_one(tmp_path: Path) -> None:
    assert load_sequence(tmp_path, catalogue_of(TITLES), texts()) is None


def test_a_damaged_file_raises(model: SequenceModel, tmp_path: Path) -> None:
    save_sequence(tmp_path, model, catalogue_of(TITLES))
    tensors = load_file(tmp_path / SEQUENCE)
    del tensors["positions.weight"]
    sizes = {"text": "3", "width": "8", "layers": "2", "heads": "2", "length": "4", "dropout": "0.2"}
    save_file(tensors, tmp_path / SEQUENCE, metadata=sizes)
    with pytest.raises(ModelError, match="learned of histories cannot be used .*train the run again"):
        load_sequence(tmp_path, catalogue_of(TITLES), texts())
