"""The linear head over labels, on features whose right answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpr.scorers.head import learn_head, load_head, save_head


def drawn(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (K, 20) of three labels that lie apart in one direction each, and the labels."""
    noise = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    centres = 2.5 * torch.eye(20)[:3]
    return centres[labels] + torch.randn(count, 20, generator=noise), labels


def test_it_tells_labels_apart_and_is_as_sure_as_it_may_be(tmp_path: Path) -> None:
    head = learn_head(*drawn(150), 4)  # nothing has the fourth label
    found, labels = drawn(300, 1)
    with torch.inference_mode():
        log_probs = head.log_probs(found)
    assert log_probs.exp().sum(1) == pytest.approx(1, abs=1e-4)
    assert (log_probs.argmax(1) == labels).float().mean() > 0.85
    assert torch.nn.functional.nll_loss(log_probs, labels) < 0.4
    save_head(tmp_path, head)
    again = load_head(tmp_path, 4)
    assert again is not None
    torch.testing.assert_close(again.log_probs(found), log_probs)
    assert load_head(tmp_path, 3) is None


def test_few_texts_and_equal_ones_do() -> None:
    found, labels = drawn(4)
    assert learn_head(found, labels, 3).log_probs(found).isfinite().all()
    assert learn_head(torch.ones(1, 20), torch.zeros(1, dtype=torch.long), 2).log_probs(found).isfinite().all()
