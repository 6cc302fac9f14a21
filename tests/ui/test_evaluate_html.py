"""What the tab Evaluate says of a result whose figures are known."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gpr.data.dataset import Dataset
from gpr.evaluate.charts import bars
from gpr.ui.evaluate.picture import reliability_figure
from gpr.ui.evaluate.requests import LOST, WON, WORST, chosen, request_list
from gpr.ui.evaluate.tables import group_tables, list_table, main_table, titled
from tests.ui.fake import made_up_table


@pytest.fixture(scope="module")
def result(films: Dataset) -> dict[str, Any]:
    return made_up_table(films)


def test_the_winner_is_marked_only_where_it_is_sure(result: dict[str, Any]) -> None:
    assert main_table(result, "NDCG@10").count("★") == len(result["best"]) + 1  # and in the words below
    unsure = copy.deepcopy(result)
    unsure["best"] = dict.fromkeys(result["best"])
    assert main_table(unsure, "NDCG@10").count("★") == 1


def test_methods_have_names_that_are_no_code(result: dict[str, Any]) -> None:
    shown = bars(result, "MRR", titled) + main_table(result, "MRR") + request_list(result, WORST, "bm25_queries")
    assert "bm25_queries" not in shown
    assert shown.count("BM25 with queries") > 3


def test_equal_rows_without_a_run_are_explained(result: dict[str, Any]) -> None:
    assert "No run is chosen" not in main_table(result, "MRR")
    alone = copy.deepcopy(result)
    alone["metrics"]["base"] = alone["metrics"]["gpr"]
    assert "No run is chosen: GPR is the base model here" in main_table(alone, "MRR")


def test_a_difference_is_coloured_only_where_it_is_sure(result: dict[str, Any]) -> None:
    changed = copy.deepcopy(result)
    for at in changed["against"].values():
        at["MRR"] |= {"difference": -0.2, "p": 0.3}
    changed["against"]["match"]["MRR"]["p"] = 0.01
    shown = main_table(changed, "MRR")
    assert (shown.count("gpr-worse"), shown.count("gpr-plain"), shown.count("gpr-better")) == (1, 5, 0)


def test_where_gpr_lost_won_and_was_worst(result: dict[str, Any]) -> None:
    assert next(request["asked"] for request in chosen(result, LOST, "bm25")) == "query <0>"
    for request in chosen(result, WON, "bm25"):
        assert request["ranks"]["gpr"] < request["ranks"]["bm25"]
    worst = [request["ranks"]["gpr"] for request in chosen(result, WORST, "bm25")]
    assert worst == sorted(worst, reverse=True)
    assert len(worst) == 40
    assert "&lt;0&gt;" in request_list(result, LOST, "bm25")


def test_no_request_at_all(result: dict[str, Any]) -> None:
    nothing = copy.deepcopy(result)
    nothing["details"]["requests"] = []
    assert "There is no such request." in request_list(nothing, LOST, "bm25")


def test_groups_and_lists(result: dict[str, Any]) -> None:
    assert "cold items" in group_tables(result, "MRR")
    assert "too few requests" in group_tables(result | {"groups": {}}, "MRR")
    assert "0.500" in list_table(result)


def test_no_diagram_without_probabilities(result: dict[str, Any]) -> None:
    figure = reliability_figure(result)
    assert figure is not None
    assert len(figure.data) == 3
    assert reliability_figure(result | {"calibration": dict.fromkeys(result["metrics"])}) is None
