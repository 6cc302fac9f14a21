"""A sentence encoder where one is there: found, asked, kept, or refused in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpr.data.dataset import Dataset, Request
from gpr.errors import ModelError
from gpr.scorers import encoder
from gpr.scorers.encoder import SCALE, EncoderScorer, encoder_folder
from gpr.scorers.ensemble import scorers_of

pytestmark = pytest.mark.usefixtures("cache")


def test_a_training_query_finds_its_item(films: Dataset, tiny_encoder: Path) -> None:
    asked = [Request("monster on a space ship"), Request("old egypt and curses"), Request("", (1,))]
    scores = EncoderScorer(films, tiny_encoder).score_all(asked)
    np.testing.assert_allclose(scores[[0, 1], [2, 1]], SCALE, rtol=1e-5)
    assert scores[:2].argmax(1).tolist() == [2, 1]
    assert not scores[2].any()


def test_items_are_read_once(films: Dataset, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = EncoderScorer(films, tiny_encoder).score_all([Request("dreams")])
    read: list[int] = []
    real = encoder.SentenceEncoder.vectors
    monkeypatch.setattr(
        encoder.SentenceEncoder, "vectors", lambda self, texts: read.append(len(texts)) or real(self, texts)
    )
    np.testing.assert_allclose(EncoderScorer(films, tiny_encoder).score_all([Request("dreams")]), first, rtol=1e-6)
    assert read == [1]


def test_it_takes_part_where_it_is_there(films: Dataset, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert encoder_folder() is None
    assert "encoder" not in scorers_of(films)
    monkeypatch.setenv(encoder.VARIABLE, str(tiny_encoder))
    assert encoder_folder() == tiny_encoder
    assert "encoder" in scorers_of(films)


def test_a_folder_without_one_is_refused_in_words(films: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="sentence encoder cannot be used"):
        EncoderScorer(films, tmp_path).score_all([Request("dreams")])
