"""The linear head over labels, on features whose right answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpr.scorers.head import LabelHead, Texts, learn_head, load_head, save_head, seen_through


def drawn(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (K, 20) of three labels that lie apart in one direction each, and the labels."""
    noise = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    centres = 2.5 * torch.eye(20)[:3]
    return centres[labels] + torch.randn(count, 20, generator=noise), labels


def test_it_tells_labels_apart_and_is_as_sure_as_it_may_be(tmp_path: Path) -> None:
    head = learn_head(Texts(*drawn(150)), 4)  # nothing has the fourth label
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


def test_what_the_model_was_fine_tuned_with_counts_as_far_as_held_texts_say() -> None:
    found, labels = drawn(30)
    noise = torch.randn(30, 20, generator=torch.Generator().manual_seed(5))
    tuned = LabelHead(20, 3)
    tuned.learn_spread(2 * found + 1)
    with torch.no_grad():
        tuned.linear.weight[:, :3] = 3 * torch.eye(3)
    held, mixed = Texts(*drawn(60, 2)), None
    plain = learn_head(Texts(noise, labels), 3)
    mixed = learn_head(Texts(noise, labels), 3, 0, tuned.eval(), held)
    fresh, right = drawn(300, 1)
    with torch.inference_mode():
        accuracy = [float((head.log_probs(fresh).argmax(1) == right).float().mean()) for head in (plain, mixed, tuned)]
    assert accuracy[0] < 0.6 < accuracy[1]
    assert accuracy[1] == pytest.approx(accuracy[2], abs=0.05), "noise teaches nothing"
    assert torch.equal(learn_head(Texts(noise, labels), 3, 0, tuned).linear.weight, plain.linear.weight)


def test_a_map_seen_through_another_evening_is_the_same_map() -> None:
    found, _ = drawn(40)
    one, other = LabelHead(20, 3), LabelHead(20, 3).eval()
    one.learn_spread(found)
    other.learn_spread(3 * found - 2)
    torch.nn.init.normal_(other.linear.weight)
    torch.nn.init.normal_(other.linear.bias)
    torch.testing.assert_close(seen_through(one, other)(one.even(found)), other.logits(found), atol=1e-4, rtol=1e-4)


def test_few_texts_and_equal_ones_do() -> None:
    found, labels = drawn(4)
    assert learn_head(Texts(found, labels), 3).log_probs(found).isfinite().all()
    assert learn_head(Texts(torch.ones(1, 20), torch.zeros(1, dtype=torch.long)), 2).log_probs(found).isfinite().all()
