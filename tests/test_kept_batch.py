"""A batch in the workspace: kept once it can be answered, stopped, gone on with by another process, deleted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gpr.data.load import load
from gpr.errors import DataError, RequestError
from gpr.kept_batch import BatchStore
from tests.ui.fake import write_data
from tests.ui.fake_recommender import FakeRecommender


@pytest.fixture
def recommender(tmp_path: Path) -> FakeRecommender:
    return FakeRecommender(load(str(write_data(tmp_path / "tiny")), cache=tmp_path / "cache"), "")


def test_it_goes_on_where_it_stopped_and_is_deleted_with_all_it_holds(
    recommender: FakeRecommender, tmp_path: Path
) -> None:
    brought = tmp_path / "asked.CSV"
    brought.write_text("query,history\ndream,\nmonster,m1|m3\n,m2\n", encoding="utf-8")
    store = BatchStore(tmp_path / "batches")
    kept = store.add(brought, recommender.dataset, "tiny", "", 2, ".csv")
    brought.unlink()
    assert (kept.count, kept.answered()) == (3, 0)
    batch = kept.batch(recommender)
    list(batch.run(batch.left()[:2]))
    again = BatchStore(tmp_path / "batches").get(kept.key)
    assert again == kept
    assert again.answered() == 2
    batch = again.batch(recommender)
    assert batch.left() == [3]
    list(batch.run([3]))
    assert batch.finish()
    assert again.answered() == 3
    assert pd.read_csv(again.out)["request"].tolist() == [1, 1, 2, 2, 3, 3]
    again.delete()
    assert store.get(kept.key) is None
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("key", ["", None, 7, "..", "../secrets", "a" * 32, "A" * 32])
def test_no_batch_has_such_a_key(tmp_path: Path, key: object) -> None:
    assert BatchStore(tmp_path).get(key) is None


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("a.csv", "question\nx\n", DataError, "holds no requests"),
        ("a.png", "x", DataError, "cannot be read as '.png'"),
        ("a.jsonl", "{", DataError, "cannot be read"),
        ("a.csv", "query,history\nx,\ny,m1|zz\n", RequestError, "row 2"),
        ("a.csv", 'query,history\nx,"[1,"\n', RequestError, "no list of item ids"),
    ],
)
def test_what_cannot_be_answered_is_said_and_not_kept(
    recommender: FakeRecommender, tmp_path: Path, name: str, text: str, error: type[Exception], words: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    store = BatchStore(tmp_path / "batches")
    with pytest.raises(error) as raised:
        store.add(tmp_path / name, recommender.dataset, "tiny", "", 5, ".csv")
    assert words in str(raised.value)
    assert not store.root.exists()
