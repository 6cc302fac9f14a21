"""Reports of a table whose figures are known: complete, escaped, and in need of nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpr.errors import RequestError
from gpr.evaluate.charts import bars, reliability
from gpr.evaluate.figures import Facts, figures
from gpr.evaluate.outcome import Outcome
from gpr.evaluate.report import html, markdown, summary, write_report

B, N = 60, 15


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """`gpr` knows most answers, `bm25` none of them; a third of the items is cold."""
    rng = np.random.default_rng(0)
    items = rng.integers(0, N, B)
    scores = {"gpr": 2.5 * np.eye(N)[items] + rng.normal(size=(B, N)), "bm25": rng.normal(size=(B, N))}
    log_probs = {name: np.log(np.exp(of) / np.exp(of).sum(1, keepdims=True)) for name, of in scores.items()}
    log_probs["bm25"] = np.full((B, N), np.nan)
    outcomes = {name: Outcome.of(of, items, log_probs[name]) for name, of in scores.items()}
    facts = Facts(items, np.arange(B), {"cold <items>": np.arange(B) % 3 == 0, "all": np.ones(B, bool)}, N)
    lists = {name: {"novelty": np.ones(B), "popularity": np.ones(B), "diversity": np.ones(B)} for name in outcomes}
    about = {"data": "a <b> | c", "split": "test", "n": B, "protocol": "Full ranking."}
    return about | figures(facts, outcomes, lists)


def test_the_winner_is_marked_where_it_is_sure(table: dict[str, Any]) -> None:
    assert set(table["best"].values()) == {"gpr"}
    assert table["against"]["bm25"]["NDCG@10"]["p"] < 0.001
    low, high = table["intervals"]["gpr"]["R@1"]
    assert low < table["metrics"]["gpr"]["R@1"] < high
    assert list(table["groups"]) == ["cold <items>"]  # everybody is no group
    assert table["groups"]["cold <items>"]["n"] == 20
    assert table["beyond"]["bm25"]["log-loss"] is None
    assert table["calibration"]["bm25"] is None


def test_no_winner_among_equals() -> None:
    rng = np.random.default_rng(0)
    items = rng.integers(0, N, B)
    outcomes = {
        name: Outcome.of(rng.normal(size=(B, N)), items, np.full((B, N), np.nan)) for name in ("gpr", "bm25", "popular")
    }
    lists = {name: {"novelty": np.ones(B)} for name in outcomes}
    found = figures(Facts(items, np.arange(B), {}, N), outcomes, lists)
    assert set(found["best"].values()) == {None}


def test_the_summary_says_who_won(table: dict[str, Any]) -> None:
    assert summary(table).startswith(
        f"GPR reaches NDCG@10 {table['metrics']['gpr']['NDCG@10']:.3f} on 60 test requests"
    )
    assert "Significantly better than bm25." in summary(table)


def test_html_is_whole_and_escaped(table: dict[str, Any]) -> None:
    page = html(table)
    assert page.startswith("<!doctype html>")
    assert "a &lt;b&gt; | c" in page
    assert "<b>" not in re.sub(r"<b>[\d.]+</b>", "", page)
    assert "cold &lt;items&gt;" in page
    assert not re.search(r"<script|https?://|@import|src=", page)
    assert all(f"<h2>{title}" in page for title in ("Figures", "Comparisons", "Besides right", "Do probabilities"))


def test_markdown_tables_have_equal_rows(table: dict[str, Any]) -> None:
    text = markdown(table)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 4
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
    assert "# Evaluation of a <b> \\| c" in text


def test_files_by_their_ending(table: dict[str, Any], tmp_path: Path) -> None:
    for name, start in (("r.html", "<!doctype"), ("r.md", "# Evaluation")):
        write_report(table, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    with pytest.raises(RequestError, match=r"Name a file that ends in \.html or \.md"):
        write_report(table, tmp_path / "r.pdf")


def test_bars_show_the_interval(table: dict[str, Any]) -> None:
    assert bars(table, "R@1").count("<path") == 2
    bare = {"metrics": {"gpr": {"R@1": 0.5}}}
    assert "0.500" in bars(bare, "R@1")


def test_reliability_shows_who_gives_probabilities(table: dict[str, Any]) -> None:
    drawn = reliability(table["calibration"], ("gpr", "bm25"))
    assert drawn.count("<circle") == 10
    assert "gpr: ECE" in drawn
    assert "bm25" not in drawn
    assert reliability({"bm25": None}, ("bm25",)) == ""
