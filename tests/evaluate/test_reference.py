"""Our metrics against those of ir_measures, a maintained library, on random scores without ties."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from ir_measures import RR, R, Success, nDCG

from gpr.evaluate.metrics import per_request, ranks

OURS = {"R@1": Success @ 1, "R@5": R @ 5, "R@10": R @ 10, "NDCG@10": nDCG @ 10, "MRR": RR}


@pytest.mark.parametrize("seed", range(3))
def test_every_metric_is_the_librarys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, items = rng.normal(size=(40, 30)), rng.integers(0, 30, 40)
    qrels = [ir_measures.Qrel(str(row), str(item), 1) for row, item in enumerate(items)]
    run = [
        ir_measures.ScoredDoc(str(row), str(item), float(score))
        for row, of in enumerate(scores)
        for item, score in enumerate(of)
    ]
    found = per_request(ranks(scores, items))
    assert set(found) == set(OURS)
    for value in ir_measures.iter_calc(list(OURS.values()), qrels, run):
        name = next(name for name, measure in OURS.items() if measure == value.measure)
        assert found[name][int(value.query_id)] == pytest.approx(value.value, abs=1e-6), name
